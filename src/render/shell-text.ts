import { quote } from "shell-quote";

/** Words that no shell reads as anything else; shell-quote would put backslashes into `--color=never`. */
const plainWord = /^[\w+./:=,@%-]+$/;

/** A command as a person would type it: for reading and pasting, never for judging. */
export function shellText(command: readonly string[]): string {
  return command.map((word) => (plainWord.test(word) ? word : quote([word]))).join(" ");
}
