import { always, inWorkspace, never, type Probe } from "./probe.ts";

/** `$VICTIM` is a process of the same user, with a secret in its environment; `$TESTER` is what started us all. */
export const processPromises: readonly Probe[] = [
  {
    what: "the environment of another process is read",
    script: ["bash", "grep -aq PROBE_SECRET= /proc/$VICTIM/environ"],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the memory of another process is opened",
    script: ["perl", 'yes(open(my $f, "+<", "/proc/$ENV{VICTIM}/mem"))'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the memory of another process is read by a call",
    script: [
      "perl",
      `my $b = "\\0" x 8; my $l = pack("pQ", $b, 8); my $r = pack("QQ", 64, 8);
       yes(call([310, 270], $ENV{VICTIM} + 0, $l, 1, $r, 1, 0) >= 0 || $!{EFAULT})`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the memory of another process is written by a call",
    script: [
      "perl",
      `my $b = "\\0" x 8; my $l = pack("pQ", $b, 8); my $r = pack("QQ", 64, 8);
       yes(call([311, 271], $ENV{VICTIM} + 0, $l, 1, $r, 1, 0) >= 0 || $!{EFAULT})`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "another process is traced",
    script: [
      "perl",
      `my $p = $ENV{VICTIM} + 0; my $r = call([101, 117], 16, $p, 0, 0);
       if ($r == 0) { waitpid($p, 0x40000000); call([101, 117], 17, $p, 0, 0) } yes($r == 0)`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "memory or environment of any thread of who started the sandbox is read",
    script: [
      "perl",
      `my @found; for my $t (glob "/proc/$ENV{TESTER}/task/*") {
         for my $x ("mem", "environ") { push @found, "$t/$x" if open(my $f, "<", "$t/$x") && ($x eq "mem" || sysread($f, my $b, 1)) }
       } yes(scalar @found)`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "any thread of who started the sandbox is signalled",
    script: [
      "perl",
      'yes(grep { m{(\\d+)$}; call([234, 131], $ENV{TESTER} + 0, $1 + 0, 0) == 0 } glob "/proc/$ENV{TESTER}/task/*")',
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  { what: "another process is signalled", script: ["bash", "kill -0 $VICTIM"], expected: never },
  {
    what: "a thread of another process is signalled",
    script: ["perl", "yes(call([234, 131], $ENV{VICTIM} + 0, $ENV{VICTIM} + 0, 0) == 0)"],
    expected: never,
  },
  {
    what: "another process is signalled by a descriptor of it",
    script: [
      "perl",
      "my $p = call([434, 434], $ENV{VICTIM} + 0, 0); $p >= 0 or exit 1; yes(call([424, 424], $p, 0, 0, 0) == 0)",
    ],
    expected: never,
  },
  {
    what: "another process is signalled by what happens on a pipe",
    script: [
      "perl",
      `pipe(my $r, my $w); fcntl($r, 8, $ENV{VICTIM} + 0) && fcntl($r, 10, 12) && fcntl($r, 4, 020000) or exit 1;
       syswrite($w, "a"); open(my $f, "<", "/proc/$ENV{VICTIM}/status") or exit 1;
       yes(grep { /^ShdPnd:\\s+(\\w+)/ && hex($1) & 1 << 11 } <$f>)`,
    ],
    expected: never,
  },
  {
    what: "the limits of another process are changed",
    script: [
      "perl",
      `my $old = "\\0" x 16; call([302, 261], $ENV{VICTIM} + 0, 7, 0, $old) == 0 or exit 1;
       yes(call([302, 261], $ENV{VICTIM} + 0, 7, $old, 0) == 0)`,
    ],
    expected: never,
  },
  {
    what: "another process is made to wait for all others",
    script: ["perl", "yes(setpriority(0, $ENV{VICTIM}, 5))"],
    expected: never,
  },
  {
    what: "another process gets another way of scheduling",
    script: ["perl", 'yes(call([144, 119], $ENV{VICTIM} + 0, 3, pack("l", 0)) == 0)'],
    expected: never,
  },
  {
    what: "another process is made to wait for the disk",
    script: ["perl", "yes(call([251, 30], 1, $ENV{VICTIM} + 0, 3 << 13) == 0)"],
    expected: never,
  },
  {
    what: "the mark by which a command's processes are found is taken off",
    script: ["perl", 'yes(call([302, 261], 0, 10, pack("QQ", 77, 77), 0) == 0)'],
    expected: never,
  },
  {
    what: "a command signals its own children, and changes its own limits and priority",
    script: ["bash", "sleep 5 > /dev/null 2>&1 & kill -TERM $! && ! wait $! && ulimit -n 100 && nice -n 5 true"],
    expected: always,
    note: "those of its children by their number are refused: `renice -p`, `prlimit --pid`",
  },
  {
    what: "a child of a child of a child writes outside",
    script: [
      "bash",
      `bash -c "'$NODE' -e 'require(\\"node:child_process\\").execSync(\\"echo a > \\\\\\"\\$OUT/made\\\\\\"\\")'"`,
    ],
    expected: never,
  },
  {
    what: "no privilege can be gained, and a filter is on",
    script: ["bash", "[ \"$(grep -Ec '^(NoNewPrivs:.1|Seccomp:.2)$' /proc/self/status)\" = 2 ]"],
    expected: always,
    unsandboxed: "no",
  },
  {
    what: "a program gets its owner's rights",
    script: ["bash", "cp there program && chmod u+s program && [ -u program ]"],
    expected: never,
  },
  {
    what: "a program with another owner's rights gives them",
    script: ["bash", '[ -u "$(command -v su)" ] && su -c true < /dev/null'],
    expected: never,
    by: "user",
    unsandboxed: "no",
  },
  {
    what: "a key is put where other processes find it",
    script: ["perl", 'yes(call([248, 217], "user", "codex-probe", "x", 1, -1) >= 0)'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the kernel runs a program of ours, or counts events",
    script: [
      "perl",
      `my $e = call([298, 241], pack("LLQ", 1, 112, 0) . "\\0" x 96, 0, -1, -1, 0);
       yes($e >= 0 || call([321, 280], 0, pack("LLLLL", 2, 4, 4, 1, 0) . "\\0" x 100, 72) >= 0)`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a key press reaches the terminal's driver",
    script: ["perl", 'my $key = "x"; yes(ioctl(STDIN, 0x5412, $key) || $!{ENOTTY})'],
    expected: never,
  },
  {
    what: "the root folder is changed",
    script: ["perl", "yes(chroot($ENV{OUT}))"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "the root folder is changed in a namespace of one's own",
    script: ["bash", 'unshare -Ur perl -e \'chroot($ENV{OUT}) or exit 1; open(my $f, ">", "/made") or exit 1\''],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a folder outside is mounted over",
    script: [
      "perl",
      'my $r = call([165, 40], ".", $ENV{OUT}, "none", 4096, 0); system("umount", $ENV{OUT}) if $r == 0; yes($r == 0)',
    ],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "mounts are changed in a namespace of one's own",
    script: ["bash", `unshare -Urm bash -c 'mount --bind . . && mount -o remount,rw,bind . && echo a > "$OUT/made"'`],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the namespaces of another process are joined",
    script: [
      "perl",
      'open(my $f, "<", "/proc/$ENV{VICTIM}/ns/mnt") or exit 1; yes(call([308, 268], fileno($f), 0) == 0)',
    ],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "the file system is opened anew",
    script: ["perl", 'yes(call([430, 430], "tmpfs", 0) >= 0)'],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "the machine gets the name it has",
    script: [
      "perl",
      'open(my $f, "<", "/proc/sys/kernel/hostname"); chomp(my $n = <$f>); yes(call([170, 161], $n, length $n) == 0)',
    ],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
];

export const processHoles: readonly Probe[] = [
  {
    what: "another process is bound to one processor",
    script: [
      "perl",
      `my $m = "\\0" x 128; call([204, 123], $ENV{VICTIM} + 0, 128, $m) > 0 or exit 1;
       yes(call([203, 122], $ENV{VICTIM} + 0, 128, $m) == 0)`,
    ],
    expected: always,
    bubblewrap: never,
    // Root's other processes have powers that its sandboxed ones have given up, and the kernel compares them.
    by: "user",
    hole: "the C library uses this call with the numbers of threads, so that the filter lets it through",
  },
  {
    what: "memory that the user's processes share by number is reached",
    before: "perl -e 'exit(defined shmget($ENV{VICTIM} + 0, 4096, 01600) ? 0 : 1)'",
    after: "perl -e 'shmctl(shmget($ENV{VICTIM} + 0, 0, 0), 0, 0)'",
    script: ["perl", "my $id = shmget($ENV{VICTIM} + 0, 0, 0); yes(defined $id && shmread($id, my $x, 0, 1))"],
    expected: inWorkspace,
    bubblewrap: never,
    by: "user",
    unsandboxed: "maybe",
    hole: "System V memory, semaphores and queues have no path; PostgreSQL's tests need them",
  },
  {
    what: "memory that root's processes share by number is reached",
    before: "perl -e 'exit(defined shmget($ENV{VICTIM} + 0, 4096, 01600) ? 0 : 1)'",
    after: "perl -e 'shmctl(shmget($ENV{VICTIM} + 0, 0, 0), 0, 0)'",
    script: ["perl", "my $id = shmget($ENV{VICTIM} + 0, 0, 0); yes(defined $id && shmread($id, my $x, 0, 1))"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
];

/** What a command must not notice of the sandbox. */
export const commandPromises: readonly Probe[] = [
  {
    what: "an exit code comes through",
    script: ["bash", "exit 37"],
    alone: { judge: ({ status }) => status === 37 },
    expected: always,
  },
  {
    what: "a death by a signal is seen",
    script: ["bash", "kill -9 $$"],
    alone: { judge: ({ status, signal }) => signal === "SIGKILL" || status === 137 },
    expected: always,
  },
  {
    what: "arguments arrive as they are",
    script: ["bash", `[ "$(printf '%s|' "$@")" = $'a b||q"q|n\\nn|é✓|$x|*|' ]`],
    alone: { args: ["a b", "", 'q"q', "n\nn", "é✓", "$x", "*"] },
    expected: always,
  },
  {
    what: "the command starts in the workspace, and nothing waits on its input",
    script: ["bash", '[ "$(pwd -P)" = "$PWD" ] && [ -e there ] && ! read -r -t 3 x && [ $? -lt 128 ]'],
    alone: {},
    expected: always,
  },
  {
    what: "20 MB of output arrive complete",
    script: ["bash", "head -c 20000000 /dev/zero | tr '\\0' x"],
    alone: { judge: ({ status, output }) => status === 0 && output.length === 20_000_000 },
    expected: always,
  },
  {
    what: "outputs that are pipes have a name",
    script: ["bash", "(echo a > /dev/stdout && echo b > /dev/stderr) 2>&1 | cat | wc -l | grep -q 2"],
    expected: always,
  },
  {
    what: "no signal is ignored or held back",
    script: ["bash", "! grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -v 0000000000000000"],
    expected: always,
  },
  {
    what: "a command that is done with its pipe ends as everywhere",
    script: ["bash", 'yes | head -1 > /dev/null; [ "$PIPESTATUS" = 141 ]'],
    expected: always,
  },
  {
    what: "no descriptor but the three is handed down",
    script: [
      "perl",
      'opendir my $d, "/proc/self/fd"; yes(!grep { /^\\d+$/ && $_ > 2 && $_ != fileno($d) && readlink("/proc/self/fd/$_") !~ m{/script-} } readdir $d)',
    ],
    expected: always,
  },
  {
    what: "nothing dumps its memory on the disk",
    script: ["bash", '[ "$(ulimit -c)" = 0 ]'],
    expected: always,
    unsandboxed: "no",
  },
  {
    what: "node talks to a child, has threads, timers and files",
    script: [
      "node",
      `const child = require("node:child_process").spawn("cat");
       let said = ""; child.stdout.on("data", (data) => (said += data)); child.stdin.end("hi");
       child.on("close", () => {
         const { Worker } = require("node:worker_threads");
         new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).on("message", async () => {
           await require("node:fs/promises").readFile("/etc/passwd");
           setTimeout(() => process.exit(said === "hi" ? 0 : 1), 1);
         });
       });`,
    ],
    expected: always,
  },
  {
    what: "a hundred processes run at once, and one has 64 MB",
    script: ["bash", "for i in $(seq 100); do sleep 0.1 & done; wait && perl -e '$x = q(a) x (64 << 20)'"],
    expected: always,
  },
];
