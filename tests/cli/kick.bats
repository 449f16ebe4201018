#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Requests: what arrives, and the report of every failure.

load cli

# bats test_tags=plain
@test "one send, without SIGPIPE" {
    command -v strace || skip "no strace"
    make_tree
    start_listener
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under strace
    run --separate-stderr strace -f -e trace=network,write -o "$TREE/trace" \
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" public qmgr W
    is "$status" 0
    run grep -c -E '(send|write)[a-z]*\([0-9]+, "W' "$TREE/trace"
    is "$output" 1
    run grep -E 'send(to)?\([0-9]+, "W\\0", 2, .*MSG_NOSIGNAL.* = 2$' "$TREE/trace"
    is "$status" 0
}

@test "an empty request and one of 100 KB" {
    make_tree
    behave drain "$SPOOL/public/pickup"
    behave drain "$SPOOL/private/mine"
    behave fifo "$SPOOL/private/fifo"
    start_listener
    kick public pickup ""
    is "$status" 0
    received "$SPOOL/public/pickup" '\000'
    kick private fifo ""
    is "$status" 0
    long=$(head -c 100000 /dev/zero | tr '\0' W)
    kick private mine "$long"
    is "$status" 0
    is "$stderr" "postkick: warning: private/mine: request is 100000 bytes long: services read only the first 1024"
    run sh -c "grep -F private/mine '$LOG' | cut -f 2 | tr -d '\n' | wc -c"
    is "$output" 100004
    kick -q private fifo "$long"
    is "$status" 0
    is "$stderr" ""
}

@test "every byte but NUL arrives" {
    make_tree
    start_listener
    kick public pickup $'a\nb\t\x01\xff\\'
    is "$status" 0
    received "$SPOOL/public/pickup" 'a\012b\011\001\377\134\000'
}

@test "words of 100,000 bytes are errors, and nothing is sent" {
    local long each
    make_tree
    start_listener
    long=$(printf '%0100000d' 0)
    for each in "--$long flush" "-t$long flush" "-g$long flush" "-i$long flush" "-c$long flush" "$long" \
        "public $long W" "$long qmgr W" "public qmgr W $long"; do
        # shellcheck disable=SC2086 # words
        kick $each
        is "$status" 1
        [ ${#stderr} -lt 8200 ]
    done
    is "$(cat "$LOG")" ""
}

# bats test_tags=plain,native
@test "-n: nothing is connected, opened for writing or run" {
    command -v strace || skip "no strace"
    make_tree -n 3
    behave fifo "$SPOOL-0001/public/qmgr"
    hold_locks "$SPOOL" "$SPOOL-0001" "$SPOOL-0002"
    start_listener
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under strace
    run --separate-stderr env -u MAIL_CONFIG strace -f -o "$TREE/trace" "$POSTKICK" -f "$INI" -n public qmgr W
    is "$status" 0
    is "${#lines[@]}" 3
    # its own start, and its own standard streams opened again; a worker is no program
    sed -i -E '1d; /openat\([0-9]+, "[12]", O_WRONLY/d' "$TREE/trace"
    run grep -E 'connect\(|O_WRONLY|socket\(|execve\(|flock\(' "$TREE/trace"
    is "$output" ""
}
