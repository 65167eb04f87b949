// Puts the chunks that esbuild has split the program into together again: fewer files to open, and fewer modules to evaluate.
import path from "node:path";
import { build } from "esbuild";

/** What a start loads in any case stands in one file, the pack. The first group is the start of every command. */
const packs = [
  ["src/main.ts"],
  ["src/cli/program.ts"],
  ["src/cli/exec-command.ts", "src/model/create-model-client.ts"],
  ["src/render/human-renderer.ts"], // loaded when the request is on its way
  ["src/cli/mcp-command.ts"], // a server answers before it loads what conversations need
  ["src/tools/run-tool-call.ts"], // ahead of commands that share something with it and are seldom run
];

/** What is loaded without most of the rest: what these share with others is a part of its own. */
const loadedAlone = [
  "src/main.ts",
  "src/cli/program.ts",
  "src/tools/apply-patch-program.ts",
  "src/cli/mcp-command.ts",
  "src/cli/login-command.ts",
  "src/cli/sandbox-command.ts",
  "src/model/http-transport.ts",
];

/**
 * The text and the source map of every pack by its file name. A pack holds parts, each a function that is called as a CommonJS module when
 * something in it is asked for; `require("./pack/part/chunk")` is how one part asks for a chunk in another.
 */
export async function packChunks({ outputFiles, metafile }, options) {
  const parts = partsOf(metafile.outputs);
  const texts = new Map(outputFiles.map(({ path: file, text }) => [path.basename(file), text]));
  const members = new Map();
  for (const part of parts) {
    const { code, map } = await joinChunks(part, { parts, texts, outputs: metafile.outputs, options });
    const text = `${JSON.stringify(part.name)}(exports,require,module,__dirname,__hold){\n${code}}`;
    members.set(part.pack, [...(members.get(part.pack) ?? []), { text, map }]);
  }
  return new Map([...members].map(([pack, functions]) => [pack, joinMembers(functions)]));
}

/** The code of each member starts on a line of its own, so that its source map needs an offset in lines only. */
function joinMembers(members) {
  const sections = [];
  let line = 1;
  for (const { text, map } of members) {
    sections.push({ offset: { line, column: 0 }, map });
    line += text.split("\n").length;
  }
  return { text: `({${members.map(({ text }) => text).join(",\n")}})`, map: { version: 3, sections } };
}

/**
 * A chunk stands in the first pack that needs it, and each chunk that is loaded on its own has a pack of its own. What
 * needs another chunk is needed by no more than that is: so no two parts ask for each other.
 */
function partsOf(outputs) {
  const lazy = Object.entries(outputs).filter(([, { entryPoint }]) => entryPoint !== undefined);
  const chunkOf = (source) => {
    const [chunk] = lazy.find(([, { entryPoint }]) => entryPoint === source) ?? [];
    if (chunk === undefined) throw new Error(`No import() loads ${source} any more: take it off the lists above.`);
    return chunk;
  };
  const alone = loadedAlone.map((source) => neededBy(chunkOf(source), outputs));
  const each = lazy.map(([chunk]) => neededBy(chunk, outputs));
  const parts = [];
  const taken = new Set();
  const addParts = (pack, { start, users }) => {
    const groups = new Map();
    for (const chunk of neededBy(start, outputs)) {
      if (taken.has(chunk)) continue;
      taken.add(chunk);
      const key = users.map((chunks) => chunks.has(chunk)).join();
      groups.set(key, [...(groups.get(key) ?? []), path.basename(chunk)]);
    }
    for (const chunks of groups.values()) {
      const number = parts.filter((part) => part.pack === pack).length;
      parts.push({ pack, name: `${pack}/${number}`, chunks });
    }
  };
  const packName = (chunk) => path.basename(chunk).replace(/-[A-Z0-9]+\.cjs$/, ".cjs");
  for (const sources of packs) {
    const starts = sources.map(chunkOf);
    for (const start of starts) addParts(packName(starts[0]), { start, users: alone });
  }
  for (const [start] of lazy) addParts(packName(start), { start, users: each });
  return parts;
}

/** A chunk and what it loads in any case. */
function neededBy(chunk, outputs, found = new Set()) {
  if (found.has(chunk)) return found;
  found.add(chunk);
  for (const { path: next, kind, external } of outputs[chunk].imports) {
    if (kind === "import-statement" && !external) neededBy(next, outputs, found);
  }
  return found;
}

/** One module from the chunks of a part, with import() as a lazy require(). It exports the chunks that others ask for. */
async function joinChunks(part, { parts, texts, outputs, options }) {
  const exportName = (chunk) => chunk.replace(/\W/g, "_");
  const isAskedFor = (chunk) =>
    Object.entries(outputs).some(([user, { imports }]) =>
      imports.some(
        ({ path: used, kind }) =>
          path.basename(used) === chunk && (kind === "dynamic-import" || !part.chunks.includes(path.basename(user))),
      ),
    );
  const statements = part.chunks.map((chunk) =>
    isAskedFor(chunk) ? `export * as ${exportName(chunk)} from "./${chunk}";` : `import "./${chunk}";`,
  );
  const plugin = {
    name: "chunks",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\// }, ({ path: file, kind }) => {
        const chunk = path.basename(file);
        if (kind !== "dynamic-import" && part.chunks.includes(chunk)) return { path: chunk, namespace: "chunk" };
        const holder = parts.find(({ chunks }) => chunks.includes(chunk));
        return { path: `./${holder.name}/${exportName(chunk)}`, external: true };
      });
      onResolve({ filter: /^node:/ }, ({ path: name, kind }) => ({
        path: kind === "import-statement" ? `import:${name}` : name,
        external: true,
      }));
      onLoad({ filter: /.*/, namespace: "chunk" }, ({ path: chunk }) => ({
        contents: texts.get(chunk),
        resolveDir: "/",
      }));
    },
  };
  const { outputFiles } = await build({
    ...options,
    stdin: { contents: statements.join("\n"), resolveDir: "/" },
    format: "cjs",
    supported: { "dynamic-import": false },
    write: false,
    sourcemap: "external",
    sourcesContent: false,
    plugins: [plugin],
  });
  const [map, code] = ["map", "cjs"].map((end) => outputFiles.find(({ path: file }) => file.endsWith(`.${end}`)).text);
  return { code, map: JSON.parse(map) };
}
