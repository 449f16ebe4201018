#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -s: whether the queue manager of each instance answers.

bats_require_minimum_version 1.5.0
load cli

# make_host N: instances with masters that run and queue managers that answer, and short limits.
make_host()
{
    make_tree -n "$1"
    printf '[status]\nlimit = 1s\n' >>"$INI"
    hold_locks "$SPOOL"*
}

# disable N: the secondary instance is not enabled.
disable()
{
    sed -i 's/^multi_instance_enable.*/multi_instance_enable = no/' "$DEFAULT-000$1/main.cf"
}

# table: $output without $TREE, and without figures, however wide they are.
table()
{
    sed -E -e "s:$TREE::g" -e 's/[0-9]+\.[0-9]ms +/N.Nms  /g' -e 's:- +/etc:-      /etc:' \
        -e 's/TIME +DIR/TIME   DIR/' <<<"$output"
}

@test "each state in JSON, and its reason on stderr" {
    make_host 8
    disable 4
    disable 5
    disable 6
    behave never "$SPOOL-0001/public/qmgr"
    behave closeunread "$SPOOL-0002/public/qmgr"
    behave dead "$SPOOL-0005/public/qmgr"
    behave dead "$SPOOL-0006/public/qmgr"
    release_locks
    hold_locks "$SPOOL" "$SPOOL"-000[1245]
    start_listener
    rm -r "${SPOOL:?}-0003/public/qmgr"
    rm "$SPOOL-0003/pid/master.pid"
    echo "foo bar" >"$DEFAULT-0007/main.cf"
    kick -s -j
    is "$status" 1
    is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: public/qmgr: request not read within 1s
postkick: warning: /etc/postfix-0002: public/qmgr: closed before the request was read
postkick: warning: /etc/postfix-0003: public/qmgr: not running
postkick: warning: /etc/postfix-0007: /etc/postfix-0007/main.cf, line 1: missing '=' after attribute name: \"foo bar\""
    is "$(rows config_directory enabled running responding status reason)" "\
/etc/postfix|y|y|y|ok|
/etc/postfix-0001|y|y|n|failed|request not read within 1s
/etc/postfix-0002|y|y|n|failed|closed before the request was read
/etc/postfix-0003|y|n|n|failed|not running
/etc/postfix-0004|n|y|y|disabled|
/etc/postfix-0005|n|y|n|disabled|nobody listens on the socket
/etc/postfix-0006|n|$(stopped)|n|disabled|$(stopped_reason)
/etc/postfix-0007|-|-|-|failed|/etc/postfix-0007/main.cf, line 1: missing '=' after attribute name: \"foo bar\""
}

@test "on a terminal with a header" {
    make_host 2
    start_listener
    on_terminal -- -s
    is "$(table)" "\
NAME          GROUP     STATE       TIME   DIRECTORY
-             -         responding  N.Nms  /etc/postfix
postfix-0001  outbound  responding  N.Nms  /etc/postfix-0001
status 0"
}

@test "the limit is one for the connection and the answer together" {
    make_host 2
    behave fullnever "$SPOOL-0001/public/qmgr" 2
    start_listener
    sed -i 's/^limit = 1s/limit = 3s/' "$INI"
    kick -s -j
    is "$status" 1
    # of its three seconds, those that are left when the queue has room
    is "$(rows reason | sed 's/within [12]s/in time/')" "
request not read in time"
}

@test "two instances with one queue manager share its answer" {
    make_host 4
    set_main_cf "$DEFAULT-0002" "queue_directory = $SPOOL-0001"
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT-0001:" "$DEFAULT/main.cf"
    behave never "$SPOOL-0001/public/qmgr"
    start_listener
    kick -s -j
    is "$status" 1
    is "$(rows config_directory responding status reason | sort -u)" "\
/etc/postfix-0001|n|failed|listed twice
/etc/postfix-0001|n|failed|request not read within 1s
/etc/postfix-0002|n|failed|same endpoint as /etc/postfix-0001's: request not read within 1s
/etc/postfix-0003|y|ok|
/etc/postfix|y|ok|"
}

@test "a FIFO cannot answer" {
    make_host 2
    behave fifo "$SPOOL-0001/public/qmgr"
    start_listener
    kick -s
    is "$status" 1
    is "$(table)" "\
-             -         responding  N.Nms  /etc/postfix
postfix-0001  outbound  unknown     -      /etc/postfix-0001"
    is "$(plain "$stderr")" 'postkick: warning: /etc/postfix-0001: public/qmgr: a FIFO does not show whether it is read: make it "unix" in master.cf'
}
