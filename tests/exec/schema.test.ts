import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type * as wire from "../../schema/exec.d.ts";
import type { EventMsg } from "../../src/protocol/event.ts";
import type { Same } from "../../src/protocol/same-type.ts";
import type { PromptLine, SettingsLine } from "../../src/render/json-line-schema.ts";
import type { ThreadLine } from "../../src/render/thread-line-schema.ts";
import { checkExecLines } from "../support/exec-schema.ts";

type Unprinted =
  | "session_configured"
  | "agent_message_delta"
  | "agent_reasoning_delta"
  | "task_complete"
  | "shutdown_complete";

// The declarations of the package say what our own types say.
true satisfies Same<wire.ThreadLine, ThreadLine>;
true satisfies Same<wire.SettingsLine | wire.PromptLine, SettingsLine | PromptLine>;
true satisfies Same<wire.PrintedEvent, Exclude<EventMsg, { readonly type: Unprinted }>>;

const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/exec.md"), "utf8");
const [, example = ""] = /^\*\*`--json`\*\*.*?```json\n(.*?)```/ms.exec(page) ?? [];
const [settings, prompt, ...events] = example
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as object);

test("the lines of the page are as the schema has them", () => {
  expect(() => checkExecLines([settings, prompt, ...events], "json")).not.toThrow();
  expect(events).toHaveLength(3);
});

const usage = {
  input_tokens: 1,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 1,
  reasoning_output_tokens: 0,
};

test.each<[format: "json" | "thread", what: string, lines: readonly object[]]>([
  ["json", "another order", [{ prompt: "go" }]],
  ["json", "a setting that is missing", [{ ...settings, model: undefined }]],
  ["json", "a setting that it does not know", [{ ...settings, more: "" }]],
  [
    "json",
    "an event that is not printed",
    [{ ...settings }, { prompt: "go" }, { id: "0", msg: { type: "shutdown_complete" } }],
  ],
  ["thread", "a line that it does not know", [{ type: "turn.paused" }]],
  ["thread", "a field that it does not know", [{ type: "turn.completed", usage, more: 1 }]],
  ["thread", "usage without a count", [{ type: "turn.completed", usage: { ...usage, output_tokens: undefined } }]],
  ["thread", "an item without its id", [{ type: "item.completed", item: { type: "agent_message", text: "" } }]],
])("--%s: the schema refuses %s", (format, _, lines) => {
  expect(() => checkExecLines(lines, format)).toThrow("Not as the schema has it");
});
