# elvish completion for codex, as printed by "codex completion elvish".

set edit:completion:arg-completer[codex] = {|@words|
    fn offer {|text summary| edit:complex-candidate $text &display=$text'  '$summary }
    var commands = [
        &'codex exec'='codex exec'
        &'codex e'='codex exec'
        &'codex proto'='codex proto'
        &'codex p'='codex proto'
        &'codex mcp'='codex mcp'
        &'codex mcp-server'='codex mcp'
        &'codex sandbox'='codex sandbox'
        &'codex sessions'='codex sessions'
        &'codex login'='codex login'
        &'codex logout'='codex logout'
        &'codex doctor'='codex doctor'
        &'codex completion'='codex completion'
        &'codex help'='codex help'
        &'codex exec resume'='codex exec resume'
        &'codex exec fork'='codex exec fork'
        &'codex sessions list'='codex sessions list'
        &'codex sessions show'='codex sessions show'
        &'codex sessions archive'='codex sessions archive'
        &'codex sessions delete'='codex sessions delete'
        &'codex sessions export'='codex sessions export'
        &'codex login status'='codex login status'
        &'codex help exec'='codex help exec'
        &'codex help e'='codex help exec'
        &'codex help proto'='codex help proto'
        &'codex help p'='codex help proto'
        &'codex help mcp'='codex help mcp'
        &'codex help mcp-server'='codex help mcp'
        &'codex help sandbox'='codex help sandbox'
        &'codex help sessions'='codex help sessions'
        &'codex help login'='codex help login'
        &'codex help logout'='codex help logout'
        &'codex help doctor'='codex help doctor'
        &'codex help completion'='codex help completion'
        &'codex help exec resume'='codex help exec resume'
        &'codex help exec fork'='codex help exec fork'
        &'codex help sessions list'='codex help sessions list'
        &'codex help sessions show'='codex help sessions show'
        &'codex help sessions archive'='codex help sessions archive'
        &'codex help sessions delete'='codex help sessions delete'
        &'codex help sessions export'='codex help sessions export'
        &'codex help login status'='codex help login status'
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
        &'codex exec resume -c'='<text>'
        &'codex exec resume --config'='<text>'
        &'codex exec resume -i'='<file>'
        &'codex exec resume --image'='<file>'
        &'codex exec resume -m'='<text>'
        &'codex exec resume --model'='<text>'
        &'codex exec resume -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec resume --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec resume -p'='<text>'
        &'codex exec resume --profile'='<text>'
        &'codex exec resume -C'='<file>'
        &'codex exec resume --cd'='<file>'
        &'codex exec resume --color'=['always' 'never' 'auto']
        &'codex exec resume -o'='<file>'
        &'codex exec resume --output-last-message'='<file>'
        &'codex exec resume --max-turns'='<text>'
        &'codex exec resume --timeout'='<text>'
        &'codex exec resume --record'='<file>'
        &'codex exec resume --replay'='<file>'
        &'codex exec fork -c'='<text>'
        &'codex exec fork --config'='<text>'
        &'codex exec fork -i'='<file>'
        &'codex exec fork --image'='<file>'
        &'codex exec fork -m'='<text>'
        &'codex exec fork --model'='<text>'
        &'codex exec fork -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec fork --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex exec fork -p'='<text>'
        &'codex exec fork --profile'='<text>'
        &'codex exec fork -C'='<file>'
        &'codex exec fork --cd'='<file>'
        &'codex exec fork --color'=['always' 'never' 'auto']
        &'codex exec fork -o'='<file>'
        &'codex exec fork --output-last-message'='<file>'
        &'codex exec fork --max-turns'='<text>'
        &'codex exec fork --timeout'='<text>'
        &'codex exec fork --record'='<file>'
        &'codex exec fork --replay'='<file>'
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
        &'codex proto --resume'='<text>'
        &'codex mcp -c'='<text>'
        &'codex mcp --config'='<text>'
        &'codex mcp --events'=['none' 'codex' 'both']
        &'codex mcp --busy'=['queue' 'steer']
        &'codex mcp --approval-timeout'='<text>'
        &'codex sandbox -c'='<text>'
        &'codex sandbox --config'='<text>'
        &'codex sandbox -s'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex sandbox --sandbox'=['read-only' 'workspace-write' 'danger-full-access']
        &'codex sandbox --add-dir'='<file>'
        &'codex sandbox -C'='<file>'
        &'codex sandbox --cd'='<file>'
        &'codex sessions list -C'='<file>'
        &'codex sessions list --cd'='<file>'
        &'codex sessions list -n'='<text>'
        &'codex sessions list --limit'='<text>'
        &'codex sessions list --cursor'='<text>'
        &'codex login -c'='<text>'
        &'codex login --config'='<text>'
        &'codex login --api-key'='<text>'
        &'codex login status -c'='<text>'
        &'codex login status --config'='<text>'
        &'codex logout -c'='<text>'
        &'codex logout --config'='<text>'
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
            offer 'mcp' 'serve other agents and editors over MCP'
            offer 'mcp-server' 'serve other agents and editors over MCP'
            offer 'sandbox' 'run one command as the model''s commands are run'
            offer 'sessions' 'list, show and tidy earlier sessions'
            offer 'login' 'keep an API key, or sign in to ChatGPT'
            offer 'logout' 'delete what login has kept'
            offer 'doctor' 'say what a run would find on this machine'
            offer 'completion' 'print a completion script for a shell'
            offer 'help' 'print help for a command'
            offer '-V' 'print the version'
            offer '--version' 'print the version'
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex exec'={
            offer 'resume' 'go on with an earlier session'
            offer 'fork' 'go on with a copy of an earlier session'
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
        &'codex exec resume'={
            offer '--last' 'go on with the session of this directory that was used last'
            offer '--all' 'with --last: of any directory'
            offer '-h' 'print help'
            offer '--help' 'print help'
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
        }
        &'codex exec fork'={
            offer '-h' 'print help'
            offer '--help' 'print help'
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
            offer '--resume' 'go on with this session; the first characters of its id are enough'
            offer '--last' 'go on with the session of this directory that was used last'
            offer '--all' 'with --last: of any directory'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex mcp'={
            offer 'serve' 'serve'
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '--events' 'how the events of a call are told; default: codex'
            offer '--structured-tools' 'list the tools conversationCreate, conversationSendMessage and so on'
            offer '--busy' 'what becomes of a codex-reply to a session that works; default: queue'
            offer '--approval-timeout' 'deny what nobody answers within this time'
            offer '--lock' 'refuse calls that loosen sandbox or approvals, or change config or profile'
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
        &'codex sessions'={
            offer 'list' 'List sessions, newest first.'
            offer 'show' 'Show what was said and done in a session.'
            offer 'archive' 'Take a session out of the list; its file moves to archived_sessions.'
            offer 'delete' 'Delete a session for good. It asks first.'
            offer 'export' 'Print a session for other programs or people.'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sessions list'={
            offer '--json' 'print one line of JSON'
            offer '-C' 'only those that began in this directory'
            offer '--cd' 'only those that began in this directory'
            offer '-n' 'at most so many'
            offer '--limit' 'at most so many'
            offer '--cursor' 'go on behind this one, which the page before named'
            offer '--archived' 'those that were archived'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sessions show'={
            offer '--json' 'print one line of JSON'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sessions archive'={
            offer '--json' 'print one line of JSON'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sessions delete'={
            offer '--json' 'print one line of JSON'
            offer '-y' 'do not ask'
            offer '--yes' 'do not ask'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex sessions export'={
            offer '--json' 'print one line of JSON'
            offer '--markdown' 'print Markdown; so it does unless told otherwise'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex login'={
            offer 'status' 'Say how you are logged in; the exit status is 1 when you are not.'
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '--api-key' 'keep this API key; other users of this machine may see it meanwhile'
            offer '--with-api-key' 'keep the API key that stdin holds, or that is typed in unseen'
            offer '--device-auth' 'sign in with a code that is typed in on another machine'
            offer '--no-browser' 'open no browser, only print the address'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex login status'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
            offer '-h' 'print help'
            offer '--help' 'print help'
        }
        &'codex logout'={
            offer '-c' 'override a value of config.toml; may be repeated'
            offer '--config' 'override a value of config.toml; may be repeated'
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
            offer 'exec' 'do one task and exit'
            offer 'e' 'do one task and exit'
            offer 'proto' 'hold a conversation as JSON lines'
            offer 'p' 'hold a conversation as JSON lines'
            offer 'mcp' 'serve other agents and editors over MCP'
            offer 'mcp-server' 'serve other agents and editors over MCP'
            offer 'sandbox' 'run one command as the model''s commands are run'
            offer 'sessions' 'list, show and tidy earlier sessions'
            offer 'login' 'keep an API key, or sign in to ChatGPT'
            offer 'logout' 'delete what login has kept'
            offer 'doctor' 'say what a run would find on this machine'
            offer 'completion' 'print a completion script for a shell'
        }
        &'codex help exec'={
            offer 'resume' 'go on with an earlier session'
            offer 'fork' 'go on with a copy of an earlier session'
        }
        &'codex help exec resume'={
        }
        &'codex help exec fork'={
        }
        &'codex help proto'={
        }
        &'codex help mcp'={
        }
        &'codex help sandbox'={
        }
        &'codex help sessions'={
            offer 'list' 'List sessions, newest first.'
            offer 'show' 'Show what was said and done in a session.'
            offer 'archive' 'Take a session out of the list; its file moves to archived_sessions.'
            offer 'delete' 'Delete a session for good. It asks first.'
            offer 'export' 'Print a session for other programs or people.'
        }
        &'codex help sessions list'={
        }
        &'codex help sessions show'={
        }
        &'codex help sessions archive'={
        }
        &'codex help sessions delete'={
        }
        &'codex help sessions export'={
        }
        &'codex help login'={
            offer 'status' 'Say how you are logged in; the exit status is 1 when you are not.'
        }
        &'codex help login status'={
        }
        &'codex help logout'={
        }
        &'codex help doctor'={
        }
        &'codex help completion'={
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
