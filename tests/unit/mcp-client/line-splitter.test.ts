import { describe, expect, test } from "vitest";
import { LineSplitter } from "../../../src/mcp-client/line-splitter.ts";

function split(chunks: readonly (string | Buffer)[], mostBytes = 100) {
  const lines: string[] = [];
  let tooLong = 0;
  const splitter = new LineSplitter((line) => lines.push(line), {
    mostBytes,
    onTooLong: () => {
      tooLong += 1;
    },
  });
  for (const chunk of chunks) splitter.add(Buffer.from(chunk));
  return { lines, tooLong };
}

describe("bytes to lines", () => {
  test.each<[readonly (string | Buffer)[], readonly string[]]>([
    [["a\nb\n"], ["a", "b"]],
    [["a", "b", "\n", "c"], ["ab"]],
    [["\n\n  \na\r\n"], ["a\r"]],
    [[Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1), "\n"], ["é"]],
  ])("%j are %j", (chunks, lines) => {
    expect(split(chunks)).toEqual({ lines, tooLong: 0 });
  });

  test("a line that is too long is told once, and nothing behind it is read", () => {
    expect(split(["ok\n12345", "6\nmore\n", "more\n"], 5)).toEqual({ lines: ["ok"], tooLong: 1 });
    expect(split(["12345\n"], 5)).toEqual({ lines: ["12345"], tooLong: 0 });
  });

  test("ten megabytes in small pieces take no time to speak of", () => {
    const piece = "x".repeat(1_000);
    const startedAt = performance.now();
    const { lines } = split([...Array.from({ length: 10_000 }, () => piece), "\n"], 20_000_000);
    expect(lines[0]?.length).toBe(10_000_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
