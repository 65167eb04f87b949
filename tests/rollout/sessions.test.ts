import { chmodSync, existsSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseConversationId } from "../../src/protocol/conversation-id.ts";
import {
  checkRolloutPath,
  deleteSession,
  findSession,
  latestSession,
  listSessions,
  moveToArchive,
  WrongRolloutPath,
} from "../../src/rollout/sessions.ts";
import { tempFolder } from "../config/temp-folder.ts";

const idOf = (number: number) => parseConversationId(`00000000-0000-4000-8000-00000000000${number}`);
const nameOf = (number: number, time = `2025-09-12T08-20-4${number}`) => `rollout-${time}-${idOf(number)}.jsonl`;
const placeOf = (number: number) => `sessions/2025/09/12/${nameOf(number)}`;
const json = (...lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const meta = (number: number, cwd = "/ws") => ({
  timestamp: "t",
  type: "session_meta",
  payload: { id: idOf(number), timestamp: `2025-09-12T08:20:4${number}.542Z`, cwd },
});
const said = (message: string, kind = "plain") => ({
  timestamp: "t",
  type: "event_msg",
  payload: { type: "user_message", message, kind },
});
const previews = (codexHome: string, options: { pageSize?: number; cursor?: string } = {}) =>
  listSessions({ codexHome, ...options }).items.map(({ preview }) => preview);

const five = Object.fromEntries(
  [0, 1, 2, 3, 4].map((number) => [placeOf(number), json(meta(number), said(`${number}`))]),
);

test("mcp-server 7.4: items, newest first, and the cursor of the last one", () => {
  const codexHome = tempFolder(five);
  const page = listSessions({ codexHome, pageSize: 2 });
  expect(page).toEqual({
    items: [4, 3].map((number) => ({
      conversationId: idOf(number),
      path: path.join(codexHome, placeOf(number)),
      preview: `${number}`,
      timestamp: `2025-09-12T08:20:4${number}.542Z`,
      cwd: "/ws",
    })),
    nextCursor: `2025-09-12T08-20-43|${idOf(3)}`,
  });
  expect(previews(codexHome, { pageSize: 2, cursor: page.nextCursor ?? "" })).toEqual(["2", "1"]);
  expect(listSessions({ codexHome, cursor: `2025-09-12T08-20-40|${idOf(0)}` })).toEqual({ items: [] });
});

test.each<[name: string, options: { pageSize?: number; cursor?: string }, expected: readonly string[]]>([
  ["without a page size", {}, ["4", "3", "2", "1", "0"]],
  ["pages of nothing", { pageSize: 0 }, []],
  ["a cursor that cannot be read", { cursor: "garbage" }, ["4", "3", "2", "1", "0"]],
  ["a cursor between two sessions of one second", { cursor: `2025-09-12T08-20-43|${idOf(0)}` }, ["2", "1", "0"]],
  ["a cursor before all", { cursor: `2000-01-01T00-00-00|${idOf(0)}` }, []],
])("%s", (_, options, expected) => {
  expect(previews(tempFolder(five), options)).toEqual(expected);
});

test("days, months and years are in order, and what is no session is passed over", () => {
  const session = (number: number) => json(meta(number), said(`${number}`));
  const codexHome = tempFolder({
    [`sessions/2024/12/31/${nameOf(1, "2024-12-31T23-59-59")}`]: session(1),
    [`sessions/2025/01/09/${nameOf(2, "2025-01-09T00-00-00")}`]: session(2),
    [`sessions/2025/01/10/${nameOf(3, "2025-01-10T00-00-00")}`]: session(3),
    [`sessions/2025/10/01/${nameOf(4, "2025-10-01T00-00-00")}`]: session(4),
    "sessions/2025/10/01/rollout-2025-10-01T00-00-00-x.jsonl": session(5),
    "sessions/2025/10/01/notes.txt": "x",
    "sessions/notes/10/01/rollout.jsonl": "x",
    [`sessions/2025/10/02/${nameOf(6)}`]: json(meta(6)),
    [`sessions/2025/10/02/${nameOf(7)}`]: "not JSON\n",
    [`sessions/2025/10/02/${nameOf(8)}`]: json(meta(8), said("<environment_context>", "environment_context")),
  });
  expect(previews(codexHome)).toEqual(["4", "3", "2", "1"]);
  expect(previews(tempFolder())).toEqual([]);
});

test.each([
  ["of an editor", json(meta(1), said("# Context\nfiles\n## My request for Codex:\n fix it \n")), "fix it"],
  ["behind context", json(meta(1), said("rules", "user_instructions"), said("hi")), "hi"],
  ["behind a large first line", json({ ...meta(1), padding: "é".repeat(100_000) }, said("hi")), "hi"],
  ["in a torn line that is whole", json(meta(1), said("hi")).trimEnd(), "hi"],
  ["behind a damaged line", `${json(meta(1))}{"torn\n${json(said("hi"))}`, "hi"],
  [
    "of 0.29",
    json(
      { id: idOf(1), timestamp: "x", instructions: null },
      { record_type: "state" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "<environment_context>\n" }] },
      { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
    ),
    "hi",
  ],
])("the first message %s", (_, content, expected) => {
  expect(previews(tempFolder({ [placeOf(1)]: content }))).toEqual([expected]);
});

test("a session is found by its id, an archived one only where that is asked for", () => {
  const codexHome = tempFolder({ ...five, [`archived_sessions/${nameOf(7)}`]: json(meta(7), said("old")) });
  expect(findSession(codexHome, idOf(2))).toBe(path.join(codexHome, placeOf(2)));
  expect(findSession(codexHome, idOf(9), { withArchive: true })).toBeUndefined();
  expect(findSession(codexHome, idOf(7))).toBeUndefined();
  expect(findSession(codexHome, idOf(7), { withArchive: true })).toBe(
    path.join(codexHome, `archived_sessions/${nameOf(7)}`),
  );
  expect(listSessions({ codexHome, isArchive: true }).items.map(({ preview }) => preview)).toEqual(["old"]);
});

test("the latest one is the one last written to, and has a message", () => {
  const codexHome = tempFolder({
    ...five,
    [placeOf(1)]: json(meta(1, "/other"), said("1")),
    [placeOf(5)]: json(meta(5)),
  });
  [3, 0, 4, 2, 1, 5].forEach((number, order) => {
    utimesSync(path.join(codexHome, placeOf(number)), 1_000 + order, 1_000 + order);
  });
  expect(latestSession(codexHome)?.preview).toBe("1");
  expect(latestSession(codexHome, { cwd: "/ws" })?.preview).toBe("2");
  expect(latestSession(codexHome, { cwd: "/nowhere" })).toBeUndefined();
});

test("of a line without end only a beginning is read, and a head that does not end is given up", () => {
  const codexHome = tempFolder({ [placeOf(1)]: json(meta(1), said("small")), [placeOf(2)]: json(meta(2)) });
  const file = path.join(codexHome, placeOf(2));
  truncateSync(file, 600_000_000);
  const bytesRead = () => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);
  const before = process.platform === "linux" ? bytesRead() : 0;
  expect(previews(codexHome)).toEqual(["small"]);
  if (process.platform === "linux") expect(bytesRead() - before).toBeLessThan(60_000_000);
  writeFileSync(file, `${json(meta(2))}${"x\n".repeat(20_000)}${json(said("too late"))}`);
  expect(previews(codexHome)).toEqual(["small"]);
  writeFileSync(file, json(meta(2), said("x".repeat(12_000_000))));
  expect(previews(codexHome).map(({ length }) => length)).toEqual([12_000_000, 5]);
});

test("links that lead nowhere are no sessions", () => {
  const codexHome = tempFolder({ [placeOf(1)]: json(meta(1), said("1")) });
  for (const [number, target] of [
    [2, nameOf(2)],
    [3, "missing"],
  ] as const) {
    symlinkSync(target, path.join(codexHome, placeOf(number)));
  }
  expect(previews(codexHome)).toEqual(["1"]);
  expect(latestSession(codexHome)?.preview).toBe("1");
});

test("archiving moves the file, and only a session's own", () => {
  const codexHome = tempFolder({ ...five, "elsewhere/x.jsonl": "" });
  const file = path.join(codexHome, placeOf(1));
  const archive = (rolloutPath: string, number = 1) => {
    moveToArchive(codexHome, checkRolloutPath(codexHome, { conversationId: idOf(number), rolloutPath }));
  };
  symlinkSync(path.join(codexHome, "elsewhere/x.jsonl"), path.join(codexHome, "sessions/link.jsonl"));
  const outside = (name: string) => `rollout path \`${name}\` must be in sessions directory`;
  for (const wrong of [
    path.join(codexHome, "elsewhere/x.jsonl"),
    path.join(codexHome, "sessions/link.jsonl"),
    path.join(codexHome, "sessions/../elsewhere/x.jsonl"),
    path.join(codexHome, "sessions/missing.jsonl"),
    placeOf(1),
  ]) {
    expect(() => archive(wrong)).toThrow(new WrongRolloutPath(outside(wrong)));
  }
  expect(() => archive(file, 2)).toThrow(
    new WrongRolloutPath(`rollout path \`${file}\` does not match conversation id ${idOf(2)}`),
  );
  const before = readFileSync(file, "utf8");
  archive(file);
  expect(existsSync(file)).toBe(false);
  expect(readFileSync(path.join(codexHome, "archived_sessions", nameOf(1)), "utf8")).toBe(before);
  expect(findSession(codexHome, idOf(1))).toBeUndefined();
});

test("what cannot be deleted is told, by its name", () => {
  const codexHome = tempFolder(five);
  const file = path.join(codexHome, placeOf(1));
  deleteSession(file);
  expect(existsSync(file)).toBe(false);
  expect(() => deleteSession(file)).toThrow(`Cannot delete "${file}": No such file or directory (os error 2)`);
});

test.runIf(process.getuid?.() !== 0)("a folder that may not be read is told", () => {
  const codexHome = tempFolder(five);
  const folder = path.join(codexHome, "sessions/2025/09/12");
  chmodSync(folder, 0);
  expect(() => listSessions({ codexHome })).toThrow(`Cannot read "${folder}": Permission denied (os error 13)`);
  chmodSync(folder, 0o700);
});
