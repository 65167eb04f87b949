import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { codexBinary, configToml, type RunOptions } from "./run-codex.ts";
import { type Workspace, workspace } from "./workspace.ts";

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: 100. */
  readonly columns?: number;
  /** Default: 60. */
  readonly rows?: number;
}

/** A program on a pseudo-terminal, and the screen that a person would see. */
export interface TestTerminal extends Disposable {
  /** Types these characters. */
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** The text on the screen and above it; lines that the terminal wrapped are whole again. */
  screen(): string;
  /** Resolves as soon as the screen's text matches; rejects if the program ends before. */
  shows(pattern: RegExp): Promise<void>;
  /** Every byte that the program wrote. */
  output(): string;
  /** The exit status, or 128 and the signal's number; the screen is complete then. */
  ended(): Promise<number>;
}

/** Starts a program on a pseudo-terminal of its own session, as a terminal window does. */
export function openTerminal(file: string, args: readonly string[], options: TerminalOptions): TestTerminal {
  const { columns = 100, rows = 60 } = options;
  const emulator = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  const pty = spawn(file, [...args], {
    name: "xterm-256color",
    cols: columns,
    rows,
    cwd: options.cwd,
    env: { ...options.env, TERM: "xterm-256color" },
  });
  let output = "";
  let isOver = false;
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of [...watchers]) watcher();
  };
  emulator.onData((answer) => pty.write(answer)); // what the program asks the terminal
  pty.onData((data) => {
    output += data;
    emulator.write(data, look);
  });
  const ended = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      emulator.write("", () => {
        isOver = true;
        resolve(signal === undefined || signal === 0 ? exitCode : 128 + signal);
        look();
      });
    });
  });

  const screen = () => {
    const { active } = emulator.buffer;
    const lines: string[] = [];
    for (let index = 0; index < active.length; index++) {
      const line = active.getLine(index);
      if (line === undefined) continue;
      if (line.isWrapped) lines.push(`${lines.pop() ?? ""}${line.translateToString(false)}`);
      else lines.push(line.translateToString(false));
    }
    return lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd();
  };

  return {
    type: (keys) => pty.write(keys),
    resize: (newColumns, newRows) => {
      emulator.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    screen,
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          const isThere = pattern.test(screen());
          if (!isThere && !isOver) return;
          watchers.delete(watcher);
          if (isThere) resolve();
          else reject(new Error(`The program ended, and the screen does not match ${pattern}:\n${screen()}`));
        };
        watchers.add(watcher);
        watcher();
      }),
    output: () => output,
    ended: () => ended,
    [Symbol.dispose]: () => {
      try {
        pty.kill("SIGKILL");
      } catch {
        // it has ended
      }
      emulator.dispose();
    },
  };
}

export interface CodexTerminal extends TestTerminal {
  readonly place: Workspace;
}

/** Runs the real binary on a pseudo-terminal, in a workspace that goes with it. */
export function startCodexOnTerminal(
  args: readonly string[],
  options: RunOptions & Omit<TerminalOptions, "cwd" | "env"> = {},
): CodexTerminal {
  const place = workspace({ ...options, homeFiles: { "config.toml": configToml(options), ...options.homeFiles } });
  const terminal = openTerminal(process.execPath, [codexBinary, ...args], {
    ...options,
    cwd: place.work,
    env: { ...place.env, ...options.env },
  });
  return {
    ...terminal,
    place,
    [Symbol.dispose]: () => {
      terminal[Symbol.dispose]();
      place[Symbol.dispose]();
    },
  };
}
