// A command, path or question with characters that turn the text around or have no width can look like another one.

/**
 * What Unicode lets nobody see: controls of direction, zero-width characters, fillers, tags and line separators. The
 * selector that makes a picture of a sign, as in ⚠️, is no deception behind such a sign.
 */
const invisible = /[\p{Zl}\p{Zp}]|(?!\uFE0F)\p{Default_Ignorable_Code_Point}|(?<!\p{Extended_Pictographic})\uFE0F/u;
const invisibles = new RegExp(invisible, "gu");

/** Makes them visible, as `\u{202e}`; control characters stay. */
export function showInvisible(text: string): string {
  if (!invisible.test(text)) return text;
  return text.replace(invisibles, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
