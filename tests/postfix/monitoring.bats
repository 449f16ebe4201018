#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check_postkick and postkick-metrics on real instances: all well; one hung, one stopped, one
# damaged; without permission; and what is typed wrong.

bats_require_minimum_version 1.5.0
load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-a "multi_instance_group = inbound"
    real_instance postfix-b "multi_instance_group = outbound"
    real_instance postfix-off "multi_instance_enable = no"
    real_start postfix postfix-a postfix-b
    printf '[status]\nlimit = 1s\n' >>"$INI"
}

setup()
{
    real_need
    command -v jq >/dev/null || skip "needs jq"
    ETC=$REAL/etc
    export POSTKICK
    [ ! -e "$REAL/saved" ] || mv "$REAL/saved" "$ETC/postfix-b/main.cf"
    HUNG=
}

teardown()
{
    [ -z "${HUNG:-}" ] || kill -CONT "$HUNG"
}

check()
{
    run "$ROOT/scripts/check_postkick" -f "$INI" "$@"
}

metrics()
{
    run --separate-stderr "$ROOT/scripts/postkick-metrics" -f "$INI" "$@"
}

# hang NAME: its queue manager does not read any more; until the end of the test.
hang()
{
    HUNG=$(real_daemon "$1" qmgr)
    kill -STOP "$HUNG"
}

damage()
{
    cp -p "$ETC/postfix-b/main.cf" "$REAL/saved"
    echo damaged >>"$ETC/postfix-b/main.cf"
}

# plain TEXT: without what differs from run to run.
plain()
{
    sed -e "s,$ETC/,,g" -e 's/=[0-9]*us/=Nus/g' -e 's/ [0-9.]* ms/ N ms/g' <<<"$1"
}

# sample NAME DIRECTORY: the value of that metric of that instance.
sample()
{
    sed -n "s,^postkick_$1{config_directory=\"$ETC/$2\".*} ,,p" <<<"$output"
}

@test "all well" {
    check
    is "$status" 0
    is "$(plain "$output")" "POSTKICK OK - 3 of 3 instances answer | answering=3;;3:;0;3\
 'postfix'=Nus;;;0 'postfix-a'=Nus;;;0 'postfix-b'=Nus;;;0"
    check -g inbound -w 60 -c 120.5
    is "$status" 0
    is "$(plain "$output")" "POSTKICK OK - 1 of 1 instances answer | answering=1;;1:;0;1\
 'postfix-a'=Nus;60000000;120500000;0"
}

@test "answers that take too long" {
    check -w 0.000001
    is "$status" 1
    has "$(plain "$output")" "POSTKICK WARNING - 3 of 3 instances answer; postfix: answers after N ms; "
    check -w 0.000001 -c 0.000002 -i a
    is "$status" 2
    has "$output" "POSTKICK CRITICAL - 1 of 1 instances answer; "
}

@test "one hung, one stopped: critical, with the reasons" {
    hang postfix
    real_stop postfix-a
    check
    is "$status" 2
    has "$(plain "$output")" "POSTKICK CRITICAL - 1 of 3 instances answer; postfix: "
    has "$(plain "$output")" "; postfix-a: $(stopped_reason) | answering=1;;3:;0;3 'postfix-b'=Nus;;;0"
    is "${#lines[@]}" 1
    metrics -
    is "$status" 0
    is "$(sample instance_up postfix) $(sample instance_up postfix-a) $(sample instance_up postfix-b)" "0 0 1"
    is "$(sample instance_running postfix) $(sample instance_running postfix-a)" "1 $(stopped | tr -d - | tr n 0)"
    is "$(sample instance_responding postfix) $(sample instance_responding postfix-b)" "0 1"
    is "$(sample instance_response_seconds postfix)" ""
    is "$(sample instance_enabled postfix-off) $(sample instance_up postfix-off)" "0 "
    kill -CONT "$HUNG"
    HUNG=
    real_start postfix-a
}

@test "a damaged main.cf: unknown, unless there is worse" {
    damage
    check
    is "$status" 3
    has "$(plain "$output")" "POSTKICK UNKNOWN - 2 of 3 instances answer; postfix-b: "
    has "$output" "missing '=' after attribute name"
    hang postfix
    check
    is "$status" 2
    metrics -
    is "$status" 0
    is "$(sample instance_up postfix-b) $(sample instance_enabled postfix-b)" "0 "
}

@test "without permission: unknown" {
    cp "$ROOT/scripts/check_postkick" "$POSTKICK" "$REAL"
    chmod 755 "$REAL/check_postkick" "$REAL/postkick"
    run setpriv --reuid=65534 --regid=65534 --clear-groups env POSTKICK="$REAL/postkick" \
        TMPDIR=/tmp "$REAL/check_postkick" -f "$INI"
    is "$status" 3
    has "$output" "permission denied"
}

@test "metrics are valid for Prometheus" {
    command -v promtool >/dev/null || skip "needs promtool, of Debian's prometheus"
    metrics -
    is "$stderr" ""
    run promtool check metrics <<<"$output"
    is "$status" 0
    is "$output" ""
    sed -i "s/^multi_instance_name = postfix-b/multi_instance_name = b\\\\\"\\\\/" "$ETC/postfix-b/main.cf"
    metrics -
    has "$output" 'name="b\\\"\\"'
    run promtool check metrics <<<"$output"
    is "$status" 0
    sed -i "s/^multi_instance_name = b.*/multi_instance_name = postfix-b/" "$ETC/postfix-b/main.cf"
}

@test "the file of metrics is whole at every moment" {
    local i directory=$BATS_TEST_TMPDIR/metrics writers=()
    mkdir "$directory"
    metrics "$directory"
    is "$status" 0
    for i in 1 2; do
        for _ in 1 2 3 4 5 6; do "$ROOT/scripts/postkick-metrics" -f "$INI" "$directory"; done &
        writers+=($!)
    done
    while kill -0 "${writers[@]}" 2>/dev/null; do
        for i in "$directory"/*.prom; do is "$(tail -n 1 "$i")" "postkick_status_success 1"; done
    done
    wait "${writers[@]}"
    is "$(ls "$directory")" postkick.prom
    is "$(stat -c %a "$directory/postkick.prom")" 644
}

@test "when nothing can be reported, the metrics report that in place of the old ones" {
    mkdir "$BATS_TEST_TMPDIR/metrics"
    metrics "$BATS_TEST_TMPDIR/metrics"
    metrics -g nosuch "$BATS_TEST_TMPDIR/metrics"
    is "$status" 1
    has "$stderr" "No matching instances"
    is "$(grep -v '^#' "$BATS_TEST_TMPDIR/metrics/postkick.prom")" "postkick_status_success 0"
}

# wrong MESSAGE ARGUMENT...: what the check answers; one line, and UNKNOWN.
wrong()
{
    local message=$1
    shift
    run "$ROOT/scripts/check_postkick" "$@"
    is "$status" 3
    is "${#lines[@]}" 1
    has "$output" "POSTKICK UNKNOWN - "
    has "$output" "$message"
}

@test "each mistake in the command line or the host is one clear line" {
    wrong "-w: not a number of seconds: 1s" -w 1s
    wrong "unknown option: -x" -x
    wrong "-g needs an argument" -g
    wrong "unexpected argument: x" x
    wrong "$BATS_TEST_TMPDIR/nosuch" -f "$BATS_TEST_TMPDIR/nosuch"
    echo nonsense >"$BATS_TEST_TMPDIR/ini"
    wrong "$BATS_TEST_TMPDIR/ini" -f "$BATS_TEST_TMPDIR/ini"
    wrong "No matching instances" -f "$INI" -g nosuch
    POSTKICK=$BATS_TEST_TMPDIR/nosuch wrong "nosuch is not installed"
    # shellcheck disable=SC2016 # for Postfix
    POSTKICK=$(dpkg-divert --truename /usr/sbin/postkick) wrong "is Postfix's own"
    POSTKICK=/bin/echo wrong "not understood"
    metrics "$BATS_TEST_TMPDIR/nosuch"
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: $BATS_TEST_TMPDIR/nosuch: not a directory"
    metrics -x
    is "$status" 1
    has "$stderr" "postkick-metrics: fatal: unknown option: -x"
}

@test "the units say nothing to systemd-analyze, and are in a tight sandbox" {
    local unit
    command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
    mkdir -p "$BATS_TEST_TMPDIR/units"
    cp "$ROOT"/conf/systemd/* "$BATS_TEST_TMPDIR/units"
    sed -i -e 's,^ExecStart=/usr/sbin/[^ ]*,ExecStart=/bin/true,' "$BATS_TEST_TMPDIR"/units/*.service
    run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/units/*
    is "$status" 0
    is "$output" ""
    for unit in "$ROOT"/conf/systemd/*.service; do
        run systemd-analyze security --offline=yes --threshold=10 --no-pager "$unit"
        is "$status" 0
    done
}

# as_unit COMMAND...: with what the units leave: root's user, Postfix's group, files that cannot be
# written to but for the metrics, and no network.
as_unit()
{
    # shellcheck disable=SC2016 # for the shell there
    unshare -m -n sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$REAL" \
        setpriv --bounding-set=-all --inh-caps=-all --no-new-privs \
        --groups="$(getent group postdrop | cut -d : -f 3)" "$@"
}

@test "the privileges that the units leave are enough" {
    mkdir "$BATS_TEST_TMPDIR/metrics"
    run ! as_unit touch "$REAL/new"
    run as_unit "$POSTKICK" -f "$INI" -t 30 flush
    is "$output" ""
    is "$status" 0
    run as_unit "$ROOT/scripts/postkick-metrics" -f "$INI" "$BATS_TEST_TMPDIR/metrics"
    is "$output" ""
    is "$status" 0
    is "$(grep -c '^postkick_instance_up{.*} 1' "$BATS_TEST_TMPDIR/metrics/postkick.prom")" 3
    run setpriv --bounding-set=-all --inh-caps=-all --clear-groups "$POSTKICK" -f "$INI" flush
    is "$status" 1
}

# allowed SET: the system calls in it and in the sets that it has, one a line.
allowed()
{
    local name
    systemd-analyze syscall-filter "$1" | sed -n 's/^ *\(@*[a-z0-9_-]*\)$/\1/p' | grep -v -x -e "$1" -e '' |
        while read -r name; do
            case $name in
            @*) allowed "$name" ;;
            *) echo "$name" ;;
            esac
        done
}

@test "the system calls that the units leave are enough" {
    local log=$BATS_TEST_TMPDIR/calls command
    command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
    cp "$ETC/postfix-b/main.cf" "$REAL/saved"
    # shellcheck disable=SC2016 # as text; postconf(1) is asked
    echo 'trigger_timeout = ${smtp_helo_name?10s}' >>"$ETC/postfix-b/main.cf"
    strace -f -qq -o "$log.flush" "$POSTKICK" -f "$INI" flush
    strace -f -qq -o "$log.metrics" "$ROOT/scripts/postkick-metrics" -f "$INI" "$BATS_TEST_TMPDIR"
    cat "$log".* | sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' | sort -u >"$log"
    [ "$(wc -l <"$log")" -gt 40 ]
    is "$(comm -23 "$log" <(comm -23 <(allowed @system-service | sort -u) <(allowed @privileged | sort -u)))" ""
}
