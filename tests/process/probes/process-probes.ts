import { always, inWorkspace, never, type Probe } from "./probe.ts";

const outward = "limits and priorities of the user's other processes are not filtered";

/** `$VICTIM` is a process of the same user, with a secret in its environment. */
export const processProbes: readonly Probe[] = [
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
    what: "the memory of another process is written",
    script: [
      "perl",
      `my $b = "\\0" x 8; my $l = pack("pQ", $b, 8); my $r = pack("QQ", 64, 8);
       yes(call([311, 271], $ENV{VICTIM} + 0, $l, 1, $r, 1, 0) >= 0 || $!{EFAULT})`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
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
    what: "the command signals its own children",
    script: ["bash", "sleep 30 & kill -TERM $! && ! wait $!"],
    expected: always,
  },
  {
    what: "the limits of another process are changed",
    script: [
      "perl",
      `my $old = "\\0" x 16; call([302, 261], $ENV{VICTIM} + 0, 7, 0, $old) == 0 or exit 1;
       yes(call([302, 261], $ENV{VICTIM} + 0, 7, $old, 0) == 0)`,
    ],
    expected: always,
    hole: outward,
  },
  {
    what: "another process is made to wait for all others",
    script: ["perl", "yes(setpriority(0, $ENV{VICTIM}, 5))"],
    expected: always,
    by: "user",
    hole: outward,
  },
  {
    what: "no privilege can be gained, and a filter is on",
    script: ["bash", "[ \"$(grep -Ec '^(NoNewPrivs:.1|Seccomp:.2)$' /proc/self/status)\" = 2 ]"],
    expected: always,
    unsandboxed: "no",
  },
  {
    what: "a program with another owner's rights gives them",
    script: ["bash", 'cp there changed && chmod u+s changed; [ -u "$(command -v su)" ] && su -c true < /dev/null'],
    expected: never,
    by: "user",
    unsandboxed: "no",
  },
  {
    what: "nothing dumps its memory on the disk",
    script: ["bash", '[ "$(ulimit -Hc)" = 0 ]'],
    expected: always,
    unsandboxed: "no",
  },
  {
    what: "a key is put where other processes find it",
    script: ["perl", 'yes(call([248, 217], "user", "codex-probe", "x", 1, -1) >= 0)'],
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
    what: "the file system is opened anew",
    script: ["perl", 'yes(call([430, 430], "tmpfs", 0) >= 0)'],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "a file is opened by its number",
    script: [
      "perl",
      `my $handle = pack("Ll", 128, 0) . "\\0" x 128; my $mount = pack("l", 0);
       call([303, 264], -100, "$ENV{OUT}/victim", $handle, $mount, 0) == 0 or exit 1;
       open(my $d, "<", $ENV{OUT}) or exit 2; yes(call([304, 265], fileno($d), $handle, 1) >= 0)`,
    ],
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
  {
    what: "a command that is done with its pipe ends as everywhere",
    script: ["bash", 'yes | head -1 > /dev/null; [ "$PIPESTATUS" = 141 ]'],
    expected: always,
  },
  {
    what: "outputs that are pipes have a name",
    script: ["bash", "(echo a > /dev/stdout && echo b > /dev/stderr) 2>&1 | cat | wc -l | grep -q 2"],
    expected: always,
  },
  {
    what: "a repository is made, committed to and read",
    script: [
      "bash",
      `git init -q new && cd new && echo a > f && git add f &&
       git -c user.name=n -c user.email=a@b.c commit -qm one && git log -1 --format=%s | grep -q one`,
    ],
    expected: inWorkspace,
  },
  {
    what: "files are locked, mapped and shared through a pipe with a name",
    script: [
      "bash",
      'exec 8>> lock && flock -n 8 && mkfifo pipe && { echo hi > pipe & } && read -r x < pipe && [ "$x" = hi ]',
    ],
    expected: inWorkspace,
  },
];
