#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -l, in text and JSON.

bats_require_minimum_version 1.5.0
load cli

@test "the text is what postmulti -l prints" {
    make_tree -n 4 -d 2
    set_main_cf "$DEFAULT-0003" 'multi_instance_name = postfix-a-name-that-is-long' 'multi_instance_group ='
    kick -q -l
    is "$status" 0
    is "$stderr" ""
    is "$output" "$(
        printf '%-15s %-15s %-9s %s\n' - - y "$DEFAULT" \
            postfix-0001 outbound y "$DEFAULT-0001" \
            postfix-0002 submission n "$DEFAULT-0002" \
            postfix-a-name-that-is-long - y "$DEFAULT-0003"
    )"
}

@test "a single instance is listed as enabled" {
    make_tree
    kick -l
    is "$status" 0
    is "$output" "-               -               y         $DEFAULT"
    kick -l -j
    is "$(rows enabled)" y
}

@test "a directory that is listed twice is listed twice" {
    make_tree -n 2
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT-0001:" "$DEFAULT/main.cf"
    kick -l
    is "$status" 0
    is "$stderr" ""
    is "${#lines[@]}" 3
    is "${lines[1]}" "${lines[2]}"
}

@test "-R, -g, -i, -a, -c" {
    make_tree -n 4 -d 2
    names() { awk '{print $4}' <<<"$output" | sed 's:.*/::' | paste -s -d ' ' -; }
    kick -lR
    is "$(names)" "postfix-0003 postfix-0002 postfix-0001 postfix"
    kick -l -a
    is "$(names)" "postfix postfix-0001 postfix-0002 postfix-0003"
    kick -l -g submission -g inbound
    is "$(names)" "postfix-0002 postfix-0003"
    kick -l -i - -i 0002 --reverse
    is "$(names)" "postfix-0002 postfix"
    kick -l -c "$DEFAULT-0002"
    is "$status" 0
    is "$output" "postfix-0002    submission      n         $DEFAULT-0002"
    kick -l -i nosuch -i 0001
    is "$status" 1
    is "$(names)" "postfix-0001"
    is "$stderr" "postkick: warning: no instance matches -i nosuch"
    kick -l -g nosuch
    is "$status" 1
    is "$output" ""
    is "$stderr" "\
postkick: warning: no instance is in group nosuch
postkick: fatal: No matching instances"
}

@test "-E leaves out those that are not enabled" {
    make_tree -n 4 -d 2
    rm "$DEFAULT-0003/main.cf"
    kick -l -E
    is "$status" 1
    is "$(awk '{print $3, $4}' <<<"$output" | sed "s:$TREE::")" "\
y /etc/postfix
y /etc/postfix-0001
- /etc/postfix-0003"
    kick -l --enabled -j -i 0001
    is "$status" 0
    is "$(rows config_directory enabled)" "/etc/postfix-0001|y"
}

@test "MAIL_CONFIG as postmulti(1) takes it" {
    make_tree -n 2
    with_mail_config "$DEFAULT" -l
    is "$status" 0
    is "${#lines[@]}" 2
    with_mail_config "$DEFAULT" -l -i 0001
    is "${#lines[@]}" 1
    with_mail_config "$DEFAULT-0001" -l
    is "$status" 1
    is "$output" ""
    is "$(plain "$stderr")" "postkick: fatal: MAIL_CONFIG=/etc/postfix-0001 is not the default instance /etc/postfix: unset it, or use -c"
    with_mail_config "$DEFAULT-0001" -l -c "$DEFAULT"
    is "$status" 0
}

@test "an instance that cannot be read has dashes, and its reason on stderr" {
    make_tree -n 3
    rm "$DEFAULT-0001/main.cf"
    kick -l
    is "$status" 1
    is "${lines[1]}" "-               -               -         $DEFAULT-0001"
    is "${lines[2]}" "postfix-0002    submission      y         $DEFAULT-0002"
    is "$stderr" "postkick: warning: $DEFAULT-0001: open $DEFAULT-0001/main.cf: No such file or directory"
    kick -l -j
    is "$status" 1
    is "$(sed "s:$TREE::g" <<<"${lines[1]}")" '{"name": "-", "group": "-", "enabled": "-", "config_directory": "/etc/postfix-0001", "queue_directory": "", "data_directory": "", "running": "-", "reason": "open /etc/postfix-0001/main.cf: No such file or directory"}'
    kick -lq
    is "$status" 1
    is "$stderr" ""
}

@test "JSON members" {
    make_tree -n 2
    hold_locks "$SPOOL"
    set_main_cf "$DEFAULT" "config_directory = /elsewhere" 'multi_instance_name = postfix-ä'
    kick -q -lj
    is "$status" 0
    is "$(sed "s:$TREE::g" <<<"$output")" '{"name": "postfix-\u00E4", "group": "-", "enabled": "y", "config_directory": "/etc/postfix", "queue_directory": "/spool/postfix", "data_directory": "/lib/postfix", "running": "y", "reason": ""}
{"name": "postfix-0001", "group": "outbound", "enabled": "y", "config_directory": "/etc/postfix-0001", "queue_directory": "/spool/postfix-0001", "data_directory": "/lib/postfix-0001", "running": "n", "reason": ""}'
}

@test "running: yes, no, not known" {
    make_tree -n 4
    hold_locks "$SPOOL" "$SPOOL-0001"
    touch "$SPOOL-0002/pid/master.pid"
    rm -r "$SPOOL-0003/pid"
    touch "$SPOOL-0003/pid"
    kick -lj
    is "$status" 0
    is "$(rows config_directory running)" "\
/etc/postfix|y
/etc/postfix-0001|y
/etc/postfix-0002|$(stopped)
/etc/postfix-0003|-"
    release_locks
    kick -lj
    is "$(rows running | head -n 2 | paste -s -d ' ')" "$(stopped) $(stopped)"
    # looking is not locking
    run flock -x -n "$SPOOL/pid/master.pid" "$POSTKICK" -f "$INI" -l
    is "$status" 0
}

@test "what disturbs a terminal is escaped" {
    make_tree -n 2
    set_main_cf "$DEFAULT-0001" $'multi_instance_name = a\x1b[2Jb\xff'
    kick -q -l
    is "$status" 0
    has "${lines[1]}" 'a\033[2Jb\377'
    kick -q -lj
    has "${lines[1]}" '"name": "a\u001B[2Jb\uFFFD"'
}

@test "no operands, no options of other modes" {
    make_tree
    for arguments in "flush" "-n" "-w" "-t 5" "-o a=b" "-P 4" "-p status" "-x true"; do
        # shellcheck disable=SC2086
        kick -l $arguments
        is "$status" 1
        is "$output" ""
        has "$stderr" "postkick: fatal: "
    done
}
