import { Buffer } from "node:buffer";
import { fstatSync, readFileSync } from "node:fs";
import { messageOf, UserError } from "../lib/errors.ts";

/** How long a pipe beside a prompt may stay silent before we go on without it. */
const firstByteMs = 2_000;
/** More than the largest context of any model. */
const maxBytes = 16 * 1024 * 1024;
/** How long reading may take before we say that we are still at it. */
const patienceMs = 5_000;

/**
 * The prompt of `exec`: the argument, or stdin without one or with "-". What is piped in beside an argument is put
 * behind it, and a pipe that says nothing is left alone. `notice` gets sentences for stderr.
 */
export async function readPrompt(argument: string | undefined, notice: (text: string) => void): Promise<string> {
  if (argument !== undefined && argument !== "-") return withContext(argument, await readContext(notice));

  if (argument === undefined && process.stdin.isTTY) {
    throw new UserError("No prompt provided. Either specify one as an argument or pipe the prompt into stdin.");
  }
  notice("Reading prompt from stdin...");
  const bytes = stdinKind() === "file" ? readFile() : await readPipe({ notice });
  const prompt = decode(bytes ?? Buffer.alloc(0));
  if (prompt.trim() === "") throw new UserError("No prompt provided via stdin.");
  return prompt;
}

function withContext(prompt: string, context: string): string {
  if (context.trim() === "") return prompt;
  return `${prompt}\n\n<stdin>\n${context}${context.endsWith("\n") ? "" : "\n"}</stdin>`;
}

async function readContext(notice: (text: string) => void): Promise<string> {
  switch (stdinKind()) {
    case "file":
      return decode(readFile());
    case "pipe": {
      const bytes = await readPipe({ notice, firstByteMs });
      if (bytes !== undefined) return decode(bytes);
      notice(
        `Nothing came on stdin for ${firstByteMs / 1000} s: going on without it. To skip the wait: < /dev/null. To wait for slow data: { echo "PROMPT"; COMMAND; } | codex exec -`,
      );
      return "";
    }
    default:
      return "";
  }
}

function stdinKind(): "file" | "pipe" | "other" {
  try {
    const stat = fstatSync(0);
    if (stat.isFile()) return "file";
    return stat.isFIFO() || stat.isSocket() ? "pipe" : "other";
  } catch {
    return "other"; // stdin is closed
  }
}

const tooLong = `it holds more than ${maxBytes / 1024 / 1024} MiB; name a file in the prompt instead`;

function readFile(): Buffer {
  try {
    if (fstatSync(0).size > maxBytes) throw new Error(tooLong);
    return readFileSync(0);
  } catch (cause) {
    throw new UserError(`Failed to read prompt from stdin: ${messageOf(cause)}`, { cause });
  }
}

/** Reads to the end; undefined when not even a first byte came within `firstByteMs`. */
function readPipe(options: { notice: (text: string) => void; firstByteMs?: number }): Promise<Buffer | undefined> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = (result: Buffer | undefined) => {
      clearTimeout(silence);
      clearTimeout(patience);
      stdin.off("data", onData).off("end", onEnd).off("error", onError);
      stdin.pause();
      stdin.unref?.();
      resolve(result);
    };
    let length = 0;
    const onData = (chunk: Buffer) => {
      clearTimeout(silence);
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) onError(new Error(tooLong));
    };
    const onEnd = () => finish(Buffer.concat(chunks));
    const onError = (cause: Error) => {
      reject(new UserError(`Failed to read prompt from stdin: ${cause.message}`, { cause }));
      finish(undefined);
    };
    const silence =
      options.firstByteMs === undefined ? undefined : setTimeout(() => finish(undefined), options.firstByteMs);
    const patience = setTimeout(() => options.notice("Still reading stdin; it has not been closed yet..."), patienceMs);
    stdin.on("data", onData).on("end", onEnd).on("error", onError);
  });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError("Failed to read prompt from stdin: stream did not contain valid UTF-8", { cause });
  }
}
