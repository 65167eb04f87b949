import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { codexBinary } from "../../support/run-codex.ts";
import { noSandbox } from "../support.ts";
import { fileProbes } from "./file-probes.ts";
import { networkProbes } from "./network-probes.ts";
import type { Probe } from "./probe.ts";
import { processProbes } from "./process-probes.ts";
import { Stage } from "./stage.ts";

const nobody = 65534;
const policies = [
  ["read-only", ["-s", "read-only"]],
  ["workspace-write", ["-s", "workspace-write"]],
  ["workspace-write with the network", ["-s", "workspace-write", "--network"]],
] as const;

const isRoot = process.getuid?.() === 0;
/** Root tries as an ordinary user too, where one can read this checkout. */
const users: readonly (readonly ["root" | "user", number | undefined])[] = isRoot
  ? [["root", undefined], ...(canRead(nobody) ? [["user", nobody] as const] : [])]
  : [["user", undefined]];

function canRead(uid: number): boolean {
  const { status } = spawnSync(process.execPath, [codexBinary, "--version"], { cwd: "/", uid, gid: uid, env: {} });
  return status === 0;
}

describe.skipIf(noSandbox).each(users)("inside of the sandbox, as %s", (user, uid) => {
  const all: readonly Probe[] = [...fileProbes, ...networkProbes, ...processProbes];
  const probes = all.filter(({ by }) => by === undefined || by === user);

  test.concurrent.for(probes)("$what", async ({ script, expected, unsandboxed }, { skip }) => {
    if (unsandboxed !== "no") {
      await using stage = new Stage(uid);
      const { status, output } = await stage.try(script, []);
      skip(unsandboxed === "maybe" && status !== 0, "this machine refuses it without a sandbox too");
      expect({ status, output }).toMatchObject({ status: 0 });
    }
    for (const [index, [policy, flags]] of policies.entries()) {
      await using stage = new Stage(uid);
      const before = stage.effects();
      const { status, output } = await stage.try(script, [process.execPath, codexBinary, "sandbox", ...flags, "--"]);
      const happened = expected[index] === true;
      expect({ policy, happened: status === 0, status, output }).toMatchObject({ policy, happened });
      expect(happened || status === 1 || status === null, output).toBe(true);
      if (!happened) expect(stage.effects()).toEqual(before);
    }
  });
});
