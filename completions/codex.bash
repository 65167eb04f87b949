# bash completion for codex, as printed by "codex completion bash".

_codex() {
    local IFS=$' \t\n' command='codex' current=${COMP_WORDS[COMP_CWORD]}
    local value='' many='' ended='' operands='' flags='' word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == [=:]* ]]; then
            # bash cuts words here; the next one belongs to the one before
            if ((++i < COMP_CWORD)); then
                [[ $many ]] || value=''
            else
                value=${value:-<text>}
            fi
        elif [[ $value && ! ($many && $word == -*) ]]; then
            [[ $many ]] || value=''
        elif [[ $word == -- ]]; then
            ended=1 value='' many=''
        elif [[ ! $ended ]]; then
            value='' many=''
            case "$command $word" in
            'codex exec' | 'codex e') command='codex exec' ;;
            'codex proto' | 'codex p') command='codex proto' ;;
            'codex mcp' | 'codex mcp-server') command='codex mcp' ;;
            'codex sandbox') command='codex sandbox' ;;
            'codex sessions') command='codex sessions' ;;
            'codex login') command='codex login' ;;
            'codex logout') command='codex logout' ;;
            'codex doctor') command='codex doctor' ;;
            'codex completion') command='codex completion' ;;
            'codex help') command='codex help' ;;
            'codex -c' | 'codex --config') value='<text>' ;;
            'codex exec resume') command='codex exec resume' ;;
            'codex exec fork') command='codex exec fork' ;;
            'codex exec -c' | 'codex exec --config') value='<text>' ;;
            'codex exec -i' | 'codex exec --image') value='<file>' many=1 ;;
            'codex exec -m' | 'codex exec --model') value='<text>' ;;
            'codex exec -s' | 'codex exec --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex exec -p' | 'codex exec --profile') value='<text>' ;;
            'codex exec -C' | 'codex exec --cd') value='<dir>' ;;
            'codex exec --color') value='always never auto' ;;
            'codex exec -o' | 'codex exec --output-last-message') value='<file>' ;;
            'codex exec --max-turns') value='<text>' ;;
            'codex exec --timeout') value='<text>' ;;
            'codex exec --record') value='<file>' ;;
            'codex exec --replay') value='<file>' ;;
            'codex exec resume -c' | 'codex exec resume --config') value='<text>' ;;
            'codex exec resume -i' | 'codex exec resume --image') value='<file>' many=1 ;;
            'codex exec resume -m' | 'codex exec resume --model') value='<text>' ;;
            'codex exec resume -s' | 'codex exec resume --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex exec resume -p' | 'codex exec resume --profile') value='<text>' ;;
            'codex exec resume -C' | 'codex exec resume --cd') value='<dir>' ;;
            'codex exec resume --color') value='always never auto' ;;
            'codex exec resume -o' | 'codex exec resume --output-last-message') value='<file>' ;;
            'codex exec resume --max-turns') value='<text>' ;;
            'codex exec resume --timeout') value='<text>' ;;
            'codex exec resume --record') value='<file>' ;;
            'codex exec resume --replay') value='<file>' ;;
            'codex exec fork -c' | 'codex exec fork --config') value='<text>' ;;
            'codex exec fork -i' | 'codex exec fork --image') value='<file>' many=1 ;;
            'codex exec fork -m' | 'codex exec fork --model') value='<text>' ;;
            'codex exec fork -s' | 'codex exec fork --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex exec fork -p' | 'codex exec fork --profile') value='<text>' ;;
            'codex exec fork -C' | 'codex exec fork --cd') value='<dir>' ;;
            'codex exec fork --color') value='always never auto' ;;
            'codex exec fork -o' | 'codex exec fork --output-last-message') value='<file>' ;;
            'codex exec fork --max-turns') value='<text>' ;;
            'codex exec fork --timeout') value='<text>' ;;
            'codex exec fork --record') value='<file>' ;;
            'codex exec fork --replay') value='<file>' ;;
            'codex proto -c' | 'codex proto --config') value='<text>' ;;
            'codex proto -m' | 'codex proto --model') value='<text>' ;;
            'codex proto -s' | 'codex proto --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex proto -a' | 'codex proto --ask-for-approval') value='untrusted on-failure on-request never' ;;
            'codex proto -p' | 'codex proto --profile') value='<text>' ;;
            'codex proto -C' | 'codex proto --cd') value='<dir>' ;;
            'codex proto --record') value='<file>' ;;
            'codex proto --replay') value='<file>' ;;
            'codex proto --resume') value='<text>' ;;
            'codex mcp -c' | 'codex mcp --config') value='<text>' ;;
            'codex mcp --events') value='none codex both' ;;
            'codex mcp --busy') value='queue steer' ;;
            'codex mcp --approval-timeout') value='<text>' ;;
            'codex sandbox -c' | 'codex sandbox --config') value='<text>' ;;
            'codex sandbox -s' | 'codex sandbox --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex sandbox --add-dir') value='<dir>' ;;
            'codex sandbox -C' | 'codex sandbox --cd') value='<dir>' ;;
            'codex sessions list') command='codex sessions list' ;;
            'codex sessions show') command='codex sessions show' ;;
            'codex sessions archive') command='codex sessions archive' ;;
            'codex sessions delete') command='codex sessions delete' ;;
            'codex sessions export') command='codex sessions export' ;;
            'codex sessions list -C' | 'codex sessions list --cd') value='<dir>' ;;
            'codex sessions list -n' | 'codex sessions list --limit') value='<text>' ;;
            'codex sessions list --cursor') value='<text>' ;;
            'codex login status') command='codex login status' ;;
            'codex login -c' | 'codex login --config') value='<text>' ;;
            'codex login --api-key') value='<text>' ;;
            'codex login status -c' | 'codex login status --config') value='<text>' ;;
            'codex logout -c' | 'codex logout --config') value='<text>' ;;
            'codex doctor -c' | 'codex doctor --config') value='<text>' ;;
            'codex doctor -s' | 'codex doctor --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex doctor -p' | 'codex doctor --profile') value='<text>' ;;
            'codex doctor -C' | 'codex doctor --cd') value='<dir>' ;;
            'codex help exec' | 'codex help e') command='codex help exec' ;;
            'codex help proto' | 'codex help p') command='codex help proto' ;;
            'codex help mcp' | 'codex help mcp-server') command='codex help mcp' ;;
            'codex help sandbox') command='codex help sandbox' ;;
            'codex help sessions') command='codex help sessions' ;;
            'codex help login') command='codex help login' ;;
            'codex help logout') command='codex help logout' ;;
            'codex help doctor') command='codex help doctor' ;;
            'codex help completion') command='codex help completion' ;;
            'codex help exec resume') command='codex help exec resume' ;;
            'codex help exec fork') command='codex help exec fork' ;;
            'codex help sessions list') command='codex help sessions list' ;;
            'codex help sessions show') command='codex help sessions show' ;;
            'codex help sessions archive') command='codex help sessions archive' ;;
            'codex help sessions delete') command='codex help sessions delete' ;;
            'codex help sessions export') command='codex help sessions export' ;;
            'codex help login status') command='codex help login status' ;;
            esac
        fi
    done
    if [[ $current == [=:]* ]]; then
        current='' value=${value:-<text>}
    elif [[ ! $value || ($many && $current == -*) ]]; then
        case $command in
        'codex') operands='exec e proto p mcp mcp-server sandbox sessions login logout doctor completion help' flags='-V --version -c --config -h --help' ;;
        'codex exec') operands='resume fork' flags='-c --config -i --image -m --model --oss -s --sandbox -p --profile --full-auto --dangerously-bypass-approvals-and-sandbox -C --cd --skip-git-repo-check --color --json --experimental-json -o --output-last-message --max-turns --timeout --ephemeral --record --replay -V --version -h --help' ;;
        'codex exec resume') operands='' flags='--last --all -h --help -c --config -i --image -m --model --oss -s --sandbox -p --profile --full-auto --dangerously-bypass-approvals-and-sandbox -C --cd --skip-git-repo-check --color --json --experimental-json -o --output-last-message --max-turns --timeout --ephemeral --record --replay -V --version' ;;
        'codex exec fork') operands='' flags='-h --help -c --config -i --image -m --model --oss -s --sandbox -p --profile --full-auto --dangerously-bypass-approvals-and-sandbox -C --cd --skip-git-repo-check --color --json --experimental-json -o --output-last-message --max-turns --timeout --ephemeral --record --replay -V --version' ;;
        'codex proto') operands='' flags='-c --config -m --model -s --sandbox -a --ask-for-approval -p --profile -C --cd --ephemeral --record --replay --resume --last --all -h --help' ;;
        'codex mcp') operands='serve' flags='-c --config --events --structured-tools --busy --approval-timeout --lock -h --help' ;;
        'codex sandbox') operands='' flags='-c --config -s --sandbox --full-auto --add-dir --network -C --cd -h --help' ;;
        'codex sessions') operands='list show archive delete export' flags='-h --help' ;;
        'codex sessions list') operands='' flags='--json -C --cd -n --limit --cursor --archived -h --help' ;;
        'codex sessions show') operands='' flags='--json -h --help' ;;
        'codex sessions archive') operands='' flags='--json -h --help' ;;
        'codex sessions delete') operands='' flags='--json -y --yes -h --help' ;;
        'codex sessions export') operands='' flags='--json --markdown -h --help' ;;
        'codex login') operands='status' flags='-c --config --api-key --with-api-key --device-auth --no-browser -h --help' ;;
        'codex login status') operands='' flags='-c --config -h --help' ;;
        'codex logout') operands='' flags='-c --config -h --help' ;;
        'codex doctor') operands='' flags='-c --config -s --sandbox -p --profile -C --cd --json -h --help' ;;
        'codex completion') operands='bash elvish fish powershell zsh' flags='-h --help' ;;
        'codex help') operands='exec e proto p mcp mcp-server sandbox sessions login logout doctor completion' flags='' ;;
        'codex help exec') operands='resume fork' flags='' ;;
        'codex help exec resume') operands='' flags='' ;;
        'codex help exec fork') operands='' flags='' ;;
        'codex help proto') operands='' flags='' ;;
        'codex help mcp') operands='' flags='' ;;
        'codex help sandbox') operands='' flags='' ;;
        'codex help sessions') operands='list show archive delete export' flags='' ;;
        'codex help sessions list') operands='' flags='' ;;
        'codex help sessions show') operands='' flags='' ;;
        'codex help sessions archive') operands='' flags='' ;;
        'codex help sessions delete') operands='' flags='' ;;
        'codex help sessions export') operands='' flags='' ;;
        'codex help login') operands='status' flags='' ;;
        'codex help login status') operands='' flags='' ;;
        'codex help logout') operands='' flags='' ;;
        'codex help doctor') operands='' flags='' ;;
        'codex help completion') operands='' flags='' ;;
        esac
        if [[ $ended ]]; then
            value='<file>'
        elif [[ $current == -* ]]; then
            value=$flags
        else
            value=${operands:-$flags}
        fi
    fi
    case $value in
        '<text>') ;;
        '<file>') compopt -o default 2>/dev/null || IFS=$'\n' COMPREPLY=($(compgen -f -- "$current")) ;;
        '<dir>') compopt -o dirnames 2>/dev/null || IFS=$'\n' COMPREPLY=($(compgen -d -- "$current")) ;;
        *) COMPREPLY=($(compgen -W "$value" -- "$current")) ;;
    esac
}

complete -F _codex codex
