# SPDX-License-Identifier: MIT
# Shared by the bats files beside it: load it with "load cli".

load ../lib/common

teardown()
{
    stop_listener
    release_locks
}

# set_main_cf DIR LINE...: appends lines to an instance's main.cf.
set_main_cf()
{
    local file=$1/main.cf
    shift
    printf '%s\n' "$@" >>"$file"
}

# restart_listener: with what $SPEC says now, and an empty log.
restart_listener()
{
    stop_listener
    awk '{print $2}' "$SPEC" | xargs rm -f
    start_listener
}

# own_programs: Postfix's programs are those in $TREE/bin.
own_programs()
{
    mkdir "$TREE/bin"
    sed -i "s,^command_directory.*,command_directory = $TREE/bin," "$DEFAULT/main.cf" "$INI"
}

# program NAME TEXT: a script in $TREE/bin.
program()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$TREE/bin/$1"
    chmod +x "$TREE/bin/$1"
}

# serve BEHAVIOUR PATH: what the listener does there from now on.
serve()
{
    behave "$1" "$TREE/$2"
    restart_listener
}

# plain TEXT: without $TREE.
plain()
{
    printf '%s' "${1//$TREE/}"
}

postkick()
{
    env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "$@"
}

# terminal [-k WORD=KEYS] ARGUMENT...: what postkick shows on a terminal.
terminal()
{
    local keys=()
    [ "$1" != -k ] || { keys=("$1" "$2") && shift 2; }
    "$ROOT/tests/lib/on-terminal" "${keys[@]}" env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "$@"
}

# members KEY...: those members of each JSON object on standard input, with | between.
members()
{
    jq -r --args '[.[$ARGS.positional[]] | tostring] | join("|")' "$@"
}

# follow NAME: compares what comes of commands with commands/NAME. There, a line "$ COMMAND" is run by
# this shell, and followed by what it writes to standard output, then to standard error (after "! "),
# and by its status (after "? ") unless that is 0, or 1 after a fatal error. @ is the directory of the
# test, and figures of time are N, however wide. With UPDATE in the environment, what is found replaces
# what was expected.
follow()
{
    local line status file=$BATS_TEST_DIRNAME/commands/$1
    set -o pipefail
    while IFS= read -r line; do
        case $line in
        '#'* | '') echo "$line" ;;
        '$ '*)
            echo "$line"
            line=${line#\$ } status=0
            eval "${line//@\//$TREE/}" >"$TREE/out" 2>"$TREE/errors" </dev/null || status=$?
            awk 1 "$TREE/out"
            awk '{print "! " $0}' "$TREE/errors"
            [ $status = 0 ] || { [ $status = 1 ] && grep -q ': fatal: ' "$TREE/errors"; } || echo "? $status"
            ;;
        esac
    done <"$file" >"$TREE/found"
    sed -i -E -e "s:$TREE:@:g" -e 's/[0-9]+\.[0-9]+(m?s)/N\1/g' -e '/respond|enabled|TIME/s/  +(@|DIR)/  \1/' \
        "$TREE/found"
    # What belongs to a user who is not root can be written by that user.
    [ $EUID = 0 ] || sed -i '/: warning: @\/[a-z]*\.ini can b/d' "$TREE/found"
    [ -z "${UPDATE-}" ] || cp "$TREE/found" "$file"
    diff -u "$file" "$TREE/found"
}
