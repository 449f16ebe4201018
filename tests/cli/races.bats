#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=plain
# What is checked is what is used, while others change it.
load ../lib/common

SWAPPER=

teardown()
{
    if [ -n "$SWAPPER" ]; then kill "$SWAPPER" 2>/dev/null || true; fi
    stop_listener
}

# Exchanges public/SERVICE of queue directories with links to two targets, and public with one to a
# directory that has the service too, until SIGTERM; then prints how many times it did.
SWAP='
import ctypes, os, signal, sys
service, other, *queues = sys.argv[1:]
rename = ctypes.CDLL(None, use_errno=True).renameat2
count, swaps = 0, []
for queue in queues:
    queue = os.open(queue, os.O_PATH)
    public = os.open("public", os.O_PATH, dir_fd=queue)
    for directory, name, target, link in (
            (public, service, f"{other}/{service}", ".one"), (public, service, f"{other}/file", ".two"),
            (queue, "public", other, ".class")):
        os.symlink(target, link, dir_fd=directory)
        swaps += [(directory, name.encode(), directory, link.encode(), 2)] * 2 # RENAME_EXCHANGE
signal.signal(signal.SIGTERM, lambda *_: (print(count, flush=True), os._exit(0)))
while True:
    for swap in swaps:
        if rename(*swap) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        count += 1'

# nothing_astray BEHAVIOUR SERVICE: kicks while endpoints are swapped. Neither what the links lead to
# nor a file gets a byte, and what is reported as kicked is in the log.
nothing_astray()
{
    local i kicked failed out=$BATS_TEST_TMPDIR/out swaps=$BATS_TEST_TMPDIR/swaps
    make_tree -n 20 -b "$1"
    mkdir "$TREE/other"
    : >"$TREE/other/file"
    chmod 666 "$TREE/other/file"
    echo "$1 $TREE/other/$2" >>"$SPEC"
    start_listener
    python3 -c "$SWAP" "$2" "$TREE/other" "$TREE"/spool/postfix-* >"$swaps" 3>&- &
    SWAPPER=$!
    for ((i = 0; i < 300; i++)); do
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -q -j -t 20 public "$2" "Wrun$i." 2>/dev/null || true
    done >"$out"
    kill "$SWAPPER"
    wait "$SWAPPER"
    SWAPPER=
    kicked=$(grep -c '"status": "kicked"' "$out")
    failed=$(grep -c '"status": "failed"' "$out")
    is "$(wc -l <"$out")" $((kicked + failed))
    is "$(grep "^$TREE/other/" "$LOG")" ""
    is "$(cat "$TREE/other/file")" ""
    [ "$(grep -o 'run[0-9]*\.' "$LOG" | wc -l)" -ge "$kicked" ]
    [ "$kicked" -gt 0 ]
    [ "$failed" -gt 0 ]
    echo "# result: $(cat "$swaps") swaps: $kicked kicked, $failed refused, none led astray" >&3
}

@test "a socket that is swapped for links: never a byte to the wrong place" {
    nothing_astray read qmgr
}

@test "a FIFO that is swapped for links: never a byte to the wrong place" {
    nothing_astray fifo qmgr
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
