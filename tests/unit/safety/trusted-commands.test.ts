import { describe, expect, test } from "vitest";
import { isTrustedCommand } from "../../../src/safety/trusted-commands.ts";
import { bashParser } from "./bash-parser.ts";

const parser = await bashParser();
const isTrustedScript = (script: string) => isTrustedCommand(["bash", "-lc", script], parser);

describe("C-091: programs", () => {
  test.each([
    ["cat", "a.txt"],
    ["cd", ".."],
    ["echo", "-e", "x"],
    ["false"],
    ["grep", "-rn", "x", "."],
    ["head", "-n", "1", "a"],
    ["ls", "-la"],
    ["nl", "a"],
    ["pwd"],
    ["tail", "-n", "+3", "a"],
    ["true"],
    ["wc", "-l"],
    ["which", "node"],
    ["find", ".", "-name", "*.rs"],
    ["find", ".", "-newer", "-print"],
    ["rg", "-n", "TODO"],
    ["rg", "--pre-glob", "*.pdf", "x"],
    ["rg", "-ez", "-tzig", "-g*.gz"],
    ["git", "status", "--short"],
    ["git", "log", "-p", "-c", "-M", "--oneline"],
    ["git", "diff", "--output-indicator-new=>"],
    ["git", "show", "HEAD"],
    ["git", "branch"],
    ["git", "branch", "-avv", "--sort=-committerdate"],
    ["git", "branch", "--show-current"],
    ["cargo", "check", "--all"],
    ["sed", "-n", "1p", "a"],
    ["sed", "-n", "1,20p", "a b"],
  ])("%j %j %j is trusted", (...command) => {
    expect(isTrustedCommand(command, parser)).toBe(true);
  });

  test.each([
    [],
    [""],
    ["/bin/ls"],
    ["./ls"],
    ["LS"],
    ["rm", "x"],
    ["env", "ls"],
    ["find", ".", "-exec", "rm", "{}", ";"],
    ["find", ".", "-execdir", "rm", "{}", ";"],
    ["find", ".", "-ok", "rm", "{}", ";"],
    ["find", ".", "-okdir", "rm", "{}", ";"],
    ["find", ".", "-delete"],
    ["find", ".", "-fls", "x"],
    ["find", ".", "-fprint", "x"],
    ["find", ".", "-fprint0", "x"],
    ["find", ".", "-fprintf", "x", "y"],
    ["rg", "--pre", "x", "y"],
    ["rg", "--pre=x", "y"],
    ["rg", "--hostname-bin", "x", "y"],
    ["rg", "--hostname-bin=x", "y"],
    ["rg", "--search-zip", "y"],
    ["rg", "-z", "y"],
    ["rg", "-nz", "y"],
    ["git"],
    ["git", "push"],
    ["git", "-c", "core.pager=x", "log"],
    ["git", "-C", "x", "status"],
    ["cargo"],
    ["cargo", "build"],
    ["cargo", "+nightly", "check"],
    ["sed", "1p", "a"],
    ["sed", "-n", "1p"],
    ["sed", "-n", "1p", ""],
    ["sed", "-n", "1p", "a", "b"],
    ["sed", "-n", "1,p", "a"],
    ["sed", "-n", "$p", "a"],
    ["sed", "-n", "1p;w x", "a"],
    ["sed", "-n", "1p\nw x", "a"],
    ["sed", "-i", "1p", "a"],
    // The script of a further option would run as well.
    ["sed", "-n", "1p", "-e1e touch x"],
    ["sed", "-n", "1p", "-fscript"],
  ])("%j %j %j %j is not", (...command) => {
    expect(isTrustedCommand(command, parser)).toBe(false);
  });

  test.each([
    ["branch", "-d", "x"],
    ["branch", "-D", "x"],
    ["branch", "-m", "x"],
    ["branch", "-M", "x"],
    ["branch", "-c", "x"],
    ["branch", "-C", "x"],
    ["branch", "-f", "x", "y"],
    ["branch", "-rd", "x"],
    ["branch", "--delete", "x"],
    ["branch", "--move", "x"],
    ["branch", "--copy", "x"],
    ["branch", "--force", "x"],
    ["branch", "--del", "x"],
    ["branch", "--set-upstream-to=x"],
    ["branch", "--edit-description"],
    ["branch", "x"],
    ["diff", "--output=x"],
    ["diff", "--output", "x"],
    ["diff", "--outp=x"],
    ["diff", "--ext-diff"],
    ["log", "--output=x"],
    ["log", "-p", "--ext"],
    ["log", "--help", "-w"],
    ["show", "--output=x"],
    ["show", "--out", "x"],
  ])("D17: git %s %s is not", (...args) => {
    expect(isTrustedCommand(["git", ...args], parser)).toBe(false);
  });
});

describe("C-091: scripts", () => {
  test.each([
    "ls && pwd || true; wc -l x | cat",
    "ls;",
    "ls\npwd",
    "ls *.txt",
    "ls ~",
    "echo \\$x",
    `echo 'a b' "c d"`,
    "ls -1 123",
    "\n\nls ;\n\npwd\n",
    "ls |\n  cat &&\n  pwd",
    "rg foo \\\n  -n",
    `grep -n "end$" a`,
    `grep "a$|b" a`,
    `rg "say \\"hi\\"" -n`,
    "echo ''",
    'echo ""',
    "find src/*.rs -name x",
    "git diff -- src/*.ts",
    "sed -n '1,20p' a | cat",
    `${"true && ".repeat(4000)}true`,
  ])("%j runs", (script) => {
    expect(isTrustedScript(script)).toBe(true);
  });

  test.each([
    "ls > x",
    "ls 2>/dev/null",
    "ls 2>&1",
    "cat < x",
    "cat <<EOF\nx\nEOF",
    "cat <<<x",
    "echo $HOME",
    `echo \${HOME}`,
    'echo "a $b"',
    "echo `pwd`",
    'echo "`pwd`"',
    "echo $(pwd)",
    'echo "$(pwd)"',
    "echo $((1+1))",
    "echo $'a'",
    'echo $"a"',
    "cat <(ls)",
    "(ls)",
    "{ ls; }",
    "ls &",
    "ls & pwd",
    "ls |& cat",
    "! ls",
    "A=1 ls",
    "A=1",
    "if true; then ls; fi",
    "for i in a; do ls; done",
    "ls() { rm x; }; ls",
    '"ls"',
    "'ls'",
    "\\ls",
    "l?",
    "time ls",
    'ls "a"b',
    "ls a'b'",
    "ls # c",
    "# comment",
    "",
    " \n ",
    ";",
    "ls && ",
    "ls |",
    "&& ls",
    "ls; ; pwd",
    "ls;; pwd",
    "ls\n&& pwd",
    "ls 'a",
    'ls "a',
    "ls \\",
    "ls {a,b}",
    "ls [ab]",
    "ls && rm x",
    "ls\nrm x",
    "ls\rrm x",
    "ls\r\npwd",
    "ls\u0000",
    "ls \u001b",
    "ls\u00a0x",
    "ls\u2028pwd",
    // Words that bash joins or takes apart differently.
    "find . -ex\\ec rm {} \\;",
    "find . -dele\\\nte",
    "find . -{exec,delete} x",
    'git log --out""put=x',
    "find . \\-delete",
    'find . "-delete"',
    // A file in the workspace may be called like an option.
    "find *",
    "find . -del*",
    "find . \\-del*",
    "rg x *",
    "git diff *",
    "git log --out*",
    "sed -n 1p *",
    `ls ${"x".repeat(128 * 1024)}`,
  ])("%j asks", (script) => {
    expect(isTrustedScript(script)).toBe(false);
  });

  test.each([
    ["bash", "-c", "ls"],
    ["sh", "-lc", "ls"],
    ["/bin/bash", "-lc", "ls"],
    ["bash", "-lc", "ls", "x"],
    ["bash", "-lc"],
    ["bash", "-l", "-c", "ls"],
  ])("%s %s %s asks", (...command) => {
    expect(isTrustedCommand(command, parser)).toBe(false);
  });

  test("asks without a parser", () => {
    expect(isTrustedCommand(["bash", "-lc", "ls"], undefined)).toBe(false);
    expect(isTrustedCommand(["ls"], undefined)).toBe(true);
  });
});
