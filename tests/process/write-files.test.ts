import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { FileOperation } from "../../src/process/file-operations.ts";
import { writeFiles } from "../../src/process/write-files.ts";
import { policyNamed, workspaceOnly } from "./policies.ts";
import { noSandbox, type Scene, useScenes } from "./support.ts";

const isRoot = process.getuid?.() === 0;
const signal = new AbortController().signal;

const modes = [
  { name: "without a sandbox", policy: "danger-full-access", skip: false },
  { name: "in the sandbox", policy: "workspace-only", skip: noSandbox },
];

for (const { name, policy, skip } of modes) {
  describe.skipIf(skip)(`writing files ${name}`, () => {
    const makeScene = useScenes();
    const start = () => {
      const scene = makeScene();
      const at = (...names: string[]) => path.join(scene.workspace, ...names);
      const sandbox = scene.sandbox(policyNamed(policy));
      const apply = (...operations: FileOperation[]) => writeFiles(operations, { sandbox, signal });
      const write = (file: string, content = "new\n") => apply({ type: "write", path: file, content });
      return { scene, at, apply, write };
    };

    test("makes, changes and deletes files and the folders they need", async () => {
      const { at, apply } = start();
      writeFileSync(at("old"), "old\n");
      writeFileSync(at("gone"), "");
      const result = await apply(
        { type: "write", path: at("a", "b", "new"), content: "é✓\n" },
        { type: "write", path: at("old"), content: "changed\n" },
        { type: "delete", path: at("gone") },
        { type: "write", path: at("empty"), content: "" },
      );
      expect(result).toEqual({ ok: true });
      expect(readFileSync(at("a", "b", "new"), "utf8")).toBe("é✓\n");
      expect(readFileSync(at("old"), "utf8")).toBe("changed\n");
      expect(readFileSync(at("empty"), "utf8")).toBe("");
      expect(readdirSync(at()).sort()).toEqual(["a", "empty", "old"]);
    });

    test("keeps what it wrote before a failure and says how far it came", async () => {
      const { at, apply } = start();
      const result = await apply(
        { type: "write", path: at("one"), content: "1" },
        { type: "delete", path: at("missing") },
        { type: "write", path: at("two"), content: "2" },
      );
      const message = `Failed to delete file ${at("missing")}: No such file or directory (os error 2)`;
      expect(result).toEqual({ ok: false, done: 1, path: at("missing"), message });
      expect(readdirSync(at())).toEqual(["one"]);
    });

    test("names the cause of each failure", async () => {
      const { at, apply, write } = start();
      mkdirSync(at("folder"));
      writeFileSync(at("file"), "");
      const failure = (message: string) => expect.objectContaining({ ok: false, done: 0, message });
      expect(await write(at("folder"))).toEqual(
        failure(`Failed to write file ${at("folder")}: Is a directory (os error 21)`),
      );
      expect(await write(at("file", "x"))).toEqual(
        failure(`Failed to create parent directories for ${at("file", "x")}: File exists (os error 17)`),
      );
      expect(await apply({ type: "delete", path: at("folder") })).toEqual(
        failure(`Failed to delete file ${at("folder")}: Is a directory (os error 21)`),
      );
      expect(await write("/dev/null")).toEqual(failure("Failed to write file /dev/null: Not a regular file"));
    });

    test.skipIf(isRoot)("a file that must not be written is not replaced", async () => {
      const { at, write } = start();
      writeFileSync(at("fixed"), "old\n", { mode: 0o444 });
      expect(await write(at("fixed"))).toMatchObject({
        ok: false,
        message: expect.stringContaining("Permission denied"),
      });
      expect(readFileSync(at("fixed"), "utf8")).toBe("old\n");
    });

    test("keeps the mode of a file, and gives a new one the mode it is told", async () => {
      const { at, apply } = start();
      writeFileSync(at("script"), "old\n");
      chmodSync(at("script"), 0o751);
      await apply(
        { type: "write", path: at("script"), content: "new\n" },
        { type: "write", path: at("moved"), content: "new\n", mode: 0o755 },
      );
      expect((statSync(at("script")).mode & 0o7777).toString(8)).toBe("751");
      expect((statSync(at("moved")).mode & 0o7777).toString(8)).toBe("755");
    });

    test.skipIf(!isRoot)("keeps the owner of a file", async () => {
      const { scene, at, write } = start();
      writeFileSync(at("theirs"), "old\n");
      await scene.exited(["chown", "12:34", at("theirs")], {
        sandbox: scene.sandbox(policyNamed("danger-full-access")),
      });
      expect(await write(at("theirs"))).toEqual({ ok: true });
      expect(statSync(at("theirs"))).toMatchObject({ uid: 12, gid: 34 });
    });

    test("follows a link within the workspace", async () => {
      const { at, write } = start();
      writeFileSync(at("real"), "old\n");
      symlinkSync("real", at("link"));
      symlinkSync("later", at("to-nothing"));
      expect(await write(at("link"))).toEqual({ ok: true });
      expect(await write(at("to-nothing"))).toEqual({ ok: true });
      expect(readFileSync(at("real"), "utf8")).toBe("new\n");
      expect(readFileSync(at("later"), "utf8")).toBe("new\n");
      expect(readdirSync(at()).sort()).toEqual(["later", "link", "real", "to-nothing"]);
    });

    test("leaves other hard links of a file as they were", async () => {
      const { scene, at, write } = start();
      writeFileSync(path.join(scene.outside, "store"), "shared\n");
      linkSync(path.join(scene.outside, "store"), at("linked"));
      expect(await write(at("linked"))).toEqual({ ok: true });
      expect(readFileSync(at("linked"), "utf8")).toBe("new\n");
      expect(readFileSync(path.join(scene.outside, "store"), "utf8")).toBe("shared\n");
    });

    test("may be large, and many", async () => {
      const { at, apply } = start();
      const operations = Array.from({ length: 200 }, (_, index): FileOperation => {
        return { type: "write", path: at("many", String(index)), content: `${index}\n`.repeat(10_000) };
      });
      expect(await apply(...operations)).toEqual({ ok: true });
      expect(readdirSync(at("many"))).toHaveLength(200);
      expect(readFileSync(at("many", "199"), "utf8") === "199\n".repeat(10_000)).toBe(true);
    });

    test("writes nothing once the signal was given", async () => {
      const { scene, at } = start();
      const operations: readonly FileOperation[] = [{ type: "write", path: at("made"), content: "" }];
      const reason = new Error("stopped");
      const options = { sandbox: scene.sandbox(policyNamed(policy)), signal: AbortSignal.abort(reason) };
      await expect(writeFiles(operations, options)).rejects.toBe(reason);
      expect(existsSync(at("made"))).toBe(false);
    });
  });
}

describe.skipIf(noSandbox)("the sandbox holds our own writes too", () => {
  const makeScene = useScenes();
  const denied = (file: string, trying = "write file") =>
    expect.objectContaining({ ok: false, message: `Failed to ${trying} ${file}: Permission denied (os error 13)` });

  function apply(scene: Scene, operation: FileOperation, policy = policyNamed("workspace-only")) {
    return writeFiles([operation], { sandbox: scene.sandbox(policy), signal });
  }

  test.each([
    "../outside/victim",
    "link/victim",
    "link/made",
    "file-link",
    "loose-link",
    "../workspace/../outside/victim",
  ])("%s", async (name) => {
    const scene = makeScene();
    writeFileSync(path.join(scene.outside, "victim"), "original");
    symlinkSync(scene.outside, path.join(scene.workspace, "link"));
    symlinkSync(path.join(scene.outside, "victim"), path.join(scene.workspace, "file-link"));
    symlinkSync(path.join(scene.outside, "made"), path.join(scene.workspace, "loose-link"));
    const file = `${scene.workspace}/${name}`;
    expect(await apply(scene, { type: "write", path: file, content: "x" })).toEqual(denied(file));
    expect(readdirSync(scene.outside)).toEqual(["victim"]);
    expect(readFileSync(path.join(scene.outside, "victim"), "utf8")).toBe("original");
  });

  test("no deletion outside, but of a link that leads there", async () => {
    const scene = makeScene();
    const victim = path.join(scene.outside, "victim");
    const link = path.join(scene.workspace, "link");
    writeFileSync(victim, "original");
    symlinkSync(victim, link);
    expect(await apply(scene, { type: "delete", path: victim })).toEqual(denied(victim, "delete file"));
    expect(await apply(scene, { type: "delete", path: link })).toEqual({ ok: true });
    expect(readdirSync(scene.workspace)).toEqual([]);
    expect(readFileSync(victim, "utf8")).toBe("original");
  });

  test("no folder outside", async () => {
    const scene = makeScene();
    const file = path.join(scene.outside, "a", "b", "c");
    expect(await apply(scene, { type: "write", path: file, content: "" })).toEqual(
      denied(file, "create parent directories for"),
    );
    expect(readdirSync(scene.outside)).toEqual([]);
  });

  test("nothing at all in read-only", async () => {
    const scene = makeScene();
    writeFileSync(path.join(scene.workspace, "there"), "");
    for (const name of ["there", "made"]) {
      const file = path.join(scene.workspace, name);
      expect(await apply(scene, { type: "write", path: file, content: "x" }, { mode: "read-only" })).toEqual(
        denied(file),
      );
    }
  });

  test("uses the helper that waits, and leaves commands theirs", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(workspaceOnly);
    sandbox.warmUp();
    const file = path.join(scene.workspace, "made");
    expect(await writeFiles([{ type: "write", path: file, content: "x" }], { sandbox, signal })).toEqual({ ok: true });
    expect(await scene.exited(["cat", file], { sandbox })).toMatchObject({ stdout: "x" });
  });
});
