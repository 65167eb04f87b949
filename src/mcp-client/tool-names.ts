import { createHash } from "node:crypto";

/** What the model API accepts. */
const longestName = 64;

/** The name a server's tool has for the model: only letters that its API takes, and not too long. */
export function qualifiedToolName(server: string, tool: string): string {
  const name = `${server}__${tool}`.replaceAll(/[^a-zA-Z0-9_-]/gu, "_");
  if (name.length <= longestName) return name;
  const hash = createHash("sha1").update(name).digest("hex");
  return `${name.slice(0, longestName - hash.length)}${hash}`;
}
