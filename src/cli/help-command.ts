import type { Command } from "commander";

/**
 * `codex help exec resume`. Commander's own help command looks at one word alone; this one has a command for each
 * command of the program, so that the completions know them too.
 */
export function addHelpCommand(program: Command): void {
  const help = program
    .command("help")
    .summary("print help for a command")
    .description("Print help for a command.")
    .argument("[command...]")
    .usage("[command...]");
  addTopics(help, { about: program, program });
}

function addTopics(topic: Command, { about, program }: { readonly about: Command; readonly program: Command }): void {
  const visible = about.createHelp().visibleCommands(about);
  for (const command of about.commands) {
    if (command === topic) continue;
    const child = topic.command(command.name(), { hidden: !visible.includes(command) }).aliases(command.aliases());
    child.summary(command.summary() || command.description());
    addTopics(child, { about: command, program });
  }
  topic
    .helpOption(false)
    .helpCommand(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      const word = topic.args.find((arg) => !arg.startsWith("-") && arg !== topic.name());
      // What may follow a command is no command: `codex help mcp serve`.
      if (word !== undefined && (about === program || about.registeredArguments.length === 0)) {
        program.error(`error: unknown command '${word}'`);
      }
      about.help();
    });
}
