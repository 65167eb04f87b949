import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { parseConversationId } from "../../src/protocol/conversation-id.ts";
import { addHistoryEntry, historyEntry, historyInfo } from "../../src/rollout/message-history.ts";
import { makePipe, tempFolder } from "../config/temp-folder.ts";

test.each([
  ["an empty file", "", 0],
  ["three entries", "{}\n{}\n{}\n", 3],
  ["a torn entry, which does not count", "{}\n{", 1],
  ["more than one buffer", "x\n".repeat(300_000), 300_000],
])("the history's length: %s", (_, text, entryCount) => {
  const home = tempFolder({ "history.jsonl": text });
  expect(historyInfo(home)).toEqual({ logId: statSync(path.join(home, "history.jsonl")).ino, entryCount });
});

test("without a history, or with something else of its name, both numbers are 0", () => {
  const folder = tempFolder();
  mkdirSync(path.join(folder, "a/history.jsonl"), { recursive: true });
  mkdirSync(path.join(folder, "b"));
  makePipe(path.join(folder, "b/history.jsonl"));
  for (const name of ["none", "a", "b"]) {
    expect(historyInfo(path.join(folder, name))).toEqual({ logId: 0, entryCount: 0 });
  }
});

const conversationId = parseConversationId("00000000-0000-4000-8000-000000000001");
const add = (home: string, text: string) => addHistoryEntry(home, { conversationId, text, now: new Date(1_500) });
const textAt = (home: string, offset: number) => historyEntry(home, { offset, logId: historyInfo(home).logId })?.text;

test("the home folder and the file are made, for their owner alone", () => {
  const home = path.join(tempFolder(), "new/home");
  add(home, "one");
  expect(readFileSync(path.join(home, "history.jsonl"), "utf8")).toBe(
    `{"session_id":"${conversationId}","ts":1,"text":"one"}\n`,
  );
  expect(statSync(path.join(home, "history.jsonl")).mode & 0o777).toBe(0o600);
  expect(statSync(home).mode & 0o777).toBe(0o700);
});

test("a file that others can read is taken from them", () => {
  const home = tempFolder({ "history.jsonl": "" });
  chmodSync(path.join(home, "history.jsonl"), 0o644);
  add(home, "one");
  expect(statSync(path.join(home, "history.jsonl")).mode & 0o777).toBe(0o600);
});

test("a torn line costs nothing but itself", () => {
  const home = tempFolder({
    "history.jsonl": '{"session_id":"a","ts":1,"text":"first"}\n{"session_id":"a","ts":1,"te',
  });
  add(home, "next");
  expect(historyInfo(home).entryCount).toBe(3);
  expect([0, 1, 2, 3].map((offset) => textAt(home, offset))).toEqual(["first", undefined, "next", undefined]);
});

test.each([
  ["a blank line", "\n"],
  ["no JSON", "hello\n"],
  ["no object", "[]\n"],
  ["a time that is none", '{"session_id":"a","ts":"1","text":"x"}\n'],
  ["no text", '{"session_id":"a","ts":1}\n'],
])("%s is no entry", (_, line) => {
  expect(textAt(tempFolder({ "history.jsonl": line }), 0)).toBeUndefined();
});

test("entries are found across the pieces in which the file is read", () => {
  const home = tempFolder();
  const long = "x".repeat(200_000);
  for (const text of ["first", long, "third", `${long}y`, "last"]) add(home, text);
  expect([0, 1, 2, 3, 4].map((offset) => textAt(home, offset))).toEqual(["first", long, "third", `${long}y`, "last"]);
});

test("a named pipe is neither waited for nor written to", () => {
  const home = tempFolder();
  makePipe(path.join(home, "history.jsonl"));
  expect(() => add(home, "one")).toThrow("not a regular file");
  expect(historyEntry(home, { offset: 0, logId: statSync(path.join(home, "history.jsonl")).ino })).toBeUndefined();
});

test("twenty processes at once lose and mix nothing", async () => {
  const home = tempFolder();
  const program = path.join(home, "add.cjs");
  await build({
    stdin: {
      contents: `
        import { addHistoryEntry } from "./message-history.ts";
        const [home, name] = process.argv.slice(2);
        process.stdin.once("data", () => {
          for (let count = 0; count < 50; count++) {
            addHistoryEntry(home, { conversationId: name, text: name.repeat(count * 40), now: new Date() });
          }
          process.exit();
        });
        process.stdout.write("ready");
      `,
      resolveDir: path.resolve(import.meta.dirname, "../../src/rollout"),
    },
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
  });
  const names = Array.from({ length: 20 }, (_, index) => `process-${index};`);
  const children = names.map((name) => spawn(process.execPath, [program, home, name]));
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  const ends = children.map((child) => once(child, "close"));
  for (const child of children) child.stdin.write("go");
  expect((await Promise.all(ends)).map(([code]) => code)).toEqual(names.map(() => 0));

  const lines = readFileSync(path.join(home, "history.jsonl"), "utf8").trimEnd().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { session_id: string; text: string });
  for (const name of names) {
    const ofOne = entries.filter((entry) => entry.session_id === name).map((entry) => entry.text);
    expect(ofOne).toEqual(Array.from({ length: 50 }, (_, count) => name.repeat(count * 40)));
  }
  expect(entries).toHaveLength(1000);
});
