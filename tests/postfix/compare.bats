#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Messages and exit status beside those of Postfix's own postkick: see compare.table.

load ../lib/common
load real

setup()
{
    real_need
    make_tree
    local public=$SPOOL/public each
    : >"$SPEC"
    # The connection stays open for a moment, so that Postfix's own is not killed by SIGPIPE.
    for each in "work public/qmgr 0.5" "work public/quick 0.5" "work private/anvil2 0.5" \
        "work private/anvil 0.5" "fifo public/pickup" "fifo public/fifo" "never public/never" \
        "closeunread public/closing" "dead public/dead" "full public/full" \
        "dgram public/datagram" "fifonoreader public/noreader" "fifo public/linked" \
        "drain public/drained"; do
        # shellcheck disable=SC2086 # two or three words
        set -- $each
        echo "$1 $SPOOL/$2 ${3:-}" >>"$SPEC"
    done
    mkdir "$public/directory"
    echo text >"$public/file"
    ln -s qmgr "$public/link"
    start_listener
    ln "$public/linked" "$public/other"
    hold_locks "$SPOOL"
}

teardown()
{
    stop_listener
    release_locks
}

# answer DIR COMMAND...: what it writes and how it ends, in DIR.
answer()
{
    local dir=$1 status=0
    shift
    timeout 60 "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
    echo "$status" >"$dir/status"
}

# relate ROW: "=" when the two answers in it are the same, "+ REASON" when ours has one line more, or
# "different".
relate()
{
    local row=$1 line
    diff -r -u "$row/theirs" "$row/ours" >"$row.diff" && { echo =; return; }
    line=$(tail -n 1 "$row/ours/err")
    cp -r "$row/ours" "$row/shorter"
    sed -i '$d' "$row/shorter/err"
    if [[ $line =~ ^"postkick: warning: "(public|private)/[a-z]*": "(.*)$ ]] &&
        diff -r "$row/theirs" "$row/shorter" >/dev/null; then
        echo "+ ${BASH_REMATCH[2]}"
    else
        echo different
    fi
}

# compare NUMBER VERDICT WORDS LINES: both programs, in a directory of its own. Prints the first word of
# the verdict, or what else came of it.
compare()
{
    local row=$TREE/row-$1 words assignments=() expected=different got
    local C=$row/etc ROOT_DIR=$TREE
    mkdir -p "$row/theirs" "$row/ours" "$C"
    cp "$DEFAULT/main.cf" "$DEFAULT/master.cf" "$C"
    printf '%b\n' "${4-}" >>"$C/main.cf"
    touch -d '1 hour ago' "$C/main.cf"
    eval "words=($3)"
    while [[ ${words[0]:-} == *=* ]]; do
        assignments+=("${words[0]}")
        words=("${words[@]:1}")
    done
    answer "$row/theirs" env -u MAIL_CONFIG -u MAIL_VERBOSE "${assignments[@]}" postkick "${words[@]}"
    answer "$row/ours" env -u MAIL_CONFIG -u MAIL_VERBOSE "${assignments[@]}" "$POSTKICK" \
        -f "$INI" "${words[@]}"
    case $2 in = | +*) expected=$2 ;; esac
    got=$(relate "$row")
    [ "$got" != "$expected" ] || { echo "${got%% *}"; return; }
    printf 'expected: %s\n     got: %s: %s | %s\n' "$expected" "$got" "$3" "${4-}"
    cat "$row.diff"
}

@test "command lines and main.cf files, as Postfix's own postkick takes them" {
    local number=0 columns pids=() verdicts=$TREE/verdicts
    while IFS='|' read -r -a columns; do
        number=$((number + 1))
        compare $number "${columns[@]}" >"$TREE/verdict-$number" 3>&- 4>&- &
        pids+=($!)
        [ $((number % 16)) -ne 0 ] || wait "${pids[@]}"
    done < <(sed -e '/^#/d; /^$/d' -e 's/ *| */|/g' "$BATS_TEST_DIRNAME/compare.table")
    wait "${pids[@]}"
    cat "$TREE"/verdict-* >"$verdicts"
    echo "# result: $(grep -c -x = "$verdicts") command lines and main.cf files as Postfix's own postkick" \
        "has them, $(grep -c -x + "$verdicts") with the reason besides," \
        "$(grep -c -x different "$verdicts") different for a reason" >&3
    run grep -v -x -e = -e + -e different "$verdicts"
    is "$output" ""
    is "$(wc -l <"$verdicts")" "$(grep -c '^[^#]' "$BATS_TEST_DIRNAME/compare.table")"
}

# read_twice NUMBER: what was read since that line of the log is something, and the same once more.
read_twice()
{
    local bytes
    bytes=$(tail -n "+$1" "$LOG" | cut -f 2 | tr -d '\n')
    [ -n "$bytes" ] && [ "${bytes:0:${#bytes}/2}" = "${bytes:${#bytes}/2}" ]
}

# The socket's reader never closes first, so that Postfix's own can send everything.
@test "the bytes on a socket and a FIFO are those of Postfix's own postkick" {
    local service request before
    echo "application_event_drain_time = 1s" >>"$DEFAULT/main.cf" # Postfix's own waits for the close
    touch -d '1 hour ago' "$DEFAULT/main.cf"
    for service in drained fifo; do
        for request in I FADI $'\x01\xffX'; do
            before=$(wc -l <"$LOG")
            postkick -c "$DEFAULT" public $service "$request"
            kick public $service "$request"
            is "$status$stderr" 0
            patiently read_twice $((before + 1))
        done
    done
}
