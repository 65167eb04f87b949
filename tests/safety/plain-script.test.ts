import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readPlainScript } from "../../src/safety/plain-script.ts";
import { seededRandom } from "../patch/seeded-random.ts";

const wordsOf = (script: string) => readPlainScript(script)?.map(({ words }) => words);

test.each([
  ["ls -la | cat", [["ls", "-la"], ["cat"]]],
  [`echo 'a b' "c d" ''`, [["echo", "a b", "c d", ""]]],
  ["echo 'it\nis' \"so\n\"", [["echo", "it\nis", "so\n"]]],
  ['echo "\\"\\\\\\$\\`\\n"', [["echo", '"\\$`\\n']]],
  ["echo a\\ b\\'\\\\ \\é", [["echo", "a b'\\", "é"]]],
  ["find . \\( -name a \\) \\;", [["find", ".", "(", "-name", "a", ")", ";"]]],
  ["ls a#b A=1 ~ %", [["ls", "a#b", "A=1", "~", "%"]]],
  ["ls \\\n  -a \\\n && pwd", [["ls", "-a"], ["pwd"]]],
])("%j has the words bash sees", (script, words) => {
  expect(wordsOf(script)).toEqual(words);
});

test.each([
  ["ls *", true],
  ["ls ?x a", true],
  ["ls -d*", true],
  ["ls \\-d*", true],
  ["ls ./*", false],
  ["ls \\*", false],
  ["ls '*'", false],
])("%j could gain an option: %s", (script, expected) => {
  expect(readPlainScript(script)?.some((command) => command.hasOpenPattern)).toBe(expected);
});

const fragments = [
  ..." \t\n\\&|;#$`{}()[]*?~!=<>'\"^%@+,-:\r\u0085\u00a0\u2003é😀",
  ...["ls ", " cat ", "&&", "||", " | ", " && ", "; ", "  ", "\\\n", "\\ ", "-delete", "find", "a", "1", "2>", "-1"],
  ...["'x y'", '"a b"', " '-x' ", ' "y$" ', ' "$|" ', " \\$z ", ' "\\$\\`\\\\\\"\\n" ', "$'a'", '$"a"', "{a,b}", "+("],
  ...["<<E\n", "E\n", "a:~", "x=~/y", "A=1", "0x1#a", "10#2", "\\\\", "time ", "coproc ", "if ", "then ", "[[", "]]"],
];

function randomScripts(count: number): string[] {
  const random = seededRandom(20_250_901);
  const fragment = () => fragments[random(fragments.length)] ?? "";
  return Array.from({ length: count }, () => {
    const start = random(10) < 7 ? "ls " : "";
    return start + Array.from({ length: 1 + random(9) }, fragment).join("");
  });
}

/** Reports every command of each script instead of running it: its script's number, its length, its words. */
const reporter = `
set -f
PATH=/nonexistent HOME='~'
mapfile -d '' scripts
command_not_found_handle() { printf '%s\\0' "$number" "$#" "$@" >&3; (( status == 0 )); }
exec 3>&1 >/dev/null 2>&1 </dev/null
for builtin in . : '[' alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs \\
  disown echo exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd pushd pwd \\
  read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask \\
  unalias unset wait; do enable -n "$builtin"; done
for status in 0 1; do
  for (( number = 0; number < \${#scripts[@]}; number++ )); do ( eval "\${scripts[number]}" ); done
done
enable exit
exit 0
`;

function commandsBashRuns(scripts: readonly string[]): Set<string>[] {
  const folder = mkdtempSync(path.join(tmpdir(), "plain-script-"));
  const ran = scripts.map(() => new Set<string>());
  try {
    const input = scripts.map((script) => `${script}\0`).join("");
    const output = execFileSync("bash", ["-c", reporter], { cwd: folder, input, timeout: 110_000 }).toString();
    const fields = output.split("\0");
    for (let at = 0; at < fields.length - 1; ) {
      const length = Number(fields[at + 1]);
      ran[Number(fields[at])]?.add(JSON.stringify(fields.slice(at + 2, at + 2 + length)));
      at += 2 + length;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return ran;
}

test("bash runs exactly the commands of every random script that is understood", () => {
  // ~+ and ~- are folders of the shell; HOME is set to something that looks unexpanded.
  const understood = randomScripts(3_500).filter((script) => wordsOf(script) !== undefined && !/~[-+]/.test(script));
  expect(understood.length).toBeGreaterThan(400);
  const ran = commandsBashRuns(understood);
  for (const [index, script] of understood.entries()) {
    const expected = new Set(wordsOf(script)?.map((words) => JSON.stringify(words)));
    expect({ script, commands: ran[index] }).toEqual({ script, commands: expected });
  }
});
