import { type RunOptions, startCodex } from "./run-codex.ts";

/** A server whose lines are only told apart, for tests that are slower than what they measure otherwise. */
export function startPlainMcp(options: RunOptions) {
  const codex = startCodex(["mcp"], { ...options, keepStdinOpen: true });
  const { child, place } = codex;
  child.stdout.removeAllListeners("data");
  const waiting = new Map<string, (line: string) => void>();
  const take = (line: string) => {
    if (!line.startsWith('{"id":')) return;
    const id = line.slice(6, line.indexOf(",", 6));
    waiting.get(id)?.(line);
    waiting.delete(id);
  };
  let parts: string[] = [];
  child.stdout.on("data", (chunk: string) => {
    const [first = "", ...others] = chunk.split("\n");
    parts.push(first);
    for (const next of others) {
      take(parts.join(""));
      parts = [next];
    }
  });
  let nextId = 0;
  return {
    pid: child.pid ?? 0,
    place,
    stdin: child.stdin,
    request: (method: string, params: object = {}): Promise<string> => {
      const id = nextId++;
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      return new Promise((resolve) => waiting.set(String(id), resolve));
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await codex.finished();
    },
  };
}
