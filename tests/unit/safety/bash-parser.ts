import path from "node:path";
import { type BashParser, loadBashParser } from "../../../src/safety/bash-script.ts";

const modules = path.resolve(import.meta.dirname, "../../../node_modules");

export function bashParser(): Promise<BashParser> {
  return loadBashParser({
    runtime: path.join(modules, "web-tree-sitter/web-tree-sitter.wasm"),
    grammar: path.join(modules, "tree-sitter-bash/tree-sitter-bash.wasm"),
  });
}
