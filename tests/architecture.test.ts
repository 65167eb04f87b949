import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const src = path.resolve(import.meta.dirname, "../src");

/** Which folders of ours a folder may import, beside itself. `root` stands for the files directly below src. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  protocol: ["lib"],
  config: ["lib", "protocol"],
  process: ["lib", "protocol"],
  patch: ["lib", "protocol"],
  safety: ["lib", "protocol", "patch"],
  auth: ["lib", "protocol", "config", "process"],
  model: ["lib", "protocol", "config", "auth"],
  "mcp-client": ["lib", "protocol", "config", "auth", "process"],
  rollout: ["lib", "protocol", "process"],
  tools: ["lib", "protocol", "config", "patch", "safety", "process", "mcp-client", "root"],
  conversation: [
    "lib",
    "protocol",
    "config",
    "process",
    "patch",
    "safety",
    "auth",
    "model",
    "mcp-client",
    "rollout",
    "tools",
    "root",
  ],
  render: ["lib", "protocol", "config"],
  "mcp-server": ["lib", "protocol", "config", "auth", "conversation", "process", "rollout", "safety"],
  cli: [
    "lib",
    "protocol",
    "config",
    "process",
    "auth",
    "mcp-client",
    "rollout",
    "conversation",
    "render",
    "mcp-server",
    "root",
  ],
  root: ["lib", "cli", "tools"],
};

/** Packages and built-in modules that only these folders may import. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  commander: ["cli"],
  chalk: ["render"],
  ora: ["render"],
  "shell-quote": ["render"],
  "smol-toml": ["config"],
  diff: ["patch"],
  openai: ["model"],
  undici: ["model"],
  "@modelcontextprotocol/sdk": ["mcp-client", "mcp-server"],
  zod: ["tools", "protocol", "auth", "mcp-server", "render"],
  "node:child_process": ["process"],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly isLazy: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(path.join(src, file), "utf8");
  const found = text.matchAll(/^(?:import|export)\s(?:[^"';]*?from\s)?"([^"]+)"|\b(await\s+)?import\("([^"]+)"\)/gm);
  return [...found].map((match) => ({
    file,
    target: match[1] ?? match[3] ?? "",
    isLazy: match[3] !== undefined,
  }));
});

const folderOf = (file: string) => (file.includes(path.sep) ? (file.split(path.sep)[0] ?? "") : "root");

describe("who may import whom", () => {
  test("the table names every folder", () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(mayImport).sort());
  });

  test("folders import only what stands below them", () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith(".")) return false;
      const folder = folderOf(file);
      const other = folderOf(path.relative(src, path.resolve(src, path.dirname(file), target)));
      return other !== folder && mayImport[folder]?.includes(other) !== true;
    });
    expect(wrong).toEqual([]);
  });

  test("packages are imported only where they belong", () => {
    const wrong = imports.filter(({ file, target }) => {
      const name = /^(@[^/]+\/[^/]+|[^@./][^/]*)/.exec(target)?.[1] ?? "";
      const folders = onlyIn[name.startsWith("node:") ? target : name];
      return folders !== undefined && !folders.includes(folderOf(file));
    });
    expect(wrong).toEqual([]);
  });

  test("of the schemas of what is only printed, the program has no more than the types", () => {
    const wrong = files.filter((file) => {
      if (folderOf(file) !== "render" || file.endsWith("-schema.ts")) return false;
      return /^import (?!type )[^;]*(-schema\.ts|"zod[^"]*)";/m.test(readFileSync(path.join(src, file), "utf8"));
    });
    expect(wrong).toEqual([]);
  });

  test("only initCodex builds a conversation", () => {
    const builders = files.filter((file) => /\bnew Conversation\(/.test(readFileSync(path.join(src, file), "utf8")));
    expect(builders).toEqual([path.join("conversation", "init-codex.ts")]);
  });

  test("only main.ts and a second signal end the process", () => {
    const enders = files.filter((file) =>
      /\bprocess\.(exit|reallyExit)\(/.test(readFileSync(path.join(src, file), "utf8")),
    );
    expect(enders.sort()).toEqual([
      path.join("cli", "exec-command.ts"),
      "main.ts",
      path.join("process", "sandbox-helper.ts"),
    ]);
  });
});

test("there are no barrel files, default exports or re-exports of everything", () => {
  const wrong = files.filter((file) => {
    const text = readFileSync(path.join(src, file), "utf8");
    return path.basename(file) === "index.ts" || /^export (default|\*)/m.test(text);
  });
  expect(wrong).toEqual([]);
});

test("names and comments say the rule, not the number that it has in a document which no clone contains", () => {
  const project = path.resolve(src, "..");
  const code =
    /\bspec (?:core|exec|mcp|proto) \d|\(spec[: ](?:core|exec|mcp|proto|\w?\d)|\bdesign decision \d|["`(](?:C|X)-\d{3}\b/;
  const all = ["src", "tests", "bench", "docs"].flatMap((folder) =>
    readdirSync(path.join(project, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      path.join(folder, file),
    ),
  );
  const texts = all.filter(
    (file) => /\.(?:ts|mjs|md)$/.test(file) && file !== path.join("tests", "architecture.test.ts"),
  );
  expect(texts.filter((file) => code.test(readFileSync(path.join(project, file), "utf8")))).toEqual([]);
});
