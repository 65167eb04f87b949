import { existsSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type ApprovalPolicy, approvalPolicies, type SandboxMode, sandboxModes } from "../protocol/policy.ts";
import { showControls } from "../render/printable.ts";
import { version } from "../version.ts";
import type { DoctorOptions } from "./doctor-command.ts";
import type { ExecOptions } from "./exec-command.ts";
import { addHelpCommand } from "./help-command.ts";
import type { LoginOptions } from "./login-command.ts";
import type { McpOptions } from "./mcp-command.ts";
import { addMcpCommand } from "./mcp-flags.ts";
import { positiveInteger } from "./positive-integer.ts";
import type { ProtoOptions } from "./proto-command.ts";
import type { ResumeFlags } from "./resume-target.ts";
import type { SandboxOptions } from "./sandbox-command.ts";
import { addForkAndResume, addSessionsCommand, resumeFlags, resumeOptions } from "./session-commands.ts";
import type { SessionsAction } from "./sessions-command.ts";
import { writeStdout } from "./write-stdout.ts";

const usageStatus = 2;

/** Runs the command line and returns its exit status; what commander prints about usage goes where it belongs. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let status = 0;
  let printed = "";
  const actions: Actions = {
    print: (text) => {
      printed += text;
    },
    exec: async (prompt, options) => {
      const { execCommand } = await import("./exec-command.ts");
      status = await execCommand(prompt, options);
    },
    proto: async (options) => {
      const { protoCommand } = await import("./proto-command.ts");
      status = await protoCommand(options);
    },
    mcp: async (options) => {
      const { mcpCommand } = await import("./mcp-command.ts");
      status = await mcpCommand(options);
    },
    sandbox: async (command, options) => {
      const { sandboxCommand } = await import("./sandbox-command.ts");
      status = await sandboxCommand(command, options);
    },
    login: async (options) => {
      const { loginCommand } = await import("./login-command.ts");
      status = await loginCommand(options);
    },
    loginStatus: async (overrides) => {
      const { loginStatusCommand } = await import("./login-command.ts");
      status = loginStatusCommand(overrides);
    },
    logout: async (overrides) => {
      const { logoutCommand } = await import("./login-command.ts");
      status = await logoutCommand(overrides);
    },
    sessions: async (action) => {
      const { sessionsCommand } = await import("./sessions-command.ts");
      status = await sessionsCommand(action);
    },
    doctor: async (options) => {
      const { doctorCommand } = await import("./doctor-command.ts");
      status = doctorCommand(options);
    },
    completion: async (shell) => {
      const { completionScript } = await import("./completion.ts");
      printed += completionScript(buildProgram(noActions), shell);
    },
  };
  const program = buildProgram(actions, args[0]);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return usageStatus; // commander has said what there is to say
  }
  return writeStdout(printed) || status;
}

export const shells = ["bash", "elvish", "fish", "powershell", "zsh"] as const;
export type Shell = (typeof shells)[number];

interface Actions {
  /** Help and versions, for stdout. */
  readonly print: (text: string) => void;
  readonly exec: (prompt: string | undefined, options: ExecOptions) => Promise<void>;
  readonly proto: (options: ProtoOptions) => Promise<void>;
  readonly mcp: (options: McpOptions) => Promise<void>;
  readonly sandbox: (command: readonly string[], options: SandboxOptions) => Promise<void>;
  readonly login: (options: LoginOptions) => Promise<void>;
  readonly loginStatus: (overrides: readonly string[]) => Promise<void>;
  readonly logout: (overrides: readonly string[]) => Promise<void>;
  readonly sessions: (action: SessionsAction) => Promise<void>;
  readonly doctor: (options: DoctorOptions) => Promise<void>;
  readonly completion: (shell: Shell) => Promise<void>;
}

/** For those who only want to look at the commands and flags. */
export const noActions: Actions = {
  print: () => {},
  exec: async () => {},
  proto: async () => {},
  mcp: async () => {},
  sandbox: async () => {},
  login: async () => {},
  loginStatus: async () => {},
  logout: async () => {},
  sessions: async () => {},
  doctor: async () => {},
  completion: async () => {},
};

/**
 * Every command and flag; help, completions and the man page are made from it. With a first word that is `exec` there is
 * nothing else: a run starts a millisecond sooner.
 */
export function buildProgram(actions: Actions, firstWord?: string): Command {
  const program = new Command("codex")
    .description("A headless coding agent for scripts, CI jobs, editors and other agents.")
    .version(`codex-cli ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .enablePositionalOptions()
    .configureHelp({ helpWidth: 100 }) // the same everywhere, so that the build can keep the text
    .configureOutput({
      writeOut: actions.print,
      outputError: (text, write) => write(showControls(text)), // it quotes the command line
    })
    .exitOverride()
    .showSuggestionAfterError();
  program.allowExcessArguments().action(() => {
    const [word] = program.args;
    if (word === undefined) program.help({ error: true });
    program.error(`error: unknown command '${word}'\nTo give it a task: codex exec "..."`);
  });

  const exec = program
    .command("exec")
    .allowExcessArguments(false)
    .alias("e")
    .summary("do one task and exit")
    .description(
      "Do one task and exit. The answer goes to stdout, the log to stderr; the exit status is 0 only when the task was completed.",
    )
    .argument(
      "[prompt]",
      'what to do; "-" or nothing: read it from stdin. What is piped in beside a prompt is added to it',
    )
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .option("-i, --image <file...>", "image for the prompt; may be repeated, commas separate", collectImages)
    .option("-m, --model <name>", "model to ask")
    .option("--oss", "use a model on this machine (Ollama)")
    .addOption(new Option("-s, --sandbox <mode>", "what commands may do").choices(sandboxModes))
    .option("-p, --profile <name>", "profile of config.toml to use")
    .addOption(
      new Option("--full-auto", "let commands write to the working directory: same as -s workspace-write").conflicts(
        "dangerouslyBypassApprovalsAndSandbox",
      ),
    )
    .option(
      "--dangerously-bypass-approvals-and-sandbox",
      "run commands without a sandbox; only inside a container or machine you can lose",
    )
    .addOption(new Option("--yolo").hideHelp())
    .option("-C, --cd <dir>", "working directory")
    .option("--skip-git-repo-check", "run outside a git repository too")
    .addOption(new Option("--color <when>", "colours in the log").choices(["always", "never", "auto"]).default("auto"))
    .addOption(new Option("--json", "print events as JSON lines on stdout").conflicts("experimentalJson"))
    .option("--experimental-json", "print thread, turn and item lines as JSON on stdout")
    .option("-o, --output-last-message <file>", "write the answer to this file")
    .option("--max-turns <n>", "stop with status 3 after this many requests to the model", positiveInteger)
    .option("--timeout <seconds>", "stop with status 3 after this time", seconds)
    .option("--ephemeral", "keep no session file")
    .option("--record <file>", "keep what the model says in this file")
    .addOption(
      new Option("--replay <file>", "take what the model says from this file; no provider is asked").conflicts(
        "record",
      ),
    )
    .version(`codex-cli-exec ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false);
  const execute = (prompt: string | undefined, resume: ResumeFlags | undefined) => {
    const flags: ExecFlags = exec.opts();
    const parent: { readonly config?: readonly string[] } = program.opts();
    const bypass = flags.dangerouslyBypassApprovalsAndSandbox === true || flags.yolo === true;
    if (flags.fullAuto === true && bypass) {
      exec.error("error: option '--full-auto' cannot be used with option '--yolo'");
    }
    if (flags.fullAuto === true && flags.sandbox !== undefined && flags.sandbox !== "workspace-write") {
      exec.error(`error: option '--full-auto' means workspace-write and cannot be used with '-s ${flags.sandbox}'`);
    }
    const words = promptAndImages(prompt, flags.image ?? []);
    return actions.exec(words.prompt, {
      overrides: [...(parent.config ?? []), ...(flags.config ?? [])],
      images: words.images,
      oss: flags.oss === true,
      fullAuto: flags.fullAuto === true,
      bypass,
      ephemeral: flags.ephemeral === true,
      skipGitRepoCheck: flags.skipGitRepoCheck === true,
      color: flags.color,
      format: flags.json === true ? "json" : flags.experimentalJson === true ? "thread" : "human",
      ...defined({
        model: flags.model,
        sandbox: flags.sandbox,
        profile: flags.profile,
        cwd: flags.cd,
        lastMessageFile: flags.outputLastMessage,
        maxTurns: flags.maxTurns,
        timeoutMs: flags.timeout,
        recordFile: flags.record,
        replayFile: flags.replay,
        resume,
      }),
    });
  };
  addForkAndResume(exec, execute);
  if (firstWord === exec.name() || firstWord === exec.alias()) return program;

  const proto = program
    .command("proto")
    .allowExcessArguments(false)
    .alias("p")
    .summary("hold a conversation as JSON lines")
    .description(
      "Hold one conversation over stdin and stdout: submissions in, events out, one JSON object a line. It ends with its input, once the running task is done, or with the submission shutdown.",
    )
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .option("-m, --model <name>", "model to ask")
    .addOption(new Option("-s, --sandbox <mode>", "what commands may do").choices(sandboxModes))
    .addOption(
      new Option("-a, --ask-for-approval <policy>", "when a command or patch needs the client's approval").choices(
        approvalPolicies,
      ),
    )
    .option("-p, --profile <name>", "profile of config.toml to use")
    .option("-C, --cd <dir>", "working directory")
    .option("--ephemeral", "keep no session file")
    .option("--record <file>", "keep what the model says in this file")
    .addOption(
      new Option("--replay <file>", "take what the model says from this file; no provider is asked").conflicts(
        "record",
      ),
    )
    .addOption(
      new Option("--resume <id>", "go on with this session; the first characters of its id are enough").conflicts(
        "last",
      ),
    )
    .helpOption("-h, --help", "print help");
  for (const option of resumeOptions()) proto.addOption(option);
  proto.action((flags: ProtoFlags) => {
    if (flags.all === true && flags.last !== true) proto.error("error: option '--all' belongs to '--last'");
    const parent: { readonly config?: readonly string[] } = program.opts();
    return actions.proto({
      overrides: [...(parent.config ?? []), ...(flags.config ?? [])],
      ephemeral: flags.ephemeral === true,
      ...defined({
        model: flags.model,
        sandbox: flags.sandbox,
        approvalPolicy: flags.askForApproval,
        profile: flags.profile,
        cwd: flags.cd,
        recordFile: flags.record,
        replayFile: flags.replay,
        resume: resumeFlags(flags.resume, flags),
      }),
    });
  });

  addMcpCommand(program, (options) => actions.mcp(options));

  addSandboxCommand(program, { name: "sandbox", actions, program });
  const debug = program
    .command("debug", { hidden: true })
    .description("Other names of the sandbox command.")
    .helpOption("-h, --help", "print help")
    .enablePositionalOptions();
  debug.action(() => debug.help({ error: true }));
  for (const name of ["landlock", "seatbelt"]) addSandboxCommand(debug, { name, actions, program });

  addSessionsCommand(program, actions.sessions);
  addLoginCommands(program, actions);

  const doctor = program
    .command("doctor")
    .allowExcessArguments(false)
    .summary("say what a run would find on this machine")
    .description(
      "Say what a run with these settings would find: configuration, model, credential, sandbox, MCP servers, sessions. Nothing is sent anywhere and no server is started. The exit status is 1 when a run would not start.",
    )
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .addOption(new Option("-s, --sandbox <mode>", "what commands may do").choices(sandboxModes))
    .option("-p, --profile <name>", "profile of config.toml to use")
    .option("-C, --cd <dir>", "working directory")
    .option("--json", "print it as one line of JSON")
    .helpOption("-h, --help", "print help");
  doctor.action((flags: DoctorFlags) => {
    const parent: { readonly config?: readonly string[] } = program.opts();
    return actions.doctor({
      overrides: [...(parent.config ?? []), ...(flags.config ?? [])],
      json: flags.json === true,
      ...defined({ sandbox: flags.sandbox, profile: flags.profile, cwd: flags.cd }),
    });
  });

  program
    .command("completion")
    .allowExcessArguments(false)
    .summary("print a completion script for a shell")
    .description("Print a completion script for a shell.")
    .addArgument(program.createArgument("[shell]", "shell to complete for").choices(shells).default("bash"))
    .action((shell: Shell) => actions.completion(shell));
  addHelpCommand(program);
  return program;
}

function addLoginCommands(program: Command, actions: Actions): void {
  const login = program
    .command("login")
    .allowExcessArguments(false)
    .summary("keep an API key, or sign in to ChatGPT")
    .description(
      "Sign in to ChatGPT in a browser, or keep an API key. What is kept stands in auth.json and takes the place of an earlier login.",
    )
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .addOption(
      new Option("--api-key <key>", "keep this API key; other users of this machine may see it meanwhile").conflicts([
        "withApiKey",
        "deviceAuth",
      ]),
    )
    .addOption(
      new Option("--with-api-key", "keep the API key that stdin holds, or that is typed in unseen").conflicts(
        "deviceAuth",
      ),
    )
    .option("--device-auth", "sign in with a code that is typed in on another machine")
    .option("--no-browser", "open no browser, only print the address")
    .helpOption("-h, --help", "print help")
    .helpCommand(false);
  const overridesOf = (...flags: readonly ConfigFlag[]) => flags.flatMap(({ config }) => config ?? []);
  login.action((flags: LoginFlags) =>
    actions.login({
      overrides: overridesOf(program.opts(), flags),
      withApiKey: flags.withApiKey === true,
      deviceAuth: flags.deviceAuth === true,
      browser: flags.browser,
      ...defined({ apiKey: flags.apiKey }),
    }),
  );
  login
    .command("status")
    .allowExcessArguments(false)
    .description("Say how you are logged in; the exit status is 1 when you are not.")
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .helpOption("-h, --help", "print help")
    .action((flags: ConfigFlag) => actions.loginStatus(overridesOf(program.opts(), login.opts(), flags)));
  program
    .command("logout")
    .allowExcessArguments(false)
    .summary("delete what login has kept")
    .description("Delete what login has kept.")
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .helpOption("-h, --help", "print help")
    .action((flags: ConfigFlag) => actions.logout(overridesOf(program.opts(), flags)));
}

interface SandboxPlace {
  readonly name: string;
  readonly actions: Actions;
  readonly program: Command;
}

function addSandboxCommand(parent: Command, { name, actions, program }: SandboxPlace): void {
  const sandbox = parent
    .command(name)
    .summary("run one command as the model's commands are run")
    .description(
      "Run one command under the sandbox policy of the configuration, read-only unless it says otherwise, in the foreground. The exit status is the command's own; 126 and 127 mean that it could not be run, 1 also that it could not be sandboxed.",
    )
    .usage("[options] [--] <command...>")
    .argument("[command...]", "command to run, with its arguments")
    .option("-c, --config <key=value>", "override a value of config.toml; may be repeated", collect)
    .addOption(new Option("-s, --sandbox <mode>", "what the command may do").choices(sandboxModes))
    .option("--full-auto", "let the command write to the working directory: same as -s workspace-write")
    .option("--add-dir <dir>", "let it write below this directory too; may be repeated; implies --full-auto", collect)
    .option("--network", "let it reach the network; implies --full-auto")
    .option("-C, --cd <dir>", "working directory")
    .helpOption("-h, --help", "print help")
    .passThroughOptions();
  sandbox.action((command: readonly string[], flags: SandboxFlags) => {
    if (command.length === 0) sandbox.help({ error: true });
    const wider = flags.fullAuto ? "--full-auto" : flags.network ? "--network" : flags.addDir && "--add-dir";
    if (wider !== undefined && flags.sandbox === "read-only") {
      sandbox.error(`error: option '${wider}' means workspace-write and cannot be used with '-s read-only'`);
    }
    if (flags.fullAuto && flags.sandbox === "danger-full-access") {
      sandbox.error(
        "error: option '--full-auto' means workspace-write and cannot be used with '-s danger-full-access'",
      );
    }
    const parents: { readonly config?: readonly string[] } = program.opts();
    const mode = flags.fullAuto ? "workspace-write" : flags.sandbox;
    return actions.sandbox(command, {
      overrides: [...(parents.config ?? []), ...(flags.config ?? [])],
      addedFolders: flags.addDir ?? [],
      network: flags.network === true,
      ...defined({ mode, cwd: flags.cd }),
    });
  });
}

/** The flags of `proto` as commander spells them. */
interface ProtoFlags {
  readonly config?: readonly string[];
  readonly model?: string;
  readonly sandbox?: SandboxMode;
  readonly askForApproval?: ApprovalPolicy;
  readonly profile?: string;
  readonly cd?: string;
  readonly ephemeral?: boolean;
  readonly record?: string;
  readonly replay?: string;
  readonly resume?: string;
  readonly last?: boolean;
  readonly all?: boolean;
}

interface ConfigFlag {
  readonly config?: readonly string[];
}

/** The flags of `login` as commander spells them. */
interface LoginFlags extends ConfigFlag {
  readonly apiKey?: string;
  readonly withApiKey?: boolean;
  readonly deviceAuth?: boolean;
  readonly browser: boolean;
}

/** The flags of `doctor` as commander spells them. */
interface DoctorFlags {
  readonly config?: readonly string[];
  readonly sandbox?: SandboxMode;
  readonly profile?: string;
  readonly cd?: string;
  readonly json?: boolean;
}

/** The flags of `sandbox` as commander spells them. */
interface SandboxFlags {
  readonly config?: readonly string[];
  readonly sandbox?: SandboxMode;
  readonly fullAuto?: boolean;
  readonly addDir?: readonly string[];
  readonly network?: boolean;
  readonly cd?: string;
}

/** The flags of `exec` as commander spells them. */
interface ExecFlags {
  readonly config?: readonly string[];
  readonly image?: readonly string[];
  readonly model?: string;
  readonly oss?: boolean;
  readonly sandbox?: SandboxMode;
  readonly profile?: string;
  readonly fullAuto?: boolean;
  readonly dangerouslyBypassApprovalsAndSandbox?: boolean;
  readonly yolo?: boolean;
  readonly cd?: string;
  readonly skipGitRepoCheck?: boolean;
  readonly ephemeral?: boolean;
  readonly color: ExecOptions["color"];
  readonly json?: boolean;
  readonly experimentalJson?: boolean;
  readonly outputLastMessage?: string;
  readonly maxTurns?: number;
  /** Milliseconds, parsed from seconds. */
  readonly timeout?: number;
  readonly record?: string;
  readonly replay?: string;
}

/** `-i` takes every word up to the next flag, so a prompt behind it ends up here: it is the one that is no image's name. */
function promptAndImages(prompt: string | undefined, images: readonly string[]) {
  const last = images.at(-1);
  const isPrompt = prompt === undefined && images.length > 1 && last !== undefined && !/\.[a-z]{3,4}$/i.test(last);
  return isPrompt && !existsSync(last) ? { prompt: last, images: images.slice(0, -1) } : { prompt, images };
}

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

function collectImages(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, ...value.split(",").filter((file) => file !== "")];
}

/** Longest delay that a timer of Node can take. */
const maxTimerMs = 2 ** 31 - 1;

function seconds(text: string): number {
  const ms = Number(text) * 1000;
  if (text.trim() === "" || !(ms > 0) || ms > maxTimerMs) {
    throw new InvalidArgumentError(
      `It must be a number of seconds above 0 and below ${Math.floor(maxTimerMs / 1000)}.`,
    );
  }
  return ms;
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends Readonly<Record<string, unknown>>>(values: T): Defined<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>; // exactly the entries that are left
}
