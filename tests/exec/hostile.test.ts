import { execFile, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { noBubblewrap, noSandbox } from "../process/support.ts";
import { callShell, callTool, fakeModel, say } from "../support/fake-model.ts";
import { inputOf } from "../support/requests.ts";
import { codexBinary, configToml, runCodex } from "../support/run-codex.ts";
import { type Workspace, workspace } from "../support/workspace.ts";

const key = "sk-marked-0123456789";
const keyed = { env: { MOCK_LOGIN: key }, provider: { env_key: "MOCK_LOGIN" } };
const link = (name: string, target: string) => (place: Workspace) => symlinkSync(target, path.join(place.work, name));

/** Everything a run leaves behind or says, beside the header that carries the key to its provider. */
function traces(
  run: Awaited<ReturnType<typeof runCodex>>,
  model: { readonly requests: readonly { readonly body: unknown }[] },
) {
  const bodies = model.requests.map((request) => JSON.stringify(request.body));
  return [run.stdout, run.stderr, JSON.stringify(run.files), JSON.stringify(run.homeFiles), ...bodies].join("\n");
}

describe("our own environment, which holds the keys", () => {
  test.each([
    ["moved", "*** Begin Patch\n*** Update File: env\n*** Move to: leak.txt\n@@\n+x\n*** End Patch"],
    ["deleted", "*** Begin Patch\n*** Delete File: env\n*** End Patch"],
  ])("is not %s by a patch", async (_, input) => {
    await using model = await fakeModel([callTool("apply_patch", { input }), say("done")]);
    const setup = link("env", "/proc/self/environ");
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, ...keyed, setup });
    expect(run.exitCode).toBe(0);
    expect(inputOf(model, 2).at(-1)?.output).toContain("not a regular file");
    expect(traces(run, model)).not.toContain(key);
  });

  test("is no image", async () => {
    await using model = await fakeModel([callTool("view_image", { path: "/proc/self/environ" }), say("done")]);
    const run = await runCodex(["exec", "--json", "go"], { model, ...keyed });
    expect(inputOf(model, 2).at(-1)?.output).toContain("not a regular file");
    expect(traces(run, model)).not.toContain(Buffer.from(key).toString("base64").slice(0, 16));
  });

  test("is in no diff of a task, where a patched folder became a link", async () => {
    const input = "*** Begin Patch\n*** Add File: dir/environ\n+x\n*** End Patch";
    const exchange = callShell(["bash", "-c", "rm -r dir && ln -s /proc/self dir"]);
    await using model = await fakeModel([callTool("apply_patch", { input }), exchange, say("done")]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, ...keyed });
    expect(run.exitCode).toBe(0);
    expect(run.messages.filter(({ type }) => type === "turn_diff")).toHaveLength(1);
    expect(traces(run, model)).not.toContain(key);
  });

  test("is no AGENTS.md", async () => {
    await using model = await fakeModel([say("done")]);
    const setup = link("AGENTS.md", "/proc/self/environ");
    const run = await runCodex(["exec", "go"], { model, ...keyed, setup });
    expect(run.exitCode).toBe(0);
    expect(traces(run, model)).not.toContain(key);
  });

  test("is not what a command can see of ours", async () => {
    const command = "cat /proc/$PPID/environ /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; env";
    await using model = await fakeModel([callShell(["bash", "-c", command]), say("done")]);
    const run = await runCodex(["exec", "--json", "--full-auto", "go"], { model, ...keyed });
    expect(traces(run, model)).not.toContain(key);
  });
});

describe("a repository that wants us to wait", () => {
  test.each([
    ["AGENTS.md", "AGENTS.md"],
    [".git/HEAD", ".git/HEAD"],
    [".git/config", ".git/config"],
    [".git/packed-refs", ".git/packed-refs"],
  ])("is not waited for: a FIFO in place of %s", async (_, name) => {
    await using model = await fakeModel([say("done")]);
    const setup = (place: Workspace) => {
      execFileSync("rm", ["-f", path.join(place.work, name)]);
      execFileSync("mkfifo", [path.join(place.work, name)]);
    };
    const run = await runCodex(["exec", "go"], { model, setup });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
  });

  test.each([
    ["a FIFO", (file: string) => void execFileSync("mkfifo", [file])],
    ["a link to our environment", (file: string) => symlinkSync("/proc/self/environ", file)],
    ["a link to our stdin", (file: string) => symlinkSync("/dev/stdin", file)],
  ])("is refused: %s in place of an instructions file", async (_, make) => {
    const setup = (place: Workspace) => make(path.join(place.work, "i.md"));
    const config = ['experimental_instructions_file = "i.md"'];
    const run = await runCodex(["exec", "go"], { config, setup, keepStdinOpen: true });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(/^Error: failed to read experimental instructions file .*\/i\.md: /);
  });

  test("an instructions file that the command line names as a descriptor may be a pipe; the file's may not", async () => {
    await using model = await fakeModel([say("done")]);
    const files = { "i.md": "Be kind." };
    const piped = (...args: readonly string[]) =>
      `cat i.md | '${process.execPath}' '${codexBinary}' exec ${args.join(" ")} go`;
    using place = workspace({
      files,
      homeFiles: { "config.toml": configToml({ model, config: ['experimental_instructions_file = "/dev/stdin"'] }) },
    });
    const options = { cwd: place.work, env: place.env, encoding: "utf8" } as const;
    const named = promisify(execFile)("sh", ["-c", piped("-c", "experimental_instructions_file=/dev/stdin")], options);
    expect((await named).stdout).toBe("done\n");
    expect(model.requests[0]?.body).toMatchObject({ instructions: "Be kind." });
    await expect(promisify(execFile)("sh", ["-c", piped()], options)).rejects.toMatchObject({
      stderr: expect.stringContaining("/dev/stdin: not a regular file"),
    });
  });
});

describe("git of a hostile repository", () => {
  test("its fsmonitor, hooks and pager are never run by us", async () => {
    await using model = await fakeModel([say("done")]);
    const setup = (place: Workspace) => {
      const trap = path.join(place.root, "trap");
      writeFileSync(trap, `#!/bin/sh\ntouch '${place.work}/caught'\n`, { mode: 0o755 });
      const config = `[core]\n\tfsmonitor = ${trap}\n\tpager = ${trap}\n\thooksPath = ${place.root}\n`;
      writeFileSync(path.join(place.work, ".git/config"), config);
    };
    const run = await runCodex(["exec", "go"], { model, setup });
    expect(run).toMatchObject({ exitCode: 0, files: {} });
  });
});

const backends = [
  ["landlock", noSandbox],
  ["bwrap", noBubblewrap],
] as const;

describe.each(backends)("with linux_sandbox = %s, a repository", (backend, isMissing) => {
  const choice = ["-c", `linux_sandbox=${backend}`];

  test.skipIf(isMissing)("may be a link: commands and patches write where it leads, and nowhere else", async () => {
    const script = "echo a > made; echo a > ../made; pwd";
    const input = "*** Begin Patch\n*** Add File: patched\n+b\n*** End Patch";
    await using model = await fakeModel([
      callShell(["bash", "-c", script]),
      callTool("apply_patch", { input }),
      say("done"),
    ]);
    const setup = ({ root, work }: Workspace) => {
      renameSync(work, path.join(root, "real"));
      symlinkSync("real", work);
    };
    const args = ["exec", "--json", "--full-auto", ...choice, "-C", "../work", "go"];
    const run = await runCodex(args, { model, setup });
    expect(run).toMatchObject({ exitCode: 0, files: { made: "a\n", patched: "b\n" } });
    const end = run.messages.find(({ type }) => type === "exec_command_end");
    expect(end).toMatchObject({ exit_code: 0, stderr: expect.stringMatching(/denied|Read-only/) });
    expect(path.basename(String(end?.["stdout"]).trim())).toBe("real");
  });

  test.skipIf(isMissing).each<[string, (git: string) => void]>([
    ["a FIFO", (git) => void execFileSync("mkfifo", [git])],
    ["a link to itself", (git) => symlinkSync(".git", git)],
    ["a link that leads nowhere", (git) => symlinkSync("/nowhere", git)],
    ["a file of 3 GB", (git) => huge(git, "gitdir: ")],
    ["a file that names itself", (git) => writeFileSync(git, "gitdir: .git\n")],
    ["a file that names the root folder", (git) => writeFileSync(git, "gitdir: /\n")],
    ["a file that names a device", (git) => writeFileSync(git, "gitdir: /dev/zero\n")],
  ])("whose .git is %s is worked in", async (_, make) => {
    await using model = await fakeModel([callShell(["bash", "-c", "echo a > made"]), say("done")]);
    const setup = ({ work }: Workspace) => {
      rmSync(path.join(work, ".git"), { recursive: true });
      make(path.join(work, ".git"));
    };
    const run = await runCodex(["exec", "--full-auto", "--skip-git-repo-check", ...choice, "go"], { model, setup });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(inputOf(model, 2).at(-1)?.output).toContain('"exit_code":0');
  });

  test.skipIf(isMissing)("whose programs come first in PATH: only commands run them", async () => {
    const folder = mkdtempSync("/var/tmp/codex-path-");
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const programs = path.join(folder, "bin"); // a link, or a relative entry would do as well
    const proof = path.join(folder, "it-ran");
    await using model = await fakeModel([callShell(["git", "status"]), say("done")]);
    const setup = ({ work }: Workspace) => {
      const bin = path.join(work, "node_modules/.bin");
      mkdirSync(bin, { recursive: true });
      const trap = `#!/bin/sh\necho ran\ntouch '${proof}'\n`;
      for (const name of ["git", "bwrap", "sh", "bash", "node", "ps"]) {
        writeFileSync(path.join(bin, name), trap, { mode: 0o755 });
      }
      symlinkSync(bin, programs);
    };
    const env = { PATH: `${programs}:node_modules/.bin:${process.env["PATH"] ?? ""}` };
    const run = await runCodex(["exec", "--full-auto", ...choice, "go"], { model, setup, env });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect(inputOf(model, 2).at(-1)?.output).toContain('"output":"ran\\n'); // so the trap was open
    expect(existsSync(proof)).toBe(false);
  });
});

test.each([
  ["100 MB", 100 * 1024 * 1024],
  ["3 GB", 3 * 1024 ** 3],
])("an AGENTS.md of %s is read as far as it is sent", async (_, bytes) => {
  await using model = await fakeModel([say("done")]);
  const setup = ({ work }: Workspace) => {
    huge(path.join(work, ".git/document"), "Be brief.\n", bytes);
    symlinkSync(".git/document", path.join(work, "AGENTS.md")); // what we compare afterwards is read as a whole
  };
  const run = await runCodex(["exec", "go"], { model, setup });
  expect(run).toMatchObject({ exitCode: 0, stdout: "done\n" });
  const sent = JSON.stringify(model.requests[0]?.body);
  expect(sent).toContain("Be brief.");
  expect(sent.length).toBeLessThan(400_000); // a zero byte takes six characters there
});

describe("names that would steer a terminal", () => {
  const evil = "a\u001b[2J\u001b]0;owned\u0007\u009b31m\r";

  test.each(["never", "always"])("are never printed as they are, with colours %s", async (colors) => {
    const folder = `${evil}\nUser: rm -rf`;
    const input = `*** Begin Patch\n*** Add File: ${evil}.txt\n+x\n*** End Patch`;
    await using model = await fakeModel([
      callShell(["bash", "-c", `ls; cat '${evil}'; echo a > '${evil}'`]),
      callTool("apply_patch", { input }),
      callTool("apply_patch", { input: input.replace("Add File: ", "Update File: missing-") }),
      callTool("update_plan", { plan: [{ step: evil, status: "pending" }] }),
      callTool("view_image", { path: evil }),
      callTool(evil, {}),
      say(`${evil} done`),
    ]);
    const setup = ({ work }: Workspace) => {
      mkdirSync(path.join(work, folder));
      writeFileSync(path.join(work, folder, evil), "");
      writeFileSync(path.join(work, ".git/HEAD"), `ref: refs/heads/${evil}\n`);
      symlinkSync("/proc/self/environ", path.join(work, folder, "AGENTS.md"));
    };
    const run = await runCodex(["exec", "--full-auto", "--color", colors, "go"], { model, setup, cwd: folder });
    expect(run.exitCode).toBe(0);
    const said = withoutColors(run.stderr);
    expect(said).toContain("\\x1b[2J");
    expect(said.split("\n").filter((line) => /[^\P{Cc}\t]/u.test(line))).toEqual([]);
    expect(said).not.toMatch(/^.*\nUser: rm/m);
  });

  test("are not printed as they are in the one sentence of an error either", async () => {
    const run = await runCodex(["exec", "--output-last-message", `${evil}/missing/x`, "go"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("\\x1b[2J");
    expect(run.stderr).not.toMatch(/[^\P{Cc}\n\t]/u);
  });
});

/** Ours are the simple ones. */
function withoutColors(text: string): string {
  const sequence = `${String.fromCharCode(27)}[`;
  return text
    .split(sequence)
    .map((piece, index) => (index === 0 || !/^[\d;]*m/.test(piece) ? piece : piece.replace(/^[\d;]*m/, "")))
    .join("");
}

/** Takes no room on the disk. */
function huge(file: string, start: string, bytes = 3 * 1024 ** 3): void {
  writeFileSync(file, start);
  truncateSync(file, bytes);
}

test("an answer's file that is a FIFO nobody reads is refused, not waited for", async () => {
  await using model = await fakeModel([]);
  const setup = (place: Workspace) => void execFileSync("mkfifo", [path.join(place.work, "answer")]);
  const run = await runCodex(["exec", "-o", "answer", "go"], { model, setup });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toMatch(/^Error: Failed to write last message file "answer": /);
});

test("a provider of the user's without an address gets nothing sent anywhere", async () => {
  const configTables = ["[model_providers.mine]", 'name = "Mine"', 'baseurl = "http://x/v1"', 'env_key = "MY_KEY"'];
  const config = ['model_provider = "mine"'];
  const run = await runCodex(["exec", "go"], { config, configTables, env: { MY_KEY: "k" } });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toBe("Error: model_providers.mine has no base_url: set the address of its server\n");
});

test("a text is no image, and the run says so before anything is asked", async () => {
  await using model = await fakeModel([]);
  const run = await runCodex(["exec", "-i", "a.txt", "--", "go"], { model, files: { "a.txt": "hello" } });
  expect(run).toMatchObject({ exitCode: 1, stderr: 'Error: Cannot read image "a.txt": not an image\n' });
});

test.each([
  ["a prompt without exec", ["fix it"]],
  ["a typing error", ["exce", "go"]],
])("%s is an unknown command", async (_, args) => {
  const run = await runCodex(args);
  expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  expect(run.stderr).toContain(`error: unknown command '${args[0]}'\nTo give it a task: codex exec "..."`);
});
