import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import path from "node:path";
import { eventually } from "../support.ts";
import type { Script } from "./probe.ts";

const perlPrelude = `use Fcntl; use POSIX (); use Socket (); sub yes { print STDERR "$!\\n"; exit($_[0] ? 0 : 1) }
# The kernel writes into buffers, and the caller wants to see it; a literal cannot be written.
sub call {
  my ($n, @a) = @_; my $r = syscall($n->[$ENV{ARCH} eq "arm64"], @a);
  Internals::SvREADONLY($_[$_]) or $_[$_] = $a[$_ - 1] for 1 .. $#_;
  $r
}\n`;

/** A workspace, what lies outside of it, a server and a process of the same user; once for each try. */
export class Stage implements AsyncDisposable {
  readonly #folder = mkdtempSync("/var/tmp/codex-probe-");
  readonly #workspace = path.join(this.#folder, "workspace");
  readonly #outside = path.join(this.#folder, "outside");
  readonly #socket = path.join(this.#folder, "outside.socket");
  readonly #abstract = path.basename(this.#folder);
  readonly #user: { readonly uid?: number; readonly gid?: number };
  readonly #holder: ChildProcess;
  #contacts = 0;
  readonly #servers = [this.#socket, `\0${this.#abstract}`].map((address) =>
    net
      .createServer((socket) => {
        this.#contacts++;
        socket.on("error", () => {}).destroy();
      })
      .listen(address),
  );

  /** Undefined: as whoever runs the tests. */
  constructor(uid: number | undefined) {
    this.#user = uid === undefined ? {} : { uid, gid: uid };
    for (const folder of [this.#workspace, this.#outside, path.join(this.#outside, "empty")]) mkdirSync(folder);
    for (const file of ["workspace/there", "outside/victim"]) writeFileSync(path.join(this.#folder, file), "original");
    const all = ["", "workspace", "workspace/there", "outside", "outside/victim", "outside/empty"];
    if (uid !== undefined) for (const name of all) chownSync(path.join(this.#folder, name), uid, uid);
    chmodSync(this.#folder, 0o755);
    this.#holder = spawn("bash", ["-c", "exec 7>> victim; exec sleep 60"], {
      cwd: this.#outside,
      env: { PATH: process.env["PATH"] ?? "", PROBE_SECRET: "secret" },
      stdio: "ignore",
      ...this.#user,
    });
  }

  /** Its exit status: 0 or 1, for "it happened" and "it was refused"; null when a signal ended it. */
  async try([language, text]: Script, wrapper: readonly string[]): Promise<{ status: number | null; output: string }> {
    await this.#isReady();
    const command = {
      bash: ["bash", "-c", `if { ${text}; }; then exit 0; else exit 1; fi`],
      perl: ["perl", "-e", `${perlPrelude}${text}`],
      node: [process.execPath, "-e", text],
    }[language];
    const [program = "", ...args] = [...wrapper, ...command];
    const child = spawn(program, args, {
      cwd: this.#workspace,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: this.#folder,
        ARCH: process.arch,
        PWD: this.#workspace,
        OUT: this.#outside,
        SOCKET: this.#socket,
        ABSTRACT: this.#abstract,
        VICTIM: String(this.#holder.pid),
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_SYSTEM: "/dev/null",
      },
      stdio: ["ignore", "pipe", "pipe"],
      ...this.#user,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece) => (output += piece));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("close", resolve);
    });
    return { status, output };
  }

  /** What a refused action must leave as it was. */
  effects(): unknown {
    const file = path.join(this.#outside, "victim");
    const { mode, mtimeMs, uid, nlink } = statSync(file);
    const content = readFileSync(file, "utf8");
    return { names: readdirSync(this.#outside).sort(), content, mode, mtimeMs, uid, nlink, contacts: this.#contacts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<void> {
    await eventually("the other process runs", () => {
      try {
        return readFileSync(`/proc/${this.#holder.pid}/comm`, "utf8") === "sleep\n";
      } catch {
        return false;
      }
    });
    chmodSync(this.#socket, 0o777);
  }
}
