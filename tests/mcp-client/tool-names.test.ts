import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { qualifiedToolName } from "../../src/mcp-client/tool-names.ts";

describe("the name of a server's tool", () => {
  test.each([
    ["tst", "echo", "tst__echo"],
    ["tst", "two words", "tst__two_words"],
    ["tst", "a.b/c:é🙂", "tst__a_b_c___"],
    ["tst", "", "tst__"],
    ["s", "x".repeat(61), `s__${"x".repeat(61)}`],
  ])("%j and %j make %j", (server, tool, name) => {
    expect(qualifiedToolName(server, tool)).toBe(name);
  });

  test("a long one keeps 24 characters, and the SHA-1 of all", () => {
    const tool = "x".repeat(62);
    const hash = createHash("sha1").update(`s__${tool}`).digest("hex");
    expect(qualifiedToolName("s", tool)).toBe(`s__${"x".repeat(21)}${hash}`);
    expect(qualifiedToolName("s", tool)).toHaveLength(64);
  });

  test("letters are replaced before the length counts", () => {
    expect(qualifiedToolName("s", "🙂".repeat(61))).toBe(`s__${"_".repeat(61)}`);
    expect(qualifiedToolName("s", `${" ".repeat(62)}`)).toBe(qualifiedToolName("s", "_".repeat(62)));
  });
});
