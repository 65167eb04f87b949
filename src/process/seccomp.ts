import type { Libc } from "./libc.ts";
import { markResource } from "./mark.ts";
import { type Cpu, callNumber, type SystemCall } from "./system-calls.ts";

/** One instruction of the filter language: operation, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, jt: number, jf: number, k: number];

const load = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const and = 0x54;
const giveBack = 0x06;

const allowAction = 0x7fff0000;
const killAction = 0x80000000;
const errorAction = (errno: number) => 0x00050000 | errno;

const allow: Instruction = [giveBack, 0, 0, allowAction];
// Linux numbers; a Mac that builds this filter in a test has others for ENOSYS.
const deny: Instruction = [giveBack, 0, 0, errorAction(1)];
const unknown: Instruction = [giveBack, 0, 0, errorAction(38)];
/** The call is not made, and reports success. */
const pretend: Instruction = [giveBack, 0, 0, errorAction(0)];

const ifEqual = (value: number): readonly Instruction[] => [[jumpIfEqual, 0, 1, value], deny];

/** Offset of the low half of an argument in what the kernel shows the filter. */
const argument = (index: number) => 16 + 8 * index;

const auditArch: Readonly<Record<Cpu, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
const firstX32Number = 0x40000000;
const unixFamily = 1;
const streamType = 1;
const packetType = 5;
const typeMask = 15;
/** TIOCSTI and TIOCLINUX: they put words into a terminal. */
const terminalControls = [0x5412, 0x541c];
/**
 * The kinds of ioctl by which file systems change what belongs to a file, one that is open for reading too, and those of
 * them that only read, or copy what may be copied: flags, version, extended flags, the map of a file, reflinks.
 */
const fileControls = [0x6600, 0x5800, 0x7600, 0x9400];
const harmlessFileControls = [
  ...[0x80086601, 0x80046601, 0x80087601, 0x80047601, 0x801c581f, 0xc020660b],
  ...[0x40049409, 0x4020940d, 0xc0189436],
];
const controlKind = 0xff00;
const setLease = 1024;
const lockShared = 1;
const lockNonBlocking = 4;
const unlock = 8;
const everyProcessOfUser = 2;
const accessModeAndTruncate = 0o1003;
const createOrUnnamed = 0o20000100;
const setUserOrGroupId = 0o6000;

const outwardCalls: readonly SystemCall[] = ["connect", "bind", "listen", "accept", "accept4", "sendmmsg"];

const alwaysDenied: readonly SystemCall[] = [
  // other processes' memory
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "kcmp",
  "pidfd_getfd",
  "process_madvise",
  // a ring opens and connects sockets without a socket call
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "bpf",
  "userfaultfd",
  "perf_event_open",
  "add_key",
  "request_key",
  "keyctl",
  "mount",
  "umount2",
  "pivot_root",
  "setns",
  "open_tree",
  "open_tree_attr",
  "move_mount",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "mount_setattr",
  "open_by_handle_at",
  "kexec_load",
  "kexec_file_load",
  "init_module",
  "finit_module",
  "delete_module",
  "reboot",
  "swapon",
  "swapoff",
  "acct",
  "quotactl",
  "quotactl_fd",
  "settimeofday",
  "clock_settime",
  "sethostname",
  "setdomainname",
  "iopl",
  "ioperm",
];

/** Landlock does not govern these; where nothing is writable nothing legitimate is lost. */
const metadataCalls: readonly SystemCall[] = [
  "chmod",
  "fchmod",
  "fchmodat",
  "fchmodat2",
  "chown",
  "fchown",
  "lchown",
  "fchownat",
  "utime",
  "utimes",
  "futimesat",
  "utimensat",
  "setxattr",
  "lsetxattr",
  "fsetxattr",
  "setxattrat",
  "removexattr",
  "lremovexattr",
  "fremovexattr",
  "removexattrat",
  "file_setattr",
];

/** They change what other processes of the user see; where nothing is writable they have no other use. */
const sharedMemoryCalls: readonly SystemCall[] = [
  "shmget",
  "shmat",
  "shmctl",
  "semget",
  "semop",
  "semtimedop",
  "semctl",
  "msgget",
  "msgsnd",
  "msgrcv",
  "msgctl",
];

export interface FilterOptions {
  readonly cpu: Cpu;
  readonly network: boolean;
  readonly readOnly: boolean;
  readonly landlockAbi: number;
}

/** The filter as the kernel reads it: allows what is not named, first match wins. */
export function seccompFilter(options: FilterOptions): Buffer {
  const { cpu } = options;
  const program: Instruction[] = [
    [load, 0, 0, 4],
    [jumpIfEqual, 1, 0, auditArch[cpu]],
    [giveBack, 0, 0, killAction],
  ];
  program.push([load, 0, 0, 0]);
  if (cpu === "x64") program.push([jumpIfAtLeast, 0, 1, firstX32Number], unknown);
  const on = (name: SystemCall, ...body: readonly Instruction[]) => {
    const number = callNumber(name, cpu);
    if (number !== undefined) program.push([jumpIfEqual, 0, body.length, number], ...body);
  };

  for (const name of alwaysDenied) on(name, deny);
  on(
    "ioctl",
    [load, 0, 0, argument(1)],
    ...terminalControls.flatMap(ifEqual),
    ...harmlessFileControls.flatMap((control): readonly Instruction[] => [[jumpIfEqual, 0, 1, control], allow]),
    [and, 0, 0, controlKind],
    ...fileControls.flatMap(ifEqual),
    allow,
  );
  // Who has a lease makes everybody else wait that opens the file.
  on("fcntl", [load, 0, 0, argument(1)], ...ifEqual(setLease), allow);
  // Landlock keeps signals inside, not what ends or slows a process as well. Zero is the caller itself.
  const onlyItself = (...index: readonly number[]): readonly Instruction[] => [
    ...index.flatMap((at) => [[load, 0, 0, argument(at)], [jumpIfEqual, 1, 0, 0], deny] as const),
    allow,
  ];
  for (const name of ["sched_setscheduler", "sched_setparam", "sched_setattr"] as const) on(name, ...onlyItself(0));
  on("ioprio_set", ...onlyItself(1));
  on("setpriority", [load, 0, 0, argument(0)], ...ifEqual(everyProcessOfUser), ...onlyItself(1));
  // Nobody gets rid of the mark by which a command's processes are found.
  on("setrlimit", [load, 0, 0, argument(0)], ...ifEqual(markResource), allow);
  on(
    "prlimit64",
    // Reading is free: both halves of the pointer to new limits are zero.
    [load, 0, 0, argument(2)],
    [jumpIfEqual, 0, 3, 0],
    [load, 0, 0, argument(2) + 4],
    [jumpIfEqual, 0, 1, 0],
    allow,
    [load, 0, 0, argument(1)],
    ...ifEqual(markResource),
    ...onlyItself(0),
  );
  if (!options.network) {
    for (const name of outwardCalls) on(name, deny);
    // Pairs of stream sockets within the sandbox stay possible; a datagram socket, which a raw one is too, could send to
    // any other by address.
    const onlyUnixStreams: readonly Instruction[] = [
      [load, 0, 0, argument(0)],
      [jumpIfEqual, 1, 0, unixFamily],
      deny,
      [load, 0, 0, argument(1)],
      [and, 0, 0, typeMask],
      [jumpIfEqual, 1, 0, streamType],
      [jumpIfEqual, 0, 1, packetType],
      allow,
      deny,
    ];
    on("socket", ...onlyUnixStreams);
    on("socketpair", ...onlyUnixStreams);
    // Only without an address: both halves of the pointer are zero.
    on(
      "sendto",
      [load, 0, 0, argument(4)],
      [jumpIfEqual, 0, 2, 0],
      [load, 0, 0, argument(4) + 4],
      [jumpIfEqual, 1, 0, 0],
      deny,
      allow,
    );
  }
  if (options.readOnly) {
    for (const name of [...metadataCalls, ...sharedMemoryCalls]) on(name, deny);
    // A descriptor to read is enough for it, and everybody else waits. Go reads go.mod under a shared lock and gives up without
    // one, so that it is told yes and nothing is locked; cargo and others do without an exclusive one where the kernel has none.
    on(
      "flock",
      [load, 0, 0, argument(1)],
      [and, 0, 0, ~lockNonBlocking],
      [jumpIfEqual, 1, 0, lockShared],
      [jumpIfEqual, 0, 1, unlock],
      pretend,
      unknown,
    );
  }
  // These kernels do not govern truncation, and access mode 3 asks for neither of the rights they do govern.
  const noTruncation = (flags: number): readonly Instruction[] => [
    [load, 0, 0, argument(flags)],
    [and, 0, 0, accessModeAndTruncate],
    [jumpIfEqual, 1, 0, 0o1000],
    [jumpIfEqual, 0, 1, 0o1003],
    deny,
  ];
  const isOld = options.landlockAbi < 3;
  if (isOld) on("truncate", deny);
  // A program that runs with its owner's or group's rights would give ours, root's even, to every user of the machine.
  const noRights = (mode: number): readonly Instruction[] => [
    [load, 0, 0, argument(mode)],
    [and, 0, 0, setUserOrGroupId],
    [jumpIfEqual, 1, 0, 0],
    deny,
  ];
  const opening = (flags: number, mode: number): readonly Instruction[] => [
    ...(isOld ? noTruncation(flags) : []),
    // Whoever makes no file gives no mode: there may be anything in its place.
    [load, 0, 0, argument(flags)],
    [and, 0, 0, createOrUnnamed],
    [jumpIfEqual, 4, 0, 0],
    ...noRights(mode),
    allow,
  ];
  on("open", ...opening(1, 2));
  on("openat", ...opening(2, 3));
  on("openat2", unknown); // its arguments lie in memory, where the filter does not see
  if (!options.readOnly) {
    for (const name of ["chmod", "fchmod", "creat", "mknod"] as const) on(name, ...noRights(1), allow);
    for (const name of ["fchmodat", "fchmodat2", "mknodat"] as const) on(name, ...noRights(2), allow);
  }
  program.push(allow);
  return assemble(program);
}

function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, jt, jf, k], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  });
  return bytes;
}

const setSeccomp = 22;
const filterMode = 2;

/** From here on this thread, and what it becomes, is bound by the filter. */
export function installFilter(libc: Libc, filter: Buffer): void {
  const header = Buffer.alloc(16);
  header.writeUInt16LE(filter.length / 8, 0);
  header.writeBigUInt64LE(libc.addressOf(filter), 8);
  libc.syscall("prctl", setSeccomp, filterMode, header);
}
