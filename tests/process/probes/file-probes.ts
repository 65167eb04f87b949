import { inWorkspace, never, type Probe } from "./probe.ts";

/** `$OUT` is outside and holds `victim` and `empty/`; the workspace holds `there`. */
export const fileProbes: readonly Probe[] = [
  {
    what: "an unnamed file gets a name outside",
    script: [
      "perl",
      'sysopen(my $f, ".", O_RDWR | 020200000 & ~0200000 | O_DIRECTORY, 0600) or exit 1; yes(call([265, 37], -100, "/proc/self/fd/" . fileno($f), -100, "$ENV{OUT}/made", 0x400) == 0)',
    ],
    expected: never,
  },
  {
    what: "an outside file is exchanged with one of the workspace",
    script: ["perl", 'yes(call([316, 276], -100, "there", -100, "$ENV{OUT}/victim", 2) == 0)'],
    expected: never,
  },
  {
    what: "two files of the workspace are exchanged",
    script: [
      "perl",
      'open(my $f, ">", "other") or exit 1; yes(call([316, 276], -100, "there", -100, "other", 2) == 0)',
    ],
    expected: inWorkspace,
  },
  {
    what: "a descriptor without rights is opened again for writing",
    script: [
      "perl",
      'sysopen(my $f, "$ENV{OUT}/victim", 010000000) or exit 2; yes(open(my $g, ">>", "/proc/self/fd/" . fileno($f)))',
    ],
    expected: never,
  },
  {
    what: "a descriptor for reading is opened again for writing",
    script: ["bash", 'exec 5< "$OUT/victim"; echo a >> /dev/fd/5'],
    expected: never,
  },
  {
    what: "the root of another process is the way",
    script: ["bash", 'echo a > "/proc/$VICTIM/root$OUT/made"'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the working directory of another process is the way",
    script: ["bash", 'echo a > "/proc/$VICTIM/cwd/made"'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a descriptor of another process is the way",
    script: ["bash", 'echo a >> "/proc/$VICTIM/fd/7"'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a descriptor of another process is taken over",
    script: [
      "perl",
      'my $p = call([434, 434], $ENV{VICTIM} + 0, 0); $p >= 0 or exit 1; my $f = call([438, 438], $p, 7, 0); $f >= 0 or exit 1; open(my $g, ">>&=", $f) or exit 2; yes(syswrite($g, "a"))',
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a link is turned while it is followed",
    script: [
      "perl",
      `my $own = "$ENV{PWD}/own"; mkdir $own; symlink($own, "way") or exit 1;
       my $child = fork;
       if (!$child) { while (1) { for my $to ($ENV{OUT}, $own) { symlink($to, "next"); rename("next", "way") } } }
       for (1 .. 3000) { open(my $f, ">", "way/made"); last if -e "$ENV{OUT}/made" }
       kill 9, $child; yes(-e "$ENV{OUT}/made")`,
    ],
    expected: never,
  },
  { what: "a folder outside is removed", script: ["bash", 'rmdir "$OUT/empty"'], expected: never },
  { what: "a pipe with a name is made outside", script: ["bash", 'mkfifo "$OUT/made"'], expected: never },
  {
    what: "the workspace is renamed",
    script: ["bash", 'mv "$PWD" "$PWD-moved" && mv "$PWD-moved" "$PWD"'],
    expected: never,
  },
  {
    what: "another folder for everybody is written",
    script: ["bash", "echo a > /var/tmp/codex-probe-$$ && rm /var/tmp/codex-probe-$$"],
    expected: never,
  },
  {
    what: "memory that looks like files is written",
    script: ["bash", "echo a > /dev/shm/codex-probe-$$ && rm /dev/shm/codex-probe-$$"],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a setting of the kernel is opened for writing",
    script: ["bash", ": >> /proc/sys/kernel/core_pattern"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "a device beside /dev/null is opened for writing",
    script: ["bash", ": >> /dev/zero"],
    expected: never,
  },
  {
    what: "a program left behind writes outside later",
    script: [
      "bash",
      `setsid -f bash -c 'sleep 0.1; echo a > "$OUT/made"; :' > /dev/null 2>&1; sleep 0.4; [ -e "$OUT/made" ]`,
    ],
    expected: never,
  },
  {
    what: "the times of a file of the workspace are changed",
    script: ["bash", "touch -d 2001-01-01 there"],
    expected: inWorkspace,
  },
  {
    what: "a file of the workspace gets an attribute",
    script: ["perl", 'yes(call([188, 5], "there", "user.probe", "1", 1, 0) == 0)'],
    expected: inWorkspace,
    unsandboxed: "maybe",
  },
  {
    what: "a file of the workspace gets another owner",
    script: ["perl", 'yes(chown(1, 1, "there"))'],
    expected: inWorkspace,
    by: "root",
  },
  {
    what: "the mode of one's own file outside is changed",
    script: ["perl", 'yes(chmod(0600, "$ENV{OUT}/victim"))'],
    expected: inWorkspace,
    hole: "metadata: Landlock does not know it, and seccomp cannot tell paths",
  },
  {
    what: "a flag of one's own file outside is changed",
    script: [
      "perl",
      `open(my $f, "<", "$ENV{OUT}/victim") or exit 2; my $flags = "\\0" x 8; ioctl($f, 0x80086601, $flags) or exit 1;
       yes(ioctl($f, 0x40086602, pack("Q", unpack("L", $flags) ^ 0x40)))`,
    ],
    expected: [true, true, true],
    unsandboxed: "maybe",
    hole: "metadata: the ioctl is not filtered, in read-only either",
  },
  {
    what: "a hook is put into the repository",
    script: ["bash", "mkdir -p .git/hooks && echo true > .git/hooks/pre-commit"],
    expected: inWorkspace,
    hole: "the repository's own folder is a part of the workspace",
  },
];
