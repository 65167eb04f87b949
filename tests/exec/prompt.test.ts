import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { fakeModel, say } from "../support/fake-model.ts";
import { inputOf, promptOf } from "../support/requests.ts";
import { codexBinary, runCodex, startCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const png = Buffer.from("iVBORw0KGgo=", "base64");

describe("usage", () => {
  test.each([
    ["an unknown flag", ["--frobnicate", "go"]],
    ["an unknown sandbox mode", ["-s", "zz", "go"]],
    ["an unknown colour choice", ["--color", "zz", "go"]],
    ["an approval flag", ["-a", "never", "go"]],
    ["--full-auto with the bypass", ["--full-auto", "--dangerously-bypass-approvals-and-sandbox", "go"]],
    ["--full-auto with --yolo", ["--full-auto", "--yolo", "go"]],
    ["--full-auto with a stricter -s", ["--full-auto", "-s", "read-only", "go"]],
    ["two prompts", ["one", "two"]],
    ["--max-turns 0", ["--max-turns", "0", "go"]],
    ["--max-turns that is no number", ["--max-turns", "many", "go"]],
    ["--timeout that is no number", ["--timeout", "soon", "go"]],
    ["--timeout below zero", ["--timeout", "-1", "go"]],
    ["--record with --replay", ["--record", "a", "--replay", "b", "go"]],
    ["--json with --experimental-json", ["--json", "--experimental-json", "go"]],
  ])("%s ends with status 2 and says so on stderr only", async (_, args) => {
    const run = await runCodex(["exec", ...args]);
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(run.stderr).toMatch(/^error: /);
  });

  test("codex without a command prints help on stderr and ends with status 2", async () => {
    const run = await runCodex([]);
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toBe("");
    expect(run.stderr).toContain("Usage: codex");
  });

  test.each([
    ["--version", ["--version"], /^codex-cli \d+\.\d+\.\d+\n$/],
    ["exec --version", ["exec", "--version"], /^codex-cli-exec \d+\.\d+\.\d+\n$/],
    ["--help", ["--help"], /Usage: codex/],
    ["exec --help", ["exec", "--help"], /Usage: codex exec/],
    ["help exec", ["help", "exec"], /Usage: codex exec/],
  ])("%s goes to stdout with status 0", async (_, args, pattern) => {
    const run = await runCodex(args);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(pattern);
    expect(run.stderr).toBe("");
  });
});

describe("where the prompt comes from", () => {
  test("the argument, and what is piped in beside it in a block behind it", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "explain"], { model, stdin: "line 1\nline 2" });
    expect(run.exitCode).toBe(0);
    expect(promptOf(model)).toBe("explain\n\n<stdin>\nline 1\nline 2\n</stdin>");
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n\n"],
  ])("%s piped in beside a prompt leaves the prompt alone", async (_, stdin) => {
    await using model = await fakeModel([say("ok")]);
    await runCodex(["exec", "explain"], { model, stdin });
    expect(promptOf(model)).toBe("explain");
  });

  test("an open pipe that says nothing is left alone, with one line on stderr", async () => {
    await using model = await fakeModel([say("ok")]);
    const running = startCodex(["exec", "explain"], { model, keepStdinOpen: true });
    const run = await running.finished();
    expect(run).toMatchObject({ exitCode: 0, stdout: "ok\n" });
    expect(run.stderr).toContain("Nothing came on stdin");
    expect(promptOf(model)).toBe("explain");
  });

  test("a pipe that has begun is read to its end, however long it is silent, and one line says so", async () => {
    await using model = await fakeModel([say("ok")]);
    const running = startCodex(["exec", "explain"], { model, stdin: "first ", keepStdinOpen: true });
    await running.sees("Still reading stdin; it has not been closed yet...");
    running.child.stdin.end("second\n");
    expect((await running.finished()).exitCode).toBe(0);
    expect(promptOf(model)).toBe("explain\n\n<stdin>\nfirst second\n</stdin>");
  });

  test("without an argument stdin is the prompt, its final newline too", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec"], { model, stdin: "from stdin\n" });
    expect(run.stderr).toContain("Reading prompt from stdin...");
    expect(promptOf(model)).toBe("from stdin\n");
  });

  test("so it is with -", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "-"], { model, stdin: "from stdin\n" });
    expect(run.stderr).toContain("Reading prompt from stdin...");
    expect(promptOf(model)).toBe("from stdin\n");
  });

  test.each([
    ["empty", ""],
    ["blank", " \n\t\n"],
  ])("%s stdin is no prompt", async (_, stdin) => {
    const run = await runCodex(["exec"], { stdin });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("No prompt provided via stdin.");
  });

  test("a terminal is no prompt", () => {
    using place = workspace();
    const command = `'${process.execPath}' '${codexBinary}' exec`;
    const run = spawnSync("script", ["-qec", command, "/dev/null"], { cwd: place.work, env: place.env, input: "" });
    expect(run.status).toBe(1);
    expect(run.stdout.toString()).toContain("No prompt provided. Either specify one as an argument or pipe");
  });

  test("an empty argument is a prompt", async () => {
    await using model = await fakeModel([say("ok")]);
    const run = await runCodex(["exec", "--json", ""], { model });
    expect(run.exitCode).toBe(0);
    expect(run.lines[1]).toEqual({ prompt: "" });
  });

  test("stdin that is not UTF-8 is refused", async () => {
    const run = await runCodex(["exec"], { stdin: Uint8Array.of(0x61, 0xff, 0x0a) });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("Failed to read prompt from stdin: stream did not contain valid UTF-8");
  });

  test("a prompt of 1 MiB arrives whole", async () => {
    await using model = await fakeModel([say("ok")]);
    const prompt = "0123456789abcde\n".repeat(65_536);
    const run = await runCodex(["exec", "-"], { model, stdin: prompt });
    expect(run.exitCode).toBe(0);
    expect(promptOf(model)).toBe(prompt);
  });

  test("more than any model could read is refused, also from a pipe without an end", async () => {
    const running = startCodex(["exec", "-"], { keepStdinOpen: true, stdin: Buffer.alloc(17 * 1024 * 1024, "x") });
    const run = await running.finished();
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("Failed to read prompt from stdin: it holds more than 16 MiB");
  });

  test("a wrong setting is told before stdin is read", async () => {
    const run = await runCodex(["exec", "-c", "model=true", "-"], { keepStdinOpen: true }); // it would wait for ever
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("in `model`");
  });
});

describe("images", () => {
  const image = (name: string) => ({ type: "input_image", image_url: `data:image/${name};base64,iVBORw0KGgo=` });

  test("images come first and the prompt last, in one message", async () => {
    await using model = await fakeModel([say("ok")]);
    const files = { "a.png": png, "b.png": png, "c.jpg": png };
    const run = await runCodex(["exec", "-i", "a.png,b.png", "-i", "c.jpg", "--", "go"], { model, files });
    expect(run.exitCode).toBe(0);
    expect(inputOf(model, 1).at(-1)?.content).toEqual([
      image("png"),
      image("png"),
      image("jpeg"),
      { type: "input_text", text: "go" },
    ]);
  });

  test("a word behind -i that is no file is the prompt", async () => {
    await using model = await fakeModel([say("ok")]);
    await runCodex(["exec", "-i", "a.png", "describe this"], { model, files: { "a.png": png } });
    expect(promptOf(model)).toBe("describe this");
  });

  test("an image that cannot be read ends the run before any request", async () => {
    await using model = await fakeModel([]);
    const run = await runCodex(["exec", "-i", "missing.png", "--", "go"], { model });
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toBe('Error: Cannot read image "missing.png": No such file or directory (os error 2)\n');
  });
});
