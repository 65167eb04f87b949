import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import path from "node:path";
import type { Environment } from "../../../src/lib/environment.ts";
import { eventually } from "../support.ts";
import type { Alone, Probe, Run } from "./probe.ts";

export interface Traces {
  /** How often a server was reached. */
  readonly contacts: number;
  /** What was written into the other process's file. */
  readonly held: string;
  /** What was put beside it. */
  readonly strangers: readonly string[];
}

/** How a command is wrapped: nothing at all, or a program that runs the rest of its arguments in a sandbox. */
export type Wrapper = readonly string[];

type Ended = Run & { readonly stdout: string };

const perlPrelude = `use Fcntl; use Socket (); sub yes { print STDERR "$!\\n"; exit($_[0] ? 0 : 1) }
# The kernel writes into buffers, and the caller wants to see it; a literal cannot be written.
sub call {
  my ($n, @a) = @_; my $r = syscall($n->[$ENV{ARCH} eq "arm64"], @a);
  Internals::SvREADONLY($_[$_]) or $_[$_] = $a[$_ - 1] for 1 .. $#_;
  $r
}\n`;

/** It holds back SIGUSR2, so that one that comes is there to be seen. */
const holderText =
  'use POSIX (); POSIX::sigprocmask(0, POSIX::SigSet->new(12)); use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un("new")); chmod(0777, "new"); rename("new", "datagram"); sleep 120';

const limitSeconds = 10;
/** Runs one script after the other, each in a folder of its own; says number, exit status and output of each. */
const batch = `attempt() {
  cd "$STAGE/workspace/$1" || exit
  output=$(OUT="$STAGE/outside/$1" timeout -k 1 ${limitSeconds} "$2" "$STAGE/script-$1" 2>&1 < /dev/null)
  printf '%s\\0%s\\0%s\\0' "$1" "$?" "$output"
}\n`;

/**
 * A workspace for each probe, what lies outside of it, servers and a process of the same user. With more than one
 * probe they are folders of one workspace, and one command in it tries them all: most of the time goes into starts.
 */
export class Stage implements AsyncDisposable {
  readonly #probes: readonly Probe[];
  readonly #alone: Alone | undefined;
  readonly #uid: number | undefined;
  readonly #folder: string;
  readonly #holder: ChildProcess | undefined;
  readonly #sockets: { readonly tcp4: net.Server; readonly tcp6: net.Server; readonly udp: dgram.Socket };
  readonly #servers: readonly net.Server[];
  #contacts = 0;
  #hasTcp6 = true;

  /** With `alone` there is one probe. An undefined `uid`: as whoever runs the tests. */
  constructor(probes: readonly Probe[], uid: number | undefined) {
    this.#probes = probes;
    this.#alone = probes[0]?.alone;
    this.#uid = uid;
    this.#folder = realpathSync(mkdtempSync(path.join(this.#alone?.base ?? "/var/tmp", "codex-probe-")));
    chmodSync(this.#folder, 0o755);
    for (const folder of ["", "workspace", "outside", "temporary"]) this.#make(folder);
    this.#make("outside/held", "");
    for (const [index, { script }] of probes.entries()) {
      if (this.#alone === undefined) this.#make(`workspace/${index}`);
      this.#make(path.relative(this.#folder, path.join(this.#workspace(index), "there")), "original");
      for (const folder of ["", "/empty"]) this.#make(`outside/${index}${folder}`);
      this.#make(`outside/${index}/victim`, "original");
      this.#make(`script-${index}`, programText(script));
    }
    // Not for one that is alone: none of those asks for it, and it takes a while.
    if (this.#alone === undefined) this.#holder = this.#startHolder();
    const server = (...where: [string] | [number, string]) => {
      const made = net.createServer((socket) => {
        this.#contacts++;
        socket.on("error", () => {}).destroy();
      });
      return where.length === 1 ? made.listen(where[0]) : made.listen(...where);
    };
    const tcp6 = server(0, "::1").on("error", () => {
      this.#hasTcp6 = false;
    });
    const udp = dgram.createSocket("udp4", () => void this.#contacts++);
    this.#sockets = { tcp4: server(0, "127.0.0.1"), tcp6, udp: udp.bind(0, "127.0.0.1") };
    this.#servers = [this.#sockets.tcp4, tcp6, server(this.#at("socket")), server(`\0${path.basename(this.#folder)}`)];
  }

  /** What a probe wants to be there before. */
  async prepare(): Promise<void> {
    const env = await this.#environment();
    for (const [index, { before }] of this.#probes.entries()) this.#asUser(before, { index, env });
  }

  /** What became of each probe, in their order. */
  async try(wrapper: Wrapper): Promise<readonly Run[]> {
    const env = await this.#environment();
    try {
      return this.#alone === undefined ? await this.#tryAll(wrapper, env) : [await this.#tryAlone(wrapper, env)];
    } finally {
      for (const [index, { after }] of this.#probes.entries()) this.#asUser(after, { index, env });
    }
  }

  /** What a refused action leaves as it was. */
  effects(index: number): string {
    const folder = this.#at("outside", String(index));
    const file = path.join(folder, "victim");
    const names = readdirSync(folder).sort();
    if (!names.includes("victim")) return JSON.stringify(names);
    const { mode, mtimeMs, uid, nlink } = statSync(file);
    return JSON.stringify({ names, content: readFileSync(file, "utf8"), mode, mtimeMs, uid, nlink });
  }

  /** What only a successful escape leaves, whichever it was. */
  traces(): Traces {
    const ours = /^(held|datagram|\d+)$/;
    const strangers = readdirSync(this.#at("outside")).filter((name) => !ours.test(name));
    return { contacts: this.#contacts, held: readFileSync(this.#at("outside/held"), "utf8"), strangers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder?.kill("SIGKILL");
    this.#sockets.udp.close();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #tryAll(wrapper: Wrapper, env: Environment): Promise<readonly Run[]> {
    const lines = this.#probes.map(({ script }, index) => `attempt ${index} '${interpreter(script)}'\n`);
    this.#make("script-all", batch + lines.join(""));
    const run = await this.#run([...wrapper, "bash", this.#at("script-all")], env);
    const runs: Run[] = [];
    const fields = run.stdout.split("\0");
    for (let at = 0; at + 2 < fields.length; at += 3) {
      runs[Number(fields[at])] = { status: Number(fields[at + 1]), signal: null, output: fields[at + 2] ?? "" };
    }
    return this.#probes.map((_, index) => runs[index] ?? { ...run, status: 125 });
  }

  async #tryAlone(wrapper: Wrapper, env: Environment): Promise<Run> {
    const [probe] = this.#probes;
    if (probe === undefined) throw new Error("a stage without a probe");
    const { args = [], first } = this.#alone ?? {};
    if (first !== undefined) await this.#run([...wrapper, "bash", "-c", first], env);
    return this.#run([...wrapper, interpreter(probe.script), this.#at("script-0"), ...args], env);
  }

  async #run([program = "", ...args]: readonly string[], env: Environment): Promise<Ended> {
    const cwd = this.#at("workspace");
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], ...this.#user() });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (piece) => (stdout += piece));
    child.stderr.setEncoding("utf8").on("data", (piece) => (stderr += piece));
    const [status, signal]: unknown[] = await once(child, "close");
    return {
      status: typeof status === "number" ? status : null,
      signal: signal ? String(signal) : null,
      output: stdout + stderr,
      stdout,
    };
  }

  #asUser(script: string | undefined, { index, env }: { readonly index: number; readonly env: Environment }): void {
    if (script === undefined) return;
    const options = { cwd: this.#workspace(index), env: { ...env, OUT: this.#at("outside", String(index)) } };
    const { status, stderr } = spawnSync("bash", ["-ec", script], { ...options, encoding: "utf8", ...this.#user() });
    if (status !== 0) throw new Error(`"${script}" failed: ${stderr}`);
  }

  async #environment(): Promise<Environment> {
    await eventually("the other process and the servers are there", () => this.#isReady());
    chmodSync(this.#at("socket"), 0o777);
    const { tcp4, tcp6, udp } = this.#sockets;
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.#folder,
      TMPDIR: this.#at("temporary"),
      PWD: this.#at("workspace"),
      STAGE: this.#folder,
      OUT: this.#at("outside/0"),
      ARCH: process.arch,
      NODE: process.execPath,
      VICTIM: String(this.#holder?.pid),
      TESTER: String(process.pid),
      SOCKET: this.#at("socket"),
      ABSTRACT: path.basename(this.#folder),
      DATAGRAM: this.#at("outside/datagram"),
      TCP4: portOf(tcp4),
      TCP6: this.#hasTcp6 ? portOf(tcp6) : "0",
      UDP: String(udp.address().port),
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
    };
  }

  #startHolder(): ChildProcess {
    return spawn("bash", ["-c", `exec 7>> held; exec perl -e '${holderText}'`], {
      cwd: this.#at("outside"),
      env: { PATH: process.env["PATH"] ?? "", PROBE_SECRET: "secret" },
      stdio: "ignore",
      ...this.#user(),
    });
  }

  #isReady(): boolean {
    const isListening = (server: net.Server) => server.listening || (server === this.#sockets.tcp6 && !this.#hasTcp6);
    return this.#servers.every(isListening) && (this.#holder === undefined || existsSync(this.#at("outside/datagram")));
  }

  /** A folder, or a file with that content, of the user's. */
  #make(name: string, content?: string): void {
    const file = this.#at(name);
    if (content !== undefined) writeFileSync(file, content);
    else if (name !== "") mkdirSync(file);
    if (this.#uid !== undefined) chownSync(file, this.#uid, this.#uid);
  }

  #workspace(index: number): string {
    return this.#alone === undefined ? this.#at("workspace", String(index)) : this.#at("workspace");
  }

  #at(...names: string[]): string {
    return path.join(this.#folder, ...names);
  }

  #user(): { readonly uid?: number; readonly gid?: number } {
    return this.#uid === undefined ? {} : { uid: this.#uid, gid: this.#uid };
  }
}

function interpreter([language]: Probe["script"]): string {
  return language === "node" ? process.execPath : language;
}

function programText([language, text]: Probe["script"]): string {
  if (language === "bash") return `if { ${text}; }; then exit 0; else exit 1; fi\n`;
  return language === "perl" ? perlPrelude + text : text;
}

function portOf(server: net.Server): string {
  const address = server.address();
  return typeof address === "object" && address !== null ? String(address.port) : "0";
}
