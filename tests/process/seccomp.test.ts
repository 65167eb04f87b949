import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type FilterOptions, seccompFilter } from "../../src/process/seccomp.ts";
import { type Cpu, callNumber, type SystemCall, systemCallNumbers } from "../../src/process/system-calls.ts";

const allowed = 0x7fff0000;
const refused = 0x50001;
const unknown = 0x50026;
/** Success, without the call. */
const pretended = 0x50000;
const killed = 0x80000000;
const architecture = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** What the kernel would do: runs the filter's program over one system call. */
function verdict(options: FilterOptions, call: number | SystemCall, args: readonly (number | bigint)[] = []): number {
  return interpret(seccompFilter(options), callData(options.cpu, call, args));
}

function callData(cpu: Cpu, call: number | SystemCall, args: readonly (number | bigint)[]): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(typeof call === "number" ? call : (callNumber(call, cpu) ?? 0xffff), 0);
  data.writeUInt32LE(architecture[cpu], 4);
  args.forEach((arg, index) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(arg)), 16 + 8 * index);
  });
  return data;
}

function interpret(program: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const jump = (taken: boolean) => {
      at += 8 * program.readUInt8(at + (taken ? 2 : 3));
    };
    const operand = program.readUInt32LE(at + 4);
    switch (program.readUInt16LE(at)) {
      case 0x20:
        accumulator = data.readUInt32LE(operand);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x15:
        jump(accumulator === operand);
        break;
      case 0x35:
        jump(accumulator >= operand);
        break;
      case 0x06:
        return operand;
      default:
        throw new Error(`no such instruction at ${at}`);
    }
  }
  throw new Error("the program has no end");
}

describe.each<Cpu>(["x64", "arm64"])("the filter for %s", (cpu) => {
  const readOnly: FilterOptions = { cpu, network: false, readOnly: true, landlockAbi: 7 };
  const workspace: FilterOptions = { ...readOnly, readOnly: false };
  const networked: FilterOptions = { ...workspace, network: true };
  const old: FilterOptions = { ...workspace, landlockAbi: 2 };
  const others = callNumber("ptrace", cpu) ?? 0;

  test.each<[string, FilterOptions, SystemCall, readonly (number | bigint)[], number]>([
    ["other processes' memory", networked, "ptrace", [], refused],
    ["a ring", networked, "io_uring_setup", [], refused],
    ["a mount", networked, "move_mount", [], refused],
    ["typing into the terminal", networked, "ioctl", [0, 0x5412], refused],
    ["typing with noise in the upper half", networked, "ioctl", [0, 0xffff_0000_5412n], refused],
    ["the console's typing", networked, "ioctl", [0, 0x541c], refused],
    ["another ioctl", networked, "ioctl", [0, 0x5401], allowed],
    ["an internet socket", workspace, "socket", [2, 1], refused],
    ["an internet socket with network", networked, "socket", [2, 1], allowed],
    ["a unix stream socket", workspace, "socket", [1, 1], allowed],
    ["a unix stream socket with flags", workspace, "socket", [1, 0x80801], allowed],
    ["a unix datagram socket", workspace, "socket", [1, 0x80002], refused],
    ["a pair of streams", workspace, "socketpair", [1, 1], allowed],
    ["a pair of datagram sockets", workspace, "socketpair", [1, 2], refused],
    ["a connection", workspace, "connect", [], refused],
    ["a connection with network", networked, "connect", [], allowed],
    ["sending on a pair", workspace, "sendto", [3, 1, 1, 0, 0], allowed],
    ["sending to an address", workspace, "sendto", [3, 1, 1, 0, 0x1000], refused],
    ["sending to a high address", workspace, "sendto", [3, 1, 1, 0, 0x7fff_0000_0000n], refused],
    ["changing a mode in the workspace", workspace, "fchmodat", [], allowed],
    ["changing a mode where nothing is writable", readOnly, "fchmodat", [], refused],
    ["changing times where nothing is writable", readOnly, "utimensat", [], refused],
    ["truncation that Landlock governs", workspace, "truncate", [], allowed],
    ["truncation that it does not", old, "truncate", [], refused],
    ["opening to read and truncate", old, "openat", [0, 0, 0o1000], refused],
    ["opening in mode 3 to truncate", old, "openat", [0, 0, 0o1003], refused],
    ["opening to write and truncate, which is governed", old, "openat", [0, 0, 0o1001], allowed],
    ["opening to read", old, "openat", [0, 0, 0o2000000], allowed],
    ["the call that hides its flags", networked, "openat2", [], unknown],
    ["opening to write", workspace, "openat", [0, 0, 0o1102, 0o644], allowed],
    ["opening without a mode, with noise in its place", workspace, "openat", [0, 0, 0o2000001, 0o4755], allowed],
    ["making a program with its owner's rights", networked, "openat", [0, 0, 0o102, 0o4755], refused],
    ["making one without a name", networked, "openat", [0, 0, 0o20200002, 0o4755], refused],
    ["making one on an old kernel", old, "openat", [0, 0, 0o101, 0o4755], refused],
    ["making one as a node", networked, "mknodat", [0, 0, 0o104755], refused],
    ["giving a program its owner's rights", networked, "fchmod", [3, 0o4755], refused],
    ["giving it them by name", networked, "fchmodat", [0, 0, 0o4755], refused],
    ["giving a program its group's", networked, "fchmodat", [0, 0, 0o2755], refused],
    ["flags of a file", networked, "ioctl", [3, 0x40086602], refused],
    ["flags of a file, to read", readOnly, "ioctl", [3, 0x80086601], allowed],
    ["the generation of a file", networked, "ioctl", [3, 0x40086604], refused],
    ["a key for a folder", networked, "ioctl", [3, 0x800c6613], refused],
    ["sharing the content of a file", workspace, "ioctl", [3, 0x40049409], allowed],
    ["a subvolume", networked, "ioctl", [3, 0x5000940e], refused],
    ["a lease", networked, "fcntl", [3, 1024, 1], refused],
    ["a lock", readOnly, "fcntl", [3, 6, 0x1000], allowed],
    ["an exclusive lock where nothing is writable", readOnly, "flock", [3, 2], unknown],
    ["an exclusive lock that is not waited for", readOnly, "flock", [3, 6], unknown],
    ["a shared lock where nothing is writable", readOnly, "flock", [3, 1], pretended],
    ["a shared lock that is not waited for", readOnly, "flock", [3, 5], pretended],
    ["the end of a lock", readOnly, "flock", [3, 8], pretended],
    ["a lock of a whole file in the workspace", workspace, "flock", [3, 2], allowed],
    ["shared memory where nothing is writable", readOnly, "shmat", [1, 0, 0], refused],
    ["shared memory in the workspace", workspace, "shmat", [1, 0, 0], allowed],
    ["a raw unix socket, which is a datagram socket", workspace, "socket", [1, 3], refused],
    ["a pair of raw sockets", workspace, "socketpair", [1, 0x80003], refused],
    ["a pair that keeps packets apart", workspace, "socketpair", [1, 5], allowed],
    ["one's own limits", workspace, "prlimit64", [0, 7, 0x1000, 0], allowed],
    ["another's limits, to read", workspace, "prlimit64", [17, 7, 0, 0x1000], allowed],
    ["another's limits, to change", networked, "prlimit64", [17, 7, 0x1000, 0], refused],
    ["another's limits, from a high address", networked, "prlimit64", [17, 7, 0x7fff_0000_0000n, 0], refused],
    ["the mark, to read", workspace, "prlimit64", [0, 10, 0, 0x1000], allowed],
    ["the mark, to change", workspace, "prlimit64", [0, 10, 0x1000, 0], refused],
    ["the mark, by the older call", workspace, "setrlimit", [10, 0x1000], refused],
    ["another limit, by the older call", workspace, "setrlimit", [7, 0x1000], allowed],
    ["one's own priority", workspace, "setpriority", [0, 0, 5], allowed],
    ["another's priority", workspace, "setpriority", [0, 17, 5], refused],
    ["the priority of all of the user's processes", workspace, "setpriority", [2, 0, 5], refused],
    ["one's own scheduling", workspace, "sched_setscheduler", [0, 3, 0x1000], allowed],
    ["another's scheduling", workspace, "sched_setattr", [17, 0x1000, 0], refused],
    ["another's turn at the disk", workspace, "ioprio_set", [1, 17, 0], refused],
  ])("%s", (_, options, call, args, expected) => {
    expect(verdict(options, call, args).toString(16)).toBe(expected.toString(16));
  });

  test("kills programs of another architecture", () => {
    const data = callData(cpu, others, []);
    data.writeUInt32LE(0x40000003, 4);
    expect(interpret(seccompFilter(networked), data)).toBe(killed);
  });
});

test("the x32 numbers are unknown", () => {
  const options: FilterOptions = { cpu: "x64", network: true, readOnly: false, landlockAbi: 7 };
  expect(verdict(options, 0x40000000 | 41)).toBe(unknown);
});

/** Headers as a compiler sees them, where there is one; calls newer than they are stay unchecked. */
const headers: readonly (readonly [Cpu, string])[] = [
  ["x64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"],
  ["arm64", "/usr/include/asm-generic/unistd.h"],
];

test.skipIf(!existsSync(headers[0]?.[1] ?? "")).each(headers)("the numbers for %s are those of %s", (cpu, header) => {
  const text = readFileSync(header, "utf8");
  const defined = new Map<string, number>();
  for (const [, name = "", number] of text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm)) {
    defined.set(name, Number(number));
  }
  const known = Object.keys(systemCallNumbers).filter((name): name is SystemCall => defined.has(name));
  expect(known.length).toBeGreaterThan(40);
  expect(known.map((name) => [name, callNumber(name, cpu)])).toEqual(known.map((name) => [name, defined.get(name)]));
});
