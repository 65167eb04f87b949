import { copyFileSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { ConversationManager } from "../../src/conversation/conversation-manager.ts";
import type { InitializedCodex } from "../../src/conversation/init-codex.ts";
import { UserError } from "../../src/lib/errors.ts";
import { callShell, type FakeModel, fakeModel, say } from "../support/fake-model.ts";
import { configToml } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";
import { inputOfRequest, linesOf, shape } from "./support.ts";

interface Stage extends AsyncDisposable {
  readonly place: Workspace;
  readonly manager: ConversationManager;
  config(flags?: Parameters<typeof loadConfig>[0]["flags"]): ReturnType<typeof loadConfig>;
}

function stage(model: FakeModel): Stage {
  const place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
  const manager = new ConversationManager({ version: "0.0.0" });
  return {
    place,
    manager,
    config: (flags = {}) => loadConfig({ flags, env: place.env, processCwd: place.work }),
    [Symbol.asyncDispose]: async () => {
      await manager.close();
      place[Symbol.dispose]();
    },
  };
}

/** Asks, and waits for the end of the task. */
async function ask({ conversation }: InitializedCodex, text: string): Promise<void> {
  const events = conversation.events();
  conversation.submit({ type: "user_input", items: [{ type: "text", text }] });
  for await (const { msg } of events) if (msg.type === "task_complete" || msg.type === "turn_aborted") return;
}

test("conversations are known by their id until they end", async () => {
  await using model = await fakeModel([]);
  await using here = stage(model);
  const [one, two] = await Promise.all([here.manager.create(here.config()), here.manager.create(here.config())]);
  expect(here.manager.ids()).toEqual([one.sessionId, two.sessionId]);
  expect(here.manager.get(one.sessionId)).toBe(one);
  expect(one.rolloutPath).toBe(one.firstEvent.msg.rollout_path);
  await here.manager.remove(one.sessionId);
  expect(here.manager.get(one.sessionId)).toBeUndefined();
  expect(() => one.conversation.submit({ type: "interrupt" })).toThrow("agent loop died");
  two.conversation.submit({ type: "shutdown" });
  await two.conversation.ended;
  expect(here.manager.ids()).toEqual([]);
  await here.manager.remove("unknown");
});

test("a session of another process goes on under its id", async () => {
  await using model = await fakeModel([say("First."), say("Second.")]);
  await using here = stage(model);
  const before = await here.manager.create(here.config());
  await ask(before, "one");
  await here.manager.close();

  await using later = stage(model);
  const file = before.rolloutPath ?? "";
  const one = await later.manager.resume(here.config(), file);
  expect(one.sessionId).toBe(before.sessionId);
  expect(one.firstEvent.msg.initial_messages).toEqual([
    { type: "user_message", message: "one", kind: "plain" },
    { type: "agent_message", message: "First." },
    { type: "token_count", info: expect.objectContaining({ model_context_window: null }) },
  ]);
  await ask(one, "two");
  expect(shape(inputOfRequest(model, 2)).slice(1)).toEqual(["user: one", "assistant: First.", "user: two"]);
  expect(one.rolloutPath).toBe(file);
});

test("of several resumes of one session at once the last one holds, with its own policy", async () => {
  await using model = await fakeModel([say("First."), say("Second.")]);
  await using here = stage(model);
  const before = await here.manager.create(here.config());
  await ask(before, "one");
  const file = before.rolloutPath ?? "";
  const modes = ["danger-full-access", "read-only", "workspace-write"] as const;
  const all = await Promise.all(modes.map((sandboxMode) => here.manager.resume(here.config({ sandboxMode }), file)));
  expect(all.map(({ config }) => config.sandboxPolicy.mode)).toEqual(modes);
  expect(here.manager.get(before.sessionId)).toBe(all[2]);
  for (const codex of [before, ...all.slice(0, 2)]) expect(codex.conversation.isEnding).toBe(true);
  await ask(all[2] as InitializedCodex, "two");
  expect(shape(inputOfRequest(model, 2)).at(-1)).toBe("user: two");
});

test("a session that is live here is closed and resumed, with the policy now asked for", async () => {
  await using model = await fakeModel([say("First."), say("Second.")]);
  await using here = stage(model);
  const first = await here.manager.create(here.config({ sandboxMode: "workspace-write" }));
  await ask(first, "one");
  const file = first.rolloutPath ?? "";
  const kept = await here.manager.resume(here.config(), file);
  expect(kept.config.sandboxPolicy.mode).toBe("workspace-write");
  const second = await here.manager.resume(here.config({ sandboxMode: "read-only" }), file);
  expect(second.config.sandboxPolicy.mode).toBe("read-only");
  expect(here.manager.ids()).toEqual([first.sessionId]);
  expect(here.manager.get(first.sessionId)).toBe(second);
  expect(() => first.conversation.submit({ type: "interrupt" })).toThrow();
  const fork = await here.manager.resume(here.config(), file, { asFork: true });
  expect(here.manager.ids()).toEqual([first.sessionId, fork.sessionId]);
  await ask(fork, "two");
  expect(shape(inputOfRequest(model, 2)).slice(1)).toContain("user: one");
});

test("another file with the id of a live session does not take its place", async () => {
  await using model = await fakeModel([say("First."), say("Second."), say("Third.")]);
  await using here = stage(model);
  const live = await here.manager.create(here.config());
  await ask(live, "one");
  const copy = path.join(here.place.work, "copy.jsonl");
  copyFileSync(live.rolloutPath ?? "", copy);
  await expect(here.manager.resume(here.config(), copy)).rejects.toThrow(
    new UserError(`the session ${live.sessionId} is live here with another file: "${live.rolloutPath}"`),
  );
  expect(here.manager.get(live.sessionId)).toBe(live);
  await ask(live, "two");
  expect(shape(inputOfRequest(model, 2)).slice(1)).toEqual(["user: one", "assistant: First.", "user: two"]);

  const link = path.join(here.place.work, "link.jsonl");
  symlinkSync(live.rolloutPath ?? "", link);
  const again = await here.manager.resume(here.config(), link); // the same file is the same session
  expect([again.sessionId, again.rolloutPath]).toEqual([live.sessionId, live.rolloutPath]);
  await here.manager.remove(live.sessionId);
  const taken = await here.manager.resume(here.config(), copy);
  expect([taken.sessionId, taken.rolloutPath]).toEqual([live.sessionId, copy]);
});

test("closing interrupts what runs, and what was said stays on disk", async () => {
  await using model = await fakeModel([callShell(["sleep", "60"])]);
  await using here = stage(model);
  const codex = await here.manager.create(here.config({ sandboxMode: "danger-full-access", approvalPolicy: "never" }));
  const events = codex.conversation.events();
  codex.conversation.submit({ type: "user_input", items: [{ type: "text", text: "wait" }] });
  for await (const { msg } of events) if (msg.type === "exec_command_begin") break;
  await here.manager.close();
  expect(linesOf(codex.rolloutPath ?? "").at(-1)?.payload).toEqual({
    type: "function_call_output",
    call_id: "call_1",
    output: "aborted",
  });
});

test.runIf(process.platform === "linux")("many conversations share one guard and one waiting helper", async () => {
  const steps = Array.from({ length: 12 }, (_, index) => (index < 6 ? callShell(["true"]) : say("ok")));
  await using model = await fakeModel(steps, { lenient: true });
  await using here = stage(model);
  await expect.poll(children).toEqual([]); // those of earlier tests are gone
  const all = await Promise.all(Array.from({ length: 6 }, () => here.manager.create(here.config())));
  await Promise.all(all.map((codex) => ask(codex, "go")));
  expect(children().length).toBeGreaterThan(0);
  expect(children().length).toBeLessThanOrEqual(2);
});

function children(): readonly string[] {
  return readdirSync("/proc/self/task").flatMap((thread) => {
    const text = readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ");
  });
}
