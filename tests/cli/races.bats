#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=plain
# What is checked is what is used, while others change it; and nothing from outside reaches a
# terminal or breaks a line of JSON.
bats_require_minimum_version 1.5.0
load ../lib/common

SWAPPER=

teardown()
{
    if [ -n "$SWAPPER" ]; then kill "$SWAPPER" 2>/dev/null || true; fi
    stop_listener
}

# swap_during SERVICE RUNS: kicks while the endpoints are swapped. KICKED: how often it was reported to
# have succeeded; FAILED: how often not; SWAPS.
swap_during()
{
    local i queues=() out=$BATS_TEST_TMPDIR/out
    for i in "$TREE"/spool/postfix-*; do queues+=("$i"); done
    "$TOOLS/swapper" "$1" "$TREE/other" "$TREE/other/$1" "$TREE/other/file" "${queues[@]}" \
        >"$BATS_TEST_TMPDIR/swaps" 3>&- &
    SWAPPER=$!
    for ((i = 0; i < $2; i++)); do
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -q -j -t 20 public "$1" "run$i." 2>/dev/null || true
    done >"$out"
    kill "$SWAPPER"
    wait "$SWAPPER"
    SWAPPER=
    SWAPS=$(cat "$BATS_TEST_TMPDIR/swaps")
    KICKED=$(grep -c '"status": "kicked"' "$out")
    FAILED=$(grep -c '"status": "failed"' "$out")
    is "$(wc -l <"$out")" $((KICKED + FAILED))
    echo "# result: $SWAPS swaps during $2 runs: $KICKED kicked, $FAILED refused, none led astray" >&3
}

# nothing_astray: neither the other endpoints nor the file got a byte, and what is reported as kicked
# is in the log.
nothing_astray()
{
    is "$(grep "^$TREE/other/" "$LOG")" ""
    is "$(cat "$TREE/other/file")" ""
    [ "$(grep -o 'run[0-9]*\.' "$LOG" | wc -l)" -ge "$KICKED" ]
    [ "$KICKED" -gt 0 ]
    [ "$FAILED" -gt 0 ]
    [ "$SWAPS" -ge 10000 ]
}

# other_endpoints BEHAVIOUR SERVICE: what the links lead to.
other_endpoints()
{
    mkdir "$TREE/other"
    : >"$TREE/other/file"
    chmod 666 "$TREE/other/file"
    echo "$1 $TREE/other/$2" >>"$SPEC"
}

@test "a socket that is swapped for links: never a byte to the wrong place" {
    make_tree -n 20
    other_endpoints read qmgr
    start_listener
    swap_during qmgr 300
    nothing_astray
}

@test "a FIFO that is swapped for links: never a byte to the wrong place" {
    make_tree -n 20 -b fifo
    other_endpoints fifo qmgr
    start_listener
    swap_during qmgr 300
    nothing_astray
}

@test "main.cf that is replaced and removed all the time: the old text or the new, or an error" {
    make_tree -n 2
    local file=$TREE/etc/postfix-0001/main.cf
    sed 's/^multi_instance_name.*/multi_instance_name = postfix-other/' "$file" >"$file.other"
    cp "$file" "$file.one"
    # shellcheck disable=SC2016 # for the other shell
    bash -c 'while :; do
            cat "$1.other" >"$1.new" && mv "$1.new" "$1"
            cat "$1.one" >"$1"
            rm -f "$1"
        done' - "$file" >/dev/null 2>&1 3>&- &
    SWAPPER=$!
    for ((i = 0; i < 200; i++)); do
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -j 2>/dev/null || true
    done >"$BATS_TEST_TMPDIR/rows"
    is "$(wc -l <"$BATS_TEST_TMPDIR/rows")" 400
    run grep -v -e '"reason": ""' -e '"reason": "open [^"]*: No such file or directory"' \
        -e '"reason": "read [^"]*: file keeps changing while it is read"' \
        "$BATS_TEST_TMPDIR/rows"
    is "$output" ""
    grep -q '"name": "postfix-other"' "$BATS_TEST_TMPDIR/rows"
    grep -q '"name": "postfix-0001"' "$BATS_TEST_TMPDIR/rows"
}

@test "postkick.ini that is replaced all the time is read whole" {
    make_tree -n 2
    start_listener
    cp "$INI" "$INI.good"
    # shellcheck disable=SC2016 # for the other shell
    bash -c 'while :; do cp "$1.good" "$1.new"; mv "$1.new" "$1"; done' - "$INI" >/dev/null 2>&1 \
        3>&- &
    SWAPPER=$!
    for ((i = 0; i < 50; i++)); do
        "$POSTKICK" -f "$INI" -q public qmgr I
    done
}
