import { spawnSync } from "node:child_process";
import { Command, Option } from "commander";
import { describe, expect, test } from "vitest";
import { manPage } from "../../src/cli/man-page.ts";
import { buildProgram, noActions } from "../../src/cli/program.ts";

function demoProgram(): Command {
  const program = new Command("demo").description("A demo-program.").helpCommand(false);
  program
    .command("run")
    .alias("r")
    .description(".hidden files come first")
    .argument("[files...]", "what's to be read")
    .addOption(new Option("-c, --color <when>", "colours").choices(["on", "off"]).default("on"))
    .option("--pattern <text...>", "like \\n, ^a, `b` or ~")
    .addOption(new Option("--secret").hideHelp());
  program.command("list").command("all").description("list all");
  return program;
}

describe("the source", () => {
  const page = manPage(demoProgram());

  test("names the program", () => {
    expect(page).toContain('.TH DEMO 1 "" demo "User Commands"\n');
    expect(page).toContain(".SH NAME\ndemo \\- a demo\\-program\n");
  });

  test("holds each command with its arguments and flags, a line of text never being a request", () => {
    const start = page.indexOf(".SS demo run");
    expect(page.slice(start, page.indexOf(".SS demo list"))).toBe(`.SS demo run
\\&.hidden files come first.
Alias: \\fBr\\fR.
.TP
\\fIfiles\\fR
What\\(aqs to be read.
.TP
\\fB\\-c\\fR, \\fB\\-\\-color\\fR \\fIwhen\\fR
Colours. One of: on, off. Default: on.
.TP
\\fB\\-\\-pattern\\fR \\fItext\\fR...
Like \\en, \\(haa, \\(gab\\(ga or \\(ti.
.TP
\\fB\\-h\\fR, \\fB\\-\\-help\\fR
Display help for command.
`);
    expect(page).toContain("\n.SS demo list all\n");
  });

  test("shows how each command is written", () => {
    expect(page).toContain("\n.br\n\\fBdemo run\\fR [\\fIoptions\\fR] [\\fIfiles\\fR...]\n");
  });
});

test("the sections stand in the usual order", () => {
  const sections = [...manPage(buildProgram(noActions)).matchAll(/^\.SH (.*)$/gm)].map((match) => match[1]);
  expect(sections).toEqual([
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "COMMANDS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
    "SEE ALSO",
  ]);
});

const formatter = "groff"; // of the system, if it has one
const hasFormatter = spawnSync(formatter, ["--version"]).status === 0;

test.skipIf(!hasFormatter).each<[string, Command]>([
  ["demo", demoProgram()],
  ["codex", buildProgram(noActions)],
])("groff has no complaints about the page of %s", (_, program) => {
  const { status, stdout, stderr } = spawnSync(formatter, ["-man", "-Tascii", "-ww"], {
    input: manPage(program),
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("--color");
});
