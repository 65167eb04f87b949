import { readFileSync } from "node:fs";
import path from "node:path";
import { allProbes, probeGroups } from "./all-probes.ts";
import type { Expectation, Probe, User } from "./probe.ts";

/** `+` and `-` for the three policies; what was not possible on the machine of the recording is missing. */
type Reference = Readonly<Record<string, Partial<Record<User, string>>>>;

const begin = "<!-- begin: probes -->\n";
const end = "<!-- end: probes -->";

/** The page with its table of probes, which stands between comments, made anew. */
export function renewSandboxPage(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error("The page has no part for the probes.");
  return `${before}${begin}\n${probeTables()}\n\n${end}${after}`;
}

function probeTables(): string {
  const reference: Reference = JSON.parse(readFileSync(path.join(import.meta.dirname, "reference.json"), "utf8"));
  const header = "| what is tried | Landlock | bubblewrap | Codex 0.34 | remark |\n| --- | --- | --- | --- | --- |";
  const tables = Object.entries(probeGroups).map(([group, probes]) => {
    const rows = probes.map((probe) => row(probe, reference[probe.what] ?? {}));
    return `### ${group}\n\n${header}\n${rows.join("\n")}`;
  });
  return [`${allProbes.length} probes.`, ...tables].join("\n\n");
}

function row(probe: Probe, reference: Partial<Record<User, string>>): string {
  const { what, by, expected, bubblewrap = expected, hole, note } = probe;
  const who = by === undefined ? "" : ` (${by === "root" ? "root" : "not root"})`;
  const remark = hole === undefined ? (note ?? "") : `hole: ${hole}`;
  const cells = [`${what}${who}`, cell(letters(expected)), cell(letters(bubblewrap)), referenceCell(probe, reference)];
  return `| ${[...cells, remark].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}

const letters = (expected: Expectation) => expected.map((happens) => (happens ? "+" : "-")).join("");
const cell = (results: string) => [...results].map((letter) => (letter === "+" ? "✓" : "–")).join(" ");

/** Bold where it is not what ours does under Landlock. */
function referenceCell({ expected }: Probe, { user, root }: Partial<Record<User, string>>): string {
  const show = (results: string) => (results === letters(expected) ? cell(results) : `**${cell(results)}**`);
  const first = user ?? root;
  if (first === undefined) return "not tried";
  return root === undefined || root === first ? show(first) : `${show(first)}, root: ${show(root)}`;
}
