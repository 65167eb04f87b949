import { execFile } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { codexBinary, configToml, type RunOptions, runCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const isLink = "it is a symbolic link, which a command may have made: name the file itself";

async function run(args: readonly string[], options: RunOptions = {}) {
  await using model = await fakeModel([say("The answer.")], { repeatLast: true });
  const result = await runCodex(["exec", "--full-auto", ...args, "go"], { model, ...options });
  return { ...result, requests: model.requests.length };
}

/** A file beside the workspace, where no command may write. */
const outside = () => workspace({ git: false, files: { precious: "precious" } });

describe("a link that a command may have made in the workspace", () => {
  test.each([
    ["-o", `Failed to write last message file "out.txt": ${isLink}`],
    ["--record", `Cannot write the recording "out.txt": ${isLink}`],
    ["--replay", `Cannot read the recording "out.txt": ${isLink}`],
  ])("is not followed by %s, and no request is sent", async (flag, message) => {
    using other = outside();
    const setup = ({ work }: { readonly work: string }) =>
      symlinkSync(path.join(other.work, "precious"), path.join(work, "out.txt"));
    const { exitCode, stderr, requests } = await run([flag, "out.txt"], { setup });
    expect({ exitCode, stderr, requests }).toEqual({ exitCode: 1, stderr: `Error: ${message}\n`, requests: 0 });
    expect(other.files()).toEqual({ precious: "precious" });
  });

  test.each(["-o", "--record", "--replay"])("is not followed by %s as a folder on the way", async (flag) => {
    using other = outside();
    const setup = ({ work }: { readonly work: string }) => {
      mkdirSync(path.join(work, "a"));
      symlinkSync(other.work, path.join(work, "a/link"));
    };
    const { exitCode, stderr, work, requests } = await run([flag, "a/link/precious"], { setup });
    expect({ exitCode, requests }).toEqual({ exitCode: 1, requests: 0 });
    expect(stderr).toContain(
      `"${work}/a/link" is a symbolic link, which a command may have made: name the real folder\n`,
    );
    expect(other.files()).toEqual({ precious: "precious" });
  });

  test("is not followed where the run itself stands in a folder below", async () => {
    using other = outside();
    const setup = ({ work }: { readonly work: string }) => symlinkSync(other.work, path.join(work, "link"));
    const { exitCode } = await run(["-o", "../link/precious"], { setup, files: { "sub/x": "" }, cwd: "sub" });
    expect(exitCode).toBe(1);
    expect(other.files()).toEqual({ precious: "precious" });
  });

  test("is not followed when it comes while the run is on its way", async () => {
    using other = outside();
    const file = path.join(other.work, "precious");
    await using model = await fakeModel([callShell(["sh", "-c", `rm out.txt; ln -s ${file} out.txt`]), say("Answer.")]);
    const { exitCode, stderr } = await runCodex(["exec", "--full-auto", "-o", "out.txt", "go"], { model });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Failed to write last message file "out.txt": a command has removed or replaced it\n');
    expect(other.files()).toEqual({ precious: "precious" });
  });
});

describe("what is no such link", () => {
  test("is a folder of the user's own outside of the workspace", async () => {
    using other = outside();
    mkdirSync(path.join(other.work, "real"));
    symlinkSync("real", path.join(other.work, "link"));
    expect(await run(["-o", path.join(other.work, "link/out.txt")])).toMatchObject({ exitCode: 0 });
    expect(other.files()).toEqual({ precious: "precious", "real/out.txt": "The answer." });
  });

  test("is a file of two names", async () => {
    const setup = ({ work }: { readonly work: string }) => linkSync(path.join(work, "one"), path.join(work, "two"));
    const { files } = await run(["-o", "two"], { setup, files: { one: "old" } });
    expect(files).toMatchObject({ one: "The answer.", two: "The answer." });
  });

  test.each(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])("is %s", async (file) => {
    await using model = await fakeModel([say("The answer.")]);
    using place = workspace({ homeFiles: { "config.toml": configToml({ model }) } });
    const script = '"$0" "$1" exec -o "$2" go | cat';
    const { stdout } = await promisify(execFile)("sh", ["-c", script, process.execPath, codexBinary, file], {
      cwd: place.work,
      env: place.env,
    });
    expect(stdout).toBe("The answer.\nThe answer.");
  });
});

test("an answer file that a command has removed is a failure, and one that it has changed is not", async () => {
  await using removing = await fakeModel([callShell(["rm", "out.txt"]), say("Answer.")]);
  expect(await runCodex(["exec", "--full-auto", "-o", "out.txt", "go"], { model: removing })).toMatchObject({
    exitCode: 1,
    files: {},
  });
  await using changing = await fakeModel([callShell(["sh", "-c", "echo long text > out.txt"]), say("Answer.")]);
  expect(await runCodex(["exec", "--full-auto", "-o", "out.txt", "go"], { model: changing })).toMatchObject({
    exitCode: 0,
    files: { "out.txt": "Answer." },
  });
});
