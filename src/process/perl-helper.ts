/**
 * The helper of a command as a script for perl, which starts in a tenth of Node's time. It decides nothing: what it is to
 * do comes as data, and it makes the same system calls in the same order as the helper in Node does.
 */
import { constants as fsConstants } from "node:fs";
import { constants } from "node:os";
import { pathOnly } from "../lib/open-pinned.ts";
import { keptCapabilities } from "./capabilities.ts";
import type { ExecRequest } from "./helper-request.ts";
import { planRuleset, ruleOnPath } from "./landlock.ts";
import { markResource } from "./mark.ts";
import { seccompFilter } from "./seccomp.ts";
import { type Cpu, callNumber, type SystemCall } from "./system-calls.ts";

/** Where every distribution has it; nothing that PATH says is asked. */
export const perlProgram = "/usr/bin/perl";

/** Tells whether this perl counts as the script needs it. `-f`: no code of the machine's own runs first. */
export const perlCheck = ["-f", "-e", 'exit(length(pack("Q", 1)) == 8 ? 0 : 1)'];

/** The arguments that make perl the helper. */
export function perlArguments(cpu: Cpu): readonly string[] {
  const number = (name: SystemCall) => callNumber(name, cpu) ?? -1;
  const script = `
binmode(STDERR); open(my $control, "+<&=", 3) or exit 125; binmode($control);
my $request = do { local $/; <$control> };
exit 0 if !defined($request) || $request eq "";
my @field = split(/\\0/, $request, -1);
sub next_field { shift(@field) } sub next_list { my $n = next_field() + 0; splice(@field, 0, $n) }
sub fail {
  my ($kind, $call, $message) = (@_, ""); my $errno = $! + 0;
  syswrite($control, qq({"kind":"$kind","call":"$call","errno":$errno,"message":"$message"}\\n)); exit 125;
}
sub try_call { my $name = shift; my $number = shift; syscall($number, @_) }
sub must_call { my $result = try_call(@_); fail("setup", $_[0]) if $result == -1; $result }
my @argv = next_list(); my @variables = next_list(); my $cwd = next_field(); my $mark = next_field() + 0;
my $attributes = pack("H*", next_field()); my @allowed = next_list(); my $filter = pack("H*", next_field());
must_call("prctl", ${number("prctl")}, 1, ${constants.signals.SIGTERM}, 0, 0, 0);
try_call("unshare", ${number("unshare")}, 0x08000000);
my ($header, $sets) = (pack("LL", 0x20080522, 0), "\\0" x 24);
must_call("capget", ${number("capget")}, $header, $sets);
my @held = unpack("L6", $sets);
if ($held[1] || $held[4]) {
  for my $n (0 .. 63) { last if !($n < 32 && ${keptCapabilities} >> $n & 1) && try_call("prctl", ${number("prctl")}, 24, $n, 0, 0, 0) == -1 }
  try_call("prctl", ${number("prctl")}, 47, 4, 0, 0, 0);
  my $kept = $held[1] & ${keptCapabilities}; $sets = pack("L6", $kept, $kept, 0, 0, 0, 0);
  must_call("capset", ${number("capset")}, $header, $sets);
}
must_call("prctl", ${number("prctl")}, 38, 1, 0, 0, 0);
$SIG{FPE} = "DEFAULT";
must_call("setrlimit", ${number("setrlimit")}, 4, "\\0" x 16);
must_call("close_range", ${number("close_range")}, 3, 0xffffffff, 4);
try_call("setrlimit", ${number("setrlimit")}, ${markResource}, pack("QQ", $mark, $mark));
chdir($cwd) or fail("exec", "");
my $ruleset = must_call("landlock_create_ruleset", ${number("landlock_create_ruleset")}, $attributes, length($attributes), 0);
while (@allowed) {
  my ($path, $on_folder, $on_file, $device, $inode) = splice(@allowed, 0, 5);
  sysopen(my $handle, $path, ${pathOnly | fsConstants.O_NOFOLLOW}) or fail("setup", "open");
  my @found = stat($handle) or fail("setup", "fstat");
  if ($device ne "" && ($found[0] ne $device || $found[1] ne $inode)) {
    $path =~ s/([\\x00-\\x1f"\\\\])/sprintf("\\\\u%04x", ord($1))/ge;
    fail("setup", "", qq(the writable folder \\\\"$path\\\\" was replaced since the session began));
  }
  my $rule = pack("Ql", ($found[2] & 0170000) == 0040000 ? $on_folder : $on_file, fileno($handle));
  must_call("landlock_add_rule", ${number("landlock_add_rule")}, $ruleset, ${ruleOnPath}, $rule, 0);
}
must_call("landlock_restrict_self", ${number("landlock_restrict_self")}, $ruleset, 0);
my $program = pack("Sx6P", length($filter) / 8, $filter);
must_call("prctl", ${number("prctl")}, 22, 2, $program, 0, 0);
syswrite($control, qq({"kind":"restricted"}\\n));
%ENV = (); while (@variables) { my ($name, $value) = splice(@variables, 0, 2); $ENV{$name} = $value }
exec { $argv[0] } @argv;
fail("exec", "");
`;
  return ["-f", "-e", script];
}

/** The request as the script reads it: fields that end with a zero byte each, lists with their length in front. */
export function encodeForPerl({ argv, env, cwd, mark, restrictions }: ExecRequest, cpu: Cpu): Buffer {
  const { network, readOnly, landlockAbi, writableRoots } = restrictions;
  const { attributes, allowed } = planRuleset({ abi: landlockAbi, writableRoots, network });
  const list = (items: readonly (string | number)[]) => [items.length, ...items];
  const fields = [
    ...list(argv),
    ...list(Object.entries(env).flat()),
    cwd,
    mark,
    attributes.toString("hex"),
    ...list(
      allowed.flatMap(({ path, rightsOnFolder, rightsOnFile, expected }) => [
        path,
        rightsOnFolder,
        rightsOnFile,
        expected?.device ?? "",
        expected?.inode ?? "",
      ]),
    ),
    seccompFilter({ cpu, network, readOnly, landlockAbi }).toString("hex"),
  ];
  return Buffer.from(fields.join("\0"));
}
