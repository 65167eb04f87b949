/**
 * A small program around runCommand, for what needs a process of its own: its death, its memory, its stderr.
 *
 * The policy "none" runs the command as it is, on a machine that only lacks what the flags take away.
 *
 *     driver POLICY [--abi N] [--landlock-errno N] [--bwrap] [--no-perl] [--warm] [--idle] [--report] -- COMMAND...
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { messageOf } from "../../src/lib/errors.ts";
import { Libc, locateForeignModule } from "../../src/process/libc.ts";
import { runCommand } from "../../src/process/run-command.ts";
import { prepareSandbox } from "../../src/process/sandbox.ts";
import { installFilter } from "../../src/process/seccomp.ts";
import { callNumber } from "../../src/process/system-calls.ts";
import { policyNamed } from "./policies.ts";

const helperPath = path.join(path.dirname(process.argv[1] ?? ""), "sandbox-helper.cjs");
const cut = process.argv.indexOf("--");
const [policyName = "", ...flags] = process.argv.slice(2, cut);
const argv = process.argv.slice(cut + 1);

/** What `--report` prints. */
export interface DriverReport {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly stdoutLength: number;
  /** Octal, as the kernel shows them. */
  readonly stderrFlags: string;
}

async function main(): Promise<number> {
  const landlockErrno = numberAfter("--landlock-errno");
  if (landlockErrno !== undefined) refuseLandlock(landlockErrno);
  const [program = "", ...args] = argv;
  if (policyName === "none") return spawnSync(program, args, { stdio: "inherit" }).status ?? -1;
  const landlockAbiLimit = numberAfter("--abi");
  const cwd = process.cwd();
  const sandbox = prepareSandbox(policyNamed(policyName), {
    cwd,
    env: process.env,
    helperPath,
    ...(landlockAbiLimit === undefined ? {} : { landlockAbiLimit }),
    ...(flags.includes("--no-perl") ? { perl: "/nowhere/perl" } : {}),
    ...(flags.includes("--bwrap") ? { linuxSandbox: "bwrap" } : {}),
  });
  if (flags.includes("--warm")) sandbox.warmUp();
  if (flags.includes("--idle")) await new Promise((resolve) => setTimeout(resolve, 900_000));
  const isReport = flags.includes("--report");
  const outcome = await runCommand({
    argv,
    cwd,
    env: Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    timeoutMs: undefined,
    signal: new AbortController().signal,
    sandbox,
    onOutput: (stream, chunk) => {
      if (!isReport) writeAll(stream === "stdout" ? 1 : 2, chunk);
    },
  });
  sandbox.close();
  if (outcome.kind === "not_started") throw new Error(outcome.message);
  if (isReport) {
    const report: DriverReport = {
      exitCode: outcome.exitCode,
      durationMs: outcome.durationMs,
      stdoutLength: outcome.stdout.length,
      stderrFlags: /^flags:\s*(\d+)/m.exec(readFileSync("/proc/self/fdinfo/2", "utf8"))?.[1] ?? "",
    };
    writeAll(1, Buffer.from(JSON.stringify(report)));
  }
  return outcome.exitCode;
}

function numberAfter(flag: string): number | undefined {
  const at = flags.indexOf(flag);
  return at < 0 ? undefined : Number(flags[at + 1]);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

/** Puts this process under a filter as a container's profile has it: Landlock's first call fails. */
function refuseLandlock(errno: number): void {
  const libc = new Libc(locateForeignModule(helperPath));
  const program: readonly (readonly [number, number, number, number])[] = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, callNumber("landlock_create_ruleset", "x64") ?? 0],
    [0x06, 0, 0, 0x50000 | errno],
    [0x06, 0, 0, 0x7fff0000],
  ];
  const filter = Buffer.alloc(program.length * 8);
  for (const [index, [code, jt, jf, k]] of program.entries()) {
    filter.writeUInt16LE(code, index * 8);
    filter.writeUInt8(jt, index * 8 + 2);
    filter.writeUInt8(jf, index * 8 + 3);
    filter.writeUInt32LE(k, index * 8 + 4);
  }
  libc.syscall("prctl", 38, 1, 0, 0, 0);
  installFilter(libc, filter);
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    writeSync(2, `${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
