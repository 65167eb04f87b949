# elvish completion for codex, as printed by "codex completion elvish".

set edit:completion:arg-completer[codex] = {|@words|
    fn offer {|text summary| edit:complex-candidate $text &display=$text'  '$summary }
    var commands = [
        &'codex exec'='codex exec'
        &'codex e'='codex exec'
        &'codex proto'='codex proto'
        &'codex p'='codex proto'
        &'codex sandbox'='codex sandbox'
        &'codex doctor'='codex doctor'
        &'codex completion'='codex completion'
        &'codex help'='codex help'
    ]
    var values = [
        &'codex -c'='<text>'
        &'codex --config'='<text>'
        &'codex exec -c'='<text>'
        &'codex exec --config'='<text>'
        &'codex exec -i'='<file>'
        &'codex exec --image'='<file>'
        &'codex exec -m'='<text>'
        &'codex exec --model'='<text>'
        &'codex exec -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec -p'='<text>'
        &'codex exec --profile'='<text>'
        &'codex exec -C'='<file>'
        &'codex exec --cd'='<file>'
        &'codex exec --color'=['always' 'never' 'auto']
        &'codex exec -o'='<file>'
        &'codex exec --output-last-message'='<file>'
        &'codex exec --max-turns'='<text>'
        &'codex exec --timeout'='<text>'
        &'codex exec --record'='<file>'
        &'codex exec --replay'='<file>'
        &'codex proto -c'='<text>'
        &'codex proto --config'='<text>'
        &'codex proto -m'='<text>'
        &'codex proto --model'='<text>'
        &'codex proto -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex proto --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex proto -a'=['untrusted' 'on-failure' 'on-request' 'never']
        &'codex proto --ask-for-approval'=['untrusted' 'on-failure' 'on-request' 'never']
        &'codex proto -p'='<text>'
        &'codex proto --profile'='<text>'
        &'codex proto -C'='<file>'
        &'codex proto --cd'='<file>'
        &'codex proto --record'='<file>'
        &'codex proto --replay'='<file>'
        &'codex sandbox -c'='<text>'
        &'codex sandbox --config'='<text>'
        &'codex sandbox -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex sandbox --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex sandbox --add-dir'='<file>'
        &'codex sandbox -C'='<file>'
        &'codex sandbox --cd'='<file>'
        &'codex doctor -c'='<text>'
        &'codex doctor --config'='<text>'
        &'codex doctor -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex doctor --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex doctor -p'='<text>'
        &'codex doctor --profile'='<text>'
        &'codex doctor -C'='<file>'
        &'codex doctor --cd'='<file>'
    ]
    var offers = [
        &'codex'={
            offer 'exec' 'do one task and exit'
            offer 'e' 'do one task and exit'
            offer 'proto' 'hold a conversation as JSON lines'
            offer 'p' 'hold a conversation as JSON lines'
            offer 'sandbox' 'run one command as the model''s commands are run'
            offer 'doctor' 'say what a run would find on this machine'
            offer 'completion' 'Print a completion script for a shell.'
            offer 'help' 'print help for a command'
            offer '-V' 'print the version'
            offer '--version' 'print the version'
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex exec'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-i' 'image for the prompt; may be repeated, commas separate'
            offer '--image' 'image for the prompt; may be repeated, commas separate'
            offer '-m' 'model to ask'
            offer '--model' 'model to ask'
            offer '--oss' 'use a model on this machine (Ollama)'
            offer '-s' 'what commands may do'
            offer '--sandbox' 'what commands may do'
            offer '-p' 'profile of config.toml to use'
            offer '--profile' 'profile of config.toml to use'
            offer '--full-auto' 'let commands write to the working directory: same as -s workspace-write'
            offer '--dangerously-bypass-approvals-and-sandbox' 'run commands without a sandbox; only inside a container or machine you can lose'
            offer '-C' 'working directory'
            offer '--cd' 'working directory'
            offer '--skip-git-repo-check' 'run outside a git repository too'
            offer '--color' 'colours in the log'
            offer '--json' 'print events as JSON lines on stdout'
            offer '--experimental-json' 'print thread, turn and item lines as JSON on stdout'
            offer '-o' 'write the answer to this file'
            offer '--output-last-message' 'write the answer to this file'
            offer '--max-turns' 'stop with status 3 after this many requests to the model'
            offer '--timeout' 'stop with status 3 after this time'
            offer '--ephemeral' 'keep no session file'
            offer '--record' 'keep what the model says in this file'
            offer '--replay' 'take what the model says from this file; no provider is asked'
            offer '-V' 'print the version'
            offer '--version' 'print the version'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex proto'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-m' 'model to ask'
            offer '--model' 'model to ask'
            offer '-s' 'what commands may do'
            offer '--sandbox' 'what commands may do'
            offer '-a' 'when a command or patch needs the client''s approval'
            offer '--ask-for-approval' 'when a command or patch needs the client''s approval'
            offer '-p' 'profile of config.toml to use'
            offer '--profile' 'profile of config.toml to use'
            offer '-C' 'working directory'
            offer '--cd' 'working directory'
            offer '--ephemeral' 'keep no session file'
            offer '--record' 'keep what the model says in this file'
            offer '--replay' 'take what the model says from this file; no provider is asked'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sandbox'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-s' 'what the command may do'
            offer '--sandbox' 'what the command may do'
            offer '--full-auto' 'let the command write to the working directory: same as -s workspace-write'
            offer '--add-dir' 'let it write below this directory too; may be repeated; implies --full-auto'
            offer '--network' 'let it reach the network; implies --full-auto'
            offer '-C' 'working directory'
            offer '--cd' 'working directory'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex doctor'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-s' 'what commands may do'
            offer '--sandbox' 'what commands may do'
            offer '-p' 'profile of config.toml to use'
            offer '--profile' 'profile of config.toml to use'
            offer '-C' 'working directory'
            offer '--cd' 'working directory'
            offer '--json' 'print it as one line of JSON'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex completion'={
            offer 'bash' 'shell'
            offer 'elvish' 'shell'
            offer 'fish' 'shell'
            offer 'powershell' 'shell'
            offer 'zsh' 'shell'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex help'={
            offer 'exec' 'command'
            offer 'e' 'command'
            offer 'proto' 'command'
            offer 'p' 'command'
            offer 'sandbox' 'command'
            offer 'doctor' 'command'
            offer 'completion' 'command'
            offer 'help' 'command'
        }
    ]
    var command = 'codex'
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
