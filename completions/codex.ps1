# powershell completion for codex, as printed by "codex completion powershell".

Register-ArgumentCompleter -Native -CommandName 'codex' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $offer = {
        param($text, $summary)
        if ($text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $summary)
        }
    }
    $command = 'codex'
    $value = $null
    $before = $commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    foreach ($element in $before) {
        if ($null -ne $value) {
            $value = $null
            continue
        }
        switch -CaseSensitive ("$command $($element.Extent.Text)") {
            'codex exec' { $command = 'codex exec' }
            'codex e' { $command = 'codex exec' }
            'codex proto' { $command = 'codex proto' }
            'codex p' { $command = 'codex proto' }
            'codex mcp' { $command = 'codex mcp' }
            'codex mcp-server' { $command = 'codex mcp' }
            'codex sandbox' { $command = 'codex sandbox' }
            'codex sessions' { $command = 'codex sessions' }
            'codex login' { $command = 'codex login' }
            'codex logout' { $command = 'codex logout' }
            'codex doctor' { $command = 'codex doctor' }
            'codex completion' { $command = 'codex completion' }
            'codex help' { $command = 'codex help' }
            'codex -c' { $value = @() }
            'codex --config' { $value = @() }
            'codex exec resume' { $command = 'codex exec resume' }
            'codex exec fork' { $command = 'codex exec fork' }
            'codex exec -c' { $value = @() }
            'codex exec --config' { $value = @() }
            'codex exec -i' { $value = @() }
            'codex exec --image' { $value = @() }
            'codex exec -m' { $value = @() }
            'codex exec --model' { $value = @() }
            'codex exec -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec -p' { $value = @() }
            'codex exec --profile' { $value = @() }
            'codex exec -C' { $value = @() }
            'codex exec --cd' { $value = @() }
            'codex exec --color' { $value = @('always', 'never', 'auto') }
            'codex exec -o' { $value = @() }
            'codex exec --output-last-message' { $value = @() }
            'codex exec --max-turns' { $value = @() }
            'codex exec --timeout' { $value = @() }
            'codex exec --record' { $value = @() }
            'codex exec --replay' { $value = @() }
            'codex exec resume -c' { $value = @() }
            'codex exec resume --config' { $value = @() }
            'codex exec resume -i' { $value = @() }
            'codex exec resume --image' { $value = @() }
            'codex exec resume -m' { $value = @() }
            'codex exec resume --model' { $value = @() }
            'codex exec resume -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec resume --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec resume -p' { $value = @() }
            'codex exec resume --profile' { $value = @() }
            'codex exec resume -C' { $value = @() }
            'codex exec resume --cd' { $value = @() }
            'codex exec resume --color' { $value = @('always', 'never', 'auto') }
            'codex exec resume -o' { $value = @() }
            'codex exec resume --output-last-message' { $value = @() }
            'codex exec resume --max-turns' { $value = @() }
            'codex exec resume --timeout' { $value = @() }
            'codex exec resume --record' { $value = @() }
            'codex exec resume --replay' { $value = @() }
            'codex exec fork -c' { $value = @() }
            'codex exec fork --config' { $value = @() }
            'codex exec fork -i' { $value = @() }
            'codex exec fork --image' { $value = @() }
            'codex exec fork -m' { $value = @() }
            'codex exec fork --model' { $value = @() }
            'codex exec fork -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec fork --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex exec fork -p' { $value = @() }
            'codex exec fork --profile' { $value = @() }
            'codex exec fork -C' { $value = @() }
            'codex exec fork --cd' { $value = @() }
            'codex exec fork --color' { $value = @('always', 'never', 'auto') }
            'codex exec fork -o' { $value = @() }
            'codex exec fork --output-last-message' { $value = @() }
            'codex exec fork --max-turns' { $value = @() }
            'codex exec fork --timeout' { $value = @() }
            'codex exec fork --record' { $value = @() }
            'codex exec fork --replay' { $value = @() }
            'codex proto -c' { $value = @() }
            'codex proto --config' { $value = @() }
            'codex proto -m' { $value = @() }
            'codex proto --model' { $value = @() }
            'codex proto -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex proto --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex proto -a' { $value = @('untrusted', 'on-failure', 'on-request', 'never') }
            'codex proto --ask-for-approval' { $value = @('untrusted', 'on-failure', 'on-request', 'never') }
            'codex proto -p' { $value = @() }
            'codex proto --profile' { $value = @() }
            'codex proto -C' { $value = @() }
            'codex proto --cd' { $value = @() }
            'codex proto --record' { $value = @() }
            'codex proto --replay' { $value = @() }
            'codex proto --resume' { $value = @() }
            'codex mcp -c' { $value = @() }
            'codex mcp --config' { $value = @() }
            'codex mcp --events' { $value = @('none', 'codex', 'both') }
            'codex mcp --busy' { $value = @('queue', 'steer') }
            'codex mcp --approval-timeout' { $value = @() }
            'codex sandbox -c' { $value = @() }
            'codex sandbox --config' { $value = @() }
            'codex sandbox -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex sandbox --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex sandbox --add-dir' { $value = @() }
            'codex sandbox -C' { $value = @() }
            'codex sandbox --cd' { $value = @() }
            'codex sessions list' { $command = 'codex sessions list' }
            'codex sessions show' { $command = 'codex sessions show' }
            'codex sessions archive' { $command = 'codex sessions archive' }
            'codex sessions delete' { $command = 'codex sessions delete' }
            'codex sessions export' { $command = 'codex sessions export' }
            'codex sessions list -C' { $value = @() }
            'codex sessions list --cd' { $value = @() }
            'codex sessions list -n' { $value = @() }
            'codex sessions list --limit' { $value = @() }
            'codex sessions list --cursor' { $value = @() }
            'codex login status' { $command = 'codex login status' }
            'codex login -c' { $value = @() }
            'codex login --config' { $value = @() }
            'codex login --api-key' { $value = @() }
            'codex login status -c' { $value = @() }
            'codex login status --config' { $value = @() }
            'codex logout -c' { $value = @() }
            'codex logout --config' { $value = @() }
            'codex doctor -c' { $value = @() }
            'codex doctor --config' { $value = @() }
            'codex doctor -s' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex doctor --sandbox' { $value = @('read-only', 'workspace-write', 'danger-full-access') }
            'codex doctor -p' { $value = @() }
            'codex doctor --profile' { $value = @() }
            'codex doctor -C' { $value = @() }
            'codex doctor --cd' { $value = @() }
            'codex help exec' { $command = 'codex help exec' }
            'codex help e' { $command = 'codex help exec' }
            'codex help proto' { $command = 'codex help proto' }
            'codex help p' { $command = 'codex help proto' }
            'codex help mcp' { $command = 'codex help mcp' }
            'codex help mcp-server' { $command = 'codex help mcp' }
            'codex help sandbox' { $command = 'codex help sandbox' }
            'codex help sessions' { $command = 'codex help sessions' }
            'codex help login' { $command = 'codex help login' }
            'codex help logout' { $command = 'codex help logout' }
            'codex help doctor' { $command = 'codex help doctor' }
            'codex help completion' { $command = 'codex help completion' }
            'codex help exec resume' { $command = 'codex help exec resume' }
            'codex help exec fork' { $command = 'codex help exec fork' }
            'codex help sessions list' { $command = 'codex help sessions list' }
            'codex help sessions show' { $command = 'codex help sessions show' }
            'codex help sessions archive' { $command = 'codex help sessions archive' }
            'codex help sessions delete' { $command = 'codex help sessions delete' }
            'codex help sessions export' { $command = 'codex help sessions export' }
            'codex help login status' { $command = 'codex help login status' }
        }
    }
    if ($null -ne $value) {
        # With nothing offered, PowerShell completes file names by itself.
        foreach ($choice in $value) { & $offer $choice $choice }
        return
    }
    switch ($command) {
        'codex' {
            & $offer 'exec' 'do one task and exit'
            & $offer 'e' 'do one task and exit'
            & $offer 'proto' 'hold a conversation as JSON lines'
            & $offer 'p' 'hold a conversation as JSON lines'
            & $offer 'mcp' 'serve other agents and editors over MCP'
            & $offer 'mcp-server' 'serve other agents and editors over MCP'
            & $offer 'sandbox' 'run one command as the model''s commands are run'
            & $offer 'sessions' 'list, show and tidy earlier sessions'
            & $offer 'login' 'keep an API key, or sign in to ChatGPT'
            & $offer 'logout' 'delete what login has kept'
            & $offer 'doctor' 'say what a run would find on this machine'
            & $offer 'completion' 'print a completion script for a shell'
            & $offer 'help' 'print help for a command'
            & $offer '-V' 'print the version'
            & $offer '--version' 'print the version'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex exec' {
            & $offer 'resume' 'go on with an earlier session'
            & $offer 'fork' 'go on with a copy of an earlier session'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-i' 'image for the prompt; may be repeated, commas separate'
            & $offer '--image' 'image for the prompt; may be repeated, commas separate'
            & $offer '-m' 'model to ask'
            & $offer '--model' 'model to ask'
            & $offer '--oss' 'use a model on this machine (Ollama)'
            & $offer '-s' 'what commands may do'
            & $offer '--sandbox' 'what commands may do'
            & $offer '-p' 'profile of config.toml to use'
            & $offer '--profile' 'profile of config.toml to use'
            & $offer '--full-auto' 'let commands write to the working directory: same as -s workspace-write'
            & $offer '--dangerously-bypass-approvals-and-sandbox' 'run commands without a sandbox; only inside a container or machine you can lose'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '--skip-git-repo-check' 'run outside a git repository too'
            & $offer '--color' 'colours in the log'
            & $offer '--json' 'print events as JSON lines on stdout'
            & $offer '--experimental-json' 'print thread, turn and item lines as JSON on stdout'
            & $offer '-o' 'write the answer to this file'
            & $offer '--output-last-message' 'write the answer to this file'
            & $offer '--max-turns' 'stop with status 3 after this many requests to the model'
            & $offer '--timeout' 'stop with status 3 after this time'
            & $offer '--ephemeral' 'keep no session file'
            & $offer '--record' 'keep what the model says in this file'
            & $offer '--replay' 'take what the model says from this file; no provider is asked'
            & $offer '-V' 'print the version'
            & $offer '--version' 'print the version'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex exec resume' {
            & $offer '--last' 'go on with the session of this directory that was used last'
            & $offer '--all' 'with --last: of any directory'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-i' 'image for the prompt; may be repeated, commas separate'
            & $offer '--image' 'image for the prompt; may be repeated, commas separate'
            & $offer '-m' 'model to ask'
            & $offer '--model' 'model to ask'
            & $offer '--oss' 'use a model on this machine (Ollama)'
            & $offer '-s' 'what commands may do'
            & $offer '--sandbox' 'what commands may do'
            & $offer '-p' 'profile of config.toml to use'
            & $offer '--profile' 'profile of config.toml to use'
            & $offer '--full-auto' 'let commands write to the working directory: same as -s workspace-write'
            & $offer '--dangerously-bypass-approvals-and-sandbox' 'run commands without a sandbox; only inside a container or machine you can lose'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '--skip-git-repo-check' 'run outside a git repository too'
            & $offer '--color' 'colours in the log'
            & $offer '--json' 'print events as JSON lines on stdout'
            & $offer '--experimental-json' 'print thread, turn and item lines as JSON on stdout'
            & $offer '-o' 'write the answer to this file'
            & $offer '--output-last-message' 'write the answer to this file'
            & $offer '--max-turns' 'stop with status 3 after this many requests to the model'
            & $offer '--timeout' 'stop with status 3 after this time'
            & $offer '--ephemeral' 'keep no session file'
            & $offer '--record' 'keep what the model says in this file'
            & $offer '--replay' 'take what the model says from this file; no provider is asked'
            & $offer '-V' 'print the version'
            & $offer '--version' 'print the version'
        }
        'codex exec fork' {
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-i' 'image for the prompt; may be repeated, commas separate'
            & $offer '--image' 'image for the prompt; may be repeated, commas separate'
            & $offer '-m' 'model to ask'
            & $offer '--model' 'model to ask'
            & $offer '--oss' 'use a model on this machine (Ollama)'
            & $offer '-s' 'what commands may do'
            & $offer '--sandbox' 'what commands may do'
            & $offer '-p' 'profile of config.toml to use'
            & $offer '--profile' 'profile of config.toml to use'
            & $offer '--full-auto' 'let commands write to the working directory: same as -s workspace-write'
            & $offer '--dangerously-bypass-approvals-and-sandbox' 'run commands without a sandbox; only inside a container or machine you can lose'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '--skip-git-repo-check' 'run outside a git repository too'
            & $offer '--color' 'colours in the log'
            & $offer '--json' 'print events as JSON lines on stdout'
            & $offer '--experimental-json' 'print thread, turn and item lines as JSON on stdout'
            & $offer '-o' 'write the answer to this file'
            & $offer '--output-last-message' 'write the answer to this file'
            & $offer '--max-turns' 'stop with status 3 after this many requests to the model'
            & $offer '--timeout' 'stop with status 3 after this time'
            & $offer '--ephemeral' 'keep no session file'
            & $offer '--record' 'keep what the model says in this file'
            & $offer '--replay' 'take what the model says from this file; no provider is asked'
            & $offer '-V' 'print the version'
            & $offer '--version' 'print the version'
        }
        'codex proto' {
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-m' 'model to ask'
            & $offer '--model' 'model to ask'
            & $offer '-s' 'what commands may do'
            & $offer '--sandbox' 'what commands may do'
            & $offer '-a' 'when a command or patch needs the client''s approval'
            & $offer '--ask-for-approval' 'when a command or patch needs the client''s approval'
            & $offer '-p' 'profile of config.toml to use'
            & $offer '--profile' 'profile of config.toml to use'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '--ephemeral' 'keep no session file'
            & $offer '--record' 'keep what the model says in this file'
            & $offer '--replay' 'take what the model says from this file; no provider is asked'
            & $offer '--resume' 'go on with this session; the first characters of its id are enough'
            & $offer '--last' 'go on with the session of this directory that was used last'
            & $offer '--all' 'with --last: of any directory'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex mcp' {
            & $offer 'serve' 'serve'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '--events' 'how the events of a call are told; default: codex'
            & $offer '--structured-tools' 'list the tools conversationCreate, conversationSendMessage and so on'
            & $offer '--busy' 'what becomes of a codex-reply to a session that works; default: queue'
            & $offer '--approval-timeout' 'deny what nobody answers within this time'
            & $offer '--lock' 'refuse calls that loosen sandbox or approvals, or change config or profile'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sandbox' {
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-s' 'what the command may do'
            & $offer '--sandbox' 'what the command may do'
            & $offer '--full-auto' 'let the command write to the working directory: same as -s workspace-write'
            & $offer '--add-dir' 'let it write below this directory too; may be repeated; implies --full-auto'
            & $offer '--network' 'let it reach the network; implies --full-auto'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions' {
            & $offer 'list' 'List sessions, newest first.'
            & $offer 'show' 'Show what was said and done in a session.'
            & $offer 'archive' 'Take a session out of the list; its file moves to archived_sessions.'
            & $offer 'delete' 'Delete a session for good. It asks first.'
            & $offer 'export' 'Print a session for other programs or people.'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions list' {
            & $offer '--json' 'print one line of JSON'
            & $offer '-C' 'only those that began in this directory'
            & $offer '--cd' 'only those that began in this directory'
            & $offer '-n' 'at most so many'
            & $offer '--limit' 'at most so many'
            & $offer '--cursor' 'go on behind this one, which the page before named'
            & $offer '--archived' 'those that were archived'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions show' {
            & $offer '--json' 'print one line of JSON'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions archive' {
            & $offer '--json' 'print one line of JSON'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions delete' {
            & $offer '--json' 'print one line of JSON'
            & $offer '-y' 'do not ask'
            & $offer '--yes' 'do not ask'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex sessions export' {
            & $offer '--json' 'print one line of JSON'
            & $offer '--markdown' 'print Markdown; so it does unless told otherwise'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex login' {
            & $offer 'status' 'Say how you are logged in; the exit status is 1 when you are not.'
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '--api-key' 'keep this API key; other users of this machine may see it meanwhile'
            & $offer '--with-api-key' 'keep the API key that stdin holds, or that is typed in unseen'
            & $offer '--device-auth' 'sign in with a code that is typed in on another machine'
            & $offer '--no-browser' 'open no browser, only print the address'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex login status' {
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex logout' {
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex doctor' {
            & $offer '-c' 'override a value of config.toml; may be repeated'
            & $offer '--config' 'override a value of config.toml; may be repeated'
            & $offer '-s' 'what commands may do'
            & $offer '--sandbox' 'what commands may do'
            & $offer '-p' 'profile of config.toml to use'
            & $offer '--profile' 'profile of config.toml to use'
            & $offer '-C' 'working directory'
            & $offer '--cd' 'working directory'
            & $offer '--json' 'print it as one line of JSON'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex completion' {
            & $offer 'bash' 'shell'
            & $offer 'elvish' 'shell'
            & $offer 'fish' 'shell'
            & $offer 'powershell' 'shell'
            & $offer 'zsh' 'shell'
            & $offer '-h' 'print help'
            & $offer '--help' 'print help'
        }
        'codex help' {
            & $offer 'exec' 'do one task and exit'
            & $offer 'e' 'do one task and exit'
            & $offer 'proto' 'hold a conversation as JSON lines'
            & $offer 'p' 'hold a conversation as JSON lines'
            & $offer 'mcp' 'serve other agents and editors over MCP'
            & $offer 'mcp-server' 'serve other agents and editors over MCP'
            & $offer 'sandbox' 'run one command as the model''s commands are run'
            & $offer 'sessions' 'list, show and tidy earlier sessions'
            & $offer 'login' 'keep an API key, or sign in to ChatGPT'
            & $offer 'logout' 'delete what login has kept'
            & $offer 'doctor' 'say what a run would find on this machine'
            & $offer 'completion' 'print a completion script for a shell'
        }
        'codex help exec' {
            & $offer 'resume' 'go on with an earlier session'
            & $offer 'fork' 'go on with a copy of an earlier session'
        }
        'codex help exec resume' {
        }
        'codex help exec fork' {
        }
        'codex help proto' {
        }
        'codex help mcp' {
        }
        'codex help sandbox' {
        }
        'codex help sessions' {
            & $offer 'list' 'List sessions, newest first.'
            & $offer 'show' 'Show what was said and done in a session.'
            & $offer 'archive' 'Take a session out of the list; its file moves to archived_sessions.'
            & $offer 'delete' 'Delete a session for good. It asks first.'
            & $offer 'export' 'Print a session for other programs or people.'
        }
        'codex help sessions list' {
        }
        'codex help sessions show' {
        }
        'codex help sessions archive' {
        }
        'codex help sessions delete' {
        }
        'codex help sessions export' {
        }
        'codex help login' {
            & $offer 'status' 'Say how you are logged in; the exit status is 1 when you are not.'
        }
        'codex help login status' {
        }
        'codex help logout' {
        }
        'codex help doctor' {
        }
        'codex help completion' {
        }
    }
}
