#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Requests: what arrives, and the report of every failure.

bats_require_minimum_version 1.5.0
load cli

# public N: the directory of an instance's public services.
public()
{
    printf '%s/spool/postfix-%04d/public' "$TREE" "$1"
}

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

@test "JSON rows have all members, in instance order" {
    make_tree -n 4 -d 3
    hold_locks "$SPOOL"
    behave closeunread "$(public 1)/qmgr"
    rm "$DEFAULT-0002/main.cf"
    start_listener
    kick -j public qmgr $'W\x01'
    is "$status" 1
    run --separate-stderr sed -E -e 's/"seconds": [0-9.e-]+/"seconds": N/' -e "s:$TREE::g" <<<"$output"
    is "$output" '{"name": "-", "group": "-", "enabled": "y", "config_directory": "/etc/postfix", "queue_directory": "/spool/postfix", "data_directory": "/lib/postfix", "running": "y", "class": "public", "service": "qmgr", "request": "W\u0001", "endpoint": "/spool/postfix/public/qmgr", "status": "kicked", "reason": "", "seconds": N}
{"name": "postfix-0001", "group": "outbound", "enabled": "y", "config_directory": "/etc/postfix-0001", "queue_directory": "/spool/postfix-0001", "data_directory": "/lib/postfix-0001", "running": "n", "class": "public", "service": "qmgr", "request": "W\u0001", "endpoint": "/spool/postfix-0001/public/qmgr", "status": "failed", "reason": "closed before the request was read", "seconds": N}
{"name": "-", "group": "-", "enabled": "-", "config_directory": "/etc/postfix-0002", "queue_directory": "", "data_directory": "", "running": "-", "class": "public", "service": "qmgr", "request": "W\u0001", "endpoint": "", "status": "failed", "reason": "open /etc/postfix-0002/main.cf: No such file or directory", "seconds": N}
{"name": "postfix-0003", "group": "inbound", "enabled": "n", "config_directory": "/etc/postfix-0003", "queue_directory": "/spool/postfix-0003", "data_directory": "/lib/postfix-0003", "running": "n", "class": "public", "service": "qmgr", "request": "W\u0001", "endpoint": "/spool/postfix-0003/public/qmgr", "status": "disabled", "reason": "", "seconds": N}'
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
    run --separate-stderr strace -f -o "$TREE/trace" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -n public qmgr W
    is "$status" 0
    is "${#lines[@]}" 3
    run grep -E 'connect\(|O_WRONLY|socket\(|fork\(|clone[3]?\(|flock\(' "$TREE/trace"
    is "$output" ""
}
