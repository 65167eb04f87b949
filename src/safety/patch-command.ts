import { readPlainScript } from "./plain-script.ts";

export type RecognizedPatch =
  /** `cd` is where the patch's paths start, itself relative to the directory of the call. */
  { readonly type: "patch"; readonly patch: string; readonly cd: string | undefined } | { readonly type: "none" };

/**
 * The patch in a command that does nothing but apply it, so that we apply it ourselves. Whatever does more runs as it
 * is and finds the `apply_patch` program.
 */
export function recognizePatch(command: readonly string[]): RecognizedPatch {
  const [program = "", argument = "", script = ""] = command;
  if (command.length === 2 && programs.has(program)) return { type: "patch", patch: argument, cd: undefined };
  if (command.length !== 3 || !shells.test(program) || !/^-l?c$/.test(argument)) return { type: "none" };

  const change = changeDirectory.exec(script)?.groups;
  const cd = change === undefined ? undefined : readDirectory(change["directory"] ?? "");
  if (change !== undefined && cd === undefined) return { type: "none" };
  const rest = change?.["rest"] ?? script;
  const patch = readHeredoc(rest) ?? readArgument(rest);
  return patch === undefined ? { type: "none" } : { type: "patch", patch, cd };
}

const programs: ReadonlySet<string> = new Set(["apply_patch", "applypatch"]);

const shells = /^(?:.*\/)?(?:ba|z|da)?sh$/;

const changeDirectory =
  /^\s*cd[ \t]+(?<directory>'[^']*'|"[^"]*"|(?:\\.|[^\s'";&|\\])+)[ \t]*(?:&&|;|\n)\s*(?<rest>.*)$/s;

/** Only a directory that the shell, too, would take as it is written. */
function readDirectory(source: string): string | undefined {
  const directory = readPlainScript(`cd ${source}`)?.[0]?.words[1];
  return directory === undefined || /^$|^[-~]|[*?]/.test(directory) ? undefined : directory;
}

/**
 * The body of `apply_patch <<'TAG'` or `cat <<'TAG' | apply_patch`, word for word: models write patches under an
 * unquoted tag, too, and never mean its variables.
 */
function readHeredoc(script: string): string | undefined {
  const opening = heredoc.exec(script);
  const tag = opening?.groups?.["tag"] ?? opening?.groups?.["catTag"];
  if (opening === null || tag === undefined) return undefined;
  const lines = script.slice(opening[0].length).split("\n");
  const end = lines.indexOf(tag);
  if (end === -1 || lines.slice(end + 1).some((line) => line.trim() !== "")) return undefined;
  return lines.slice(0, end).join("\n");
}

const heredoc = new RegExp(
  String.raw`^\s*(?:apply_?patch[ \t]*<<[ \t]*(?<quote>['"]?)(?<tag>[\w.-]+)\k<quote>` +
    String.raw`|cat[ \t]*<<[ \t]*(?<catQuote>['"]?)(?<catTag>[\w.-]+)\k<catQuote>[ \t]*\|[ \t]*apply_?patch)[ \t]*\n`,
);

/** `apply_patch 'PATCH'` as the only command of a script. */
function readArgument(script: string): string | undefined {
  const [command, ...others] = readPlainScript(script) ?? [];
  const [program = "", patch] = command?.words ?? [];
  return others.length === 0 && command?.words.length === 2 && programs.has(program) ? patch : undefined;
}
