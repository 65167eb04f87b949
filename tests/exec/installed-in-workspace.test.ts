import { expect, test } from "vitest";
import { noSandbox } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { install, installedBinary } from "../support/install.ts";
import { startProto } from "../support/proto-session.ts";
import { runCodex } from "../support/run-codex.ts";

test.skipIf(noSandbox)(
  "a command that rewrites the program it was started by changes nothing in this run",
  async () => {
    const planted = `(process.getBuiltinModule("fs").writeFileSync(process.env.CODEX_HOME + "/proof", "it ran"),{})`;
    // Behind the mark of the build, without which nothing of it would be taken anyway.
    const replace = `rm -f $f.code; mark=$(head -c 20 $f); echo "$mark"'${planted}' > $f`;
    const rewrite = `cd node_modules/codex-headless/dist && for f in *.cjs; do ${replace}; done && ls`;
    await using model = await fakeModel([
      callShell(["bash", "-c", rewrite]),
      callShell(["bash", "-c", "echo second > second"]),
      callShell(["apply_patch", "*** Begin Patch\n*** Add File: third\n+x\n*** End Patch"]),
      say("done"),
    ]);
    const config = [`notify = ["true"]`];
    const run = await runCodex(["exec", "--full-auto", "go"], {
      model,
      config,
      setup: install,
      binary: installedBinary,
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n", files: { second: "second\n", third: "x\n" } });
    expect(run.files["node_modules/codex-headless/dist/notify.cjs"]).toMatch(/^\/\*[0-9a-f]{16}\*\/\(.*it ran/);
    expect(run.homeFiles).not.toHaveProperty("proof");
  },
);

test.skipIf(noSandbox)("nor does one that rewrites the program's prompts", async () => {
  const rewrite = "cd node_modules/codex-headless/dist/assets && for f in *; do echo planted > $f; done";
  await using model = await fakeModel([callShell(["bash", "-c", rewrite]), say("done"), say("summary")]);
  await using proto = startProto({
    model,
    config: ['sandbox_mode = "workspace-write"', 'approval_policy = "never"'],
    setup: install,
    binary: installedBinary,
  });
  await proto.next("session_configured");
  proto.input("go");
  await proto.next("task_complete");
  proto.send({ type: "compact" });
  await proto.next("task_complete");
  expect(proto.codex.place.files()["node_modules/codex-headless/dist/assets/compact-instructions.md"]).toBe(
    "planted\n",
  );
  expect(model.requests).toHaveLength(3);
  for (const { body } of model.requests) expect(JSON.stringify(body)).not.toContain('"instructions":"planted');
});
