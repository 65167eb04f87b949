import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { isAlive } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { longBefore } from "../support/long-before.ts";
import { inputOf } from "../support/requests.ts";
import { codexBinary, configToml, runCodex, startCodex } from "../support/run-codex.ts";
import { answerWith, bytesOf, commandEvents, endWith, parsedAnswer, runShell } from "../support/shell-run.ts";
import { untilStalled } from "../support/until-stalled.ts";
import { workspace } from "../support/workspace.ts";

const modes = ["danger-full-access", "workspace-write"] as const;

/** The numbers that a command wrote into a file of the workspace, once they are all there. */
async function pidsIn(place: { files(): Record<string, string> }, file: string): Promise<readonly number[]> {
  await expect.poll(() => place.files()[file]).toMatch(/\n$/);
  return place.files()[file]?.trim().split(/\s+/).map(Number) ?? [];
}

describe.each(modes)("a command in %s that", (mode) => {
  test("ignores signals and outlives its limit is gone with all it started", async () => {
    const script = [
      "trap '' TERM INT HUP",
      "sleep 900 &",
      "child=$!",
      "setsid sh -c 'echo $$ > daemon; trap \"\" TERM HUP; exec sleep 900' &",
      "until [ -s daemon ]; do sleep 0.01; done",
      "echo $$ $child $(cat daemon) > pids",
      "echo begun",
      "while :; do sleep 900; done",
    ].join("\n");
    const options = { mode, args: { timeout_ms: 1000 } };
    const { run, end, answer } = await longBefore(900_000, () => runShell(["bash", "-c", script], options));
    expect(end).toEqual(endWith({ stdout: "begun\n", exit_code: 124 }));
    expect(answer).toEqual(answerWith("command timed out after 1000 milliseconds\nbegun\n", 124));
    const pids = run.files["pids"]?.trim().split(" ").map(Number) ?? [];
    expect(pids).toHaveLength(3);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  test("leaves a program behind that holds its output is answered when it ends itself", async () => {
    await using model = await fakeModel([
      callShell(["bash", "-c", "sleep 900 & echo $! > left; echo hi; exit 3"]),
      say("done"),
    ]);
    const run = await longBefore(900_000, () => runCodex(["exec", "--json", "-s", mode, "go"], { model }));
    expect(commandEvents(run).end).toEqual(endWith({ stdout: "hi\n", exit_code: 3 }));
    process.kill(Number(run.files["left"]), "SIGKILL");
  });

  test("closes its outputs goes on until it ends", async () => {
    const script = "exec >&- 2>&-; echo > closed; until [ -e go ]; do sleep 0.01; done; exit 3";
    await using model = await fakeModel([callShell(["bash", "-c", script]), say("done")]);
    const running = startCodex(["exec", "--json", "-s", mode, "go"], { model });
    await expect.poll(() => running.place.files()["closed"]).toBe("\n");
    writeFileSync(path.join(running.place.work, "go"), "");
    const run = await running.finished();
    expect(run.exitCode).toBe(0);
    expect(commandEvents(run).end).toEqual(endWith({ exit_code: 3 }));
  });

  test("reads its input finds the end of it", async () => {
    const { end } = await runShell(["bash", "-c", "cat; echo end; read line; echo $?"], {
      mode,
      stdin: "for the prompt",
    });
    expect(end).toEqual(endWith({ stdout: "end\n1\n" }));
  });

  test("dies with the program when that is killed, and the rollout is whole", async () => {
    const script = "sleep 60 & setsid sleep 60 & echo $$ $(jobs -p) > pids; wait";
    await using model = await fakeModel([callShell(["bash", "-c", script], { args: { timeout_ms: 90_000 } })]);
    const running = startCodex(["exec", "--json", "-s", mode, "go"], { model });
    const pids = await pidsIn(running.place, "pids");
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    running.child.kill("SIGKILL");
    const run = await running.finished();
    expect(run.exitCode).toBe(137);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    expect(run.rollout.at(-1)?.payload).toMatchObject({ type: "function_call", call_id: "call_1" });
  });
});

test("a command that reads its input finds the end of it, also when ours stays open", async () => {
  const { end } = await runShell(["cat"], { mode: "workspace-write", keepStdinOpen: true });
  expect(end).toEqual(endWith({}));
});

describe("an output that", () => {
  const mode = "workspace-write";

  test("is fifty megabytes long shows the model both its ends", async () => {
    const command = ["bash", "-c", "yes 0123456789abcdef | head -c 50000000; echo; echo end"];
    await using model = await fakeModel([callShell(command, { args: { timeout_ms: 900_000 } }), say("done")]);
    expect((await runCodex(["exec", "-s", mode, "go"], { model })).exitCode).toBe(0);
    expect(parsedAnswer(inputOf(model, 2).at(-1)?.output)).toEqual(
      answerWith(expect.stringMatching(/^0123456789abcdef\n.*\n01234567\nend$/s), 0),
    );
  });

  test("is one line of five megabytes arrives whole, and both its ends are kept", async () => {
    const script = "printf start; head -c 5000000 /dev/zero | tr '\\0' x; printf end";
    const { pieces, end, answer } = await runShell(["bash", "-c", script], { mode });
    expect(bytesOf(pieces, "stdout").equals(Buffer.from(`start${"x".repeat(5_000_000)}end`))).toBe(true);
    expect(String(end?.["stdout"]).replace(/x+/g, "x…x")).toBe("startx…x\n[... 805704 bytes omitted ...]\nx…xend");
    expect(answer).toEqual(answerWith(expect.stringMatching(/^startx+\n\[[^\]]+\]\n\nx+end$/), 0));
  });

  test("holds every byte there is arrives as it is", async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7 + (index >> 8)) % 256));
    const { pieces, end } = await runShell(["cat", "bytes"], { mode, files: { bytes } });
    expect(bytesOf(pieces, "stdout").equals(bytes)).toBe(true);
    expect(end?.["stdout"] === bytes.toString()).toBe(true);
  });

  test("comes as twenty thousand little lines is complete at the end, and its pieces are its beginning", async () => {
    const script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; echo -$i >&2; done";
    const { pieces, end } = await runShell(["bash", "-c", script], { mode });
    const lines = (sign: string) => Array.from({ length: 20_000 }, (_, index) => `${sign}${index + 1}\n`).join("");
    expect(end?.["stdout"] === lines("") && end["stderr"] === lines("-")).toBe(true);
    expect(String(end?.["aggregated_output"])).toHaveLength(2 * lines("").length + 20_000);
    expect(lines("").startsWith(bytesOf(pieces, "stdout").toString())).toBe(true);
    expect(lines("-").startsWith(bytesOf(pieces, "stderr").toString())).toBe(true);
    expect(bytesOf(pieces, "stdout").length).toBeGreaterThan(10_000);
    expect(pieces.length).toBeLessThanOrEqual(20_000);
  });
});

describe("a reader of our output that", () => {
  const floods = () => callShell(["seq", "-w", "428572"]);

  test("stops and goes on gets everything", async () => {
    await using model = await fakeModel([floods(), say("done")]);
    const running = startCodex(["exec", "--json", "-s", "workspace-write", "go"], { model });
    await running.sees("exec_command_output_delta");
    running.child.stdout.pause();
    await untilStalled(running.child.pid);
    running.child.stdout.resume();
    const run = await running.finished();
    expect(run.exitCode).toBe(0);
    const { pieces, end } = commandEvents(run);
    expect(bytesOf(pieces, "stdout").toString() === end?.["stdout"]).toBe(true);
    expect(String(end?.["stdout"])).toHaveLength(428_572 * 7);
    expect(run.messages.at(-1)).toMatchObject({ type: "token_count" });
  });

  test("has stopped for good does not keep a signal from ending the run", async () => {
    await using model = await fakeModel([floods(), { hang: true }]);
    const running = startCodex(["exec", "--json", "-s", "workspace-write", "go"], { model });
    using _ = running.place;
    await running.sees("exec_command_output_delta");
    running.child.stdout.pause();
    await model.received(2);
    running.child.kill("SIGTERM");
    expect(await once(running.child, "exit")).toEqual([143, null]);
  });

  test("wants one line only ends the run quietly with 141, as head does", async () => {
    await using model = await fakeModel([floods(), { hang: true }]);
    using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
    const script = '"$0" "$1" exec --json go </dev/null | head -1; echo "$PIPESTATUS"';
    const child = spawn("bash", ["-c", script, process.execPath, codexBinary], { cwd: place.work, env: place.env });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(stderr).toBe("");
    const [line = "", ...others] = stdout.split("\n");
    expect(JSON.parse(line)).toMatchObject({ provider: "mock" });
    expect(others).toEqual(["141", ""]);
  });

  test("is gone before the answer comes ends the run with 141", async () => {
    const script = "until [ -e go ]; do sleep 0.01; done";
    await using model = await fakeModel([callShell(["bash", "-c", script]), say("the answer")]);
    const running = startCodex(["exec", "-s", "workspace-write", "go"], { model });
    await running.sees(script);
    running.child.stdout.destroy();
    writeFileSync(path.join(running.place.work, "go"), "");
    expect((await running.finished()).exitCode).toBe(141);
  });
});

test("two runs at once share a home, each with a session of its own", async () => {
  using shared = workspace({ git: false });
  // Each command waits for the other's sign, so neither run is over before the other is in the middle.
  const meet = (mine: string, other: string) =>
    callShell([
      "bash",
      "-c",
      `echo ${mine}; echo > ${shared.work}/${mine}; until [ -e ${shared.work}/${other} ]; do sleep 0.01; done`,
    ]);
  const names = ["first", "second"] as const;
  const runs = await Promise.all(
    names.map(async (name, index) => {
      await using model = await fakeModel([meet(name, names[1 - index] ?? name), say(`${name} done`)]);
      writeFileSync(path.join(shared.home, "config.toml"), "");
      const provider = `{ name = "mock", base_url = ${JSON.stringify(model.url)}, wire_api = "responses" }`;
      return await runCodex(
        [
          "exec",
          "-c",
          "model_provider=mock",
          "-c",
          `model_providers.mock=${provider}`,
          "-s",
          "danger-full-access",
          name,
        ],
        { env: { CODEX_HOME: shared.home } },
      );
    }),
  );
  expect(runs.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual([
    { exitCode: 0, stdout: "first done\n" },
    { exitCode: 0, stdout: "second done\n" },
  ]);
  const sessions = Object.entries(shared.homeFiles()).filter(([name]) => name.startsWith("sessions/"));
  const messages = sessions.map(([, lines]) =>
    lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).payload)
      .flatMap(({ type, message }) => (type === "agent_message" ? [message] : [])),
  );
  expect(messages.sort()).toEqual([["first done"], ["second done"]]);
});
