import { expect, test } from "vitest";
import type { WorkspaceWritePolicy } from "../../src/protocol/policy.ts";
import { writableRoots } from "../../src/safety/writable-roots.ts";

const cwd = "/ws";
const policy: WorkspaceWritePolicy = {
  mode: "workspace-write",
  writable_roots: ["/data", "/more/"],
  network_access: false,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
};

test.each<[string, Partial<WorkspaceWritePolicy>, string | undefined, readonly string[]]>([
  ["configured roots, cwd, /tmp, TMPDIR", {}, "/var/tmp", ["/data", "/more", "/ws", "/tmp", "/var/tmp"]],
  ["an unset TMPDIR adds nothing", {}, undefined, ["/data", "/more", "/ws", "/tmp"]],
  ["nor does an empty one", {}, "", ["/data", "/more", "/ws", "/tmp"]],
  ["nor a relative one", {}, "..", ["/data", "/more", "/ws", "/tmp"]],
  ["each root once", { writable_roots: ["/ws/", "/tmp"] }, "/tmp/", ["/ws", "/tmp"]],
  ["/tmp can be excluded", { exclude_slash_tmp: true }, "/var/tmp", ["/data", "/more", "/ws", "/var/tmp"]],
  ["TMPDIR can be excluded", { exclude_tmpdir_env_var: true }, "/var/tmp", ["/data", "/more", "/ws", "/tmp"]],
])("%s", (_name, changes, tmpdir, expected) => {
  expect(writableRoots({ ...policy, ...changes }, { cwd, tmpdir })).toEqual(expected);
});

test.each(["read-only", "danger-full-access"] as const)("%s has no list", (mode) => {
  expect(writableRoots({ mode }, { cwd, tmpdir: "/tmp" })).toEqual([]);
});
