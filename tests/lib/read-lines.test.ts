import { describe, expect, test } from "vitest";
import { LineCutter, readLines } from "../../src/lib/read-lines.ts";

type Chunks = readonly (string | Buffer)[];

async function read(chunks: Chunks, maxBytes = 1024 * 1024) {
  async function* bytes() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: string[] = [];
  for await (const line of readLines(bytes(), { maxBytes })) lines.push(line.ok ? line.text : `! ${line.problem}`);
  return lines;
}

describe("bytes to lines", () => {
  test.each<[Chunks, readonly string[]]>([
    [["a\nb\n"], ["a", "b"]],
    [
      ["a", "b", "\n", "c"],
      ["ab", "c"],
    ],
    [
      ["\n\n  \na\r", "\n"],
      ["", "", "", "a"],
    ],
    [["\ufeffa\n"], ["a"]],
    [[Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1), "\n"], ["é"]],
    [
      ["a\n", Buffer.from([0xff, 10]), "b"],
      ["a", "! not UTF-8", "b"],
    ],
  ])("%j are %j", async (chunks, lines) => {
    expect(await read(chunks)).toEqual(lines);
  });

  test("a line that is too long is passed over, wherever it is cut", async () => {
    const megabyte = "x".repeat(1024 * 1024);
    const problem = "! longer than 1 MiB";
    expect(await read([`ok\n${megabyte}`, "x\nmore\n"])).toEqual(["ok", problem, "more"]);
    expect(await read([`${megabyte}x`, megabyte, `${megabyte}\nmore\n${megabyte}x`])).toEqual([
      problem,
      "more",
      problem,
    ]);
    expect(await read([`${megabyte}\n`])).toEqual([megabyte]);
  });

  test("it is told before it ends, once, and nothing of it is kept", () => {
    const cutter = new LineCutter({ maxBytes: 5 });
    const add = (text: string) => [...cutter.add(Buffer.from(text))].map(String);
    expect(add("12345")).toEqual([]);
    expect(add("6")).toEqual(["too long"]);
    expect(add("7")).toEqual([]);
    expect(cutter.rest()).toHaveLength(0);
  });

  test("it is not copied again with each small piece, which would take minutes", async () => {
    const piece = Buffer.alloc(1_000, "x");
    const [line] = await read([...Array.from({ length: 100_000 }, () => piece), "\n"], 200_000_000);
    expect(line?.length).toBe(100_000_000);
  });
});
