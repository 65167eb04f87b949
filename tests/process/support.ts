import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type CommandOutcome, type CommandRequest, runCommand } from "../../src/process/run-command.ts";
import {
  type Availability,
  checkSandboxes,
  prepareSandbox,
  type Sandbox,
  type SandboxOptions,
} from "../../src/process/sandbox.ts";
import type { SandboxPolicy } from "../../src/protocol/policy.ts";

const project = path.resolve(import.meta.dirname, "../..");

const { landlock, bubblewrap } = checkSandboxes({
  helperPath: path.join(project, "package.json"),
  cwd: project,
  env: process.env,
});
/** For `describe.skipIf`: a machine without Landlock cannot run these. */
export const noSandbox = lacks("Landlock", landlock);
export const noBubblewrap = lacks("bubblewrap", bubblewrap);

function lacks(name: string, found: Availability | undefined): boolean {
  if (found?.available === true) return false;
  process.stderr.write(`tests of ${name} are skipped: ${found?.reason ?? "not Linux"}\n`);
  return true;
}

interface Programs {
  readonly helperPath: string;
  readonly driverPath: string;
}

/** Builds the helper and the driver as the product is built, beside a link to the installed packages. */
async function buildPrograms(folder: string): Promise<Programs> {
  await build({
    entryPoints: {
      "sandbox-helper": path.join(project, "src/process/sandbox-helper.ts"),
      driver: path.join(project, "tests/process/driver.ts"),
    },
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  symlinkSync(path.join(project, "node_modules"), path.join(folder, "node_modules"));
  return { helperPath: path.join(folder, "sandbox-helper.cjs"), driverPath: path.join(folder, "driver.cjs") };
}

/** Makes the helper in Node do the work, as where there is no perl. */
export const withoutPerl = { perl: "/nowhere/perl" };

/** Fresh folders for one test, and commands in them. */
export class Scene {
  readonly folder = temporaryFolder();
  readonly workspace = path.join(this.folder, "workspace");
  readonly outside = path.join(this.folder, "outside");
  readonly programs: Programs;
  readonly #options: Partial<SandboxOptions>;
  readonly #sandboxes: Sandbox[] = [];

  constructor(programs: Programs, options: Partial<SandboxOptions>) {
    this.programs = programs;
    this.#options = options;
    mkdirSync(this.workspace);
    mkdirSync(this.outside);
  }

  sandbox(policy: SandboxPolicy, options: Partial<SandboxOptions> = {}): Sandbox {
    const { helperPath } = this.programs;
    const sandbox = prepareSandbox(policy, {
      cwd: this.workspace,
      env: {},
      helperPath,
      ...this.#options,
      ...options,
    });
    this.#sandboxes.push(sandbox);
    return sandbox;
  }

  run(argv: readonly string[], options: RunOptions): Promise<CommandOutcome> {
    const signal = new AbortController().signal;
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
    return runCommand({ argv, cwd: this.workspace, env, timeoutMs: undefined, signal, ...options });
  }

  /** For commands that are expected to run. */
  async exited(argv: readonly string[], options: RunOptions): Promise<Exited> {
    const outcome = await this.run(argv, options);
    if (outcome.kind === "not_started") throw new Error(`did not start: ${outcome.message}`);
    return outcome;
  }

  remove(): void {
    for (const sandbox of this.#sandboxes) sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Exited = CommandOutcome & { kind: "exited" };
type RunOptions = { readonly sandbox: Sandbox } & Partial<Omit<CommandRequest, "argv" | "sandbox">>;

/** Declares the hooks; gives a function that makes a scene, which goes with its test. */
export function useScenes(options: Partial<SandboxOptions> = {}): () => Scene {
  const folder = temporaryFolder();
  const scenes: Scene[] = [];
  let programs: Programs | undefined;
  beforeAll(async () => {
    programs = await buildPrograms(folder);
  });
  afterEach(() => {
    for (const scene of scenes.splice(0)) scene.remove();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => {
    if (programs === undefined) throw new Error("a scene is made within a test");
    const scene = new Scene(programs, options);
    scenes.push(scene);
    return scene;
  };
}

export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(path.join(os.tmpdir(), "codex-process-")));
}

/** Looks again and again until something holds. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`still not so after a minute: ${what}`);
}

/** False for a zombie too: it only waits for somebody to look. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
