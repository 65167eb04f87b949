import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { machineName, withAuthLock } from "../../src/auth/auth-lock.ts";
import { UserError } from "../../src/lib/errors.ts";
import { workspace } from "../support/workspace.ts";
import { authFileOf, jwt, modeOf, need, openIn, store, storedIn } from "./support.ts";
import type { WrittenAuth } from "./writer.ts";

describe("auth.json", () => {
  test("a key is written as the reference does, readable to its owner alone, home included", async () => {
    using place = workspace({ git: false });
    rmSync(place.home, { recursive: true });
    const { CODEX_HOME, ...env } = place.env;
    const home = path.join(env["HOME"] ?? "", ".codex");
    const auth = openIn({ ...place, home: env["HOME"] ?? "", env }, []);
    await auth.loginWithApiKey("sk-1");
    expect(readFileSync(path.join(home, "auth.json"), "utf8")).toBe('{\n  "OPENAI_API_KEY": "sk-1"\n}\n');
    expect([modeOf(home), modeOf(path.join(home, "auth.json"))]).toEqual(["700", "600"]);
    expect(readdirSync(home)).toEqual(["auth.json"]); // and no lock
  });

  test("a file that others could read is closed to them", async () => {
    using place = workspace({ git: false });
    store(place, { OPENAI_API_KEY: "sk-old" });
    chmodSync(authFileOf(place), 0o644);
    await openIn(place).loginWithApiKey("sk-new");
    expect(modeOf(authFileOf(place))).toBe("600");
  });

  test("a login takes away what the earlier one left, and nothing of what others keep there", async () => {
    using place = workspace({ git: false });
    const tokens = { id_token: jwt({}), access_token: "a", refresh_token: "r", account_id: "c" };
    const rest = { of_others: { deep: [1, null] }, version: 3 };
    store(place, { OPENAI_API_KEY: "k", tokens, last_refresh: "2025-08-30T12:00:00Z", auth_mode: "chatgpt", ...rest });
    await openIn(place).loginWithApiKey("sk-new");
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: "sk-new", auth_mode: "apikey", ...rest });
  });

  test.each(["", "{", "[]"])("a broken one (%j) is replaced by a login", async (text) => {
    using place = workspace({ git: false });
    writeFileSync(authFileOf(place), text);
    await openIn(place).loginWithApiKey("sk-new");
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: "sk-new" });
  });

  test("a logout deletes it, and says whether there was one", async () => {
    using place = workspace({ git: false });
    store(place, { OPENAI_API_KEY: "sk-1" });
    const auth = openIn(place);
    const changes: unknown[] = [];
    auth.onChange((method) => changes.push(method));
    expect([await auth.logout(), await auth.logout()]).toEqual([true, false]);
    expect(readdirSync(place.home)).toEqual(["config.toml"]);
    await expect.poll(() => changes).toEqual([undefined, undefined]);
  });

  test("a change is told after those who asked for it have been answered", async () => {
    using place = workspace({ git: false });
    const auth = openIn(place);
    const order: unknown[] = [];
    const stop = auth.onChange((method) => order.push(method));
    await auth.loginWithApiKey("sk-1");
    order.push("answered");
    await expect.poll(() => order).toEqual(["answered", "apikey"]);
    stop();
    await auth.logout();
    await new Promise(setImmediate);
    expect(order).toEqual(["answered", "apikey"]);
  });
});

test("of a login and a logout at once, the later one has the last word, although somebody else is at the file", async () => {
  using place = workspace({ git: false });
  const lock = path.join(place.home, "auth.json.lock");
  symlinkSync(`${machineName()} ${process.pid} other`, lock);
  const auth = openIn(place);
  const changes = [auth.loginWithApiKey("sk-1"), auth.logout()];
  await new Promise(setImmediate);
  rmSync(lock);
  await Promise.all(changes);
  expect(auth.current(need)).toBeUndefined();
  expect(existsSync(authFileOf(place))).toBe(false);
});

describe("a link in place of auth.json", () => {
  test("is followed: the file it leads to is replaced there, and nothing is left in between", async () => {
    using place = workspace({ git: false });
    const folder = path.join(place.root, "secrets");
    mkdirSync(folder);
    symlinkSync("../secrets/other", path.join(place.home, "link"));
    symlinkSync("link", authFileOf(place));
    const auth = openIn(place);
    await auth.loginWithApiKey("sk-1"); // where nothing is yet
    await auth.loginWithApiKey("sk-2");
    expect(lstatSync(authFileOf(place)).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(path.join(folder, "other"), "utf8"))).toEqual({ OPENAI_API_KEY: "sk-2" });
    expect(modeOf(path.join(folder, "other"))).toBe("600");
    expect(readdirSync(folder)).toEqual(["other"]);
    expect(await auth.logout()).toBe(true);
    expect(readdirSync(folder)).toEqual([]); // the key is gone, not only the way to it
  });

  test.each([
    ["a folder", (at: string) => mkdirSync(at), "not a regular file"],
    ["itself", (at: string) => symlinkSync(path.basename(at), at), "Too many levels of symbolic links (os error 40)"],
  ])("to %s is told", async (_, make, problem) => {
    using place = workspace({ git: false });
    const target = path.join(place.home, "target");
    make(target);
    symlinkSync("target", authFileOf(place));
    const auth = openIn(place);
    await expect(auth.loginWithApiKey("sk-1")).rejects.toThrow(`Cannot write "${authFileOf(place)}": ${problem}`);
    await expect(auth.logout()).rejects.toThrow(`Cannot delete "${authFileOf(place)}": ${problem}`);
  });
});

describe("whoever writes auth.json", () => {
  test("and is killed at any moment leaves it whole; the next one removes what is left", async () => {
    using place = workspace({ git: false });
    const script = path.join(place.root, "writer.mjs");
    await build({
      entryPoints: [path.join(import.meta.dirname, "writer.ts")],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: script,
      logLevel: "error",
    });
    let leftovers = 0;
    for (let kill = 0; kill < 15 || (leftovers === 0 && kill < 60); kill += 1) {
      const writer = spawn(process.execPath, [script, place.home], { stdio: ["ignore", "pipe", "inherit"] });
      await once(writer.stdout, "data");
      await sleep(Math.random() * 60);
      await killed(writer);
      const { OPENAI_API_KEY, last }: WrittenAuth = JSON.parse(readFileSync(authFileOf(place), "utf8"));
      expect(OPENAI_API_KEY).toMatch(/^sk-\d+$/);
      expect(last).toBe(OPENAI_API_KEY);
      leftovers += readdirSync(place.home).filter((name) => name.endsWith(".tmp")).length;
    }
    expect(leftovers).toBeGreaterThan(0); // some were hit in the middle
    await openIn(place).loginWithApiKey("sk-end"); // although the last one died with the lock in its hand
    expect(readdirSync(place.home).sort()).toEqual(["auth.json", "config.toml"]);
  });

  test("waits for another one, but not for one that is dead, on this machine or another", async () => {
    using place = workspace({ git: false });
    const lock = path.join(place.home, "auth.json.lock");
    const auth = openIn(place);
    symlinkSync(`${machineName()} ${process.pid} other`, lock);
    const login = auth.loginWithApiKey("sk-1");
    await new Promise(setImmediate);
    expect(existsSync(authFileOf(place))).toBe(false);
    rmSync(lock);
    await login;

    symlinkSync(`${machineName()} ${2 ** 22 + 1} 1`, lock); // more than any process id
    await auth.loginWithApiKey("sk-2");
    symlinkSync("elsewhere 1 1", lock);
    lutimesSync(lock, Date.now() / 1000 - 100, Date.now() / 1000 - 100);
    await auth.loginWithApiKey("sk-3");
    writeFileSync(lock, "a file of somebody's");
    utimesSync(lock, Date.now() / 1000 - 100, Date.now() / 1000 - 100);
    await auth.loginWithApiKey("sk-4");
    expect(storedIn(place)).toEqual({ OPENAI_API_KEY: "sk-4" });
    expect(readdirSync(place.home).sort()).toEqual(["auth.json", "config.toml"]);
  });

  test("takes a lock for dead that stays as it is for too long, whatever its clock says", async () => {
    using place = workspace({ git: false });
    const lock = path.join(place.home, "auth.json.lock");
    symlinkSync("elsewhere 1 1", lock);
    lutimesSync(lock, 4_000_000_000, 4_000_000_000);
    expect(await withAuthLock(place.home, () => "done", { staleMs: 100 })).toBe("done");
    expect(readdirSync(place.home)).toEqual([]);
  });

  test("waits for so long, and says for whom", async () => {
    using place = workspace({ git: false });
    const lock = path.join(place.home, "auth.json.lock");
    for (const [holder, words] of [
      [`${machineName()} ${process.pid} other`, `process ${process.pid} of ${os.hostname()}`],
      ["somebody else", '"somebody else"'],
    ] as const) {
      symlinkSync(holder, lock);
      await expect(withAuthLock(place.home, () => "done", { longestWaitMs: 50 })).rejects.toThrow(
        new UserError(`Another process does not let go of "${lock}" (${words})`),
      );
      rmSync(lock);
    }
  });

  test("deletes no folder that holds something, and tells of it", async () => {
    using place = workspace({ git: false });
    const lock = path.join(place.home, "auth.json.lock");
    const auth = openIn(place);
    mkdirSync(lock);
    await auth.loginWithApiKey("sk-1");
    expect(existsSync(lock)).toBe(false);
    mkdirSync(lock);
    writeFileSync(path.join(lock, "data"), "kept");
    await expect(auth.loginWithApiKey("sk-2")).rejects.toThrow(
      new UserError(`"${lock}" is in the way of a lock: Directory not empty (os error 39)`),
    );
    expect(readFileSync(path.join(lock, "data"), "utf8")).toBe("kept");
  });

  test("comes after the others: of twenty at once none is lost", async () => {
    using place = workspace({ git: false });
    store(place, {});
    const { writeAuthFile } = await import("../../src/auth/write-auth-file.ts");
    const names = Array.from({ length: 20 }, (_, index) => `field${index}`);
    await Promise.all(names.map((name) => writeAuthFile(place.home, (content) => ({ ...content, [name]: 1 }))));
    expect(Object.keys(storedIn(place)).sort()).toEqual(names.sort());
  });
});

test("what this process changes is seen at once, what others write is not, until it logs in or out itself", async () => {
  using place = workspace({ git: false });
  const [here, there] = [openIn(place), openIn(place)];
  await there.loginWithApiKey("sk-there");
  expect([here.current(need), there.current(need)?.token]).toEqual([undefined, "sk-there"]);
  await here.loginWithApiKey("sk-here");
  expect([here.current(need)?.token, there.current(need)?.token]).toEqual(["sk-here", "sk-there"]);
  await here.logout();
  expect([here.current(need), there.current(need)?.token]).toEqual([undefined, "sk-there"]);
});

function killed(child: ChildProcess): Promise<unknown> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  return closed;
}
