import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { inputOf, promptOf } from "../support/requests.ts";
import { codexBinary, configToml } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";

const examples = path.resolve(import.meta.dirname, "../../examples");
const question = "What's here?";

interface ExampleRun {
  readonly place: Workspace;
  readonly stdin?: string;
  readonly codex?: string;
}

const realCodex = `${process.execPath} ${codexBinary}`;

async function run([program = "", ...args]: readonly string[], { place, stdin = "", codex = realCodex }: ExampleRun) {
  const child = spawn(program, args, {
    cwd: place.work,
    env: { ...place.env, CODEX: codex },
  });
  child.stdin.on("error", () => {}).end(stdin); // it may end before it reads
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  return { stdout, stderr, status: (await ended)[0] };
}

function place(model: { readonly url: string }): Workspace {
  return workspace({
    homeFiles: { "config.toml": configToml({ model, config: ['approval_policy = "untrusted"'] }) },
  });
}

describe("examples/proto.sh", () => {
  const script = path.join(examples, "proto.sh");

  test("shows the answer, asks before a command, and runs it after a yes", async () => {
    await using model = await fakeModel([
      callShell(["touch", "made"]),
      say("An empty folder.", { deltas: ["An empty ", "folder."] }),
    ]);
    using where = place(model);
    const { stdout, stderr, status } = await run([script, question, "-s", "danger-full-access"], {
      place: where,
      stdin: "y\n",
    });
    expect({ stdout, stderr, status }).toEqual({
      stdout: "An empty folder.\n",
      stderr: 'Run ["touch","made"]? [y/N] ',
      status: 0,
    });
    expect(promptOf(model)).toBe(question);
    expect(where.files()).toEqual({ made: "" });
  });

  test("fails with the model, and says why", async () => {
    await using model = await fakeModel([{ status: 401 }]);
    using where = place(model);
    const { stdout, stderr, status } = await run([script, question], { place: where });
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
    expect(stderr).toContain("401 Unauthorized");
  });

  test.each([
    ["a flag that codex does not know", [question, "--bogus"], realCodex, 1, "error: unknown option '--bogus'"],
    ["a program that is not there", [question], "nope", 127, 'Cannot find the program "nope"'],
    ["a program that ends at once", [question], "sh -c exit", 1, ""],
    ["no question", [], realCodex, 2, "Usage: "],
  ])("says what is wrong: %s", async (_, args, codex, status, problem) => {
    await using model = await fakeModel([say("Hi.")]);
    using where = place(model);
    const ended = await run([script, ...args], { place: where, codex });
    expect(ended).toMatchObject({ stdout: "", status });
    expect(ended.stderr).toContain(problem);
    expect(ended.stderr).not.toContain("unbound");
  });

  test("reads all that a program has said that is gone by then", async () => {
    const program = `#!/bin/sh
read -r line
echo '{"id":"1","msg":{"type":"agent_message_delta","delta":"Hi."}}'
echo '{"id":"1","msg":{"type":"agent_message","message":"Hi."}}'
echo '{"id":"1","msg":{"type":"shutdown_complete"}}'
`;
    using where = workspace({ files: { hasty: program } });
    const ended = await run([script, question], { place: where, codex: "sh hasty" });
    expect(ended).toEqual({ stdout: "Hi.\n", stderr: "", status: 1 });
  });
});

describe("examples/proto-client.ts", () => {
  const file = path.join(examples, "proto-client.ts");
  const source = readFileSync(file, "utf8");

  /** As its head says for a Node that does not read TypeScript. */
  async function runClient(args: readonly string[], options: ExampleRun) {
    const { code } = await transform(source, { loader: "ts", format: "esm" });
    return run([process.execPath, "--input-type=module", "-", ...args], { ...options, stdin: code });
  }

  test("has less than 60 lines", () => {
    expect(source.trimEnd().split("\n").length).toBeLessThan(60);
  });

  test.each([
    ["not there", "nope", /^Cannot start "nope": spawn nope ENOENT\. Put codex on your path, or name it in CODEX\.\n$/],
    ["gone at once", "false", /^$/],
  ])("fails without a stack when codex is %s", async (_, codex, stderr) => {
    using where = workspace({});
    const ended = await runClient([question], { place: where, codex });
    expect(ended).toMatchObject({ stdout: "", status: 1, stderr: expect.stringMatching(stderr) });
  });

  test.each([[[]], [["What's", "here?"]]])("says how it is used when its arguments are %j", async (args) => {
    await using model = await fakeModel([]);
    using where = place(model);
    const ended = await runClient(args, { place: where });
    expect(ended).toEqual({ stdout: "", stderr: 'Usage: proto-client.ts "QUESTION"\n', status: 2 });
    expect(model.requests).toEqual([]);
  });

  test("prints the answer, and denies what is not ls", async () => {
    await using model = await fakeModel([callShell(["touch", "made"]), callShell(["ls", "-a", "/"]), say("Hello.")]);
    using where = place(model);
    const { stdout, stderr, status } = await runClient([question], { place: where });
    expect({ stdout, status }).toEqual({ stdout: "Hello.\n", status: 0 });
    expect(stderr).toContain('$ ["ls","-a","/"]\n');
    expect(promptOf(model)).toBe(question);
    expect(inputOf(model, 2).at(-1)).toMatchObject({ output: "exec command rejected by user" });
    expect(where.files()).toEqual({});
  });
});
