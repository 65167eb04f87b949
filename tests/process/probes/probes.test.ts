import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { codexBinary } from "../../support/run-codex.ts";
import { noBubblewrap, noSandbox } from "../support.ts";
import { allProbes } from "./all-probes.ts";
import type { User } from "./probe.ts";
import type { Wrapper } from "./stage.ts";
import { type Trial, tryProbes } from "./try-probes.ts";

const nobody = 65534;
const policies = [
  ["read-only", ["-s", "read-only"]],
  ["workspace-write", ["-s", "workspace-write"]],
  ["workspace-write with the network", ["-s", "workspace-write", "--network"]],
] as const;

const isRoot = process.getuid?.() === 0;
/** Root tries as an ordinary user too, where one can read this checkout. */
const users: readonly (readonly [User, number | undefined])[] = isRoot
  ? [["root", undefined], ...(canRead(nobody) ? [["user", nobody] as const] : [])]
  : [["user", undefined]];

function canRead(uid: number): boolean {
  const { status } = spawnSync(process.execPath, [codexBinary, "--version"], { cwd: "/", uid, gid: uid, env: {} });
  return status === 0;
}

const probesOf = (user: User) => allProbes.filter(({ by }) => by === undefined || by === user);

/** Every way to try the probes of a user; `index` is that of the policy in an expectation. */
const ways = users.flatMap(([user, uid]) => [
  { user, uid, wrapper: [], name: `without a sandbox, as ${user}` },
  ...[
    { backend: "landlock", isMissing: noSandbox },
    { backend: "bwrap", isMissing: noBubblewrap },
  ].flatMap(({ backend, isMissing }) =>
    policies.map(([policy, flags], index) => {
      const wrapper = [process.execPath, codexBinary, "sandbox", "-c", `linux_sandbox=${backend}`, ...flags, "--"];
      return { user, uid, wrapper, backend, isMissing, policy, index, name: `${backend}, ${policy}, as ${user}` };
    }),
  ),
]);
const trials = new Map<string, Trial>();
/** More than there are processors, since some of them wait. */
const concurrency = 4;

beforeAll(async () => {
  const waiting = ways.filter((way) => !noSandbox && !("isMissing" in way && way.isMissing));
  const work = async () => {
    for (let way = waiting.shift(); way !== undefined; way = waiting.shift()) {
      trials.set(way.name, await tryProbes(probesOf(way.user), way));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}, 600_000);

for (const { user, name, ...way } of ways) {
  const probes = probesOf(user);

  if (!("backend" in way)) {
    const certain = probes.filter(({ unsandboxed }) => unsandboxed === undefined);
    test.skipIf(noSandbox).for(certain)(`${name}, it happens: $what`, (probe) => {
      expect(trials.get(name)?.outcomes.get(probe)).toMatchObject({ happened: true });
    });
    continue;
  }

  const { backend, isMissing, policy, index } = way;
  describe.skipIf(noSandbox || isMissing)(name, () => {
    test.for(probes)("$what", (probe, { skip }) => {
      const free = trials.get(`without a sandbox, as ${user}`)?.outcomes.get(probe);
      skip(probe.unsandboxed === "maybe" && free?.happened !== true, "refused on this machine without a sandbox too");
      const { expected, bubblewrap = expected } = probe;
      const happened = (backend === "bwrap" ? bubblewrap : expected)[index];
      const outcome = trials.get(name)?.outcomes.get(probe);
      expect(outcome).toEqual({ happened, output: outcome?.output });
    });

    test("no trace is left outside", () => {
      const contacts = policy.endsWith("network") ? expect.any(Number) : 0;
      expect(trials.get(name)?.traces).toEqual({ contacts, held: "", strangers: [] });
    });
  });
}

/** For the table of docs/sandbox.md, once: CODEX_REFERENCE is the path of the other program. */
const reference = process.env["CODEX_REFERENCE"];
const referenceFlags: readonly (readonly string[])[] = [
  [],
  ["--full-auto"],
  ["--full-auto", "-c", "sandbox_workspace_write.network_access=true"],
];

test.runIf(reference)("what the reference does is recorded", { timeout: 300_000 }, async () => {
  const results: Record<string, Record<string, string>> = {};
  for (const [user, uid] of users) {
    const probes = probesOf(user);
    const wrappers = referenceFlags.map((flags): Wrapper => [reference ?? "", "debug", "landlock", ...flags, "--"]);
    const [free, ...held] = await Promise.all([[], ...wrappers].map((wrapper) => tryProbes(probes, { uid, wrapper })));
    for (const probe of probes) {
      if (probe.unsandboxed === "maybe" && free?.outcomes.get(probe)?.happened !== true) continue;
      const letters = held.map(({ outcomes }) => (outcomes.get(probe)?.happened === true ? "+" : "-"));
      results[probe.what] = { ...results[probe.what], [user]: letters.join("") };
    }
  }
  writeFileSync(path.join(import.meta.dirname, "reference.json"), `${JSON.stringify(results, null, 2)}\n`);
});
