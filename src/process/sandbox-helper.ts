/** A program of its own, built as one file: restricts itself, then becomes the command or writes the files. */
import { readSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../lib/errors.ts";
import { execInPlace, undoNode, withholdRest } from "./exec-in-place.ts";
import { applyFileOperations } from "./file-operations.ts";
import { confined, controlFd, type HelperReport, type HelperRequest } from "./helper-request.ts";
import { Libc, SystemCallError } from "./libc.ts";
import { setMark } from "./mark.ts";
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
    setMark(libc, request.mark);
  }
  const { restrictions } = request;
  if (restrictions !== null) setUp(() => restrictSelf(libc, restrictions));
  report({ kind: "restricted" });
  if (request.kind === "files") {
    report({ kind: "files", result: applyFileOperations(request.operations) });
    process.exit(0);
  }
  fail({ kind: "exec", errno: execInPlace(libc, request) });
}

/** All that does not depend on the request: a helper that was started ahead has it behind itself. */
function prepare(): Libc {
  const libc = new Libc(process.argv[2] ?? "");
  setUp(() => {
    giveUpPrivileges(libc);
    if (process.argv[3] !== confined) rehearseRestriction(libc);
    undoNode(libc);
    withholdRest(libc);
    execInPlace(libc, { argv: ["/"], env: {} });
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

function report(line: HelperReport): void {
  writeSync(controlFd, `${JSON.stringify(line)}\n`);
}

function fail(line: HelperReport): never {
  report(line);
  process.exit(125);
}

main();
