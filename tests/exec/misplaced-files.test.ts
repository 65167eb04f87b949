import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { callTool, fakeModel, say } from "../support/fake-model.ts";
import { type CodexRun, type RunOptions, runCodex } from "../support/run-codex.ts";
import { workspace } from "../support/workspace.ts";

const key = "sk-of-the-auth-file";
const secret = { "auth.json": JSON.stringify({ OPENAI_API_KEY: key }) };

interface Seen extends CodexRun {
  /** Everything that was sent to the model, as text. */
  readonly sent: string;
}

async function run(args: readonly string[], options: RunOptions = {}): Promise<Seen> {
  await using model = await fakeModel([say("ok")], { repeatLast: true });
  const result = await runCodex(["exec", ...args, "go"], { model, ...options });
  return { ...result, sent: JSON.stringify(model.requests.map(({ body }) => body)) };
}

const warnings = ({ stderr }: CodexRun) => stderr.split("\n").filter((line) => /ignored|cannot read/i.test(line));
const recorded = ({ rollout }: CodexRun) => JSON.stringify(rollout);

describe("an AGENTS.md that leads out of the repository is ignored with one warning", () => {
  test("to a file elsewhere, in the root and in a folder below", async () => {
    using other = workspace({ git: false, files: { notes: "private notes" } });
    const setup = ({ work }: { readonly work: string }) => {
      symlinkSync(path.join(other.work, "notes"), path.join(work, "AGENTS.md"));
      symlinkSync(other.work, path.join(work, "folder"));
      symlinkSync("../folder/notes", path.join(work, "sub/AGENTS.md"));
    };
    const seen = await run([], { setup, files: { "sub/x": "" }, cwd: "sub" });
    expect(seen.exitCode).toBe(0);
    expect(warnings(seen)).toEqual([
      `Warning: Ignored "${seen.work}/AGENTS.md": it leads out of the repository`,
      `Warning: Ignored "${seen.work}/sub/AGENTS.md": it leads out of the repository`,
    ]);
    expect(seen.sent + recorded(seen)).not.toContain("private notes");
  });

  test("to the stored key", async () => {
    const setup = ({ work, home }: { readonly work: string; readonly home: string }) =>
      symlinkSync(path.join(home, "auth.json"), path.join(work, "AGENTS.md"));
    const seen = await run([], { setup, homeFiles: secret });
    expect(warnings(seen)).toEqual([`Warning: Ignored "${seen.work}/AGENTS.md": it lies below CODEX_HOME`]);
    expect(seen.sent + recorded(seen)).not.toContain(key);
  });

  test("to a key that is stored in the repository itself", async () => {
    await using model = await fakeModel([say("ok")]);
    using place = workspace({ files: { "home/auth.json": secret["auth.json"] } });
    symlinkSync("home/auth.json", path.join(place.work, "AGENTS.md"));
    const config = `model = "m"\nmodel_provider = "p"\n[model_providers.p]\nname = "p"\nbase_url = "${model.url}"\nwire_api = "responses"\n`;
    writeFileSync(path.join(place.work, "home/config.toml"), config);
    const seen = await runCodex(["exec", "-C", place.work, "go"], {
      env: { CODEX_HOME: path.join(place.work, "home") },
    });
    expect(seen.stderr).toContain(`Ignored "${place.work}/AGENTS.md": it lies below CODEX_HOME`);
    expect(JSON.stringify(model.requests)).not.toContain(key);
  });
});

test("a link within the repository is followed, and so is one of the user's own below CODEX_HOME", async () => {
  using other = workspace({ git: false, files: { "AGENTS.md": "rules of the user" } });
  const setup = ({ work, home }: { readonly work: string; readonly home: string }) => {
    symlinkSync("docs/rules.md", path.join(work, "AGENTS.md"));
    symlinkSync(path.join(other.work, "AGENTS.md"), path.join(home, "AGENTS.md"));
  };
  const seen = await run([], { setup, files: { "docs/rules.md": "rules of the repository" } });
  expect(warnings(seen)).toEqual([]);
  expect(seen.sent).toContain("rules of the user");
  expect(seen.sent).toContain("rules of the repository");
});

describe("an instructions file of the configuration", () => {
  const config = ['experimental_instructions_file = "rules.md"'];

  test("is ignored with one warning where the repository leads it elsewhere", async () => {
    const setup = ({ work, home }: { readonly work: string; readonly home: string }) =>
      symlinkSync(path.join(home, "auth.json"), path.join(work, "rules.md"));
    const seen = await run([], { setup, config, homeFiles: secret });
    expect(seen.exitCode).toBe(0);
    expect(warnings(seen)).toEqual([
      `Warning: Ignored the instructions file "${seen.work}/rules.md": it lies below CODEX_HOME`,
    ]);
    expect(seen.sent + recorded(seen)).not.toContain(key);
  });

  test("may be one of the user's own below CODEX_HOME", async () => {
    const setup = ({ home }: { readonly home: string }) => writeFileSync(path.join(home, "rules.md"), "my rules");
    const seen = await run(["-c", "experimental_instructions_file=../home/rules.md"], { setup });
    expect(seen.sent).toContain("my rules");
  });
});

describe("an image that is really another file", () => {
  const linkToKey = ({ work, home }: { readonly work: string; readonly home: string }) =>
    symlinkSync(path.join(home, "auth.json"), path.join(work, "shot.png"));
  const encoded = Buffer.from(secret["auth.json"]).toString("base64");

  test("is left out with one warning when the user names it", async () => {
    const seen = await run(["-i", "shot.png", "--"], { setup: linkToKey, homeFiles: secret });
    expect(seen.exitCode).toBe(0);
    expect(seen.stderr).toContain(`Cannot read image "${seen.work}/shot.png": it lies below CODEX_HOME`);
    expect(seen.sent + recorded(seen)).not.toContain(encoded);
  });

  test("is refused when the model asks for it", async () => {
    await using model = await fakeModel([callTool("view_image", { path: "shot.png" }), say("ok")]);
    const seen = await runCodex(["exec", "go"], { model, setup: linkToKey, homeFiles: secret });
    expect(JSON.stringify(model.requests[1]?.body)).toContain("it lies below CODEX_HOME");
    expect(JSON.stringify(model.requests)).not.toContain(encoded);
    expect(recorded(seen)).not.toContain(encoded);
  });

  test("is refused as a link to an image elsewhere, too", async () => {
    using other = workspace({ git: false, files: { "a.png": "an image of the user" } });
    const setup = ({ work }: { readonly work: string }) => {
      mkdirSync(path.join(work, "images"));
      symlinkSync(path.join(other.work, "a.png"), path.join(work, "images/a.png"));
    };
    await using model = await fakeModel([callTool("view_image", { path: "images/a.png" }), say("ok")]);
    await runCodex(["exec", "go"], { model, setup });
    expect(JSON.stringify(model.requests[1]?.body)).toContain("it leads out of the repository");
  });
});

test("a patch does not show what a link of the repository leads to below CODEX_HOME", async () => {
  const patch = "*** Begin Patch\n*** Delete File: notes\n*** End Patch\n";
  await using model = await fakeModel([callTool("shell", { command: ["apply_patch", patch] }), say("ok")]);
  const setup = ({ work, home }: { readonly work: string; readonly home: string }) =>
    symlinkSync(path.join(home, "auth.json"), path.join(work, "notes"));
  const seen = await runCodex(["exec", "--full-auto", "--json", "go"], { model, setup, homeFiles: secret });
  expect(seen.stdout).not.toContain(key);
  expect(JSON.stringify(model.requests)).not.toContain(key);
});
