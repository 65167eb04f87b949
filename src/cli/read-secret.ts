import { text } from "node:stream/consumers";
import { UserError } from "../lib/errors.ts";

/** Longer than any key. */
const maxLength = 64 * 1024;
const backspaces = ["\u007f", "\b"];

/** Nobody wants to go on: Ctrl-C or Ctrl-D at a question. */
export class Declined extends Error {
  override readonly name = "Declined";
}

/** What is piped in, to its end. */
export async function readPipedSecret(): Promise<string> {
  const secret = (await text(process.stdin)).trim();
  if (secret.length > maxLength) throw new UserError("Too much on stdin for an API key.");
  return secret;
}

/** One line from the terminal, of which nothing is shown. */
export function askSecret(question: string): Promise<string> {
  return readLine(question);
}

/** One key of the terminal; everything but `y` is a no. */
export async function askYesNo(question: string): Promise<boolean> {
  const answer = await readLine(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer);
}

/** The terminal hands over every key at once and shows none, until the line is done. */
function readLine(question: string): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let line = "";
    const leave = () => {
      stdin.off("data", onData).off("end", onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    };
    const onEnd = () => {
      leave();
      reject(new Declined("the terminal is gone"));
    };
    const onData = (chunk: string) => {
      for (const key of chunk) {
        if (key === "\r" || key === "\n") {
          leave();
          return resolve(line.trim());
        }
        if (key === "\u0003" || key === "\u0004") return onEnd();
        if (backspaces.includes(key)) line = line.slice(0, -1);
        else if (key >= " " && line.length < maxLength) line += key;
      }
    };
    stdin.setEncoding("utf8");
    stdin.setRawMode(true); // before the question: whoever answers at once must not see it either
    stderr.write(question);
    stdin.on("data", onData).on("end", onEnd);
    stdin.resume();
  });
}
