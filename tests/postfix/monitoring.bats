#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The units of systemd, with real instances: the privileges and system calls that they leave are enough.

INSTANCES=(postfix postfix-a)
load on_scratch

setup()
{
    real_need
    command -v jq >/dev/null || skip "needs jq"
    export POSTKICK
}

# as_unit UNIT COMMAND...: with what it leaves: root's user with its capabilities, Postfix's group, files
# that cannot be written to but for the metrics, and no network.
as_unit()
{
    local capability
    capability=$(sed -n 's/^CapabilityBoundingSet=CAP_/,+/p' "$ROOT/conf/systemd/postkick-$1.service")
    shift
    # shellcheck disable=SC2016 # for the shell there
    unshare -m -n sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"' "$REAL" \
        setpriv --bounding-set="-all${capability,,}" --inh-caps=-all --no-new-privs \
        --groups="$(getent group postdrop | cut -d : -f 3)" "$@"
}

@test "the privileges that the units leave are enough" {
    mkdir "$BATS_TEST_TMPDIR/metrics"
    run ! as_unit metrics touch "$REAL/new"
    run as_unit flush "$POSTKICK" -f "$INI" -t 30 flush
    is "$output" ""
    is "$status" 0
    run as_unit metrics "$ROOT/scripts/postkick-metrics" -f "$INI" "$BATS_TEST_TMPDIR/metrics"
    is "$output" ""
    is "$status" 0
    is "$(grep -c '^postkick_instance_up{.*} 1' "$BATS_TEST_TMPDIR/metrics/postkick.prom")" 2
    is "$(grep -c '^postkick_queue_readable{.*} 1' "$BATS_TEST_TMPDIR/metrics/postkick.prom")" 2
    # not without: the queues are the mail owner's
    run as_unit flush "$ROOT/scripts/postkick-metrics" -f "$INI" -
    is "$(grep -c '^postkick_queue_readable{.*} 0' <<<"$output")" 2
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
    # shellcheck disable=SC2016 # as text; postconf(1) is asked
    real_set postfix-a 'trigger_timeout = ${smtp_helo_name?10s}'
    strace -f -qq -o "$log.flush" "$POSTKICK" -f "$INI" flush
    strace -f -qq -o "$log.metrics" "$ROOT/scripts/postkick-metrics" -f "$INI" "$BATS_TEST_TMPDIR"
    cat "$log".* | sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' | sort -u >"$log"
    [ "$(wc -l <"$log")" -gt 40 ]
    is "$(comm -23 "$log" <(comm -23 <(allowed @system-service | sort -u) <(allowed @privileged | sort -u)))" ""
}
