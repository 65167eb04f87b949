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
            'codex sandbox') command='codex sandbox' ;;
            'codex doctor') command='codex doctor' ;;
            'codex completion') command='codex completion' ;;
            'codex help') command='codex help' ;;
            'codex -c' | 'codex --config') value='<text>' ;;
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
            'codex proto -c' | 'codex proto --config') value='<text>' ;;
            'codex proto -m' | 'codex proto --model') value='<text>' ;;
            'codex proto -s' | 'codex proto --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex proto -a' | 'codex proto --ask-for-approval') value='untrusted on-failure on-request never' ;;
            'codex proto -p' | 'codex proto --profile') value='<text>' ;;
            'codex proto -C' | 'codex proto --cd') value='<dir>' ;;
            'codex proto --record') value='<file>' ;;
            'codex proto --replay') value='<file>' ;;
            'codex sandbox -c' | 'codex sandbox --config') value='<text>' ;;
            'codex sandbox -s' | 'codex sandbox --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex sandbox --add-dir') value='<dir>' ;;
            'codex sandbox -C' | 'codex sandbox --cd') value='<dir>' ;;
            'codex doctor -c' | 'codex doctor --config') value='<text>' ;;
            'codex doctor -s' | 'codex doctor --sandbox') value='read-only workspace-write danger-full-access' ;;
            'codex doctor -p' | 'codex doctor --profile') value='<text>' ;;
            'codex doctor -C' | 'codex doctor --cd') value='<dir>' ;;
            esac
        fi
    done
    if [[ $current == [=:]* ]]; then
        current='' value=${value:-<text>}
    elif [[ ! $value || ($many && $current == -*) ]]; then
        case $command in
        'codex') operands='exec e proto p sandbox doctor completion help' flags='-V --version -c --config -h --help' ;;
        'codex exec') operands='' flags='-c --config -i --image -m --model --oss -s --sandbox -p --profile --full-auto --dangerously-bypass-approvals-and-sandbox -C --cd --skip-git-repo-check --color --json --experimental-json -o --output-last-message --max-turns --timeout --ephemeral --record --replay -V --version -h --help' ;;
        'codex proto') operands='' flags='-c --config -m --model -s --sandbox -a --ask-for-approval -p --profile -C --cd --ephemeral --record --replay -h --help' ;;
        'codex sandbox') operands='' flags='-c --config -s --sandbox --full-auto --add-dir --network -C --cd -h --help' ;;
        'codex doctor') operands='' flags='-c --config -s --sandbox -p --profile -C --cd --json -h --help' ;;
        'codex completion') operands='bash elvish fish powershell zsh' flags='-h --help' ;;
        'codex help') operands='exec e proto p sandbox doctor completion help' flags='' ;;
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
