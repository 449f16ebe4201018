#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -s on real instances: each state, and that the empty request makes the queue manager do nothing.

bats_require_minimum_version 1.5.0
load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-hung
    real_instance postfix-stopped
    real_instance postfix-disabled 'multi_instance_enable = no'
    real_instance postfix-damaged
    real_start postfix postfix-hung postfix-disabled
    postfix -c "$REAL/etc/postfix-stopped" start >/dev/null 2>&1 3>&- # its endpoints stay
    patiently real_runs postfix-stopped
    postfix -c "$REAL/etc/postfix-stopped" stop >/dev/null 2>&1
    patiently real_ended postfix-stopped
    echo "foo bar" >"$REAL/etc/postfix-damaged/main.cf"
    kill -STOP "$(real_daemon postfix-hung qmgr)"
}

queued()
{
    find "$REAL/spool/postfix/deferred" -type f | grep -q .
}

# read_empty N: qmgr has read so many empty requests: the terminating null byte, and nothing else.
read_empty()
{
    [ "$(grep -c 'qmgr.*: request: 0 (' "$REAL/postfix.log")" = "$1" ]
}

@test "an empty request is read, and starts no scan" {
    real_send postfix # one message that a scan would come upon
    patiently queued
    sleep 0.5
    real_clear postfix
    for _ in {1..50}; do
        real_kick -s -i -
        is "$status" 0
    done
    patiently read_empty 50
    is "$(grep -c 'qmgr.*: request ignored' "$REAL/postfix.log")" 50
    run grep -E 'qmgr.*(: request: [1-9]|scan|feed)' "$REAL/postfix.log"
    is "$output" ""
    queued

    # A scan is logged.
    real_kick -i - public qmgr D
    is "$status" 0
    patiently real_log postfix 'qmgr.*start deferred queue scan'
    patiently real_log postfix 'qmgr.*feed: deferred/'
}

@test "each state in its own words" {
    local started=$SECONDS
    real_kick -s
    is "$status" 1
    [ $((SECONDS - started)) -lt 30 ]
    is "$(sed -E -e "s|$REAL/etc/||" -e 's/[0-9.]+ms/Nms/' -e 's/  +/ | /g' <<<"$output")" "\
- | - | responding | Nms | postfix
postfix-hung | - | not responding | - | postfix-hung
postfix-stopped | - | $([ "$(stopped)" = n ] && echo "not running" || echo "not responding") | - | postfix-stopped
postfix-disabled | - | not enabled, but responding | Nms | postfix-disabled
- | - | configuration error | - | postfix-damaged"
    is "${stderr//"$REAL/etc/"/}" "\
postkick: warning: postfix-hung: public/qmgr: request not read within 5s
postkick: warning: postfix-stopped: public/qmgr: $(stopped_reason)
postkick: warning: postfix-damaged: postfix-damaged/main.cf, line 1: missing '=' after attribute name: \"foo bar\""
}

@test "the same in JSON" {
    real_kick -s -j -q -t 1
    is "$status" 1
    is "$(rows name enabled running responding status)" "\
-|y|y|y|ok
postfix-hung|y|y|n|failed
postfix-stopped|y|$(stopped)|n|failed
postfix-disabled|n|y|y|disabled
-|-|-|-|failed"
}

@test "who is not in postdrop is not permitted to ask" {
    real_kick_as - -s -i -
    is "$status" 1
    has "$output" "  permission denied  "
    real_kick_as postdrop -s -i -
    is "$status" 0
    has "$output" "  responding  "
}

@test "what is repaired answers" {
    kill -CONT "$(real_daemon postfix-hung qmgr)"
    real_kick -s -i hung
    is "$status" 0
    has "$output" "  responding  "
    is "$stderr" ""
}
