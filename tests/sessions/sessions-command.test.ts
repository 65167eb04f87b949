import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { codexBinary } from "../support/run-codex.ts";
import { jsonLines, sessionIdOf, sessionPlace } from "./support.ts";

const unknownId = "11111111-1111-4111-8111-111111111111";
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** A home with sessions that began a second apart, the last one now; none of them was made by a run. */
function storedSessions(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const timestamp = new Date(Date.UTC(2025, 8, 12, 8, 0, index)).toISOString();
      const id = idOf(index);
      const lines = [
        { timestamp, type: "session_meta", payload: { id, timestamp, cwd: "/somewhere", instructions: null } },
        { timestamp, type: "event_msg", payload: { type: "user_message", message: `task ${index}`, kind: "plain" } },
      ];
      const time = timestamp.slice(0, 19).replaceAll(":", "-");
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      return [`sessions/2025/09/12/rollout-${time}-${id}.jsonl`, text];
    }),
  );
}

describe("list", () => {
  test("newest first, page by page to an empty page without a cursor", async () => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles: storedSessions(7) });
    const pages: unknown[][] = [];
    let cursor: unknown;
    for (let page = 0; page < 4; page += 1) {
      const more = cursor === undefined ? [] : ["--cursor", String(cursor)];
      const run = await codex.run(["sessions", "list", "--json", "-n", "3", ...more]);
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      const [body] = jsonLines(run.stdout);
      pages.push(((body?.["items"] ?? []) as { preview: string }[]).map(({ preview }) => preview));
      cursor = body?.["nextCursor"];
    }
    expect(pages).toEqual([["task 6", "task 5", "task 4"], ["task 3", "task 2", "task 1"], ["task 0"], []]);
    expect(cursor).toBeUndefined();
  });

  test.each(["zzz", "", "2025-09-12T08-00-00"])("the cursor %j is of no page: a usage error", async (cursor) => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles: storedSessions(1) });
    const run = await codex.run(["sessions", "list", "--cursor", cursor]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("nextCursor of a page") });
  });

  test("a person sees id, age, folder and the first words, and no control characters", async () => {
    await using model = await fakeModel([say("ok")]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "first \u001b[31mline\u001b[0m\u0007\nsecond line"]);
    const run = await codex.run(["sessions", "list"]);
    const id = sessionIdOf(codex.rollout());
    expect(run.stdout).toBe(`${id}  now  ${codex.place.work}  first line …\n`);
    const [page] = jsonLines((await codex.run(["sessions", "list", "--json", "-C", codex.place.work])).stdout);
    expect(page).toEqual({
      items: [
        {
          conversationId: id,
          path: codex.rollout(),
          preview: "first \u001b[31mline\u001b[0m\u0007\nsecond line",
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          cwd: codex.place.work,
        },
      ],
      nextCursor: expect.stringMatching(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\|${id}$`)),
    });
    const elsewhere = await codex.run(["sessions", "list", "--json", "-C", codex.place.home]);
    expect(jsonLines(elsewhere.stdout)).toEqual([{ items: [] }]);
  });

  test.each([
    ["a home without sessions", [], '{"items":[]}\n', 0],
    ["pages of nothing", ["-n", "0"], "", 2],
    ["a number that is none", ["-n", "many"], "", 2],
  ])("%s", async (_, args, stdout, exitCode) => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model });
    expect(await codex.run(["sessions", "list", "--json", ...args])).toMatchObject({ exitCode, stdout });
  });
});

test("show and export tell what was said and done, and steer no terminal", async () => {
  const command = ["bash", "-c", "printf 'a\\033[2Jb\\n'; exit 3"];
  await using model = await fakeModel([{ reasoning: "**Look**", ...callShell(command) }, say("It \u001b[5mblinks.")]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "Show me.\n```\ncode\n```"]);
  const id = sessionIdOf(codex.rollout());
  const shown = await codex.run(["sessions", "show", id]);
  const text = ["user:", "Show me.", "thinking:", "$ bash -c", "ab", "(exit status 3)", "codex:", "It blinks."];
  for (const part of text) expect(shown.stdout).toContain(part);
  expect(shown.stdout).toContain(`session: ${id}\n`);
  expect(shown.stdout).toContain("sandbox: read-only\n");
  const exported = await codex.run(["sessions", "export", id, "--markdown"]);
  expect(exported.stdout).toMatch(
    new RegExp(`^# Session ${id}\\n[^]*## User\\n[^]*> \\*\\*Look\\*\\*\\n[^]*## Codex\\n\\nIt blinks\\.\\n$`),
  );
  expect(exported.stdout).toContain("```text\nab\n(exit status 3)\n```");
  for (const { stdout } of [shown, exported]) expect(stdout).not.toMatch(/[^\P{Cc}\n\t]/u);
  const [json] = jsonLines((await codex.run(["sessions", "export", "--json", id])).stdout);
  expect(json).toMatchObject({ conversationId: id, sandbox: "read-only", damagedLines: 0, isArchived: false });
  expect(json?.["items"]).toHaveLength(6);
  expect(jsonLines((await codex.run(["sessions", "show", "--json", id])).stdout)[0]?.["messages"]).toContainEqual({
    type: "agent_message",
    message: "It \u001b[5mblinks.",
  });
});

test("an archived session leaves the list, is not gone on with, and can still be seen, copied and deleted", async () => {
  await using model = await fakeModel([say("First."), say("Copied.")]);
  using codex = sessionPlace({ model });
  await codex.run(["exec", "one"]);
  const file = codex.rollout();
  const id = sessionIdOf(file);
  expect(await codex.run(["sessions", "archive", id])).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: `Archived ${id}.\n`,
  });
  const archived = path.join(codex.place.home, "archived_sessions", path.basename(file));
  expect(codex.rollouts()).toEqual([archived]);
  expect((await codex.run(["sessions", "list"])).stdout).toBe("");
  expect((await codex.run(["sessions", "list", "--archived"])).stdout).toContain(id);
  const resumed = await codex.run(["exec", "resume", id, "two"]);
  expect(resumed).toMatchObject({
    exitCode: 1,
    stderr: `Error: The session ${id} is archived. A copy can go on: codex exec fork ${id}\n`,
  });
  expect(await codex.run(["sessions", "archive", id])).toMatchObject({
    exitCode: 1,
    stderr: `Error: The session ${id} is archived already.\n`,
  });
  expect((await codex.run(["sessions", "show", id])).stdout).toContain("archived: yes\n");
  expect(await codex.run(["exec", "fork", id, "two"])).toMatchObject({ exitCode: 0, stdout: "Copied.\n" });
  expect(await codex.run(["sessions", "delete", "--yes", "--json", id])).toMatchObject({
    exitCode: 0,
    stdout: `{"conversationId":"${id}","deleted":true}\n`,
  });
  expect(existsSync(archived)).toBe(false);
});

test("delete asks, and where nobody can be asked it deletes nothing", async () => {
  await using model = await fakeModel([]);
  using codex = sessionPlace({ model, homeFiles: storedSessions(1) });
  const run = await codex.run(["sessions", "delete", idOf(0)], { stdin: "y\n" });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toContain("--yes");
  expect(codex.rollouts()).toHaveLength(1);
  expect(await codex.run(["sessions", "delete", "-y", idOf(0).toUpperCase()])).toMatchObject({ exitCode: 0 });
  expect(codex.rollouts()).toEqual([]);
});

describe("a session that somebody has copied", () => {
  const id = idOf(0);
  const [name = "", text = ""] = Object.entries(storedSessions(1))[0] ?? [];
  const copies = [name.replace("09/12/", "10/01/"), `archived_sessions/${path.basename(name)}`];
  const homeFiles = Object.fromEntries([name, ...copies].map((file) => [file, text]));

  test("is deleted with its copies, and nothing else is", async () => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles: { ...storedSessions(2), ...homeFiles } });
    expect((await codex.run(["sessions", "delete", "-y", id])).stderr).toBe(`Deleted ${id}.\n`);
    expect(codex.rollouts().map((file) => path.basename(file))).toEqual([expect.stringContaining(idOf(1))]);
  });

  test("is archived when its copies are out of the way; until then they are named", async () => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles });
    const { exitCode, stderr } = await codex.run(["sessions", "archive", id]);
    expect(exitCode).toBe(1);
    for (const file of [name, ...copies]) expect(stderr).toContain(`"${path.join(codex.place.home, file)}"`);
    expect(codex.rollouts()).toHaveLength(3);
    for (const file of copies) rmSync(path.join(codex.place.home, file));
    expect((await codex.run(["sessions", "archive", id])).stderr).toBe(`Archived ${id}.\n`);
  });
});

const hasTerminals = spawnSync("script", ["--version"]).status === 0;

test.runIf(hasTerminals)(
  "delete looks again after its question: somebody may go on with the session meanwhile",
  async () => {
    await using model = await fakeModel([say("one"), say("two", { delayMs: 60_000 })]);
    using codex = sessionPlace({ model });
    await codex.run(["exec", "first"]);
    const id = sessionIdOf(codex.rollout());
    const question = spawn("script", ["-qec", `node ${codexBinary} sessions delete ${id}`, "/dev/null"], {
      cwd: codex.place.work,
      env: { ...codex.place.env, PATH: `${path.dirname(process.execPath)}:${codex.place.env["PATH"]}` },
    });
    let seen = "";
    question.stdout.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
    });
    await expect.poll(() => seen).toContain("for good? [y/N]");
    const run = codex.start(["exec", "resume", id, "second"]);
    run.stdin.end();
    await model.received(2);
    question.stdin.write("y\n");
    const [code] = await once(question, "close");
    expect(seen).toContain(`Error: The session ${id} is in use by another process.`);
    expect(code).toBe(1);
    expect(codex.rollouts()).toHaveLength(1);
    run.kill("SIGKILL");
    await once(run, "close");
  },
);

test("a session that a link leads to is archived as a link, and still leads there", async () => {
  await using model = await fakeModel([]);
  using codex = sessionPlace({ model, homeFiles: storedSessions(1) });
  const [file = ""] = codex.rollouts();
  const elsewhere = path.join(codex.place.home, "sessions", "kept");
  renameSync(file, elsewhere);
  symlinkSync("../../../kept", file);
  expect(await codex.run(["sessions", "archive", idOf(0)])).toMatchObject({ exitCode: 0 });
  expect(existsSync(elsewhere)).toBe(true);
  expect((await codex.run(["sessions", "list"])).stdout).toBe("");
  expect((await codex.run(["sessions", "show", idOf(0)])).stdout).toContain("archived: yes\n");
});

test.each([
  ["show", unknownId, 1],
  ["archive", unknownId, 1],
  ["delete", unknownId, 1],
  ["export", unknownId, 1],
  ["show", "../../etc/passwd", 1],
  ["list", unknownId, 2],
  ["tidy", unknownId, 2],
])("sessions %s %s ends with status %i", async (word, id, exitCode) => {
  await using model = await fakeModel([]);
  using codex = sessionPlace({ model });
  const file = path.join(codex.place.work, "kept");
  writeFileSync(file, "kept");
  const run = await codex.run(["sessions", word, id]);
  expect(run).toMatchObject({ exitCode, stdout: "" });
  expect(run.stderr).toMatch(/^error: |^Error: (no rollout found|Not a session id)/);
  expect(readFileSync(file, "utf8")).toBe("kept");
});

describe("the first characters of an id", () => {
  const one = "6f3c1f9e-0000-4000-8000-000000000001";
  const two = "6f3c2222-0000-4000-8000-000000000002";
  const archived = "abcd1234-0000-4000-8000-000000000003";
  const file = (id: string) => `rollout-2025-09-12T08-00-00-${id}.jsonl`;
  const content = (id: string) =>
    [
      { type: "session_meta", payload: { id, timestamp: "t", cwd: "/somewhere", instructions: null } },
      { type: "event_msg", payload: { type: "user_message", message: "hi", kind: "plain" } },
    ]
      .map((line) => `${JSON.stringify({ timestamp: "t", ...line })}\n`)
      .join("");
  const homeFiles = {
    [`sessions/2025/09/12/${file(one)}`]: content(one),
    [`sessions/2025/09/12/${file(two)}`]: content(two),
    [`archived_sessions/${file(archived)}`]: content(archived),
  };

  test("are enough for every command, in any case of letters", async () => {
    await using model = await fakeModel([say("resumed"), say("forked")]);
    using codex = sessionPlace({ model, homeFiles });
    const shown = await codex.run(["sessions", "show", "--json", "6F3C1"]);
    expect(jsonLines(shown.stdout)[0]?.["conversationId"]).toBe(one);
    const exported = await codex.run(["sessions", "export", "--json", "abcd"]);
    expect(jsonLines(exported.stdout)[0]?.["conversationId"]).toBe(archived);
    const resumed = await codex.run(["exec", "--experimental-json", "resume", "6f3c1f9e-0", "go"]);
    expect(jsonLines(resumed.stdout)[0]?.["thread_id"]).toBe(one);
    const proto = await codex.run(["proto", "--resume", "6f3c2"]);
    expect(jsonLines(proto.stdout)[0]).toMatchObject({ msg: { session_id: two } });
    expect(await codex.run(["exec", "fork", "6f3c2", "go"])).toMatchObject({ exitCode: 0, stdout: "forked\n" });
    expect((await codex.run(["sessions", "archive", "6f3c2"])).stderr).toBe(`Archived ${two}.\n`);
    expect((await codex.run(["sessions", "delete", "--yes", "6f3c2"])).stderr).toBe(`Deleted ${two}.\n`);
  });

  test.each([
    ["that several have", "6f3c", `The session id "6f3c" is ambiguous: ${two}, ${one} begin with it.`],
    ["that none has", "beef", 'no rollout found for session id beef in "'],
    ["that are too few", "6f3", 'Not a session id: "6f3" (expected a UUID, or at least its first 4 characters).'],
    ["of an archived session, where it cannot go on", "abcd1", `The session ${archived} is archived.`],
  ])("%s: nothing is done, and the reason is said", async (_, id, message) => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles });
    for (const args of [
      ["exec", "resume", id, "go"],
      ["proto", "--resume", id],
      ...(id === "abcd1" ? [] : [["sessions", "delete", "--yes", id]]),
    ]) {
      const run = await codex.run(args);
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain(`Error: ${message}`);
    }
    expect(codex.rollouts()).toHaveLength(3);
  });

  test("many matches are counted, not all named", async () => {
    await using model = await fakeModel([]);
    using codex = sessionPlace({ model, homeFiles: storedSessions(7) });
    const { stderr } = await codex.run(["sessions", "show", "0000"]);
    const named = [6, 5, 4].map(idOf).join(", ");
    expect(stderr).toBe(`Error: The session id "0000" is ambiguous: ${named} and 4 more begin with it.\n`);
  });
});
