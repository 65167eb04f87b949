// A command, path or question with characters that turn the text around or have no width can look like another one.

/**
 * What Unicode lets nobody see: controls of direction, zero-width characters, fillers, tags, line separators, marks of
 * annotations, the empty Braille cell, and halves of characters. The selector that makes a picture of a sign, as in ⚠️, is
 * no deception behind such a sign.
 */
const invisible =
  /[\p{Zl}\p{Zp}\p{Cs}\u2800\uFFF9-\uFFFB]|(?!\uFE0F)\p{Default_Ignorable_Code_Point}|(?<!\p{Extended_Pictographic})\uFE0F/u;
const invisibles = new RegExp(invisible, "gu");

/** Makes them visible, as `\u{202e}`; control characters stay. */
export function showInvisible(text: string): string {
  if (!invisible.test(text)) return text;
  return text.replace(invisibles, escaped);
}

/** C0, DEL and C1, without newline and tab: what a terminal obeys. */
const control = /[^\P{Cc}\n\t]/gu;

/** Makes those visible, as `\x1b`. */
export function escapeControls(text: string): string {
  return text.replace(control, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** All of U+0020 and its like but itself: a shell takes them for letters. */
const oddBlank = /[^\P{Zs} ]/gu;

/**
 * For what a person decides on: nothing but newline and tab is left to the imagination. U+0000 stays: no command can have
 * it, and clients know the text of one that does (case 107).
 */
export function showHidden(text: string): string {
  const parts = showInvisible(text).replace(oddBlank, escaped).split("\0");
  return parts.map(escapeControls).join("\0");
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
