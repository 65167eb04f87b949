import { always, never, type Probe, withNetwork } from "./probe.ts";

const localServices = "with the network on, every local service is reachable too";

/** Servers of the same user listen at `$SOCKET`, `$ABSTRACT`, `$DATAGRAM`, `$TCP4`, `$TCP6` (0: none) and `$UDP`. */
export const networkPromises: readonly Probe[] = [
  {
    what: "a server on this machine is reached by IPv4",
    script: ["bash", "exec 6<> /dev/tcp/127.0.0.1/$TCP4"],
    expected: withNetwork,
  },
  {
    what: "a server on this machine is reached by IPv6",
    script: ["bash", "exec 6<> /dev/tcp/::1/$TCP6"],
    expected: withNetwork,
    unsandboxed: "maybe",
  },
  {
    what: "a server on this machine is reached by node",
    script: [
      "node",
      `require("node:net").connect(process.env.TCP4, "127.0.0.1")
         .on("connect", () => process.exit(0)).on("error", () => process.exit(1))`,
    ],
    expected: withNetwork,
  },
  { what: "a datagram is sent", script: ["bash", "echo a > /dev/udp/127.0.0.1/$UDP"], expected: withNetwork },
  {
    what: "a server listens for IPv4",
    script: [
      "node",
      `require("node:net").createServer().on("error", () => process.exit(1)).listen(0, "127.0.0.1", () => process.exit(0))`,
    ],
    expected: withNetwork,
  },
  {
    what: "a server listens on a path in the workspace",
    script: [
      "node",
      `require("node:net").createServer().on("error", () => process.exit(1)).listen("l", () => process.exit(0))`,
    ],
    expected: withNetwork,
    note: "tsx and some test runners need it",
  },
  ...(
    [
      ["an IPv6 datagram", 10, 2],
      ["a netlink", 16, 3],
    ] as const
  ).map(
    ([name, family, type]): Probe => ({
      what: `${name} socket is made`,
      script: ["perl", `yes(socket(my $s, ${family}, ${type}, 0))`],
      expected: withNetwork,
      unsandboxed: "maybe",
      ...(family === 16 ? { note: "`os.networkInterfaces()` throws without it" } : {}),
    }),
  ),
  {
    what: "a raw or packet socket is made",
    script: ["perl", "yes(grep { socket(my $s, $_->[0], 3, $_->[1]) } [2, 1], [10, 58], [17, 3])"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "a socket of a rarer family is made",
    script: [
      "perl",
      "yes(grep { my $f = $_; grep { socket(my $s, $f, $_, 0) } 1, 2, 3, 5 } 3 .. 5, 8, 9, 21, 23, 29 .. 31, 37 .. 44)",
    ],
    expected: withNetwork,
    unsandboxed: "maybe",
  },
  {
    what: "a socket is made in a network namespace of its own",
    script: ["bash", "unshare -Urn perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) or exit 1'"],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a socket is made by a number of the x32 interface",
    script: ["perl", 'exit 1 if $ENV{ARCH} ne "x64"; yes(syscall(0x40000000 | 41, 2, 1, 0) >= 0)'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a socket is made by a call of the 32-bit interface",
    // mov eax, 359; mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; exit with 0 when the result is not negative
    script: [
      "perl",
      `exit 1 if $ENV{ARCH} ne "x64"; require DynaLoader;
       my $code = pack("H*", "b867010000bb02000000b90100000031d2cd8085c0780431ffeb05bf01000000b83c0000000f05");
       my $at = call([9, 222], 0, 4096, 7, 0x22, -1, 0); pipe(my $r, my $w); syswrite($w, $code);
       call([0, 63], fileno($r), $at, length $code) == length $code or exit 2;
       DynaLoader::dl_install_xsub("main::enter", $at); enter()`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a ring is made, which opens and connects sockets unseen",
    script: ["perl", 'yes(call([425, 425], 4, "\\0" x 120) >= 0)'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a pair of stream sockets carries data and its end",
    script: [
      "perl",
      `socketpair(my $a, my $b, 1, 1, 0) or exit 1; my $x;
       yes(defined send($a, "q", 0) && defined recv($b, $x, 1, 0) && $x eq "q" && defined getsockname($a) &&
         setsockopt($a, 1, 7, pack("l", 4096)) && shutdown($a, 1))`,
    ],
    expected: always,
  },
  {
    what: "node hands a child its input and sees its end",
    script: [
      "node",
      `const { stdout, error } = require("node:child_process").spawnSync("cat", { input: "hi", timeout: 2000 });
       process.exit(error === undefined && String(stdout) === "hi" ? 0 : 1)`,
    ],
    expected: always,
  },
];

export const networkHoles: readonly Probe[] = [
  {
    what: "a server's socket in the file system is reached",
    script: ["perl", 'socket(my $s, 1, 1, 0) or exit 1; yes(connect($s, pack("Sa*", 1, $ENV{SOCKET})))'],
    expected: withNetwork,
    hole: localServices,
  },
  {
    what: "a server's abstract socket is reached",
    // Older versions of Node fill such a name up with zeros.
    script: [
      "perl",
      'socket(my $s, 1, 1, 0) or exit 1; yes(grep { connect($s, pack($_, 1, "\\0$ENV{ABSTRACT}")) } "Sa*", "Sa108")',
    ],
    expected: withNetwork,
    hole: localServices,
  },
  {
    what: "a datagram reaches a socket in the file system, from a raw one",
    script: [
      "perl",
      `socket(my $a, 1, 3, 0) or exit 1; my ($n, $d) = (Socket::pack_sockaddr_un($ENV{DATAGRAM}), "hi");
       my $v = pack("pQ", $d, 2); yes(call([46, 211], fileno($a), pack("pLx4pQQQLx4", $n, length $n, $v, 1, 0, 0, 0), 0) >= 0)`,
    ],
    expected: withNetwork,
    unsandboxed: "maybe",
    hole: localServices,
  },
  {
    what: "a datagram reaches a socket in the file system, from one of a pair",
    script: [
      "perl",
      `socketpair(my $a, my $b, 1, 2, 0) or exit 1; my ($n, $d) = (Socket::pack_sockaddr_un($ENV{DATAGRAM}), "hi");
       my $v = pack("pQ", $d, 2); yes(call([46, 211], fileno($a), pack("pLx4pQQQLx4", $n, length $n, $v, 1, 0, 0, 0), 0) >= 0)`,
    ],
    expected: withNetwork,
    unsandboxed: "maybe",
    hole: localServices,
  },
];
