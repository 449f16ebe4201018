#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -s and -l -j on real instances, which they do not disturb: the empty request makes the queue manager do
# nothing.

INSTANCES=(postfix postfix-hung postfix-stopped postfix-fifo)
load on_scratch

configure()
{
    sed -i -E 's/^(qmgr|pickup) +unix/\1 fifo/' "$REAL/etc/postfix-fifo/master.cf"
    touch -d '1 hour ago' "$REAL/etc/postfix-fifo/master.cf"
    printf '[status]\nlimit = 1s\n' >>"$INI"
}

read_empty()
{
    [ "$(grep -c 'qmgr.*: request: 0 (' "$REAL/$1.log")" = 20 ]
}

# asked NAME: it responds 20 times; its queue manager reads as many null bytes, and nothing else.
asked()
{
    real_clear "$1"
    for _ in {1..20}; do
        kick -s -c "$REAL/etc/$1"
        is "$status" 0
    done
    patiently read_empty "$1"
    is "$(grep -c 'qmgr.*: request ignored' "$REAL/$1.log")" 20
    run grep -E 'qmgr.*(: request: [1-9]|scan|feed)' "$REAL/$1.log"
    is "$output" ""
}

@test "an empty request is read, and starts no scan" {
    defer postfix # one message that a scan would come upon
    patiently real_log postfix qmgr_job_free # it has nothing to do
    asked postfix
    holds postfix deferred 1
    # A scan is logged.
    kick -i - public qmgr D
    is "$status" 0
    patiently real_log postfix 'qmgr.*start deferred queue scan'
    patiently real_log postfix 'qmgr.*feed: deferred/'
}

@test "responding, hung, and stopped; and what is repaired responds" {
    local hung
    postfix -c "$REAL/etc/postfix-stopped" stop >/dev/null 2>&1 # its endpoints stay
    patiently real_ended postfix-stopped
    hung=$(real_daemon postfix-hung qmgr)
    kill -STOP "$hung"
    kick -s -j
    kill -CONT "$hung"
    is "$status" 1
    is "$(rows running responding reason)" "\
y|y|
y|n|request not read within 1s (qmgr, process $hung, stopped)
$(stopped)|n|$(stopped_reason)
y|y|"
    kick -s -i hung
    is "$status" 0
}

@test "a queue manager with a FIFO: what it reads is confirmed" {
    [ -p "$REAL/spool/postfix-fifo/public/qmgr" ]
    asked postfix-fifo
    kick -v -i fifo flush
    is "$status" 0
    is "$(sed 's/.*: public/public/; s/ after.*//' <<<"$stderr")" "\
public/qmgr: request \"FADI\" read
public/pickup: request \"W\" read"
    patiently real_log postfix-fifo 'request: 70 (F)'
}

# look: looks at everything, over and over, until $REAL/enough is there, and counts.
look()
{
    local count=0
    while [ ! -e "$REAL/enough" ] && [ $SECONDS -lt 120 ]; do
        "$POSTKICK" -f "$INI" -l -j || true
        "$POSTKICK" -f "$INI" -n flush || true
        count=$((count + 2))
    done >/dev/null 2>&1
    echo $count >>"$REAL/looks"
}

@test "looking never disturbs postfix start, status and stop" {
    local round looks
    real_stop postfix-stopped
    for _ in 1 2 3; do look 3>&- & done
    for round in {1..4}; do
        for command in start status stop; do
            postfix -c "$REAL/etc/postfix-stopped" $command >"$REAL/out" 2>&1 3>&- ||
                echo "$round: $command" >>"$REAL/failed"
        done
        patiently real_ended postfix-stopped
    done
    : >"$REAL/enough"
    wait
    looks=$(awk '{ sum += $1 } END { print sum }' "$REAL/looks")
    echo "# result: postfix start, status, stop $round times while looked at $looks times" >&3
    [ "$looks" -gt 10 ]
    is "$(cat "$REAL/failed" 2>/dev/null)" ""
}
