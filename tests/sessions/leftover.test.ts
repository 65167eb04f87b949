import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { noSandbox } from "../process/support.ts";
import { callShell, fakeModel, type ScriptedStep, say } from "../support/fake-model.ts";
import { startMcp } from "../support/mcp-session.ts";
import { inputOfRequest, jsonLines, linesOf, type SessionPlace, sessionIdOf, sessionPlace, shape } from "./support.ts";

const shared = 1;
const exclusive = 2;
const doNotWait = 4;

/** A process that stays behind and locks every session and the history, as soon as it gets the locks. */
const leaveBehind = (kind: number): ScriptedStep => {
  const script = `open(my $pid, ">", "pid"); print $pid $$; close $pid; my @kept;
    for (glob("../home/sessions/*/*/*/*.jsonl ../home/history.jsonl")) {
      open(my $f, "<", $_) or next; flock($f, ${kind}) or die; push @kept, $f;
    }
    open(my $done, ">", "locked"); close $done; sleep 600`;
  const command = `setsid perl -e '${script}' < /dev/null > /dev/null 2>&1 & until [ -s pid ]; do sleep 0.01; done`;
  return callShell(["bash", "-c", command]);
};

/** A session of one turn, with its leftover process, which ends with the test. */
async function withLeftover(codex: SessionPlace): Promise<Disposable & { readonly file: string; readonly id: string }> {
  const run = await codex.run(["exec", "--full-auto", "one"]);
  expect(run).toMatchObject({ exitCode: 0, stdout: "First.\n" });
  const pid = Number(readFileSync(path.join(codex.place.work, "pid"), "utf8"));
  const leftover = { [Symbol.dispose]: () => void process.kill(pid, "SIGKILL") };
  try {
    await expect.poll(() => existsSync(path.join(codex.place.work, "locked"))).toBe(true);
    const file = codex.rollout("rollout-");
    expect(canLock(file)).toBe(false);
    return { ...leftover, file, id: sessionIdOf(file) };
  } catch (error) {
    leftover[Symbol.dispose]();
    throw error;
  }
}

function canLock(file: string): boolean {
  const script = `open(my $f, "<", shift) or die; exit(flock($f, ${exclusive | doNotWait}) ? 0 : 1)`;
  return spawnSync("perl", ["-e", script, file]).status === 0;
}

const op = (value: object) => `${JSON.stringify({ id: "1", op: value })}\n`;
const inUse = expect.stringMatching(/^Error: The session .*is in use by another process/m);
const names = (file: string) => readdirSync(path.dirname(file));

describe.skipIf(noSandbox)("a command that was left behind and locks the session's file holds up nobody", () => {
  test.each([
    ["for itself", exclusive],
    ["with others", shared],
  ])("the session goes on, complete: locked %s", async (_, kind) => {
    await using model = await fakeModel([leaveBehind(kind), say("First."), say("Second.")]);
    using codex = sessionPlace({ model });
    using leftover = await withLeftover(codex);
    const before = readFileSync(leftover.file, "utf8");
    const run = await codex.run(["exec", "resume", "--last", "two"]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
    expect(shape(inputOfRequest(model, 3)).filter((line) => !line.endsWith("<environment>"))).toEqual([
      "user: one",
      "function_call call_1",
      "function_call_output call_1: …",
      "assistant: First.",
      "user: two",
    ]);
    expect(readFileSync(leftover.file, "utf8").startsWith(before)).toBe(true);
    expect(JSON.stringify(linesOf(leftover.file))).toContain("Second.");
    expect(names(leftover.file)).toEqual([path.basename(leftover.file)]);
    expect(canLock(leftover.file)).toBe(false);
  });

  test("a second process is refused all the same while the session is live, and the history takes its lines", async () => {
    await using model = await fakeModel([leaveBehind(exclusive), say("First."), say("Second."), say("Third.")]);
    using codex = sessionPlace({ model, homeFiles: { "history.jsonl": "" } });
    using leftover = await withLeftover(codex);
    const { id } = leftover;
    const proto = codex.start(["proto", "--resume", id]);
    const answered = new Promise((resolve) => {
      proto.stdout.on("data", (text) => String(text).includes("task_complete") && resolve(undefined));
    });
    const items = [{ type: "text", text: "go" }];
    proto.stdin.write(op({ type: "add_to_history", text: "typed" }) + op({ type: "user_input", items }));
    await answered;
    const history = jsonLines(readFileSync(path.join(codex.place.home, "history.jsonl"), "utf8"));
    expect(history).toMatchObject([{ session_id: id, text: "typed" }]);
    for (const args of [
      ["exec", "resume", id, "x"],
      ["proto", "--resume", id],
      ["sessions", "archive", id],
      ["sessions", "delete", "--yes", id],
    ]) {
      expect(await codex.run(args)).toMatchObject({ exitCode: 1, stderr: inUse });
    }
    proto.kill("SIGKILL");
    await new Promise((resolve) => proto.on("close", resolve));
    expect(await codex.run(["exec", "resume", id, "x"])).toMatchObject({ exitCode: 0, stdout: "Third.\n" });
  });

  test.each(["archive", "delete"])("sessions %s does it", async (action) => {
    await using model = await fakeModel([leaveBehind(exclusive), say("First.")]);
    using codex = sessionPlace({ model });
    using leftover = await withLeftover(codex);
    expect(await codex.run(["sessions", action, leftover.id, ...(action === "delete" ? ["--yes"] : [])])).toMatchObject(
      {
        exitCode: 0,
      },
    );
    expect(existsSync(leftover.file)).toBe(false);
  });

  test("over MCP it goes on, and is archived by another server", async () => {
    await using model = await fakeModel([leaveBehind(exclusive), say("First."), say("Second.")]);
    using codex = sessionPlace({ model });
    using leftover = await withLeftover(codex);
    const env = { CODEX_HOME: codex.place.home };
    const archived = { conversationId: leftover.id, rolloutPath: leftover.file };
    await using other = startMcp({ env });
    {
      await using server = startMcp({ env });
      const { result } = await server.request("resumeConversation", { path: leftover.file });
      expect(result).toMatchObject({ conversationId: leftover.id });
      await server.request("addConversationListener", { conversationId: leftover.id });
      const items = [{ type: "text", data: { text: "two" } }];
      await server.request("sendUserMessage", { conversationId: leftover.id, items });
      await server.event("task_complete");
      expect((await other.request("archiveConversation", archived)).error).toEqual({
        code: -32600,
        message: "the session is in use by another process",
      });
      server.end();
      await server.ended();
    }
    expect((await other.request("archiveConversation", archived)).result).toEqual({});
    expect(JSON.stringify(linesOf(codex.rollout(leftover.id)))).toContain("Second.");
  });

  test("of many that resume at once exactly one does", async () => {
    const count = 8;
    let endOfOthers = () => {};
    const othersEnded = new Promise<void>((resolve) => {
      endOfOthers = resolve;
    });
    const winner = say("Second.", { after: othersEnded });
    await using model = await fakeModel([leaveBehind(exclusive), say("First."), winner]);
    using codex = sessionPlace({ model });
    using leftover = await withLeftover(codex);
    let ended = 0;
    const runs = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const run = await codex.run(["exec", "resume", leftover.id, `again-${index}`]);
        ended += 1;
        if (ended === count - 1) endOfOthers();
        return run;
      }),
    );
    expect(runs.map(({ exitCode }) => exitCode).sort()).toEqual([0, ...Array.from({ length: count - 1 }, () => 1)]);
    for (const run of runs) expect(run.exitCode === 0 ? "" : run.stderr).toEqual(run.exitCode === 0 ? "" : inUse);
    const index = runs.findIndex(({ exitCode }) => exitCode === 0);
    const said = linesOf(leftover.file).flatMap(({ type, payload }) => (type === "response_item" ? [payload] : []));
    expect(shape(said).filter((line) => !line.endsWith("<environment>"))).toEqual([
      "user: one",
      "function_call call_1",
      "function_call_output call_1: …",
      "assistant: First.",
      `user: again-${index}`,
      "assistant: Second.",
    ]);
    expect(names(leftover.file)).toEqual([path.basename(leftover.file)]);
  });
});

describe.skipIf(noSandbox)("the claim of a process that is about to resume", () => {
  test("holds up nobody once that process is gone, and is removed", async () => {
    await using model = await fakeModel([say("First."), say("Second.")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    for (const number of [0, 1]) writeFileSync(`${file}.claim-${number}`, "");
    expect(await codex.run(["exec", "resume", "--last", "two"])).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
    expect(names(file)).toEqual([path.basename(file)]);
  });

  test("keeps others away as long as that process has it open for writing", async () => {
    await using model = await fakeModel([say("First."), say("Second.")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "one"]);
    const file = codex.rollout();
    writeFileSync(`${file}.claim-0`, "");
    const claim = openSync(`${file}.claim-1`, "w");
    expect(await codex.run(["exec", "resume", "--last", "two"])).toMatchObject({ exitCode: 1, stderr: inUse });
    closeSync(claim);
    expect(await codex.run(["exec", "resume", "--last", "two"])).toMatchObject({ exitCode: 0, stdout: "Second.\n" });
  });
});

test.runIf(process.platform === "linux")("no program outside of the sandbox inherits the session's file", async () => {
  await using model = await fakeModel([say("First.")]);
  const list = (name: string) => `readlink /proc/$$/fd/* > "${name}"; echo end >> "${name}"; exec cat`;
  using codex = sessionPlace({ model, config: [`notify = ["bash", "-c", '${list("notify")}']`] });
  const server = `mcp_servers.x={command="bash",args=["-c",${JSON.stringify(list("server"))}]}`;
  expect(await codex.run(["exec", "--full-auto", "-c", server, "one"])).toMatchObject({ exitCode: 0 });
  for (const name of ["notify", "server"]) {
    const file = path.join(codex.place.work, name);
    const inherited = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
    await expect.poll(inherited).toContain("end");
    expect(inherited()).not.toContain(".jsonl");
  }
});
