#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -s on real instances: the empty request makes the queue manager do nothing.

load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-hung
    real_instance postfix-stopped
    real_instance postfix-fifo
    sed -i -E 's/^(qmgr|pickup) +unix/\1 fifo/' "$REAL/etc/postfix-fifo/master.cf"
    touch -d '1 hour ago' "$REAL/etc/postfix-fifo/master.cf"
    real_start postfix postfix-hung postfix-stopped postfix-fifo
    postfix -c "$REAL/etc/postfix-stopped" stop >/dev/null 2>&1 # its endpoints stay
    patiently real_ended postfix-stopped
    printf '[status]\nlimit = 1s\n' >>"$INI"
}

queued()
{
    find "$REAL/spool/postfix/deferred" -type f | grep -q .
}

# read_empty N [NAME]: qmgr has read so many empty requests: a null byte, and nothing else.
read_empty()
{
    [ "$(grep -c 'qmgr.*: request: 0 (' "$REAL/${2:-postfix}.log")" = "$1" ]
}

@test "an empty request is read, and starts no scan" {
    real_send postfix # one message that a scan would come upon
    patiently queued
    patiently real_log postfix qmgr_job_free # it has nothing to do
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

@test "responding, hung, and stopped; and what is repaired responds" {
    local hung
    hung=$(real_daemon postfix-hung qmgr)
    kill -STOP "$hung"
    real_kick -s -j
    kill -CONT "$hung"
    is "$status" 1
    is "$(rows running responding reason)" "\
y|y|
y|n|request not read within 1s (qmgr, process $hung, stopped)
$(stopped)|n|$(stopped_reason)
y|y|"
    real_kick -s -i hung
    is "$status" 0
}

@test "a queue manager with a FIFO: what it reads is confirmed, and nothing else" {
    local qmgr
    [ -p "$REAL/spool/postfix-fifo/public/qmgr" ]
    real_clear postfix-fifo
    for _ in {1..20}; do
        real_kick -s -i fifo
        is "$status" 0
    done
    patiently read_empty 20 postfix-fifo
    run grep -E 'qmgr.*(: request: [1-9]|scan|feed)' "$REAL/postfix-fifo.log"
    is "$output" ""
    real_kick -v -i fifo flush
    is "$status" 0
    is "$(sed 's/.*: public/public/; s/ after.*//' <<<"$stderr")" "\
public/qmgr: request \"FADI\" read
public/pickup: request \"W\" read"
    patiently real_log postfix-fifo 'request: 70 (F)'
    qmgr=$(real_daemon postfix-fifo qmgr)
    kill -STOP "$qmgr"
    real_kick -s -j -i fifo
    kill -CONT "$qmgr"
    is "$status" 1
    is "$(rows responding reason)" "n|request not read within 1s (qmgr, process $qmgr, stopped)"
    postfix -c "$REAL/etc/postfix-fifo" stop >/dev/null 2>&1
    patiently real_ended postfix-fifo
    real_kick -i fifo flush
    is "$status" 1
    has "$stderr" "public/qmgr: "
}
