import { always, never, type Probe, withNetwork } from "./probe.ts";

export const networkProbes: readonly Probe[] = [
  ...[
    ["an IPv6 datagram", 10, 2],
    ["a netlink", 16, 3],
  ].map(
    ([name, family, type]): Probe => ({
      what: `${name} socket is made`,
      script: ["perl", `yes(socket(my $s, ${family}, ${type}, 0))`],
      expected: withNetwork,
      unsandboxed: "maybe",
    }),
  ),
  {
    what: "a socket is made in a network namespace of its own",
    script: ["bash", "unshare -Urn perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) or exit 1'"],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a server's socket in the file system is reached",
    script: ["perl", 'socket(my $s, 1, 1, 0) or exit 1; yes(connect($s, pack("Sa*", 1, $ENV{SOCKET})))'],
    expected: withNetwork,
    hole: "with the network on, every local service is reachable too",
  },
  {
    what: "a server's abstract socket is reached",
    // Older versions of Node fill such a name up with zeros.
    script: [
      "perl",
      'socket(my $s, 1, 1, 0) or exit 1; yes(grep { connect($s, pack($_, 1, "\\0$ENV{ABSTRACT}")) } "Sa*", "Sa108")',
    ],
    expected: withNetwork,
    hole: "with the network on, every local service is reachable too",
  },
  {
    what: "a pair of datagram sockets, which could send anywhere, is made",
    script: ["perl", "yes(socketpair(my $a, my $b, 1, 2, 0))"],
    expected: withNetwork,
  },
  {
    what: "a pair of stream sockets carries data and its end",
    script: [
      "node",
      `const { stdout, error } = require("node:child_process").spawnSync("cat", { input: "hi", timeout: 5000 });
       process.exit(error === undefined && String(stdout) === "hi" ? 0 : 1)`,
    ],
    expected: always,
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
];
