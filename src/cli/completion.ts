import type { Argument, Command, Option } from "commander";
import type { Shell } from "./program.ts";

/** A completion script made from the commands and flags alone, so it needs nothing at run time. */
export function completionScript(program: Command, shell: Shell): string {
  const root = describePlace(program, program.name());
  switch (shell) {
    case "bash":
      return bashScript(root);
    case "elvish":
      return elvishScript(root);
    case "fish":
      return fishScript(root);
    case "powershell":
      return powershellScript(root);
    case "zsh":
      return zshScript(root);
    default:
      return shell satisfies never;
  }
}

/** A command with what may follow it. */
interface Place {
  /** All words up to the command: `codex exec`. */
  readonly path: string;
  /** The command's name and its aliases. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly commands: readonly Place[];
  readonly operands: readonly Value[];
}

interface Flag {
  readonly names: readonly string[];
  readonly summary: string;
  readonly value: Value | undefined;
  readonly isRepeatable: boolean;
  /** Nothing else makes sense beside it, like `--help`. */
  readonly standsAlone: boolean;
}

interface Value {
  readonly name: string;
  readonly isVariadic: boolean;
  readonly kind: "choices" | "file" | "dir" | "text";
  /** Empty unless it is a choice. */
  readonly choices: readonly string[];
}

function describePlace(command: Command, path: string): Place {
  const help = command.createHelp();
  const children = help.visibleCommands(command);
  const own = help.visibleOptions(command);
  const others = help.visibleGlobalOptions(command).filter(({ long }) => !own.some((option) => option.long === long));
  return {
    path,
    names: namesOf(command),
    summary: command.summary() || command.description(),
    flags: [...own, ...others].map(describeFlag),
    commands: children.map((child) => describePlace(child, `${path} ${child.name()}`)),
    operands: command.registeredArguments.map((argument) => describeValue(argument.name(), argument)),
  };
}

function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function describeFlag(option: Option): Flag {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const valueName = /[<[]([^\]>.]+)/.exec(option.flags)?.[1];
  return {
    names,
    summary: option.description,
    value: valueName === undefined ? undefined : describeValue(valueName, option),
    isRepeatable: option.variadic || Array.isArray(option.defaultValue),
    standsAlone: names.includes("--help") || names.includes("--version"),
  };
}

const kinds: Readonly<Record<string, Value["kind"]>> = { file: "file", path: "file", dir: "dir", directory: "dir" };

function describeValue(name: string, { argChoices, variadic }: Option | Argument): Value {
  if (argChoices !== undefined) return choiceOf(name, argChoices);
  return { name, isVariadic: variadic, kind: kinds[name.toLowerCase()] ?? "text", choices: [] };
}

function choiceOf(name: string, choices: readonly string[]): Value {
  return { name, isVariadic: false, kind: "choices", choices };
}

function everyPlace(place: Place): readonly Place[] {
  return [place, ...place.commands.flatMap(everyPlace)];
}

/** The words that lead from a place to one of its commands, or to the value of a flag. */
function steps(place: Place, names: readonly string[]): readonly string[] {
  return names.map((name) => `${place.path} ${name}`);
}

function valueFlags(place: Place): readonly (Flag & { readonly value: Value })[] {
  return place.flags.flatMap((flag) => (flag.value === undefined ? [] : [{ ...flag, value: flag.value }]));
}

interface Offer {
  readonly text: string;
  readonly summary: string;
}

function commandOffers(place: Place): readonly Offer[] {
  return place.commands.flatMap(({ names, summary }) => names.map((text) => ({ text, summary })));
}

function operandOffers(place: Place): readonly Offer[] {
  return place.operands.flatMap(({ name, choices }) => choices.map((text) => ({ text, summary: name })));
}

function flagOffers(place: Place): readonly Offer[] {
  return place.flags.flatMap(({ names, summary }) => names.map((text) => ({ text, summary })));
}

function takesFiles(place: Place): boolean {
  return place.operands.some(({ kind }) => kind === "file" || kind === "dir");
}

function header(root: Place, shell: Shell): string {
  return `# ${shell} completion for ${root.path}, as printed by "${root.path} completion ${shell}".`;
}

/** For bash and zsh: inside single quotes nothing is special but the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bashScript(root: Place): string {
  const places = everyPlace(root);
  const cases = places.flatMap((place) => [
    ...place.commands.map(
      (child) => `${steps(place, child.names).map(quote).join(" | ")}) command=${quote(child.path)} ;;`,
    ),
    ...valueFlags(place).map(({ names, value }) => {
      const many = value.isVariadic ? " many=1" : "";
      return `${steps(place, names).map(quote).join(" | ")}) value=${quote(bashValue(value))}${many} ;;`;
    }),
  ]);
  const offers = places.map((place) => {
    const words = [...commandOffers(place), ...operandOffers(place)].map(({ text }) => text).join(" ");
    const operands = words === "" && takesFiles(place) ? "<file>" : words;
    const flags = flagOffers(place).map(({ text }) => text);
    return `${quote(place.path)}) operands=${quote(operands)} flags=${quote(flags.join(" "))} ;;`;
  });
  return `${header(root, "bash")}

_${root.path}() {
    local IFS=$' \\t\\n' command=${quote(root.path)} current=\${COMP_WORDS[COMP_CWORD]}
    local value='' many='' ended='' operands='' flags='' word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        if [[ $word == [=:]* ]]; then
            # bash cuts words here; the next one belongs to the one before
            if ((++i < COMP_CWORD)); then
                [[ $many ]] || value=''
            else
                value=\${value:-<text>}
            fi
        elif [[ $value && ! ($many && $word == -*) ]]; then
            [[ $many ]] || value=''
        elif [[ $word == -- ]]; then
            ended=1 value='' many=''
        elif [[ ! $ended ]]; then
            value='' many=''
            case "$command $word" in
${indent(cases, 12)}
            esac
        fi
    done
    if [[ $current == [=:]* ]]; then
        current='' value=\${value:-<text>}
    elif [[ ! $value || ($many && $current == -*) ]]; then
        case $command in
${indent(offers, 8)}
        esac
        if [[ $ended ]]; then
            value='<file>'
        elif [[ $current == -* ]]; then
            value=$flags
        else
            value=\${operands:-$flags}
        fi
    fi
    case $value in
        '<text>') ;;
        '<file>') compopt -o default 2>/dev/null || IFS=$'\\n' COMPREPLY=($(compgen -f -- "$current")) ;;
        '<dir>') compopt -o dirnames 2>/dev/null || IFS=$'\\n' COMPREPLY=($(compgen -d -- "$current")) ;;
        *) COMPREPLY=($(compgen -W "$value" -- "$current")) ;;
    esac
}

complete -F _${root.path} ${root.path}
`;
}

function bashValue({ kind, choices }: Value): string {
  return kind === "choices" ? choices.join(" ") : `<${kind}>`;
}

function indent(lines: readonly string[], width: number): string {
  return lines.map((line) => `${" ".repeat(width)}${line}`).join("\n");
}

function zshScript(root: Place): string {
  return `#compdef ${root.path}
${header(root, "zsh")}

${everyPlace(root).map(zshFunction).join("\n\n")}

if [[ $funcstack[1] == _${root.path} ]]; then
  _${root.path} "$@"
else
  compdef _${root.path} ${root.path}
fi
`;
}

function zshArguments(options: string, specs: readonly string[]): string {
  return [`_arguments ${options} :`, ...specs.map((spec) => `    ${spec}`)].join(" \\\n");
}

function zshFunction(place: Place): string {
  const flags = place.flags.map(zshFlag);
  const operands = place.operands.map((value) => quote(`${value.isVariadic ? "*" : ":"}${zshValue(value)}`));
  if (place.commands.length === 0) {
    return `${zshName(place)}() {\n  ${zshArguments("-s -S", [...flags, ...operands])}\n}`;
  }
  const commands = commandOffers(place).map(({ text, summary }) => quote(`${text}:${summary}`));
  const cases = place.commands.map((child) => `${child.names.join("|")}) ${zshName(child)} && ret=0 ;;`);
  // Its first operand may stand in the place of a command; what follows is like what follows any operand.
  if (operands.length > 0) cases.push(`*) ${zshArguments("-s -S", [...flags, ...operands.slice(1)])} && ret=0 ;;`);
  return `${zshName(place)}() {
  local curcontext=$curcontext state line ret=1
  local -A opt_args
  local -a commands=(
${indent(commands, 4)}
  )
  ${zshArguments("-C -s -S", [...flags, "'1: :->command'", "'*:: :->rest'"])} && ret=0
  case $state in
    command) _describe -t commands command commands && ret=0 ;;
    rest)
      curcontext=\${curcontext%:*}-$line[1]:
      case $line[1] in
${indent(cases, 8)}
      esac
      ;;
  esac
  return ret
}`;
}

function zshName({ path }: Place): string {
  return `_${path.replace(/\W/g, "_")}`;
}

function zshFlag({ names, summary, value, isRepeatable, standsAlone }: Flag): string {
  const marked = names.map((name) => {
    if (value === undefined) return name;
    return name.startsWith("--") ? `${name}=` : `${name}+`;
  });
  const rest = `[${summary.replace(/[[\]\\]/g, "\\$&")}]${value === undefined ? "" : zshValue(value)}`;
  if (marked.length === 1 && !standsAlone) return quote(`${isRepeatable ? "*" : ""}${marked[0]}${rest}`);
  const exclusion = standsAlone ? "(- : *)" : isRepeatable ? "*" : `(${names.join(" ")})`;
  const spelling = marked.length === 1 ? marked[0] : `{${marked.join(",")}}`;
  return `${quote(exclusion)}${spelling}${quote(rest)}`;
}

function zshValue({ name, kind, choices }: Value): string {
  const actions = { choices: `(${choices.join(" ")})`, file: "_files", dir: "_files -/", text: "()" };
  return `:${name.replaceAll(":", "\\:")}:${actions[kind]}`;
}

function fishScript(root: Place): string {
  const places = everyPlace(root);
  const cases = places.flatMap((place) => {
    const flags = valueFlags(place).flatMap(({ names }) => steps(place, names));
    return [
      ...place.commands.flatMap((child) => [
        `case ${steps(place, child.names).map(fishQuote).join(" ")}`,
        `    set command ${fishQuote(child.path)}`,
      ]),
      ...(flags.length === 0 ? [] : [`case ${flags.map(fishQuote).join(" ")}`, "    set skip yes"]),
    ];
  });
  const lines = places.flatMap((place) => {
    const start = `complete -c ${root.path} -n ${fishQuote(`__${root.path}_at ${fishQuote(place.path)}`)}`;
    return [
      ...(takesFiles(place) ? [`${start} -F`] : []),
      ...[...commandOffers(place), ...operandOffers(place)].map(
        ({ text, summary }) => `${start} -a ${fishQuote(text)} -d ${fishQuote(summary)}`,
      ),
      ...place.flags.map((flag) => `${start} ${fishFlag(flag)} -d ${fishQuote(flag.summary)}`),
    ];
  });
  return `${header(root, "fish")}

function __${root.path}_at -d 'whether the words before the cursor lead to this command'
    set -l command ${fishQuote(root.path)}
    set -l skip ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$skip"
            set skip ''
            continue
        end
        switch "$command $word"
${indent(cases, 12)}
        end
    end
    test "$command" = "$argv[1]"
end

complete -c ${root.path} -f
${lines.join("\n")}
`;
}

function fishFlag({ names, value }: Flag): string {
  const spellings = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...spellings, ...(value === undefined ? [] : [fishValue(value)])].join(" ");
}

function fishValue({ kind, choices }: Value): string {
  const actions = {
    choices: `-x -a ${fishQuote(choices.join(" "))}`,
    file: "-r -F",
    dir: "-x -a '(__fish_complete_directories)'",
    text: "-x",
  };
  return actions[kind];
}

function fishQuote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

function elvishScript(root: Place): string {
  const places = everyPlace(root);
  const commands = places.flatMap((place) =>
    place.commands.flatMap((child) =>
      steps(place, child.names).map((step) => `&${double(step)}=${double(child.path)}`),
    ),
  );
  const values = places.flatMap((place) =>
    valueFlags(place).flatMap(({ names, value }) =>
      steps(place, names).map((step) => `&${double(step)}=${elvishValue(value)}`),
    ),
  );
  const offers = places.flatMap((place) => [
    `&${double(place.path)}={`,
    ...[...commandOffers(place), ...operandOffers(place), ...flagOffers(place)].map(
      ({ text, summary }) => `    offer ${double(text)} ${double(summary)}`,
    ),
    ...(takesFiles(place) ? ["    edit:complete-filename $words[-1]"] : []),
    "}",
  ]);
  return `${header(root, "elvish")}

set edit:completion:arg-completer[${root.path}] = {|@words|
    fn offer {|text summary| edit:complex-candidate $text &display=$text'  '$summary }
    var commands = [
${indent(commands, 8)}
    ]
    var values = [
${indent(values, 8)}
    ]
    var offers = [
${indent(offers, 8)}
    ]
    var command = ${double(root.path)}
    var value = $nil
    for word $words[1..-1] {
        var step = $command' '$word
        if (not-eq $value $nil) {
            set value = $nil
        } elif (has-key $commands $step) {
            set command = $commands[$step]
        } elif (has-key $values $step) {
            set value = $values[$step]
        }
    }
    if (eq $value $nil) {
        $offers[$command]
    } elif (eq $value '<file>') {
        edit:complete-filename $words[-1]
    } elif (not-eq $value '<text>') {
        all $value
    }
}
`;
}

function elvishValue({ kind, choices }: Value): string {
  if (kind === "choices") return `[${choices.map(double).join(" ")}]`;
  return kind === "text" ? "'<text>'" : "'<file>'";
}

/** For Elvish and PowerShell: a quote inside quotes is written twice. */
function double(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function powershellScript(root: Place): string {
  const places = everyPlace(root);
  const cases = places.flatMap((place) => [
    ...place.commands.flatMap((child) =>
      steps(place, child.names).map((step) => `${double(step)} { $command = ${double(child.path)} }`),
    ),
    ...valueFlags(place).flatMap(({ names, value }) =>
      steps(place, names).map((step) => `${double(step)} { $value = ${powershellValue(value)} }`),
    ),
  ]);
  const offers = places.flatMap((place) => [
    `${double(place.path)} {`,
    ...[...commandOffers(place), ...operandOffers(place), ...flagOffers(place)].map(
      ({ text, summary }) => `    & $offer ${double(text)} ${double(summary || text)}`,
    ),
    "}",
  ]);
  return `${header(root, "powershell")}

Register-ArgumentCompleter -Native -CommandName ${double(root.path)} -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $offer = {
        param($text, $summary)
        if ($text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $summary)
        }
    }
    $command = ${double(root.path)}
    $value = $null
    $before = $commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    foreach ($element in $before) {
        if ($null -ne $value) {
            $value = $null
            continue
        }
        switch -CaseSensitive ("$command $($element.Extent.Text)") {
${indent(cases, 12)}
        }
    }
    if ($null -ne $value) {
        # With nothing offered, PowerShell completes file names by itself.
        foreach ($choice in $value) { & $offer $choice $choice }
        return
    }
    switch ($command) {
${indent(offers, 8)}
    }
}
`;
}

function powershellValue({ choices }: Value): string {
  return `@(${choices.map(double).join(", ")})`;
}
