#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whether real instances run, seen without disturbing them.

load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-run
    real_instance postfix-stopped
    real_instance postfix-never
    real_start postfix-run postfix-stopped
    postfix -c "$REAL/etc/postfix-stopped" stop >/dev/null 2>&1
}

@test "-l -j: running, stopped and never started instances" {
    real_kick -l -j
    is "$status" 0
    is "$(rows config_directory | sed "s|.*/||" | tr '\n' ' ')" \
        "postfix postfix-run postfix-stopped postfix-never "
    is "$(rows running | tr '\n' ' ')" "n y $(stopped) n "
    is "$(rows queue_directory)" "$(printf '%s\n' "$REAL"/spool/postfix{,-run,-stopped,-never})"
    is "$(rows data_directory)" "$(printf '%s\n' "$REAL"/lib/postfix{,-run,-stopped,-never})"
}

@test "who is in group postdrop may kick" {
    real_kick_as - -i run public qmgr I
    is "$status" 1
    has "$stderr" "/public belongs to postfix:postdrop, mode 0710"
    real_clear postfix-run
    real_kick_as postdrop -i run public qmgr I
    is "$status" 0
    is "$stderr" ""
    patiently requested "$REAL/postfix-run.log" "I "
    # Anybody may see what runs.
    real_kick_as - -l -j -i run
    is "$(rows running)" y
}

@test "an instance that was killed does not run" {
    real_stop postfix-run # by SIGKILL: the pid file stays as it is
    real_kick -l -j
    is "$(rows running | tr '\n' ' ')" "n $(stopped) $(stopped) n "
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
    rm -f "$REAL/enough" "$REAL/looks"
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

@test "looking takes no lock on master.pid" {
    command -v strace >/dev/null || skip "needs strace"
    strace -f -e trace=flock,fcntl,openat -o "$REAL/trace" "$POSTKICK" -f "$INI" -l -j >/dev/null
    run grep -E 'flock|F_.*LK|master.pid' "$REAL/trace"
    is "$status" 1
    grep -q /proc/locks "$REAL/trace"
}
