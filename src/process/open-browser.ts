import { spawn } from "node:child_process";
import type { Environment } from "../lib/environment.ts";
import { withoutCredentials } from "./child-env.ts";

/** Shows a page in the person's browser: the one that BROWSER names, or the system's. False when there is none here. */
export function openBrowser(
  url: string,
  { env, credentials }: { readonly env: Environment; readonly credentials: readonly string[] },
): Promise<boolean> {
  const [program, ...args] = browserCommand(env);
  if (program === undefined) return Promise.resolve(false);
  const child = spawn(program, [...args, url], {
    env: withoutCredentials(env, credentials),
    stdio: "ignore",
    detached: true, // it stays when we end
  });
  child.unref();
  return new Promise((resolve) => {
    child.once("spawn", () => resolve(true));
    child.once("error", () => resolve(false));
  });
}

function browserCommand(env: Environment): readonly string[] {
  if (env["BROWSER"]) return [env["BROWSER"]];
  if (process.platform === "darwin") return ["open"];
  const hasScreen = Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]); // else a text browser would take the terminal
  return process.platform === "linux" && hasScreen ? ["xdg-open"] : [];
}
