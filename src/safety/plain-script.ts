/** One command of a script, its words as bash would hand them to the program. */
export interface PlainCommand {
  readonly words: readonly string[];
  /** A pattern among the words could become an option, because a file may be called `-delete`. */
  readonly hasOpenPattern: boolean;
}

/**
 * The commands of a script made of nothing but plain commands, literal words and `&&`, `||`, `;`, `|` or newlines.
 * Anything else (redirections, variables, comments, braces, a quote inside a word, ...) gives undefined: what this does
 * not know it does not guess.
 */
export function readPlainScript(script: string): readonly PlainCommand[] | undefined {
  const tokens = script.length > longestArgument || controlCharacter.test(script) ? undefined : lex(script);
  if (tokens === undefined) return undefined;
  const commands: PlainCommand[] = [];
  let words: Word[] = [];
  let needsCommand = true;
  for (const token of [...tokens, "\n"]) {
    if (typeof token !== "string") {
      words.push(token);
      continue;
    }
    if (words.length === 0 && token === "\n") continue;
    if (words[0]?.canBeName !== true) return undefined;
    commands.push({
      words: words.map((word) => word.text),
      hasOpenPattern: words.some((word) => word.isOpenPattern),
    });
    words = [];
    needsCommand = token !== ";" && token !== "\n";
  }
  return needsCommand ? undefined : commands;
}

/** Linux takes no longer argument than this, so no longer script can run. */
const longestArgument = 128 * 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: bash treats some of them specially, none is worth judging.
const controlCharacter = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

interface Word {
  readonly text: string;
  readonly canBeName: boolean;
  readonly isOpenPattern: boolean;
}

/** Words and connectors in order. */
function lex(script: string): readonly (Word | string)[] | undefined {
  const tokens: (Word | string)[] = [];
  let isSeparated = true;
  const lexeme = new RegExp(lexemes, "uy");
  while (lexeme.lastIndex < script.length) {
    const found = lexeme.exec(script)?.groups;
    if (found === undefined) return undefined;
    const { blank, connector, quoted, bare } = found;
    if (blank !== undefined) {
      // A continued line alone joins what stands on both sides of it.
      isSeparated ||= /[ \t]/.test(blank);
    } else if (connector !== undefined) {
      tokens.push(connector);
      isSeparated = true;
    } else if (isSeparated) {
      tokens.push(quoted === undefined ? bareWord(bare ?? "") : quotedWord(quoted));
      isSeparated = false;
    } else {
      return undefined;
    }
  }
  return tokens;
}

const lexemes = [
  String.raw`(?<blank>(?:[ \t]|\\\n)+)`,
  String.raw`(?<connector>\n|&&|\|\||[|;])`,
  // Within double quotes a dollar is only itself where no name can follow, as in a pattern's "end$".
  String.raw`(?<quoted>'[^']*'|"(?:[^"\\$\x60]|\\[^\n]|\$(?=["|) ]))*")`,
  String.raw`(?<bare>(?!#)(?:[\w%+,./:=@^~*?!#-]|[^\x00-\x7f\s]|\\[^\n])+)`,
].join("|");

function bareWord(source: string): Word {
  const text = source.replace(/\\(.)/gu, "$1");
  const isPattern = /[*?]/.test(source.replace(/\\./gu, ""));
  return {
    text,
    canBeName: !notAName.test(source) && !reservedWords.has(source),
    // A literal first letter other than "-" stays the first letter of whatever the pattern finds.
    isOpenPattern: isPattern && (/^[*?]/.test(source) || text.startsWith("-")),
  };
}

function quotedWord(source: string): Word {
  const inside = source.slice(1, -1);
  const text = source.startsWith("'") ? inside : inside.replace(/\\([$`"\\])/g, "$1");
  return { text, canBeName: false, isOpenPattern: false };
}

/** Options of bash itself, job numbers, assignments, negation, and names that only expanding would tell. */
const notAName = /^[-+%]|[\\=*?!]/;

const reservedWords: ReadonlySet<string> = new Set(
  "case coproc do done elif else esac fi for function if in select then time until while".split(" "),
);
