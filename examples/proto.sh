#!/bin/bash
# A client of `codex proto` in bash and jq: asks one question, shows the answer as it comes, and asks you before each
# command that the policy does not allow.
#
#   examples/proto.sh "Why does the build fail?" [options of codex proto]
#
# CODEX names another program than the one on your path. Answers are read from the terminal, or from stdin without one.
# What codex has to say itself is on stderr: its errors, or more with CODEX_LOG.
set -euo pipefail
if (($# == 0)); then
    echo "Usage: $0 QUESTION [options of codex proto]" >&2
    exit 2
fi
prompt=$1
shift
read -ra program <<<"${CODEX:-codex}"
if ! command -v "${program[0]}" >/dev/null; then
    echo "Cannot find the program \"${program[0]}\": put codex on your path, or name it in CODEX." >&2
    exit 127
fi
exec 3<&0
coproc codex { read -r; CODEX_LOG=${CODEX_LOG:-error} "${program[@]}" proto "$@"; }
exec 4<&"${codex[0]}" 5>&"${codex[1]}" # ours: bash closes its own when codex ends, with lines that are still to be read
echo >&5                               # and so codex starts only now

send() { jq -cn "$@" >&5 || true; } # without a codex there is nothing to read either, and it has said why

answer() { # what is asked, the type of the answer, the id of the question
    printf '%s [y/N] ' "$1" >&2
    read -r reply <&3 || reply=n
    [[ $reply == y ]] && decision=approved || decision=denied
    send --arg type "$2" --arg id "$3" --arg decision "$decision" '{id: "answer", op: {$type, $id, $decision}}'
}

send --arg text "$prompt" '{id: "1", op: {type: "user_input", items: [{type: "text", $text}]}}'
status=1
while read -r line <&4; do
    field() { jq -r "$1" <<<"$line"; }
    shown() { jq -ac "$1" <<<"$line"; } # in ASCII: no character of it can pass for another one
    case $(field .msg.type) in
        agent_message_delta) jq -j .msg.delta <<<"$line" ;;
        agent_message) echo ;;
        exec_approval_request) answer "Run $(shown .msg.command)?" exec_approval "$(field .msg.call_id)" ;;
        apply_patch_approval_request)
            answer "Change $(shown '.msg.changes | keys')?" patch_approval "$(field .msg.call_id)"
            ;;
        error)
            field .msg.message >&2
            failed=1
            ;;
        task_complete | turn_aborted)
            [[ ${failed:-} || $(field .msg.type) == turn_aborted ]] || status=0
            send '{id: "bye", op: {type: "shutdown"}}'
            ;;
        shutdown_complete) break ;;
    esac
done
exit $status
