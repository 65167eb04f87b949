import type { Config } from "../config/config.ts";
import { type InitializedCodex, type InitOptions, initCodex } from "../conversation/init-codex.ts";

/** The conversation of a command line, which has a person to tell why an earlier session cannot go on. */
export async function openSession(config: Config, options: InitOptions): Promise<InitializedCodex> {
  try {
    return await initCodex(config, options);
  } catch (error) {
    const { explainResume } = await import("./resume-target.ts");
    throw explainResume(error, { target: options.resume, resumePath: config.resumePath });
  }
}
