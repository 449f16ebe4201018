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

@test "each state has its own words, and its reason on stderr" {
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
    kick -s
    is "$status" 1
    is "$(table)" "\
-             -           responding                   N.Nms  /etc/postfix
postfix-0001  outbound    not responding               -      /etc/postfix-0001
postfix-0002  submission  not responding               -      /etc/postfix-0002
postfix-0003  inbound     not running                  -      /etc/postfix-0003
postfix-0004  outbound    not enabled, but responding  N.Nms  /etc/postfix-0004
postfix-0005  submission  not enabled, but running     -      /etc/postfix-0005
postfix-0006  inbound     not enabled                  -      /etc/postfix-0006
-             -           configuration error          -      /etc/postfix-0007"
    is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: public/qmgr: request not read within 1s
postkick: warning: /etc/postfix-0002: public/qmgr: closed before the request was read
postkick: warning: /etc/postfix-0003: public/qmgr: not running
postkick: warning: /etc/postfix-0007: /etc/postfix-0007/main.cf, line 1: missing '=' after attribute name: \"foo bar\""
    kick -s -q
    is "$status" 1
    is "$stderr" ""
    is "${#lines[@]}" 8
    kick -s -j -q
    is "$status" 1
    is "$(rows config_directory enabled running responding status reason)" "\
/etc/postfix|y|y|y|ok|
/etc/postfix-0001|y|y|n|failed|request not read within 1s
/etc/postfix-0002|y|y|n|failed|closed before the request was read
/etc/postfix-0003|y|n|n|failed|not running
/etc/postfix-0004|n|y|y|disabled|
/etc/postfix-0005|n|y|n|disabled|nobody listens on the socket
/etc/postfix-0006|n|$(stopped)|n|disabled|$(stopped_reason)
/etc/postfix-0007|-|-|-|failed|/etc/postfix-0007/main.cf, line 1: missing '=' after attribute name: \"foo bar\""
    run python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert list(rows[0]) == "name group enabled config_directory queue_directory data_directory running responding status reason seconds".split(), rows[0]
assert 0 < rows[0]["seconds"] < 1 <= rows[1]["seconds"] and rows[7]["seconds"] == 0, rows' <<<"$output"
    is "$output" ""
}

@test "instances that are not enabled count only when asked for alone; -E leaves them out" {
    make_host 3
    disable 1
    behave dead "$SPOOL-0001/public/qmgr"
    start_listener
    kick -s
    is "$status" 0
    is "$stderr" ""
    kick -s -i 0001
    is "$status" 0
    kick -s -E -j
    is "$status" 0
    is "$(rows config_directory)" "\
/etc/postfix
/etc/postfix-0002"
    kick -s -E -i 0001
    is "$status" 1
    has "$stderr" "postkick: fatal: "
    kick -s -c "$DEFAULT-0001"
    is "$status" 1
    is "$(table)" "postfix-0001  outbound  not responding  -      /etc/postfix-0001"
    is "$stderr" "postkick: warning: public/qmgr: nobody listens on the socket"
    kick -s -v -i 0001
    is "$status" 0
    is "$(plain "$stderr")" "postkick: /etc/postfix-0001: public/qmgr: nobody listens on the socket"
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

@test "all at once, each within the limit, and -t on top" {
    make_host 9
    local i started
    for i in 1 2 3 4 5 6 7 8; do behave never "$SPOOL-000$i/public/qmgr"; done
    set_main_cf "$DEFAULT-0001" 'application_event_drain_time = 100s'
    start_listener
    sed -i 's/^limit = 1s/limit = 3s/' "$INI"
    started=$SECONDS
    kick -s
    is "$status" 1
    [ $((SECONDS - started)) -lt 15 ] # not 24
    has "$stderr" "$DEFAULT-0001: public/qmgr: request not read within 3s"
    kick -s -t 1
    is "$status" 1
    has "$stderr" "$DEFAULT-0008: public/qmgr: request not read within 1s"
}

@test "the limit is one for the connection and the answer together" {
    make_host 2
    behave fullnever "$SPOOL-0001/public/qmgr" 2
    start_listener
    sed -i 's/^limit = 1s/limit = 3s/' "$INI"
    kick -s -j
    is "$status" 1
    # the two seconds began when the listener did
    is "$(rows reason | sed 's/[12]s/Ns/')" "
request not read within Ns"
    [ "$(rows seconds | tail -n 1 | cut -d . -f 1)" -lt 4 ] # not 5
}

@test "two instances with one queue manager share its answer" {
    make_host 4
    set_main_cf "$DEFAULT-0002" "queue_directory = $SPOOL-0001"
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT-0001:" "$DEFAULT/main.cf"
    start_listener
    kick -s
    is "$status" 0
    is "$(table | grep -c "responding (duplicate)")" 2
    has "$stderr" "$DEFAULT-0002: public/qmgr: same endpoint as $DEFAULT-0001's"
    received "$SPOOL-0001/public/qmgr" '\000'
    behave never "$SPOOL-0001/public/qmgr"
    restart_listener
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

@test "one instance: our own lines, and what is fatal" {
    make_host 1
    start_listener
    kick -s
    is "$status" 0
    is "$(table)" "-  -  responding  N.Nms  /etc/postfix"
    rm "$SPOOL/public/qmgr"
    kick -s
    is "$status" 1
    is "$stderr" "postkick: warning: public/qmgr: no such service in master.cf"
    rm "$DEFAULT/main.cf"
    kick -s -c "$DEFAULT"
    is "$status" 1
    is "$(table)" "-  -  configuration error  -      /etc/postfix"
    is "$stderr" "postkick: fatal: open $DEFAULT/main.cf: No such file or directory"
    kick -s -q -c "$DEFAULT"
    is "$stderr" "postkick: fatal: open $DEFAULT/main.cf: No such file or directory"
}
