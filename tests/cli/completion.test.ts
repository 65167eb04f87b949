import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command, Option } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completionScript } from "../../src/cli/completion.ts";
import { addHelpCommand } from "../../src/cli/help-command.ts";
import { type Shell, shells } from "../../src/cli/program.ts";

/** Every kind of command and flag that the scripts know. */
function demoProgram(): Command {
  const program = new Command("demo")
    .helpCommand(false)
    .option("-c, --config <key=value>", "set a value", (value, values: string[]) => [...values, value], [])
    .version("demo 1", "-V, --version", "print the version");
  const exec = program
    .command("exec")
    .alias("e")
    .summary("it's [one] task: now\\then")
    .argument("[prompt]", "what to do")
    .option("-i, --image <file...>", "images")
    .option("-m, --model <name>", "model")
    .option("-o, --output <file>", "answer's file")
    .option("-C, --cd <dir>", "directory")
    .option("--json", "lines")
    .addOption(new Option("--color <when>", "colours").choices(["always", "never", "auto"]))
    .addOption(new Option("--secret").hideHelp())
    .helpCommand(false);
  exec
    .command("resume")
    .argument("[id]", "what to go on with")
    .option("--last", "the last one")
    .configureHelp({ visibleGlobalOptions: () => exec.createHelp().visibleOptions(exec) });
  const login = program.command("login").description("Sign in.").helpCommand(false);
  login.command("status").description("Who is it?");
  program.command("show").description("Show a file.").argument("<file>");
  program
    .command("shell")
    .description("Choose.")
    .addArgument(program.createArgument("[name]").choices(["bash", "zsh"]));
  program.command("hidden", { hidden: true });
  addHelpCommand(program);
  return program;
}

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "codex-completion-"));
  mkdirSync(path.join(folder, "work/folder"), { recursive: true });
  for (const file of ["notes.txt", "fonts.txt"]) writeFileSync(path.join(folder, "work", file), "");
  for (const shell of shells) writeFileSync(scriptFile(shell), completionScript(demoProgram(), shell));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scriptFile(shell: Shell): string {
  return path.join(folder, `demo.${shell}`);
}

/** The output of a shell that runs `script`, with `args` as its arguments. */
function runShell(argv: readonly string[], script: string): readonly string[] {
  const [program = "", ...options] = argv;
  const { status, stdout, stderr } = spawnSync(program, [...options, script], {
    cwd: path.join(folder, "work"),
    env: { PATH: process.env["PATH"], HOME: folder, TERM: "dumb", LANG: "C.UTF-8" },
    encoding: "utf8",
    timeout: 110_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.split("\n").filter((line) => line !== "");
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ["-c", "echo"]).status === 0;
}

/** What is typed, and the only word that its last one can become; undefined: there is none. */
const unique: readonly (readonly [line: string, word: string | undefined])[] = [
  ["demo logi", "login"],
  ["demo login sta", "status"],
  ["demo shell z", "zsh"],
  ["demo help sho", "show"],
  ["demo help exec res", "resume"],
  ["demo help show no", undefined],
  ["demo hid", undefined],
  ["demo --conf", "--config"],
  ["demo -c exec sho", "show"],
  ["demo -c a=b login sta", "status"],
  ["demo exec --js", "--json"],
  ["demo exec hi --js", "--json"],
  ["demo exec --sec", undefined],
  ["demo exec --color al", "always"],
  ["demo e --color ne", "never"],
  ["demo exec -m al", undefined],
  ["demo exec -o no", "notes.txt"],
  ["demo exec --output no", "notes.txt"],
  ["demo exec -i no", "notes.txt"],
  ["demo exec res", "resume"],
  ["demo exec resume --la", "--last"],
  ["demo exec resume id --js", "--json"],
  ["demo exec resume --color ne", "never"],
  ["demo exec resume -o no", "notes.txt"],
  ["demo exec -m resume --js", "--json"],
  ["demo exec --json resume --outp", "--output"],
  ["demo exec -C fo", "folder"],
  ["demo show no", "notes.txt"],
];

describe("bash", () => {
  /** Calls the function as bash does, with the words cut where bash cuts them. */
  function complete(line: string): readonly string[] {
    const words = line.split(" ").flatMap((word) => word.split(/([=:])/).filter((part, at) => part !== "" || at === 0));
    return runShell(
      ["bash", "--norc", "-uc"],
      `source ${scriptFile("bash")}
complete -p demo >/dev/null || exit 1
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
_demo
printf '%s\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}`,
    );
  }

  test.each(unique)("%s", (line, word) => {
    expect(complete(line)).toEqual(word === undefined ? [] : [word]);
  });

  test.each<[string, readonly string[]]>([
    ["demo ", ["exec", "e", "login", "show", "shell", "help"]],
    ["demo -", ["-c", "--config", "-V", "--version", "-h", "--help"]],
    ["demo exec --color ", ["always", "never", "auto"]],
    ["demo exec --color=", ["always", "never", "auto"]],
    ["demo exec --color=n", ["never"]],
    ["demo exec --color=never --js", ["--json"]],
    ["demo -c color=n", []],
    ["demo -c color=", []],
    ["demo exec -m a:1 --js", ["--json"]],
    ["demo exec -i notes.txt fon", ["fonts.txt"]],
    ["demo exec -i notes.txt --js", ["--json"]],
    ["demo exec -o notes.txt fon", []],
    ["demo exec -- no", ["notes.txt"]],
    ["demo login ", ["status"]],
    ["demo help ", ["exec", "e", "login", "show", "shell"]],
  ])("%s: %j", (line, words) => {
    expect(complete(line)).toEqual(words);
  });
});

/** In these the whole table costs one start of the shell. */
describe("other shells", () => {
  const lines = unique.map(([line]) => line);

  test.skipIf(!isInstalled("fish"))("fish", () => {
    const tries = lines.map((line) => `complete -C '${line}' | string replace -r '\\t.*' ''; echo END`);
    const output = runShell(["fish", "--no-config", "-c"], [`source ${scriptFile("fish")}`, ...tries].join("\n"));
    expect(pair(chunks(output))).toEqual(unique);
  });

  test.skipIf(!isInstalled("elvish"))("elvish", () => {
    // The module edit: exists only in an interactive shell; these are the parts of it that the script uses.
    const editor = `var edit: = (ns [
  &completion:=(ns [&arg-completer=[&]])
  &complex-candidate~={|text &display=''| put $text}
  &complete-filename~={|word| put notes.txt folder }
])`;
    const tries = lines.map((line) => {
      const words = line.split(" ").map((word) => `'${word}'`);
      return `each $echo~ [($edit:completion:arg-completer[demo] ${words.join(" ")})]; echo END`;
    });
    const script = `${editor}\neval (slurp < ${scriptFile("elvish")}) &ns=(ns [&edit:=$edit:])`;
    const output = runShell(["elvish", "-norc", "-c"], [script, ...tries].join("\n"));
    // Elvish itself leaves out what does not begin with the word typed.
    const found = chunks(output).map((words, at) => words.filter((word) => word.startsWith(lastWord(lines[at] ?? ""))));
    expect(pair(found)).toEqual(unique);
  });

  test.skipIf(!isInstalled("zsh"))("zsh", () => {
    const setup = `PROMPT='READY> '
autoload -U compinit && compinit -u -D
setopt no_beep no_auto_menu
source ${scriptFile("zsh")}
demo() { print -r -- "BEGIN \${@[-1]} END" }`;
    writeFileSync(path.join(folder, "setup.zsh"), setup);
    const tries = lines.map((line) => `zpty -wn shell $'${line}\\t\\n'; zpty -r shell text '*BEGIN*READY> *'; show`);
    const script = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source ${folder}/setup.zsh; clear'
zpty -r shell text '*READY> *'
show() { print -r -- \${\${text#*BEGIN }%% END*} }
${tries.join("\n")}
zpty -d shell`;
    const output = runShell(["zsh", "-f", "-c"], script);
    // A word that becomes nothing else stays as it is; flags end in "=", folders in "/".
    const found = output.map((word, at) => {
      const whole = word.replace(/[=/]$/, "");
      return whole === lastWord(lines[at] ?? "") ? [] : [whole];
    });
    expect(pair(found)).toEqual(unique);
  });

  test("powershell: flags that differ only in case are told apart, and quotes doubled", () => {
    const script = completionScript(demoProgram(), "powershell");
    expect(script).toContain("switch -CaseSensitive (");
    expect(script).toContain("'demo -c' { $value = @() }");
    expect(script).toContain("'demo exec -C' { $value = @() }");
    expect(script).toContain("'demo exec --color' { $value = @('always', 'never', 'auto') }");
    expect(script).toContain("& $offer 'e' 'it''s [one] task: now\\then'");
    expect(script).not.toMatch(/secret|hidden/);
  });

  function pair(found: readonly (readonly string[])[]) {
    return found.map((words, at) => [lines[at], words.length > 1 ? words : words[0]?.replace(/\/$/, "")]);
  }
});

/** Cuts the lines of output at each END. */
function chunks(output: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [[]];
  for (const line of output) {
    if (line === "END") found.push([]);
    else found.at(-1)?.push(line);
  }
  return found.slice(0, -1);
}

function lastWord(line: string): string {
  return line.slice(line.lastIndexOf(" ") + 1);
}
