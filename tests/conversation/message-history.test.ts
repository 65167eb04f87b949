import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { startConversation, type TestConversation } from "../support/conversation.ts";

const fileOf = (talk: TestConversation) => path.join(talk.place.home, "history.jsonl");

async function entryAt(talk: TestConversation, offset: number, log_id: number) {
  const id = talk.submit({ type: "get_history_entry_request", offset, log_id });
  const response = await talk.next("get_history_entry_response");
  expect(response.id).toBe(id);
  return response.msg;
}

describe("message history", () => {
  test("what is added is found again, in its place of that file only", async () => {
    await using talk = await startConversation();
    const before = Math.floor(Date.now() / 1000);
    talk.submit({ type: "add_to_history", text: "one\n\u2028 zwei" });
    talk.submit({ type: "add_to_history", text: "two" });
    const none = await entryAt(talk, 0, 0);
    expect(none).toEqual({ type: "get_history_entry_response", offset: 0, log_id: 0 });
    const log_id = statSync(fileOf(talk)).ino;
    const { entry, ...rest } = await entryAt(talk, 0, log_id);
    expect(rest).toEqual({ type: "get_history_entry_response", offset: 0, log_id });
    expect(entry).toEqual({ conversation_id: expect.any(String), ts: expect.any(Number), text: "one\n\u2028 zwei" });
    expect(entry?.ts).toBeGreaterThanOrEqual(before);
    expect((await entryAt(talk, 1, log_id)).entry?.text).toBe("two");
    expect(await entryAt(talk, 2, log_id)).toEqual({ type: "get_history_entry_response", offset: 2, log_id });
    expect(await entryAt(talk, 0, log_id + 1)).not.toHaveProperty("entry");

    const lines = readFileSync(fileOf(talk), "utf8").trimEnd().split("\n");
    expect(JSON.parse(lines[1] ?? "")).toEqual({
      session_id: entry?.conversation_id,
      ts: expect.any(Number),
      text: "two",
    });
    expect(statSync(fileOf(talk)).mode & 0o777).toBe(0o600);
  });

  test("nothing is kept against the user's wish", async () => {
    await using talk = await startConversation({ configTables: ["[history]", 'persistence = "none"'] });
    talk.submit({ type: "add_to_history", text: "one" });
    talk.submit({ type: "shutdown" });
    await talk.ended();
    expect(Object.keys(talk.place.homeFiles())).not.toContain("history.jsonl");
    expect(talk.events.map((event) => event.msg.type)).toEqual(["shutdown_complete"]);
  });

  test("input alone adds nothing", async () => {
    await using talk = await startConversation();
    talk.submit({ type: "user_input", items: [] });
    await talk.next("task_complete");
    expect(Object.keys(talk.place.homeFiles())).not.toContain("history.jsonl");
  });

  test("where it cannot be written, the client is told, and the conversation goes on", async () => {
    const setup = ({ home }: { readonly home: string }) => mkdirSync(path.join(home, "history.jsonl"));
    await using talk = await startConversation({ setup });
    const id = talk.submit({ type: "add_to_history", text: "one" });
    const error = await talk.next("error");
    expect(error).toEqual({
      id,
      msg: { type: "error", message: `Cannot write "${fileOf(talk)}": Is a directory (os error 21)` },
    });
    expect(await entryAt(talk, 0, statSync(fileOf(talk)).ino)).not.toHaveProperty("entry");
  });
});

describe("custom prompts", () => {
  test("are the Markdown files of their folder, by name", async () => {
    const homeFiles = {
      "prompts/review.md": "Review $1\n",
      "prompts/a.b.md": "dots",
      "prompts/SHOUT.MD": "loud",
      "prompts/notes.txt": "not a prompt",
      "prompts/deep/hidden.md": "not listed",
      "prompts/.md": "no name",
    };
    const setup = ({ home }: { readonly home: string }) => mkdirSync(path.join(home, "prompts/folder.md"));
    await using talk = await startConversation({ homeFiles, setup });
    const id = talk.submit({ type: "list_custom_prompts" });
    const folder = path.join(talk.place.home, "prompts");
    expect(await talk.next("list_custom_prompts_response")).toEqual({
      id,
      msg: {
        type: "list_custom_prompts_response",
        custom_prompts: [
          { name: "SHOUT", path: path.join(folder, "SHOUT.MD"), content: "loud" },
          { name: "a.b", path: path.join(folder, "a.b.md"), content: "dots" },
          { name: "review", path: path.join(folder, "review.md"), content: "Review $1\n" },
        ],
      },
    });
  });

  test("without a folder there are none, and what cannot be read is left out", async () => {
    await using none = await startConversation();
    none.submit({ type: "list_custom_prompts" });
    expect((await none.next("list_custom_prompts_response")).msg.custom_prompts).toEqual([]);

    const setup = ({ home }: { readonly home: string }) =>
      writeFileSync(path.join(home, "prompts/latin.md"), Buffer.from([0x61, 0xff, 0x62]));
    await using talk = await startConversation({ homeFiles: { "prompts/good.md": "good" }, setup });
    talk.submit({ type: "list_custom_prompts" });
    const { custom_prompts } = (await talk.next("list_custom_prompts_response")).msg;
    expect(custom_prompts.map((prompt) => prompt.name)).toEqual(["good"]);
  });
});
