import type { Argument, Command, Option } from "commander";

/** The manual page in `man` macros: what the program says of itself, and the tables at the end of this file. */
export function manPage(program: Command): string {
  const name = program.name();
  const commands = commandsBelow(program, name);
  const lines = [
    `.\\" Made from the commands and flags of ${name}; what is changed here will be lost.`,
    `.TH ${name.toUpperCase()} 1 "" ${name} "User Commands"`,
    ".nh", // a flag or value that is hyphenated cannot be copied
    ".ad l",
    ".SH NAME",
    `${escapeText(name)} \\- ${escapeText(asPhrase(program.description()))}`,
    ".SH SYNOPSIS",
    `${bold(name)} ${usage("[options] command")}`,
    ...commands.flatMap(({ path, command }) => [".br", `${bold(path)} ${usage(command.usage())}`]),
    ".SH DESCRIPTION",
    description.map(escapeLine).join("\n.PP\n"),
    ".SH OPTIONS",
    ...optionsOf(program).flatMap(optionEntry),
    ".SH COMMANDS",
    ...commands.flatMap(commandSection),
    ".SH EXIT STATUS",
    ...exitStatus.flatMap(([status, text]) => entry(bold(status), text)),
    ".SH ENVIRONMENT",
    ...environment.flatMap(([names, text]) => entry(names.split(", ").map(bold).join(", "), text)),
    ".SH FILES",
    ...files.flatMap(([file, text]) => entry(italic(file), text)),
    ".SH EXAMPLES",
    examples.map(example).join("\n.PP\n"),
    ".SH SEE ALSO",
    ".BR git (1)",
  ];
  return `${lines.join("\n")}\n`;
}

interface CommandAt {
  /** All words up to the command: `codex exec`. */
  readonly path: string;
  readonly command: Command;
}

/** Each command before its own subcommands. */
function commandsBelow(command: Command, path: string): readonly CommandAt[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((child) => {
      const childPath = `${path} ${child.name()}`;
      const below = child.name() === "help" ? [] : commandsBelow(child, childPath); // it has every name once more
      return [{ path: childPath, command: child }, ...below];
    });
}

function commandSection({ path, command }: CommandAt): readonly string[] {
  const aliases = command.aliases().map((alias) => bold(alias));
  return [
    `.SS ${escapeText(path)}`,
    escapeLine(asSentence(command.description() || command.summary())),
    ...(aliases.length === 0 ? [] : [`Alias: ${aliases.join(", ")}.`]),
    ...command.registeredArguments.filter(({ description }) => description !== "").flatMap(argumentEntry),
    ...optionsOf(command).flatMap(optionEntry),
  ];
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function argumentEntry(argument: Argument): readonly string[] {
  return entry(italic(argument.name()), describe(argument));
}

function optionEntry(option: Option): readonly string[] {
  const names = [option.short, option.long].filter((name) => name !== undefined).map(bold);
  const value = /[<[].*/.exec(option.flags)?.[0];
  return entry(`${names.join(", ")}${value === undefined ? "" : ` ${usage(value)}`}`, describe(option));
}

function describe({ description, argChoices, defaultValue }: Option | Argument): string {
  const choices = argChoices === undefined ? "" : ` One of: ${argChoices.join(", ")}.`;
  const preset = typeof defaultValue === "string" ? ` Default: ${defaultValue}.` : "";
  return `${asSentence(description)}${choices}${preset}`;
}

function entry(tag: string, text: string): readonly string[] {
  return [".TP", tag, escapeLine(text)];
}

function example([text, line]: readonly [string, string]): string {
  return [escapeLine(text), ".PP", ".RS 4", ".nf", escapeLine(line), ".fi", ".RE"].join("\n");
}

/** Of a usage text: names of values in italics, without their angle brackets. */
function usage(text: string): string {
  return text
    .split(/([<[].*?[>\]])/)
    .map((part) => {
      const [, bracket, name = "", dots = ""] = /^([<[])(.*?)(\.\.\.)?[>\]]$/.exec(part) ?? [];
      if (bracket === undefined) return escapeText(part);
      return bracket === "[" ? `[${italic(name)}${dots}]` : `${italic(name)}${dots}`;
    })
    .join("");
}

function bold(text: string): string {
  return `\\fB${escapeText(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escapeText(text)}\\fR`;
}

/** Characters that roff would print as another one, so that what is copied from the page works. */
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "~": "\\(ti",
  "^": "\\(ha",
};

function escapeText(text: string): string {
  return text.replace(/[\\\-'`~^]/g, (character) => escapes[character] ?? character);
}

/** A dot that opens a line would make it a request. */
function escapeLine(text: string): string {
  return escapeText(text).replace(/^\./, "\\&.");
}

function asPhrase(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1).replace(/\.$/, "")}`;
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

type Table = readonly (readonly [term: string, text: string])[];

const description: readonly string[] = [
  "A coding agent without a screen of its own: it is given a task, works on the files of a directory with the help of a language model, and ends with a status that a script can rely on.",
  "The answer goes to standard output, the log to standard error. The commands that the model wants are run in a sandbox.",
];

const exitStatus: Table = [
  ["0", "The task was completed."],
  ["1", "The task failed or could not be started; of proto, the session."],
  ["2", "The command line was wrong."],
  ["3", "A limit set by the user was reached (--max-turns, --timeout)."],
  ["129, 130, 143", "Ended by SIGHUP, SIGINT or SIGTERM."],
  ["141", "The reader of standard output went away (0 of proto, for which that is an end like others)."],
];

const environment: Table = [
  [
    "CODEX_HOME",
    "Directory of configuration, credentials and sessions, which must exist. Default: ~/.codex, which need not.",
  ],
  ["CODEX_API_KEY, OPENAI_API_KEY", "Key for the OpenAI service; the first one that is set counts, before auth.json."],
  ["OPENAI_BASE_URL", "Where requests to the OpenAI service go instead."],
  ["CODEX_OSS_BASE_URL", "Where the server for --oss is found. Default: port 11434 of this machine."],
  ["CODEX_OSS_PORT", "Only the port of that server."],
  [
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
    "Proxy for requests, and the hosts that need none. Names in lower case count first; this machine itself is never asked through a proxy.",
  ],
  ["NODE_EXTRA_CA_CERTS", "File of certificates that are trusted besides the usual ones."],
  ["SSL_CERT_FILE", "File of certificates that are trusted instead of the usual ones."],
  [
    "CODEX_LOG, RUST_LOG",
    "What is logged on standard error: a level (error, warn, info, debug, trace, off), or levels by part. Default of proto: info.",
  ],
  ["NO_COLOR", "No colours in the log, unless FORCE_COLOR or --color says otherwise."],
  ["FORCE_COLOR", "Colours in the log, unless --color says otherwise."],
];

const files: Table = [
  ["$CODEX_HOME/config.toml", "Configuration."],
  ["$CODEX_HOME/AGENTS.md", "Instructions for every task."],
  ["AGENTS.md", "Instructions for a project, read from the root of its git repository down to the working directory."],
  ["$CODEX_HOME/auth.json", "Stored credentials, readable for the user alone."],
  ["$CODEX_HOME/.env", "More environment variables; those whose names begin with CODEX_ are passed over."],
  ["$CODEX_HOME/sessions/", "One file of JSON lines for each conversation."],
  ["$CODEX_HOME/archived_sessions/", "Those that were taken out of the list."],
];

const examples: Table = [
  ["Ask about the files here; nothing can be changed:", 'codex exec "what does this repository do?"'],
  [
    "Let it change files below the working directory, and keep the answer:",
    'codex exec --full-auto -o answer.md "make the failing test pass"',
  ],
  ["Add the output of a program to the task:", 'git diff | codex exec "review this change"'],
  ["Follow the events in a script:", `codex exec --json "list the open TODO comments" | jq -r '.msg.type // empty'`],
  ["Go on with the last session of this directory:", 'codex exec resume --last "now write a test for it"'],
  [
    "Hold a conversation from a program; see docs/proto.md:",
    `echo '{"id":"1","op":{"type":"user_input","items":[{"type":"text","text":"hi"}]}}' | codex proto`,
  ],
  ["Use a model on this machine:", 'codex exec --oss "explain src/main.ts"'],
  ["Complete commands and flags in bash:", "source <(codex completion bash)"],
];
