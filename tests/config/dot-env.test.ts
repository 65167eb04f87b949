import { expect, test } from "vitest";
import { overlayDotEnv, parseDotEnv } from "../../src/config/dot-env.ts";

test.each<[name: string, text: string, expected: Record<string, string>]>([
  ["a plain assignment", "A=1", { A: "1" }],
  ["blanks around", "  A = b c  ", { A: "b c" }],
  ["an export", "export A=1", { A: "1" }],
  ["a name that begins like export", "exported=1", { exported: "1" }],
  ["an empty value", "A=\nB=2", { A: "", B: "2" }],
  ["comments", "# A=0\nA=1 # one\nB=# none\nC=a#b", { A: "1", B: "", C: "a#b" }],
  ["single quotes", "A='x # y \\n \"z\"'", { A: 'x # y \\n "z"' }],
  ["double quotes", 'A="x # \\"y\\" \\$z\\tw\\\\" # comment', { A: 'x # "y" $z\tw\\' }],
  ["line breaks in quotes", "A=\"one\ntwo\\nthree\"\nB='x\ny'", { A: "one\ntwo\nthree", B: "x\ny" }],
  ["Windows line ends", "A=1\r\nB='2'\r\n", { A: "1", B: "2" }],
  ["no expansion", "A=$HOME/x", { A: "$HOME/x" }],
  ["equals signs in the value", "A=b==", { A: "b==" }],
  ["the later of two", "A=1\nA=2", { A: "2" }],
  ["an unfinished quote", 'A="x\nB=2', { A: '"x', B: "2" }],
  ["lines that assign nothing", "A\n=x\n1B=2\nC D=3\n", {}],
])(".env: %s", (_, text, expected) => {
  expect(Object.fromEntries(parseDotEnv(text))).toEqual(expected);
});

test(".env beats the environment, except for our own settings", () => {
  const env = overlayDotEnv(
    { OPENAI_API_KEY: "b", CODEX_HOME: "/home", PATH: "/bin" },
    "OPENAI_API_KEY=a\nCODEX_HOME=/x\ncodex_api_key=y\n__proto__=z",
  );
  expect(env).toEqual({ OPENAI_API_KEY: "a", CODEX_HOME: "/home", PATH: "/bin" });
});
