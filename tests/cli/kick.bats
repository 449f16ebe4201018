#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Requests: what arrives, and by which system calls.

load cli

# traced ARGUMENT...: kick under strace(1), which writes to $TREE/trace.
traced()
{
    command -v strace || skip "no strace"
    # leaks cannot be looked for under strace
    run --separate-stderr env -u MAIL_CONFIG ASAN_OPTIONS=detect_leaks=0 strace -f -o "$TREE/trace" \
        "$POSTKICK" -f "$INI" "$@"
    is "$status" 0
}

# bats test_tags=plain
@test "one send, without SIGPIPE" {
    make_tree
    start_listener
    traced public qmgr W
    is "$(grep -c -E '(send|write)[a-z]*\([0-9]+, "W' "$TREE/trace")" 1
    grep -q -E 'send(to)?\([0-9]+, "W\\0", 2, .*MSG_NOSIGNAL.* = 2$' "$TREE/trace"
}

# bats test_tags=plain,native
@test "-n: nothing is connected, opened for writing or run" {
    make_tree -n 3
    behave fifo "$SPOOL-0001/public/qmgr"
    hold_locks "$SPOOL" "$SPOOL-0001" "$SPOOL-0002"
    start_listener
    traced -n public qmgr W
    is "${#lines[@]}" 3
    # its own start, and its own standard streams opened again; a worker is no program
    sed -i -E '1d; /openat\([0-9]+, "[12]", O_WRONLY/d' "$TREE/trace"
    is "$(grep -E 'connect\(|O_WRONLY|socket\(|execve\(|flock\(' "$TREE/trace")" ""
}

@test "every byte but NUL arrives, and 100 KB" {
    local long
    make_tree
    behave drain "$SPOOL/private/mine"
    behave fifo "$SPOOL/private/fifo"
    start_listener
    kick public pickup $'a\nb\t\x01\xff\\'
    is "$status" 0
    received "$SPOOL/public/pickup" 'a\012b\011\001\377\134\000'
    long=$(head -c 100000 /dev/zero | tr '\0' W)
    kick private mine "$long"
    is "$status$stderr" "0postkick: warning: private/mine: request is 100000 bytes long: services read only the first 1024"
    is "$(grep -F private/mine "$LOG" | cut -f 2 | tr -d '\n' | wc -c)" 100004
    kick -q private fifo "$long"
    is "$status$stderr" 0
}
