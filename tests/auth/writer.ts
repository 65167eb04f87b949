/** Writes one of two long auth.json for ever, to be killed in the middle: `writer HOME`. */
import { writeAuthFile } from "../../src/auth/write-auth-file.ts";

export interface WrittenAuth {
  readonly OPENAI_API_KEY: string;
  readonly filler: string;
  /** The key again, behind everything else. */
  readonly last: string;
}

const [home = ""] = process.argv.slice(2);
const filler = "x".repeat(2_000_000);

for (let count = 0; ; count += 1) {
  const written: WrittenAuth = { OPENAI_API_KEY: `sk-${count}`, filler, last: `sk-${count}` };
  await writeAuthFile(home, () => ({ ...written }));
  if (count === 0) process.stdout.write("started\n");
}
