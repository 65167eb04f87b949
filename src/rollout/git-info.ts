import path from "node:path";
import { readFileStart } from "../lib/read-regular-file.ts";

/** What a rollout says about the repository it was made in. */
export interface GitInfo {
  readonly commit_hash?: string;
  readonly branch?: string;
  readonly repository_url?: string;
}

/**
 * Reads the facts from the repository's files, since a git process would cost more than the rest of the start. What
 * cannot be read that way (no commit yet, the reftable format) is left out. `root` is the folder that holds `.git`.
 */
export function readGitInfo(root: string): GitInfo | undefined {
  const folder = gitFolder(root);
  const head = folder && readSmallFile(path.join(folder, "HEAD"));
  if (folder === undefined || head === undefined) return undefined;
  const common = commonFolder(folder);
  const config = readSmallFile(path.join(common, "config"), 1024 * 1024);
  const url = config && originUrl(config);
  return { ...readHead(head, common), ...(url ? { repository_url: url } : {}) };
}

const branchPrefix = "refs/heads/";
const longestChain = 5; // git's own limit for references to references

function readHead(head: string, common: string): GitInfo {
  let content = head.trim();
  let branch: string | undefined;
  for (let step = 0; step < longestChain; step += 1) {
    if (isHash(content)) return { commit_hash: content, ...(branch === undefined ? {} : { branch }) };
    const name = /^ref:\s*(refs\/\S.*)$/.exec(content)?.[1];
    if (name === undefined || name.split("/").includes("..")) return {};
    branch = name.startsWith(branchPrefix) ? name.slice(branchPrefix.length) : undefined;
    content = (readSmallFile(path.join(common, name)) ?? packedHash(common, name) ?? "").trim();
  }
  return {};
}

function isHash(text: string): boolean {
  return (text.length === 40 || text.length === 64) && /^[0-9a-f]+$/.test(text);
}

/** A line of packed-refs is the hash, a blank, the name. */
function packedHash(common: string, name: string): string | undefined {
  const refs = readSmallFile(path.join(common, "packed-refs"), 32 * 1024 * 1024);
  const at = refs?.indexOf(` ${name}\n`) ?? -1;
  if (refs === undefined || at === -1) return undefined;
  return refs.slice(refs.lastIndexOf("\n", at) + 1, at);
}

/** `.git` itself, or the folder that a file of this name points to, as in worktrees and submodules. */
function gitFolder(root: string): string | undefined {
  const dotGit = path.join(root, ".git");
  const pointer = readSmallFile(dotGit);
  if (pointer === undefined) return dotGit;
  const target = /^gitdir: *([^\r\n]+)/.exec(pointer)?.[1];
  return target === undefined ? undefined : path.resolve(root, target.trim());
}

/** Worktrees share references and configuration with the repository they belong to. */
function commonFolder(folder: string): string {
  const pointer = readSmallFile(path.join(folder, "commondir"))?.trim();
  return pointer === undefined || pointer === "" ? folder : path.resolve(folder, pointer);
}

/** The first `url` of the remote `origin`, without what is secret in it. */
function originUrl(config: string): string | undefined {
  let isOrigin = false;
  for (const line of config.split("\n")) {
    const header = /^\s*\[([^\]]*)\]/.exec(line);
    if (header !== null) isOrigin = isOriginSection(header[1] ?? "");
    if (!isOrigin) continue;
    const setting = line.slice(header?.[0].length ?? 0);
    const equals = setting.indexOf("=");
    if (equals === -1 || setting.slice(0, equals).trim().toLowerCase() !== "url") continue;
    return withoutSecrets(unquote(setting.slice(equals + 1)));
  }
  return undefined;
}

/** Of `remote "origin"`, only the name of the remote keeps its case. */
function isOriginSection(header: string): boolean {
  const quote = header.indexOf('"');
  return header.slice(0, quote).trim().toLowerCase() === "remote" && header.slice(quote) === '"origin"';
}

/** Quotes may stand anywhere in a value; a comment starts outside of them. */
function unquote(value: string): string {
  if (!/["\\#;]/.test(value)) return value.trim();
  const parts = value.matchAll(/"((?:[^"\\]|\\.)*)"?|((?:[^"\\#;]|\\.)+)|([#;].*)/g);
  let text = "";
  for (const [, quoted, bare] of parts) text += (quoted ?? bare ?? "").replace(/\\(.)/g, "$1");
  return text.trim();
}

/** A rollout may be shown around: user and password of a URL, and what follows the path, stay out of it. */
export function withoutSecrets(url: string): string | undefined {
  const parts = /^([A-Za-z][\w+.-]*):\/\/([^/?#]*)([^?#]*)/.exec(url);
  if (parts === null) {
    const isSafe = !url.includes("::") && !/^[^/]*:[^/]*@/.test(url); // a path, or `user@host:path`
    return isSafe ? url : undefined;
  }
  const [, scheme = "", authority = "", rest = ""] = parts;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const isHost = /^(?:[^:]*|\[[\w:.]*\])(?::[0-9]*)?$/.test(host);
  if (!isHost || rest.includes("@")) return undefined; // as when a password holds a slash
  const user = scheme.toLowerCase().includes("ssh") ? /^([\w.-]+)(?::.*)?@/.exec(authority)?.[1] : undefined;
  return `${scheme}://${user === undefined ? "" : `${user}@`}${host}${rest}`;
}

/** A repository may come from a stranger: only regular files of bearable size are read, and nothing is waited for. */
function readSmallFile(file: string, maxBytes = 64 * 1024): string | undefined {
  try {
    const start = readFileStart(file, maxBytes);
    return start === undefined || start.isCut ? undefined : start.bytes.toString("utf8");
  } catch {
    return undefined; // as good as absent
  }
}
