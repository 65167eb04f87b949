import { readPlainScript } from "./plain-script.ts";

/** True for commands that only read, whatever the workspace holds. */
export function isTrustedCommand(command: readonly string[]): boolean {
  if (isTrustedProgram(command)) return true;
  const [shell, flag, script] = command;
  if (command.length !== 3 || shell !== "bash" || flag !== "-lc" || script === undefined) return false;
  const commands = readPlainScript(script);
  if (commands === undefined) return false;
  return commands.every(
    ({ words, hasOpenPattern }) => isTrustedProgram(words) && (!hasOpenPattern || alwaysTrusted.has(words[0] ?? "")),
  );
}

/** `sed -n N[,M]p FILE`, the one use of sed that can do nothing but print. */
export function isSedPrint(words: readonly string[]): boolean {
  const [program, flag, range = "", file = ""] = words;
  // A "file" with a dash would be one more option: -fSCRIPT, -eSCRIPT.
  return (
    words.length === 4 &&
    program === "sed" &&
    flag === "-n" &&
    /^\d+(?:,\d+)?p$/.test(range) &&
    file !== "" &&
    !file.startsWith("-")
  );
}

function isTrustedProgram([program = "", ...args]: readonly string[]): boolean {
  if (alwaysTrusted.has(program)) return true;
  switch (program) {
    case "find":
      return !args.some((arg) => findActions.has(arg));
    case "rg":
      return !args.some(startsProgramOfRipgrep);
    case "git":
      return isTrustedGit(args);
    case "cargo":
      return args[0] === "check";
    case "sed":
      return isSedPrint([program, ...args]);
    default:
      return false;
  }
}

const alwaysTrusted: ReadonlySet<string> = new Set(
  "cat cd echo false grep head ls nl pwd tail true wc which".split(" "),
);

/** What makes find run a program, delete, or write a file. */
const findActions: ReadonlySet<string> = new Set(
  "-exec -execdir -ok -okdir -delete -fls -fprint -fprint0 -fprintf".split(" "),
);

function startsProgramOfRipgrep(arg: string): boolean {
  // The letters left out take the rest of their word as a value: -ez searches for "z".
  return /^--(?:pre|hostname-bin)(?:=|$)|^--search-zip$|^-[^-ABCEMTdefgjmrt]*z/.test(arg);
}

function isTrustedGit([subcommand, ...args]: readonly string[]): boolean {
  switch (subcommand) {
    case "status":
    case "log":
    case "diff":
    case "show":
      return !args.some(isRiskyGitOption);
    case "branch":
      return args.every((arg) => branchListing.test(arg));
    default:
      return false;
  }
}

/** Git also takes the beginning of an option's name for the whole. */
function isRiskyGitOption(arg: string): boolean {
  const [name = ""] = arg.split("=", 1);
  return name.length > 2 && riskyGitOptions.some((option) => option.startsWith(name));
}

/** They write a file, run a program of the repository's choice, or open a viewer. */
const riskyGitOptions = ["--output", "--ext-diff", "--help"] as const;

/** Flags that list; any name may create, move or delete a branch. */
const branchListing =
  /^(?:-[arv]+|--(?:all|remotes|list|verbose|show-current|ignore-case|merged|no-merged|(?:no-)?(?:color|column|abbrev)|(?:sort|format|color|column|abbrev)=.*))$/s;
