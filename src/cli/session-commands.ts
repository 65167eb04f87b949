import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { cursorPattern } from "../rollout/session-cursor.ts";
import { positiveInteger } from "./positive-integer.ts";
import type { ResumeFlags } from "./resume-target.ts";
import type { SessionsAction } from "./sessions-command.ts";

interface WhichFlags {
  readonly last?: boolean;
  readonly all?: boolean;
}

export function resumeOptions(): readonly Option[] {
  return [
    new Option("--last", "go on with the session of this directory that was used last"),
    new Option("--all", "with --last: of any directory"),
  ];
}

/** Undefined: a new session. */
export function resumeFlags(id: string | undefined, { last, all }: WhichFlags): ResumeFlags | undefined {
  if (id === undefined && last !== true) return undefined;
  return { id, everywhere: all === true, asFork: false };
}

/** What a word of the prompt's place may also be. */
const words = ["resume", "fork"] as const;

/**
 * `exec` with what goes on with an earlier session. The options of `exec` are its own on either side of the word, so
 * those of `resume` have to be known to it too.
 */
export function addForkAndResume(
  exec: Command,
  execute: (prompt: string | undefined, resume: ResumeFlags | undefined) => Promise<void>,
): void {
  exec.enablePositionalOptions(false); // which it has from the program
  for (const option of resumeOptions()) exec.addOption(option.hideHelp());
  const which = (): WhichFlags => exec.opts();
  const checkAll = () => {
    if (which().all === true && which().last !== true) exec.error("error: option '--all' belongs to '--last'");
  };
  const resume = (id: string | undefined, prompt: string | undefined) => {
    checkAll();
    if (which().last !== true) {
      if (id === undefined) exec.error("error: missing session id; the last session is resumed with '--last'");
      return execute(prompt, resumeFlags(id, which()));
    }
    if (prompt !== undefined) exec.error("error: option '--last' cannot be used with a session id");
    return execute(id, resumeFlags(undefined, which()));
  };
  const fork = (id: string | undefined, prompt: string | undefined) => {
    if (which().last === true) exec.error("error: option '--last' belongs to 'resume'");
    checkAll();
    if (id === undefined) return exec.error("error: missing session id");
    return execute(prompt, { id, everywhere: false, asFork: true });
  };

  exec.action((prompt: string | undefined) => {
    // `-i` takes every word up to the next flag, and so it takes the command behind it, too.
    const { image = [] }: { readonly image?: readonly string[] } = exec.opts();
    const at = image.findIndex((word, index) => index > 0 && words.some((name) => name === word) && !existsSync(word));
    if (at !== -1) {
      const [word, id, text, ...rest] = [...image.slice(at), ...(prompt === undefined ? [] : [prompt])];
      if (rest.length > 0) exec.error(`error: too many arguments for '${word}'`);
      exec.setOptionValue("image", image.slice(0, at));
      return word === "fork" ? fork(id, text) : resume(id, text);
    }
    if (which().last === true) exec.error("error: option '--last' belongs to 'resume'");
    checkAll();
    return execute(prompt, undefined);
  });
  const help = "Every option of codex exec may stand before or behind the word.";
  const resumeCommand = exec
    .command("resume")
    .allowExcessArguments(false)
    .summary("go on with an earlier session")
    .description(
      `Go on with an earlier session: in its directory, under its sandbox and approval policy, unless an option says otherwise. ${help}`,
    )
    .argument("[id]", "session to go on with, or the first characters of its id; codex sessions list shows them")
    .argument("[prompt]", 'what to do; "-" or nothing: read it from stdin')
    .helpOption("-h, --help", "print help")
    .action(resume);
  for (const option of resumeOptions()) resumeCommand.addOption(option);
  const forkCommand = exec
    .command("fork")
    .allowExcessArguments(false)
    .summary("go on with a copy of an earlier session")
    .description(`Go on with a copy of an earlier session, which stays as it is; the copy has a new id. ${help}`)
    .argument("<id>", "session to copy, or the first characters of its id")
    .argument("[prompt]", 'what to do; "-" or nothing: read it from stdin')
    .helpOption("-h, --help", "print help")
    .action(fork);
  for (const command of [resumeCommand, forkCommand]) {
    const visibleGlobalOptions = () => exec.createHelp().visibleOptions(exec);
    command.configureHelp({ ...exec.configureHelp(), visibleGlobalOptions }); // help shows none of them, completions all
  }
}

export function addSessionsCommand(program: Command, run: (action: SessionsAction) => Promise<void>): void {
  const sessions = program
    .command("sessions")
    .summary("list, show and tidy earlier sessions")
    .description(
      "List, show and tidy earlier sessions, which codex exec resume and the other commands go on with. The first characters of an id are enough, from 4 on, while no other session has the same.",
    )
    .helpOption("-h, --help", "print help")
    .helpCommand(false);
  sessions.action(() => {
    const [word] = sessions.args;
    if (word === undefined) sessions.help({ error: true });
    sessions.error(`error: unknown command '${word}'`);
  });
  sessions.allowExcessArguments();
  const add = (name: string, description: string) =>
    sessions
      .command(name)
      .allowExcessArguments(false)
      .description(description)
      .option("--json", "print one line of JSON")
      .helpOption("-h, --help", "print help");

  add("list", "List sessions, newest first.")
    .option("-C, --cd <dir>", "only those that began in this directory")
    .option("-n, --limit <n>", "at most so many", positiveInteger, 25)
    .option("--cursor <cursor>", "go on behind this one, which the page before named", checkedCursor)
    .option("--archived", "those that were archived")
    .action((flags: ListFlags) =>
      run({
        type: "list",
        json: flags.json === true,
        limit: flags.limit,
        isArchive: flags.archived === true,
        cursor: flags.cursor,
        cwd: flags.cd,
      }),
    );
  add("show", "Show what was said and done in a session.")
    .argument("<id>", "session to show")
    .action((id: string, flags: JsonFlag) => run({ type: "show", id, json: flags.json === true }));
  add("archive", "Take a session out of the list; its file moves to archived_sessions.")
    .argument("<id>", "session to archive")
    .action((id: string, flags: JsonFlag) => run({ type: "archive", id, json: flags.json === true }));
  add("delete", "Delete a session for good. It asks first.")
    .argument("<id>", "session to delete")
    .option("-y, --yes", "do not ask")
    .action((id: string, flags: JsonFlag & { readonly yes?: boolean }) =>
      run({ type: "delete", id, json: flags.json === true, isSure: flags.yes === true }),
    );
  add("export", "Print a session for other programs or people.")
    .argument("<id>", "session to print")
    .addOption(new Option("--markdown", "print Markdown; so it does unless told otherwise").conflicts("json"))
    .action((id: string, flags: JsonFlag) => run({ type: "export", id, json: flags.json === true }));
}

/** A program that mistakes it would else see the first page for ever. */
function checkedCursor(text: string): string {
  if (!cursorPattern.test(text)) throw new InvalidArgumentError("It must be the nextCursor of a page.");
  return text;
}

interface JsonFlag {
  readonly json?: boolean;
}

interface ListFlags extends JsonFlag {
  readonly cd?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly archived?: boolean;
}
