import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { TurnDiff } from "../../src/patch/turn-diff.ts";

/** A fresh directory, and the diff of what is done to its files in place of a patch. */
export class TaskFiles {
  readonly base = fs.mkdtempSync(path.join(os.tmpdir(), "turn-diff-"));
  readonly root = path.join(this.base, "root");
  readonly turnDiff = new TurnDiff(this.root);

  constructor() {
    fs.mkdirSync(this.root);
  }

  remove(): void {
    fs.rmSync(this.base, { recursive: true });
  }

  at(name: string): string {
    return path.resolve(this.root, name);
  }

  /** Without telling the diff. */
  write(name: string, content: string | Uint8Array, mode = 0o644): void {
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
    fs.writeFileSync(this.at(name), content);
    fs.chmodSync(this.at(name), mode);
  }

  /** Null removes the file. */
  patchTo(name: string, content: string | null): void {
    this.turnDiff.willTouch([this.at(name)]);
    if (content === null) fs.rmSync(this.at(name));
    else this.write(name, content);
  }

  moveTo(from: string, to: { readonly name: string; readonly content: string }): void {
    this.turnDiff.willTouch([this.at(from), this.at(to.name)]);
    this.write(to.name, to.content, fs.statSync(this.at(from)).mode & 0o777);
    fs.rmSync(this.at(from));
    this.turnDiff.didMove(this.at(from), this.at(to.name));
  }
}
