import { expect, test } from "vitest";
import { CommandOutput } from "../../src/process/output-capture.ts";

const mebibyte = 1024 * 1024;

function captured(...chunks: readonly Buffer[]): string {
  const output = new CommandOutput();
  for (const chunk of chunks) output.add("stdout", chunk);
  return output.texts().stdout;
}

test("bytes that are not UTF-8 become replacement characters", () => {
  expect(captured(Buffer.from([0x61, 0xff, 0xfe, 0x62]))).toBe("a\ufffd\ufffdb");
});

test("a character may be cut between two chunks", () => {
  const bytes = Buffer.from("é✓😀");
  expect(captured(...Array.from(bytes, (byte) => Buffer.from([byte])))).toBe("é✓😀");
});

test("a chunk may be reused by whoever gave it", () => {
  const output = new CommandOutput();
  const chunk = Buffer.from("one");
  output.add("stdout", chunk);
  chunk.write("two");
  output.add("stdout", chunk);
  expect(output.texts().stdout).toBe("onetwo");
});

test("both streams together are in order of arrival", () => {
  const output = new CommandOutput();
  const arrivals = [
    ["stdout", "a"],
    ["stdout", "b"],
    ["stderr", "C"],
    ["stdout", "d"],
    ["stderr", "E"],
  ] as const;
  for (const [stream, text] of arrivals) output.add(stream, Buffer.from(text));
  expect(output.texts()).toEqual({ stdout: "abd", stderr: "CE", aggregatedOutput: "abCdE" });
});

test.each(["stdout", "stderr"] as const)("%s alone is also both together", (stream) => {
  const output = new CommandOutput();
  output.add(stream, Buffer.from("x"));
  expect(output.texts()).toEqual({ stdout: "", stderr: "", aggregatedOutput: "x", [stream]: "x" });
});

test("four mebibytes are complete", () => {
  const text = "0123456789abcdef".repeat(mebibyte / 4);
  expect(captured(Buffer.from(text)) === text).toBe(true);
});

test.each([1, 17, 2 * mebibyte, 3 * mebibyte + 5, 40 * mebibyte])("of %i bytes more both ends are kept", (excess) => {
  const total = 4 * mebibyte + excess;
  const bytes = Buffer.alloc(total);
  for (let at = 0; at < total; at++) bytes[at] = 97 + (at % 23);
  const chunks: Buffer[] = [];
  for (let at = 0; at < total; at += 60_000) chunks.push(bytes.subarray(at, at + 60_000));
  const head = bytes.toString("latin1", 0, 2 * mebibyte);
  const tail = bytes.toString("latin1", total - 2 * mebibyte);
  expect(captured(...chunks) === `${head}\n[... ${excess} bytes omitted ...]\n${tail}`).toBe(true);
});

test("no character is cut where the middle is missing", () => {
  const text = `x${"😀".repeat(2 * mebibyte)}`;
  const result = captured(Buffer.from(text));
  expect(result).not.toContain("\ufffd");
  // The head's end cuts a character after its third byte; the tail begins with a whole one.
  const omitted = 8 * mebibyte + 1 - 4 * mebibyte + 3;
  expect(/^x(?:😀)+\n(.*)\n(?:😀)+$/u.exec(result)?.[1]).toBe(`[... ${omitted} bytes omitted ...]`);
});
