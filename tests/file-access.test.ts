/**
 * Every place of the source that opens, makes, moves or removes something by its name, with what keeps a command, or a
 * repository, from leading it elsewhere. A new place fails here until somebody has said what protects it.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const src = path.resolve(import.meta.dirname, "../src");

const protections = {
  home: "below CODEX_HOME, which no command may write; a workspace that holds CODEX_HOME is warned of",
  sandboxed: "the process that does it is under the policy of the commands",
  scratch: "a folder below CODEX_HOME/tmp of the server alone, removed by a program in the sandbox",
  links: "no link in a folder that commands may write is followed (openNamedFile)",
  place: "what is opened is looked at: a regular file, in a place that may be read (readRegularFile)",
  session: "the file of a session: links are followed once, and what is opened later must be the same file",
  own: "a file of this program's own installation",
  system: "a file of the system or the kernel",
  user: "named by the user on the command line or in the environment, and only read",
  listed: "the names in a folder of the repository, which decide only that nothing is started",
  descriptor: "a descriptor that is open already; no name is looked up",
} as const;

type Protection = keyof typeof protections;

/** By file; where its calls differ in what protects them, each is named. */
const table: Readonly<Record<string, Readonly<Partial<Record<Protection, readonly string[]>>>>> = {
  "assets.ts": { own: ["readFileSync"] },
  "auth/auth-lock.ts": { home: ["mkdirSync", "renameSync", "rmSync", "rmdirSync", "symlinkSync", "unlinkSync"] },
  "auth/write-auth-file.ts": {
    home: ["mkdirSync", "openSync", "readdirSync", "renameSync", "rmSync"],
    descriptor: ["writeFileSync"],
  },
  "cli/exec-command.ts": { descriptor: ["writeFileSync"] },
  "cli/read-prompt.ts": { descriptor: ["readFileSync"] },
  "config/custom-prompts.ts": { home: ["readdirSync"] },
  "config/load-config.ts": { user: ["readFileSync"] },
  "config/persist-model.ts": { home: ["renameSync", "unlinkSync", "writeFileSync"] },
  "config/user-agent.ts": { system: ["readFileSync"] },
  "lib/open-named-file.ts": { links: ["openSync"] },
  "lib/open-pinned.ts": { links: ["openSync"] },
  "lib/random-uuid.ts": { system: ["openSync"] },
  "lib/read-regular-file.ts": { place: ["openSync"] },
  "loader.ts": { own: ["readFileSync"] },
  "main.ts": { own: ["readFileSync"] },
  "mcp-client/launch-problem.ts": { listed: ["readdirSync"] },
  "mcp-client/local-package.ts": { listed: ["readdirSync"] },
  "model/certificates.ts": { user: ["readFileSync"] },
  "process/exec-in-place.ts": { system: ["readdirSync"] },
  "process/file-lock.ts": { session: ["openSync"], system: ["readFileSync"] },
  "process/file-operations.ts": {
    sandboxed: ["chmodSync", "mkdirSync", "openSync", "renameSync", "unlinkSync", "writeFileSync"],
  },
  "process/git-diff.ts": { scratch: ["mkdirSync", "mkdtempSync", "openSync", "readdirSync", "writeFileSync"] },
  "process/git-parts.ts": { place: ["readdirSync"] },
  "process/landlock.ts": { sandboxed: ["openSync"] },
  "process/libc.ts": { system: ["readFileSync"] },
  "process/mark.ts": { system: ["readFileSync", "readdirSync"] },
  "process/private-copy.ts": {
    own: ["readFileSync"],
    home: ["mkdtempSync", "openSync", "rmdirSync", "unlinkSync"],
  },
  "process/write-claim.ts": { home: ["linkat", "openSync", "rmSync", "unlinkSync"] },
  "process/write-files.ts": { descriptor: ["readFileSync"] },
  "rollout/message-history.ts": { home: ["mkdirSync", "openSync"] },
  "rollout/recorder.ts": { home: ["mkdirSync"] },
  "rollout/rollout-file.ts": { session: ["open", "openSync"], descriptor: ["readFileSync"] },
  "rollout/session-head.ts": { home: ["openSync"] },
  "rollout/sessions.ts": { home: ["mkdirSync", "readdirSync", "renameSync", "symlinkSync", "unlinkSync"] },
  "tools/apply-patch-program.ts": { descriptor: ["readFileSync"] },
};

/** What node:fs has to say about a name: open it, read it, or change what it stands for. */
const byName =
  /^(?:open|opendir|openAsBlob|readFile|readdir|writeFile|appendFile|truncate|rename|unlink|rm|rmdir|mkdir|mkdtemp|copyFile|cp|link|symlink|chmod|lchmod|chown|lchown|utimes|lutimes|createReadStream|createWriteStream|glob|watch|watchFile)(?:Sync)?$/;

/** These say what is there, and open nothing. */
const looks = /\bfs\.(?:lstatSync|statSync|readlinkSync|realpathSync|Stats)\b/g;

/** Calls of the C library that take a name. */
const systemCall =
  /"\w+ (open|openat|creat|rename|renameat2?|link|linkat|unlink|unlinkat|symlink|mkdir|mknod|truncate|chmod|mount)\(/g;

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const textOf = (file: string) => readFileSync(path.join(src, file), "utf8");

function callsByName(text: string): readonly string[] {
  const imports = [...text.matchAll(/^import \{([^}]*)\} from "node:fs(?:\/promises)?";/gm)];
  const names = imports.flatMap(([, list = ""]) => list.split(",").map((name) => name.trim().split(" as ")[0] ?? ""));
  return [...names.filter((name) => byName.test(name)), ...[...text.matchAll(systemCall)].map(([, name = ""]) => name)];
}

describe("what is opened, made, moved and removed by name", () => {
  test("each place says what protects it", () => {
    const found = Object.fromEntries(files.map((file) => [file, [...callsByName(textOf(file))].sort()]));
    const listed = Object.entries(table).map(([file, calls]) => [file, Object.values(calls).flat().sort()]);
    expect(Object.fromEntries(Object.entries(found).filter(([, calls]) => calls.length > 0))).toEqual(
      Object.fromEntries(listed),
    );
  });

  test("node:fs is imported by names that the list can see", () => {
    const others = files.filter((file) => {
      const text = textOf(file);
      if (/(?:require|import|getBuiltinModule)\("(?:node:)?fs(?:\/promises)?"\)/.test(text)) return true;
      return /^import (?:\* as )?\w+ from "(?:node:)?fs/m.test(text) && /\bfs\./.test(text.replace(looks, ""));
    });
    expect(others).toEqual([]);
  });
});
