import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { noSandbox } from "../process/support.ts";
import { callShell, fakeModel, say } from "../support/fake-model.ts";
import { codexBinary, runCodex } from "../support/run-codex.ts";
import type { Workspace } from "../support/workspace.ts";

const project = path.resolve(path.dirname(codexBinary), "..");
const binary = "node_modules/codex-headless/bin/codex.js";

/** As `npm install` in a project leaves it: all of it below a folder that commands may write. */
function install({ work }: Workspace): void {
  const target = path.join(work, "node_modules/codex-headless");
  mkdirSync(target, { recursive: true });
  for (const name of ["bin", "dist", "package.json"])
    cpSync(path.join(project, name), path.join(target, name), { recursive: true });
  const scope = path.join(work, "node_modules/@koromix");
  cpSync(path.join(project, "node_modules/@koromix"), scope, { recursive: true });
}

test.skipIf(noSandbox)(
  "a command that rewrites the program it was started by changes nothing in this run",
  async () => {
    const planted = `(process.getBuiltinModule("fs").writeFileSync(process.env.CODEX_HOME + "/proof", "it ran"),{})`;
    const rewrite = `cd node_modules/codex-headless/dist && for f in *.cjs; do rm -f $f.code; echo '${planted}' > $f; done && ls`;
    await using model = await fakeModel([
      callShell(["bash", "-c", rewrite]),
      callShell(["bash", "-c", "echo second > second"]),
      callShell(["apply_patch", "*** Begin Patch\n*** Add File: third\n+x\n*** End Patch"]),
      say("done"),
    ]);
    const config = [`notify = ["true"]`];
    const run = await runCodex(["exec", "--full-auto", "go"], { model, config, setup: install, binary });
    expect(run).toMatchObject({ exitCode: 0, stdout: "done\n", files: { second: "second\n", third: "x\n" } });
    expect(run.files["node_modules/codex-headless/dist/notify.cjs"]).toContain("it ran");
    expect(run.homeFiles).not.toHaveProperty("proof");
  },
);
