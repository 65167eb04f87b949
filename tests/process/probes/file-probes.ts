import { always, inWorkspace, never, type Probe } from "./probe.ts";

const metadata = "metadata of outside files: Landlock does not know it, and seccomp cannot tell paths";
const flock = "flock needs no more than a descriptor for reading, and tools need flock";
const sharedLock = 1;
const exclusiveLock = 2;
/** The first one is only real when a second descriptor cannot have an exclusive one. */
const twoLocks = (kind: number) =>
  `open(my $f, "<", "$ENV{OUT}/victim") && open(my $g, "<", "$ENV{OUT}/victim") or exit 2; yes(flock($f, ${kind} | 4) && !flock($g, 2 | 4) && $!{EWOULDBLOCK})`;

/** `$OUT` is outside and holds `victim` and `empty/`; the workspace holds `there`. */
export const filePromises: readonly Probe[] = [
  {
    what: "files and folders of the workspace are made, changed, renamed and deleted",
    script: ["bash", "mkdir -p n/m && echo a > n/m/f && echo a >> there && mv there n/ && rm -r n"],
    expected: inWorkspace,
  },
  {
    what: "a program is written in the workspace and run",
    script: ["bash", "printf '#!/bin/sh\\nexit 0\\n' > run && chmod +x run && ./run"],
    expected: inWorkspace,
  },
  {
    what: "a file of the workspace is renamed and linked into another folder",
    script: [
      "perl",
      'mkdir "a"; mkdir "b"; open(my $f, ">", "a/f") or exit 1; yes(rename("a/f", "b/f") && link("b/f", "a/g"))',
    ],
    expected: inWorkspace,
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
    what: "times, mode and attributes of a file of the workspace are changed",
    script: [
      "perl",
      'utime(1, 1, "there") && chmod(0600, "there") or exit 1; yes(call([188, 5], "there", "user.probe", "1", 1, 0) == 0 || $!{EOPNOTSUPP})',
    ],
    expected: inWorkspace,
  },
  {
    what: "a file of the workspace gets another owner",
    script: ["perl", 'yes(chown(1, 1, "there"))'],
    expected: inWorkspace,
    by: "root",
  },
  {
    what: "a file below /tmp is written",
    script: ["bash", "f=$(mktemp /tmp/codex-probe-XXXXXX) && echo a > $f && rm $f"],
    expected: inWorkspace,
  },
  {
    what: "a file below $TMPDIR is written",
    script: ["bash", 'f=$(mktemp) && [ "$(dirname $f)" = "$TMPDIR" ] && echo a > $f && rm $f'],
    expected: inWorkspace,
  },
  {
    what: "files outside are read, programs from there are run",
    script: ["bash", 'cat "$OUT/victim" /etc/passwd > /dev/null && ls / /etc > /dev/null && env true'],
    expected: always,
  },
  {
    what: "/dev/null is written, /dev/zero and /dev/urandom are read",
    script: ["bash", "head -qc 8 /dev/zero /dev/urandom > /dev/null && echo a >> /dev/null"],
    expected: always,
  },
  {
    what: "a text in the script is read as a file",
    script: ["bash", '[ "$(cat <<< hello)" = hello ] && [ "$(cat <(echo a))" = a ]'],
    expected: always,
  },
  {
    what: "files are locked, and shared through a pipe with a name",
    script: [
      "bash",
      'exec 8>> lock && flock -n 8 && mkfifo pipe && { echo hi > pipe & } && read -r x < pipe && [ "$x" = hi ]',
    ],
    expected: inWorkspace,
  },

  { what: "a file is made outside", script: ["bash", 'echo a > "$OUT/made"'], expected: never },
  { what: "a file outside is appended to", script: ["bash", 'echo a >> "$OUT/victim"'], expected: never },
  {
    what: "a file outside is opened to read and write",
    script: ["perl", 'yes(open(my $f, "+<", "$ENV{OUT}/victim"))'],
    expected: never,
  },
  { what: "a file outside is deleted", script: ["bash", 'rm -f "$OUT/victim"'], expected: never },
  { what: "a folder is made outside", script: ["bash", 'mkdir "$OUT/made"'], expected: never },
  { what: "a folder outside is removed", script: ["bash", 'rmdir "$OUT/empty"'], expected: never },
  { what: "a link is made outside", script: ["bash", 'ln -s x "$OUT/made"'], expected: never },
  { what: "a pipe with a name is made outside", script: ["bash", 'mkfifo "$OUT/made"'], expected: never },
  {
    what: "a file outside is truncated by its name",
    script: ["perl", 'yes(call([76, 45], "$ENV{OUT}/victim", 0) == 0)'],
    expected: never,
  },
  {
    what: "a file outside is truncated by opening it to read",
    script: ["perl", 'yes(sysopen(my $f, "$ENV{OUT}/victim", O_RDONLY | O_TRUNC))'],
    expected: never,
  },
  {
    what: "a file outside is truncated by opening it neither to read nor to write",
    script: ["perl", 'yes(call([257, 56], -100, "$ENV{OUT}/victim", 3 | O_TRUNC, 0) >= 0)'],
    expected: never,
  },
  {
    what: "a file outside is moved into the workspace",
    script: ["perl", 'yes(rename("$ENV{OUT}/victim", "stolen"))'],
    expected: never,
  },
  {
    what: "a file of the workspace is moved outside",
    script: ["perl", 'yes(rename("there", "$ENV{OUT}/made"))'],
    expected: never,
  },
  {
    what: "an outside file is exchanged with one of the workspace",
    script: ["perl", 'yes(call([316, 276], -100, "there", -100, "$ENV{OUT}/victim", 2) == 0)'],
    expected: never,
  },
  {
    what: "a file outside gets a second name in the workspace",
    script: ["perl", 'yes(link("$ENV{OUT}/victim", "linked"))'],
    expected: never,
  },
  {
    what: "an unnamed file gets a name outside",
    script: [
      "perl",
      'sysopen(my $f, ".", O_RDWR | 020200000 & ~0200000 | O_DIRECTORY, 0600) or exit 1; yes(call([265, 37], -100, "/proc/self/fd/" . fileno($f), -100, "$ENV{OUT}/made", 0x400) == 0)',
    ],
    expected: never,
  },
  {
    what: "a link in the workspace leads to an outside file",
    before: 'ln -s "$OUT/victim" way',
    script: ["bash", "echo a >> way"],
    expected: never,
  },
  {
    what: "a link in the workspace leads to an outside folder",
    before: 'ln -s "$OUT" way',
    script: ["bash", "echo a > way/made"],
    expected: never,
  },
  {
    what: "a link is turned while it is followed",
    script: [
      "perl",
      `my $own = "$ENV{PWD}/own"; mkdir $own; symlink($own, "way") or exit 1;
       my $child = fork;
       if (!$child) { while (1) { for my $to ($ENV{OUT}, $own) { symlink($to, "next"); rename("next", "way") } } }
       # The pauses let the other have its turns where processors are few.
       for (1 .. 3000) {
         select(undef, undef, undef, 0.0005) if $_ % 100 == 1;
         open(my $f, ">", "way/made"); last if -e "$ENV{OUT}/made";
       }
       kill 9, $child; yes(-e "$ENV{OUT}/made")`,
    ],
    expected: never,
  },
  {
    what: "$TMPDIR becomes a link, and the next command writes there",
    alone: { base: "/tmp", first: 'rm -rf "$TMPDIR"; ln -s /var/tmp "$TMPDIR"' },
    script: ["bash", "f=/var/tmp/codex-probe-$$; [ -L $TMPDIR ] || exit 1; echo a > $f && rm $f"],
    expected: never,
    unsandboxed: "no",
  },
  {
    what: "`..` leads outside",
    script: ["bash", 'echo a >> "$(realpath --relative-to=. "$OUT")/victim"'],
    expected: never,
  },
  {
    what: "one's own root folder in /proc is the way",
    script: ["bash", 'echo a >> "/proc/self/root$OUT/victim"'],
    expected: never,
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
    what: "the workspace is renamed",
    alone: {},
    script: ["bash", 'mv "$PWD" "$PWD-moved" && mv "$PWD-moved" "$PWD"'],
    expected: never,
  },
  { what: "the home folder is written", script: ["bash", 'echo a > "$HOME/made" && rm "$HOME/made"'], expected: never },
  {
    what: "another folder for everybody is written",
    script: ["bash", "echo a > /var/tmp/codex-probe-$$ && rm /var/tmp/codex-probe-$$"],
    expected: never,
  },
  {
    what: "a setting of the kernel is opened for writing",
    script: ["bash", ": >> /proc/sys/kernel/core_pattern"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "a group of processes is made below /sys",
    script: [
      "bash",
      "d=$(ls -d /sys/fs/cgroup/pids /sys/fs/cgroup 2> /dev/null | head -1)/codex-probe-$$; mkdir $d && rmdir $d",
    ],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
  },
  {
    what: "a device beside /dev/null is opened for writing",
    script: ["bash", ": >> /dev/zero"],
    expected: never,
    bubblewrap: always,
    note: "bubblewrap has a /dev of its own, with nothing in it but null, zero, full, random, urandom and terminals",
  },
  {
    what: "a device is made in the workspace",
    script: ["bash", "mknod device c 1 3"],
    expected: never,
    by: "root",
    unsandboxed: "maybe",
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
    what: "a flag of one's own file outside is changed",
    script: [
      "perl",
      `open(my $f, "<", "$ENV{OUT}/victim") or exit 2; my $flags = "\\0" x 8; ioctl($f, 0x80086601, $flags) or exit 1;
       yes(ioctl($f, 0x40086602, pack("Q", unpack("L", $flags) ^ 0x40)))`,
    ],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "a file of the workspace is given its group's rights",
    script: ["perl", 'yes(chmod(02755, "there"))'],
    expected: never,
  },
  {
    what: "a file of the workspace is made with its owner's rights",
    script: ["perl", 'yes(sysopen(my $f, "rights-$$", O_CREAT | O_WRONLY, 04755))'],
    expected: never,
  },
  {
    what: "others are kept from a file outside by a lease on it",
    script: ["perl", 'open(my $f, "<", "$ENV{OUT}/victim") or exit 2; yes(fcntl($f, 1024, 0))'],
    expected: never,
    unsandboxed: "maybe",
  },
  {
    what: "the generation of one's own file outside is changed",
    script: [
      "perl",
      'open(my $f, "<", "$ENV{OUT}/victim") or exit 2; my $g = pack("Q", 7); yes(ioctl($f, 0x40086604, $g) || ioctl($f, 0x40087602, $g))',
    ],
    expected: never,
    unsandboxed: "maybe",
  },
];

export const fileHoles: readonly Probe[] = [
  {
    what: "the mode of one's own file outside is changed",
    script: ["perl", 'yes(chmod(0600, "$ENV{OUT}/victim"))'],
    expected: inWorkspace,
    bubblewrap: never,
    hole: metadata,
  },
  {
    what: "the times of one's own file outside are changed",
    script: ["perl", 'yes(utime(1, 1, "$ENV{OUT}/victim"))'],
    expected: inWorkspace,
    bubblewrap: never,
    hole: metadata,
  },
  {
    what: "one's own file outside gets an attribute",
    script: ["perl", 'yes(call([188, 5], "$ENV{OUT}/victim", "user.probe", "1", 1, 0) == 0)'],
    expected: inWorkspace,
    bubblewrap: never,
    unsandboxed: "maybe",
    hole: metadata,
  },
  {
    what: "a file outside gets another owner",
    script: ["perl", 'yes(chown(1, 1, "$ENV{OUT}/victim"))'],
    expected: inWorkspace,
    bubblewrap: never,
    by: "root",
    hole: metadata,
  },
  {
    what: "a file outside is written by a name that it had in the workspace before",
    before: 'ln "$OUT/victim" linked',
    script: ["bash", "echo a >> linked"],
    expected: inWorkspace,
    hole: "hard links that are there already: have package managers copy instead of link",
  },
  {
    what: "a file outside is locked as a whole, and nobody else gets the lock",
    script: ["perl", twoLocks(exclusiveLock)],
    expected: inWorkspace,
    hole: flock,
  },
  {
    what: "the same with a lock that can be shared",
    script: ["perl", twoLocks(sharedLock)],
    expected: inWorkspace,
    hole: flock,
  },
  {
    what: "a file outside is read under a shared lock",
    script: ["perl", 'open(my $f, "<", "$ENV{OUT}/victim") or exit 2; yes(flock($f, 1) && <$f> && flock($f, 8))'],
    expected: always,
    note: "Go reads go.mod so; in `read-only` nothing is locked",
  },
  {
    what: "a record of a file outside is locked, and nobody writes it who asks for the lock",
    script: [
      "perl",
      'open(my $f, "<", "$ENV{OUT}/victim") or exit 2; my $l = pack("ssx4qqix4", 0, 0, 0, 0, 0); yes(fcntl($f, 6, $l))',
    ],
    expected: always,
    hole: "it is a lock for reading, without which SQLite cannot read; the filter does not see which lock is asked for",
  },
  {
    what: "the same with a record lock that belongs to the descriptor",
    script: [
      "perl",
      'open(my $f, "<", "$ENV{OUT}/victim") or exit 2; my $l = pack("ssx4qqix4", 0, 0, 0, 0, 0); yes(fcntl($f, 37, $l))',
    ],
    expected: always,
    hole: "it is a lock for reading, as above",
  },
  {
    what: "a secret outside is read",
    script: ["bash", 'grep -q original "$OUT/victim"'],
    expected: always,
    hole: "everything of the user's can be read",
  },
  {
    what: "memory that looks like files is written",
    script: ["bash", "echo a > /dev/shm/codex-probe-$$ && rm /dev/shm/codex-probe-$$"],
    expected: never,
    bubblewrap: always,
    unsandboxed: "maybe",
    note: "bubblewrap gives each command one of its own",
  },
  {
    what: "a terminal is made",
    script: ["perl", 'yes(open(my $f, "+<", "/dev/ptmx"))'],
    expected: never,
    bubblewrap: always,
    unsandboxed: "maybe",
    note: "`script` and tmux need it",
  },
  {
    what: "Python's processes share their work",
    script: ["bash", "python3 -c 'import multiprocessing as m; exit(0 if m.Pool(1).map(abs, [-1]) == [1] else 1)'"],
    expected: never,
    bubblewrap: always,
    unsandboxed: "maybe",
    note: "needs /dev/shm",
  },
  {
    what: "a file of the workspace is renamed into /tmp",
    script: ["perl", 'yes(rename("there", "/tmp/codex-probe-$$") && unlink("/tmp/codex-probe-$$"))'],
    expected: inWorkspace,
    bubblewrap: never,
    unsandboxed: "maybe",
    note: "each writable folder is a mount of its own under bubblewrap; `mv` copies instead",
  },
];
