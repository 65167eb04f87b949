import { closeSync, fstatSync } from "node:fs";
import { openPinned } from "../lib/open-pinned.ts";
import type { WritableRoot } from "./writable-roots.ts";

/** What it says and the status it ends with when the command is not run. */
const failedCheck = { status: 125, pattern: /^codex-mount-check: (replaced|exec (\d+))\n/ };

/**
 * Bubblewrap resolves names before it mounts, and another command could put a link in the place of a folder in between: a
 * folder outside would be writable then. So what runs first within the mounts looks at each that can be written. It must
 * be one of ours, by its number, or have come along below one of ours (a volume in the workspace).
 */
const script = `
my $variables = shift(@ARGV);
my %own = splice(@ARGV, 0, 2 * shift(@ARGV));
sub stop { print STDERR "codex-mount-check: $_[0]\\n"; exit ${failedCheck.status} }
open(my $mounts, "<", "/proc/self/mountinfo") or stop("replaced");
while (<$mounts>) {
  my @field = split(/ /, $_);
  next if $field[5] !~ /^rw(?:,|$)/;
  my $path = $field[4]; $path =~ s/\\\\([0-7]{3})/chr(oct($1))/ge;
  if (exists($own{$path})) { my @found = lstat($path); next if @found && "$found[0]:$found[1]" eq $own{$path} }
  else { next if $path eq "/dev" || grep({ index($path, $_ eq "/" ? "/" : "$_/") == 0 } "/dev", keys(%own)) }
  stop("replaced");
}
close($mounts);
open(my $file, "<&=", $variables) or stop("replaced");
my @variables = split(/\\0/, do { local $/; <$file> } // "", -1);
close($file);
my $folder = $ENV{PWD};
while (@variables > 1) { my ($name, $value) = splice(@variables, 0, 2); $ENV{$name} = $value }
$ENV{PWD} = $folder if defined($folder);
exec { $ARGV[0] } @ARGV;
stop("exec " . ($! + 0));
`;

export interface MountCheck {
  readonly perl: string;
  /** Each folder that may be written, and its number. */
  readonly folders: ReadonlyMap<string, string>;
}

/** Undefined without perl: then nothing is looked at. */
export function mountCheck(
  perl: string | undefined,
  { roots, folders }: { readonly roots: readonly WritableRoot[]; readonly folders: readonly string[] },
): MountCheck | undefined {
  const known = new Map(roots.map((root) => [root.path, `${root.device}:${root.inode}`]));
  if (perl === undefined || known.size === 0) return undefined;
  for (const folder of folders) known.set(folder, numberOf(folder));
  return { perl, folders: known };
}

/**
 * The command behind the check. The check itself has no environment, through which a library of the workspace could take
 * its place; it reads the command's from the descriptor `variables`.
 */
export function behindCheck(
  { perl, folders }: MountCheck,
  { argv, variables }: { readonly argv: readonly string[]; readonly variables: number },
): readonly string[] {
  return [perl, "-f", "-e", script, String(variables), String(folders.size), ...[...folders].flat(), ...argv];
}

/** For the descriptor `variables`. */
export function encodeVariables(env: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(
    Object.entries(env)
      .map(([name, value]) => `${name}\0${value}\0`)
      .join(""),
  );
}

function numberOf(folder: string): string {
  const fd = openPinned(folder);
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  } finally {
    closeSync(fd);
  }
}

/** Why the check did not run the command: the number of an error of execvp, or a folder that is not what it was. */
export function failedMountCheck(
  status: number | null,
  stderr: string,
): { readonly errno: number } | "replaced" | undefined {
  if (status !== failedCheck.status) return undefined;
  const found = failedCheck.pattern.exec(stderr);
  if (found === null) return undefined;
  return found[2] === undefined ? "replaced" : { errno: Number(found[2]) };
}
