import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { behindCheck, encodeVariables, failedMountCheck, mountCheck } from "../../src/process/mount-check.ts";
import { noBubblewrap, type Scene, useScenes } from "./support.ts";

/** Runs a command behind the check for the workspace, with these folders mounted writable at those names. */
function runWith(scene: Scene, mounts: Readonly<Record<string, string>>, argv: readonly string[]) {
  const { dev, ino } = statSync(scene.workspace, { bigint: true });
  const root = { path: scene.workspace, device: String(dev), inode: String(ino) };
  const check = mountCheck("/usr/bin/perl", { roots: [root], folders: [] });
  if (check === undefined) throw new Error("there is a root, so there is a check");
  const file = path.join(scene.folder, "variables");
  writeFileSync(file, encodeVariables({ GREETING: "hello" }));
  const variables = openSync(file, "r");
  const binds = Object.entries(mounts).flatMap(([at, folder]) => ["--bind", folder, at]);
  const base = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc"];
  const run = spawnSync("bwrap", [...base, ...binds, "--", ...behindCheck(check, { argv, variables: 3 })], {
    env: {},
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", variables],
  });
  closeSync(variables);
  return { ...run, failure: failedMountCheck(run.status, run.stderr) };
}

describe.skipIf(noBubblewrap)("a command under bubblewrap", () => {
  const makeScene = useScenes();
  const greet = ["/bin/sh", "-c", 'echo "$GREETING"; ls /proc/self/fd | wc -l'];

  test("runs with its own environment, and no descriptor of ours, where only its folder is writable", () => {
    const scene = makeScene();
    const { status, stdout, failure } = runWith(scene, { [scene.workspace]: scene.workspace }, greet);
    expect({ status, stdout, failure }).toEqual({ status: 0, stdout: "hello\n4\n", failure: undefined });
  });

  test("does not run where another folder was mounted in the place of its own", () => {
    const scene = makeScene();
    const { stdout, failure } = runWith(scene, { [scene.workspace]: scene.outside }, greet);
    expect({ stdout, failure }).toEqual({ stdout: "", failure: "replaced" });
  });

  test("does not run where a folder elsewhere is writable", () => {
    const scene = makeScene();
    const mounts = { [scene.workspace]: scene.workspace, [scene.outside]: scene.outside };
    expect(runWith(scene, mounts, greet)).toMatchObject({ stdout: "", failure: "replaced" });
  });

  test("runs where a volume of the workspace came along", () => {
    const scene = makeScene();
    const volume = path.join(scene.workspace, "volume");
    mkdirSync(volume);
    const mounts = { [scene.workspace]: scene.workspace, [volume]: scene.outside };
    expect(runWith(scene, mounts, greet)).toMatchObject({ status: 0, failure: undefined });
  });

  test("that does not exist is told by the number of the error", () => {
    const scene = makeScene();
    const run = runWith(scene, { [scene.workspace]: scene.workspace }, ["/no/such/program"]);
    expect(run.failure).toEqual({ errno: 2 });
  });
});
