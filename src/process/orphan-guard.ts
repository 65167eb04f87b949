import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import { markVariable } from "./kill-tree.ts";
import { keepStderrBlocking } from "./output-pipe.ts";

/** Remembers the last line it was sent; when its input ends, because we did, it ends the commands named there. */
const script = `
while read -r line; do running=$line; done
exec 2>/dev/null
for item in $running; do kill -s KILL -- "-\${item%%:*}"; done
[ -n "$running" ] && [ -d /proc/self ] || exit 0
for item in $running; do
  for file in $(grep -lsF "${markVariable}=\${item#*:}" /proc/[0-9]*/environ); do
    file=\${file#/proc/}
    kill -s KILL "\${file%/environ}"
  done
done
`;

/** Ends running commands when this process is killed before it could do so itself. One small shell for all of them. */
export class OrphanGuard {
  readonly #running = new Map<number, string>();
  #shell: ChildProcess | undefined;

  /** Starts the shell, so that the first command need not. */
  start(): void {
    if (this.#shell !== undefined || process.platform === "win32") return;
    const shell = spawn("/bin/sh", ["-c", script], {
      cwd: "/",
      detached: true,
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#shell = shell;
    // Without a shell on this machine there is no guard; commands run all the same.
    shell.on("error", () => {});
    shell.stdin.on("error", () => {});
    shell.unref();
    if (shell.stdin instanceof net.Socket) {
      shell.stdin.unref();
      keepStderrBlocking(shell.stdin);
    }
  }

  add(pid: number, mark: string): void {
    this.start();
    this.#running.set(pid, mark);
    this.#tell();
  }

  remove(pid: number): void {
    this.#running.delete(pid);
    this.#tell();
  }

  close(): void {
    this.#shell?.stdin?.end();
  }

  #tell(): void {
    const line = [...this.#running].map(([pid, mark]) => `${pid}:${mark}`).join(" ");
    this.#shell?.stdin?.write(`${line}\n`);
  }
}
