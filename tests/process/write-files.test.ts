import { spawn } from "node:child_process";
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
import type { SandboxPolicy } from "../../src/protocol/policy.ts";
import { policyNamed, workspaceOnly } from "./policies.ts";
import { noBubblewrap, noSandbox, type Scene, useScenes, withoutPerl } from "./support.ts";

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

const backends = [
  { linuxSandbox: "landlock", isMissing: noSandbox, refusal: "Permission denied (os error 13)" },
  { linuxSandbox: "bwrap", isMissing: noBubblewrap, refusal: "Read-only file system (os error 30)" },
] as const;

describe.each(backends)(
  "the sandbox $linuxSandbox holds our own writes too",
  ({ linuxSandbox, isMissing, refusal }) => {
    const makeScene = useScenes();
    const denied = (file: string, trying = "write file") =>
      expect.objectContaining({ ok: false, message: `Failed to ${trying} ${file}: ${refusal}` });

    function apply(scene: Scene, operation: FileOperation, policy = policyNamed("workspace-only")) {
      return writeFiles([operation], { sandbox: scene.sandbox(policy, { linuxSandbox }), signal });
    }

    test
      .skipIf(isMissing)
      .each([
        "../outside/victim",
        "link/victim",
        "link/made",
        "link/../outside/victim",
        "chain/victim",
        "file-link",
        "loose-link",
        "../workspace/../outside/victim",
        "in-proc/victim",
      ])("%s", async (name) => {
      const scene = makeScene();
      const at = (file: string) => path.join(scene.workspace, file);
      writeFileSync(path.join(scene.outside, "victim"), "original");
      symlinkSync(scene.outside, at("link"));
      symlinkSync("link", at("chain"));
      symlinkSync(path.join(scene.outside, "victim"), at("file-link"));
      symlinkSync(path.join(scene.outside, "made"), at("loose-link"));
      symlinkSync(`/proc/self/root${scene.outside}`, at("in-proc"));
      const file = `${scene.workspace}/${name}`;
      expect(await apply(scene, { type: "write", path: file, content: "x" })).toEqual(denied(file));
      expect(readdirSync(scene.outside)).toEqual(["victim"]);
      expect(readFileSync(path.join(scene.outside, "victim"), "utf8")).toBe("original");
    });

    test.skipIf(isMissing)("no deletion outside, but of a link that leads there", async () => {
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

    test.skipIf(isMissing)("no folder outside", async () => {
      const scene = makeScene();
      const file = path.join(scene.outside, "a", "b", "c");
      expect(await apply(scene, { type: "write", path: file, content: "" })).toEqual(
        denied(file, "create parent directories for"),
      );
      expect(readdirSync(scene.outside)).toEqual([]);
    });

    test.skipIf(isMissing)("another name of an outside file loses it, and the file keeps its content", async () => {
      const scene = makeScene();
      const [victim, linked] = [path.join(scene.outside, "victim"), path.join(scene.workspace, "linked")];
      writeFileSync(victim, "original");
      linkSync(victim, linked);
      expect(await apply(scene, { type: "write", path: linked, content: "x" })).toEqual({ ok: true });
      expect([readFileSync(victim, "utf8"), readFileSync(linked, "utf8")]).toEqual(["original", "x"]);
    });

    test.skipIf(isMissing)("nothing at all in read-only", async () => {
      const scene = makeScene();
      writeFileSync(path.join(scene.workspace, "there"), "");
      for (const name of ["there", "made"]) {
        const file = path.join(scene.workspace, name);
        expect(await apply(scene, { type: "write", path: file, content: "x" }, { mode: "read-only" })).toEqual(
          denied(file),
        );
      }
    });

    test.skipIf(isMissing)("a folder that becomes a link during the call leads nowhere", async () => {
      const scene = makeScene();
      const [folder, link] = [path.join(scene.workspace, "folder"), path.join(scene.workspace, "link")];
      mkdirSync(folder);
      symlinkSync(scene.outside, link);
      // What a command left behind in the background could do: it exchanges the two all the time.
      const script = "my ($call, $a, $b) = @ARGV; syscall($call + 0, -100, $a, -100, $b, 2) while 1";
      const call = process.arch === "arm64" ? "276" : "316";
      const turner = spawn("perl", ["-e", script, call, folder, link], { stdio: "ignore" });
      const escapes = async (policy: SandboxPolicy, rounds: number) => {
        const sandbox = scene.sandbox(policy, { linuxSandbox });
        for (let round = 0; round < rounds && readdirSync(scene.outside).length === 0; round++) {
          // Each of its own, since a refused one ends its call.
          const writes = Array.from({ length: 6 }, (_, index) => {
            const operation: FileOperation = {
              type: "write",
              path: path.join(folder, `${round}-${index}`),
              content: "x",
            };
            return writeFiles([operation], { sandbox, signal });
          });
          await Promise.all(writes);
        }
        return readdirSync(scene.outside).length > 0;
      };
      try {
        expect(await escapes(workspaceOnly, 8)).toBe(false);
        expect(await escapes({ mode: "danger-full-access" }, 5000)).toBe(true); // the race is real
      } finally {
        turner.kill("SIGKILL");
      }
    });
  },
);

describe.skipIf(noBubblewrap)("under bubblewrap no patch changes what belongs to git", () => {
  const makeScene = useScenes();
  const start = () => {
    const scene = makeScene();
    const at = (...names: string[]) => path.join(scene.workspace, ...names);
    const apply = (operation: FileOperation) =>
      writeFiles([operation], { sandbox: scene.sandbox(workspaceOnly, { linuxSandbox: "bwrap" }), signal });
    return { at, apply };
  };

  test.each(["config", "hooks/pre-commit", "new/folder/file"])("a folder: %s", async (name) => {
    const { at, apply } = start();
    mkdirSync(at(".git", "hooks"), { recursive: true });
    writeFileSync(at(".git", "config"), "");
    symlinkSync(".git", at("way"));
    for (const folder of [".git", "way", "way/../.git"]) {
      const result = await apply({ type: "write", path: `${at()}/${folder}/${name}`, content: "x" });
      expect(result).toMatchObject({ ok: false, message: expect.stringContaining("Read-only file system") });
    }
    expect(await apply({ type: "delete", path: at(".git", "config") })).toMatchObject({ ok: false });
    expect([readdirSync(at(".git")), readFileSync(at(".git", "config"), "utf8")]).toEqual([["config", "hooks"], ""]);
  });

  test("a file: neither written nor deleted, nor what it names", async () => {
    const { at, apply } = start();
    mkdirSync(at("real"));
    writeFileSync(at("real", "config"), "");
    writeFileSync(at(".git"), "gitdir: real\n");
    const refused = [
      await apply({ type: "write", path: at(".git"), content: "gitdir: /tmp\n" }),
      await apply({ type: "delete", path: at(".git") }),
      await apply({ type: "write", path: at("real", "config"), content: "x" }),
      await apply({ type: "write", path: at("real", "hooks", "made"), content: "x" }),
    ];
    expect(refused.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect([readFileSync(at(".git"), "utf8"), readdirSync(at("real"))]).toEqual(["gitdir: real\n", ["config"]]);
  });
});

describe.skipIf(noSandbox)("a helper that waits", () => {
  const makeScene = useScenes(withoutPerl);

  test("writes too, and leaves commands theirs", async () => {
    const scene = makeScene();
    const sandbox = scene.sandbox(workspaceOnly);
    sandbox.warmUp();
    const file = path.join(scene.workspace, "made");
    expect(await writeFiles([{ type: "write", path: file, content: "x" }], { sandbox, signal })).toEqual({ ok: true });
    expect(await scene.exited(["cat", file], { sandbox })).toMatchObject({ stdout: "x" });
  });
});
