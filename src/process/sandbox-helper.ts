/** A program of its own, built as one file: restricts itself, then becomes the command or writes the files. */
import { readSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../lib/errors.ts";
import { applyFileOperations } from "./file-operations.ts";
import { controlFd, type HelperReport, type HelperRequest } from "./helper-request.ts";
import { Libc, SystemCallError } from "./libc.ts";
import { giveUpPrivileges, rehearseRestriction, restrictSelf } from "./restrict.ts";
import { errnoOf } from "./system-error.ts";

/** Nothing here may touch `console` or `process.stdout`: that would change the flags of the command's pipes. */
function main(): void {
  const libc = prepare();
  const text = readRequest();
  if (text === "") process.exit(0);
  const request: HelperRequest = JSON.parse(text); // written by the same build, from checked values
  if (request.kind === "exec") {
    const errno = enter(request.cwd);
    if (errno !== undefined) fail({ kind: "exec", errno });
  }
  setUp(() => restrictSelf(libc, request.restrictions));
  report({ kind: "restricted" });
  if (request.kind === "files") {
    report({ kind: "files", result: applyFileOperations(request.operations) });
    process.exit(0);
  }
  fail({ kind: "exec", errno: become(libc, request) });
}

/** All that does not depend on the request: a helper that was started ahead has it behind itself. */
function prepare(): Libc {
  const libc = new Libc(process.argv[2] ?? "");
  setUp(() => {
    giveUpPrivileges(libc);
    rehearseRestriction(libc);
    resetForCommand(libc);
    execute(libc, { argv: ["/"], env: [] });
  });
  return libc;
}

function setUp(step: () => void): void {
  try {
    step();
  } catch (error) {
    const [call, errno] = error instanceof SystemCallError ? [error.call, error.errno] : ["", errnoOf(error) ?? 0];
    fail({ kind: "setup", call, errno, message: messageOf(error) });
  }
}

function readRequest(): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const length = readSync(controlFd, chunk);
    if (length === 0) return Buffer.concat(chunks).toString();
    chunks.push(chunk.subarray(0, length));
  }
}

function enter(cwd: string): number | undefined {
  try {
    process.chdir(cwd);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? constants.errno.ENOENT;
  }
}

const setDescriptorFlags = 2;
const closeOnExec = 4;
const lastDescriptor = 0xffff_ffff;
const coreSizeLimit = 4;
/** SIGKILL and SIGSTOP have no handler to reset. */
const fixedSignals: readonly number[] = [constants.signals.SIGKILL, constants.signals.SIGSTOP];

/** Undoes what Node did to this process and what a program that it becomes would notice. */
function resetForCommand(libc: Libc): void {
  // Node ignores SIGPIPE and SIGXFSZ, and what is ignored stays ignored after an exec.
  for (let signal = 1; signal < 32; signal++) {
    if (!fixedSignals.includes(signal)) libc.call("intptr_t signal(int, intptr_t)", signal, 0);
  }
  libc.call("int setrlimit(int, void *)", coreSizeLimit, Buffer.alloc(16));
  // libuv marks the first sixteen descriptors close-on-exec when it starts, the command's stdio among them.
  for (const fd of [0, 1, 2]) libc.call("int fcntl(int, int, int)", fd, setDescriptorFlags, 0);
  libc.syscall("close_range", controlFd, lastDescriptor, closeOnExec);
}

function become(libc: Libc, request: HelperRequest & { kind: "exec" }): number {
  // The program is looked up in this process's PATH, not in the one it is handed.
  const { PATH } = request.env;
  if (PATH !== undefined) process.env["PATH"] = PATH;
  const env = Object.entries(request.env).map(([name, value]) => `${name}=${value}`);
  return execute(libc, { argv: request.argv, env });
}

/** Returns only when it fails: with the errno of the exec. */
function execute(libc: Libc, command: { readonly argv: readonly string[]; readonly env: readonly string[] }): number {
  const { argv, env } = command;
  const prototype = "int execvpe(const char *, const char **, const char **)";
  try {
    return libc.call(prototype, argv[0] ?? "", [...argv, null], [...env, null]);
  } catch (error) {
    if (error instanceof SystemCallError) return error.errno;
    throw error;
  }
}

function report(line: HelperReport): void {
  writeSync(controlFd, `${JSON.stringify(line)}\n`);
}

function fail(line: HelperReport): never {
  report(line);
  process.exit(125);
}

main();
