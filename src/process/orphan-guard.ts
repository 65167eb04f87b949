import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import { markVariable } from "./mark.ts";
import { keepStderrBlocking } from "./output-pipe.ts";

/**
 * Remembers the last line it was sent, items of `group:mark`; when its input ends, because we did, it ends what is
 * named there. It looks for marks more than once: a command may have been between its fork and its exec.
 */
const script = `
while read -r line; do running=$line; done
[ -n "$running" ] || exit 0
exec 2>/dev/null
for item in $running; do
  [ -n "\${item%%:*}" ] && kill -s KILL -- "-\${item%%:*}"
done
for pause in 0 0.1 0.3; do
  sleep $pause
  for item in $running; do
    mark=\${item#*:}
    for file in $(
      grep -lsF "${markVariable}=$mark" /proc/[0-9]*/environ
      grep -lsE "^Max file locks +$mark " /proc/[0-9]*/limits
    ); do
      file=\${file#/proc/}
      kill -s KILL "\${file%/*}"
    done
  done
done
`;

/** Ends running commands when this process is killed before it could do so itself. One small shell for all of them. */
export class OrphanGuard {
  readonly #running = new Map<string, number | undefined>();
  #shell: ChildProcess | undefined;

  /** Starts the shell, so that the first command need not. */
  start(): void {
    if (this.#shell !== undefined || process.platform === "win32") return;
    const env = { PATH: "/usr/bin:/bin" };
    const shell = spawn("/bin/sh", ["-c", script], {
      cwd: "/",
      detached: true,
      env,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#shell = shell;
    // Without a shell on this machine there is no guard; commands run all the same.
    shell.on("error", () => {});
    shell.unref();
    if (!(shell.stdin instanceof net.Socket)) return;
    shell.stdin.on("error", () => {});
    shell.stdin.unref();
    keepStderrBlocking(shell.stdin);
  }

  /** Before the command is started: from its first moment on it is known by its mark. */
  add(mark: string): void {
    this.start();
    this.#running.set(mark, undefined);
    this.#tell();
  }

  setGroup(mark: string, pid: number): void {
    this.#running.set(mark, pid);
    this.#tell();
  }

  remove(mark: string): void {
    this.#running.delete(mark);
    this.#tell();
  }

  close(): void {
    this.#shell?.stdin?.end();
  }

  #tell(): void {
    const line = [...this.#running].map(([mark, pid]) => `${pid ?? ""}:${mark}`).join(" ");
    this.#shell?.stdin?.write(`${line}\n`);
  }
}
