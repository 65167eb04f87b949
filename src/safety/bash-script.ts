import { readFile } from "node:fs/promises";
import type { Node, Parser } from "web-tree-sitter";
import { type PlainCommand, readPlainScript } from "./plain-script.ts";

export interface BashParser {
  /** The commands of a script that is nothing but plain commands, or undefined when it was not understood. */
  plainCommands(script: string): readonly PlainCommand[] | undefined;
}

export interface BashParserFiles {
  /** The runtime, `web-tree-sitter.wasm`. */
  readonly runtime: string;
  /** The grammar, `tree-sitter-bash.wasm`. */
  readonly grammar: string;
}

let loading: Promise<BashParser> | undefined;

/** One parser per process: it is slow to load and keeps nothing between two scripts. */
export function loadBashParser(files: BashParserFiles): Promise<BashParser> {
  loading ??= createParser(files);
  return loading;
}

async function createParser(files: BashParserFiles): Promise<BashParser> {
  const [{ Language, Parser }, grammar] = await Promise.all([import("web-tree-sitter"), readFile(files.grammar)]);
  await Parser.init({ locateFile: () => files.runtime });
  const parser = new Parser().setLanguage(await Language.load(grammar));
  return { plainCommands: (script) => plainCommands(script, parser) };
}

/** Two readers that know nothing of each other have to see the same commands. */
function plainCommands(script: string, parser: Parser): readonly PlainCommand[] | undefined {
  const commands = readPlainScript(script);
  if (commands === undefined) return undefined;
  const tree = parser.parse(script);
  if (tree === null) return undefined;
  try {
    const counts = tree.rootNode.hasError ? undefined : countWords(tree.rootNode);
    const isAgreed = counts?.length === commands.length && commands.every((c, i) => c.words.length === counts[i]);
    return isAgreed ? commands : undefined;
  } finally {
    tree.delete();
  }
}

/** Words of each command in order; undefined when the tree holds anything but plain commands and connectors. */
function countWords(root: Node): readonly number[] | undefined {
  const counts: number[] = [];
  // Not recursive: a chain of connectors nests one level deeper with each of them.
  const cursor = root.walk();
  try {
    for (;;) {
      const type = cursor.nodeType;
      const isContainer = containers.has(type);
      if (type === "command") {
        counts.push(0);
      } else if (wordTypes.has(type)) {
        counts.push((counts.pop() ?? 0) + 1);
      } else if (!isContainer && !connectors.has(type)) {
        return undefined;
      }
      if (isContainer && cursor.gotoFirstChild()) continue;
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) return counts;
      }
    }
  } finally {
    cursor.delete();
  }
}

const containers: ReadonlySet<string> = new Set(["program", "list", "pipeline", "command", "command_name"]);
const wordTypes: ReadonlySet<string> = new Set(["word", "number", "raw_string", "string"]);
const connectors: ReadonlySet<string> = new Set(["&&", "||", ";", "|", "\n"]);
