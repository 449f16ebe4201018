#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -n: what would be done, and what stands in the way.

bats_require_minimum_version 1.5.0
load cli

@test "a running host: the plan on stdout, nothing sent" {
    make_tree -n 3
    set_main_cf "$DEFAULT-0001" 'queue_service_name = other'
    sed -i 's/^multi_instance_enable.*/multi_instance_enable = no/' "$DEFAULT-0002/main.cf"
    behave read "$SPOOL-0001/public/other"
    hold_locks "$SPOOL" "$SPOOL-0001"
    start_listener
    kick -n flush
    is "$status" 0
    is "$stderr" ""
    is "$(plain "$output")" '/etc/postfix: send "FADI" to /spool/postfix/public/qmgr
/etc/postfix: send "W" to /spool/postfix/public/pickup
/etc/postfix-0001: send "FADI" to /spool/postfix-0001/public/other
/etc/postfix-0001: send "W" to /spool/postfix-0001/public/pickup
/etc/postfix-0002: skip: not enabled'
    kick -n -j flush
    is "$status" 0
    is "$(rows config_directory service status reason seconds)" "\
/etc/postfix|qmgr|planned||0.0
/etc/postfix|pickup|planned||0.0
/etc/postfix-0001|other|planned||0.0
/etc/postfix-0001|pickup|planned||0.0
/etc/postfix-0002|qmgr|disabled||0.0
/etc/postfix-0002|pickup|disabled||0.0"
    is "$(cat "$LOG")" ""
}

@test "what prevents a kick, for each instance" {
    make_tree -n 10
    ln -s "$SPOOL" "$TREE/spool/link"
    set_main_cf "$DEFAULT-0001" "queue_directory = $TREE/spool/link"
    rm "$DEFAULT-0002/main.cf"
    touch "$SPOOL-0004/public/mine"
    ln -s qmgr "$SPOOL-0005/public/mine"
    behave read "$SPOOL-0006/private/mine"
    mkfifo "$SPOOL-0007/public/mine"
    ln "$SPOOL-0007/public/mine" "$SPOOL-0007/public/name"
    behave read "$SPOOL/public/mine"
    behave read "$SPOOL-0009/public/mine"
    hold_locks "$SPOOL" "$SPOOL-0004" "$SPOOL-0005" "$SPOOL-0006" "$SPOOL-0007" "$SPOOL-0008"
    start_listener
    rm -r "${SPOOL:?}-0003"
    kick -n public mine W
    is "$status" 1
    is "$(plain "$output")" "\
/etc/postfix: send \"W\" to /spool/postfix/public/mine
/etc/postfix-0001: skip: \"W\" to /spool/link/public/mine: same endpoint as /etc/postfix's
/etc/postfix-0002: fail: open /etc/postfix-0002/main.cf: No such file or directory
/etc/postfix-0003: fail: chdir /spool/postfix-0003: No such file or directory
/etc/postfix-0004: fail: \"W\" to /spool/postfix-0004/public/mine: not a socket or a FIFO
/etc/postfix-0005: fail: \"W\" to /spool/postfix-0005/public/mine: is a symbolic link
/etc/postfix-0006: fail: \"W\" to /spool/postfix-0006/public/mine: service is private, not public
/etc/postfix-0007: fail: \"W\" to /spool/postfix-0007/public/mine: the FIFO has more than one hard link
/etc/postfix-0008: fail: \"W\" to /spool/postfix-0008/public/mine: no such service in master.cf
/etc/postfix-0009: fail: \"W\" to /spool/postfix-0009/public/mine: not running"
    is "$(cat "$LOG")" ""
}

# bats test_tags=plain,native
@test "nothing is connected, opened for writing or run" {
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
