# fish completion for codex, as printed by "codex completion fish".

function __codex_at -d 'whether the words before the cursor lead to this command'
    set -l command 'codex'
    set -l skip ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$skip"
            set skip ''
            continue
        end
        switch "$command $word"
            case 'codex exec' 'codex e'
                set command 'codex exec'
            case 'codex sandbox'
                set command 'codex sandbox'
            case 'codex completion'
                set command 'codex completion'
            case 'codex help'
                set command 'codex help'
            case 'codex -c' 'codex --config'
                set skip yes
            case 'codex exec -c' 'codex exec --config' 'codex exec -i' 'codex exec --image' 'codex exec -m' 'codex exec --model' 'codex exec -s' 'codex exec --sandbox' 'codex exec -p' 'codex exec --profile' 'codex exec -C' 'codex exec --cd' 'codex exec --color' 'codex exec -o' 'codex exec --output-last-message' 'codex exec --max-turns' 'codex exec --timeout' 'codex exec --record' 'codex exec --replay'
                set skip yes
            case 'codex sandbox -c' 'codex sandbox --config' 'codex sandbox -s' 'codex sandbox --sandbox' 'codex sandbox --add-dir' 'codex sandbox -C' 'codex sandbox --cd'
                set skip yes
        end
    end
    test "$command" = "$argv[1]"
end

complete -c codex -f
complete -c codex -n '__codex_at \'codex\'' -a 'exec' -d 'do one task and exit'
complete -c codex -n '__codex_at \'codex\'' -a 'e' -d 'do one task and exit'
complete -c codex -n '__codex_at \'codex\'' -a 'sandbox' -d 'run one command as the model\'s commands are run'
complete -c codex -n '__codex_at \'codex\'' -a 'completion' -d 'Print a completion script for a shell.'
complete -c codex -n '__codex_at \'codex\'' -a 'help' -d 'print help for a command'
complete -c codex -n '__codex_at \'codex\'' -s V -l version -d 'print the version'
complete -c codex -n '__codex_at \'codex\'' -s c -l config -x -d 'override a value of config.toml; may be repeated'
complete -c codex -n '__codex_at \'codex\'' -s h -l help -d 'print help'
complete -c codex -n '__codex_at \'codex exec\'' -s c -l config -x -d 'override a value of config.toml; may be repeated'
complete -c codex -n '__codex_at \'codex exec\'' -s i -l image -r -F -d 'image for the prompt; may be repeated, commas separate'
complete -c codex -n '__codex_at \'codex exec\'' -s m -l model -x -d 'model to ask'
complete -c codex -n '__codex_at \'codex exec\'' -l oss -d 'use a model on this machine (Ollama)'
complete -c codex -n '__codex_at \'codex exec\'' -s s -l sandbox -x -a 'read-only workspace-write danger-full-access' -d 'what commands may do'
complete -c codex -n '__codex_at \'codex exec\'' -s p -l profile -x -d 'profile of config.toml to use'
complete -c codex -n '__codex_at \'codex exec\'' -l full-auto -d 'let commands write to the working directory: same as -s workspace-write'
complete -c codex -n '__codex_at \'codex exec\'' -l dangerously-bypass-approvals-and-sandbox -d 'run commands without a sandbox; only inside a container or machine you can lose'
complete -c codex -n '__codex_at \'codex exec\'' -s C -l cd -x -a '(__fish_complete_directories)' -d 'working directory'
complete -c codex -n '__codex_at \'codex exec\'' -l skip-git-repo-check -d 'run outside a git repository too'
complete -c codex -n '__codex_at \'codex exec\'' -l color -x -a 'always never auto' -d 'colours in the log'
complete -c codex -n '__codex_at \'codex exec\'' -l json -d 'print events as JSON lines on stdout'
complete -c codex -n '__codex_at \'codex exec\'' -l experimental-json -d 'print thread, turn and item lines as JSON on stdout'
complete -c codex -n '__codex_at \'codex exec\'' -s o -l output-last-message -r -F -d 'write the answer to this file'
complete -c codex -n '__codex_at \'codex exec\'' -l max-turns -x -d 'stop with status 3 after this many requests to the model'
complete -c codex -n '__codex_at \'codex exec\'' -l timeout -x -d 'stop with status 3 after this time'
complete -c codex -n '__codex_at \'codex exec\'' -l ephemeral -d 'keep no session file'
complete -c codex -n '__codex_at \'codex exec\'' -l record -r -F -d 'keep what the model says in this file'
complete -c codex -n '__codex_at \'codex exec\'' -l replay -r -F -d 'take what the model says from this file; no provider is asked'
complete -c codex -n '__codex_at \'codex exec\'' -s V -l version -d 'print the version'
complete -c codex -n '__codex_at \'codex exec\'' -s h -l help -d 'print help'
complete -c codex -n '__codex_at \'codex sandbox\'' -s c -l config -x -d 'override a value of config.toml; may be repeated'
complete -c codex -n '__codex_at \'codex sandbox\'' -s s -l sandbox -x -a 'read-only workspace-write danger-full-access' -d 'what the command may do'
complete -c codex -n '__codex_at \'codex sandbox\'' -l full-auto -d 'let the command write to the working directory: same as -s workspace-write'
complete -c codex -n '__codex_at \'codex sandbox\'' -l add-dir -x -a '(__fish_complete_directories)' -d 'let it write below this directory too; may be repeated; implies --full-auto'
complete -c codex -n '__codex_at \'codex sandbox\'' -l network -d 'let it reach the network; implies --full-auto'
complete -c codex -n '__codex_at \'codex sandbox\'' -s C -l cd -x -a '(__fish_complete_directories)' -d 'working directory'
complete -c codex -n '__codex_at \'codex sandbox\'' -s h -l help -d 'print help'
complete -c codex -n '__codex_at \'codex completion\'' -a 'bash' -d 'shell'
complete -c codex -n '__codex_at \'codex completion\'' -a 'elvish' -d 'shell'
complete -c codex -n '__codex_at \'codex completion\'' -a 'fish' -d 'shell'
complete -c codex -n '__codex_at \'codex completion\'' -a 'powershell' -d 'shell'
complete -c codex -n '__codex_at \'codex completion\'' -a 'zsh' -d 'shell'
complete -c codex -n '__codex_at \'codex completion\'' -s h -l help -d 'print help'
complete -c codex -n '__codex_at \'codex help\'' -a 'exec' -d 'command'
complete -c codex -n '__codex_at \'codex help\'' -a 'e' -d 'command'
complete -c codex -n '__codex_at \'codex help\'' -a 'sandbox' -d 'command'
complete -c codex -n '__codex_at \'codex help\'' -a 'completion' -d 'command'
complete -c codex -n '__codex_at \'codex help\'' -a 'help' -d 'command'
