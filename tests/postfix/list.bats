#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What can be seen of real instances without kicking them: whether they run, what a kick would meet,
# and the values of their parameters.

bats_require_minimum_version 1.5.0
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

@test "an instance that was killed does not run" {
    real_start postfix-stopped
    real_kick -l -j
    is "$(rows running | tr '\n' ' ')" "n y y n "
    real_stop postfix-stopped # by SIGKILL: the pid file stays as it is
    real_kick -l -j
    is "$(rows running | tr '\n' ' ')" "n y $(stopped) n "
}

@test "-n reports what a kick would find, and sends nothing" {
    real_clear postfix-run
    real_kick -n flush
    is "$status" 1
    has "$output" "$REAL/etc/postfix-run: send \"FADI\" to $REAL/spool/postfix-run/public/qmgr
$REAL/etc/postfix-run: send \"W\" to $REAL/spool/postfix-run/public/pickup
"
    has "$output" "$REAL/etc/postfix-never: fail: \"W\" to $REAL/spool/postfix-never/public/pickup: not running"
    if [ "$(stopped)" = n ]; then
        has "$output" "$REAL/etc/postfix-stopped: fail: \"FADI\" to $REAL/spool/postfix-stopped/public/qmgr: not running"
    fi
    real_kick -n -i run -v public qmgr I
    is "$status" 0
    real_kick -n -i run public nosuch I
    is "$status" 1
    has "$output" "no such service in master.cf"

    # what comes after is the first that qmgr reads
    real_kick -i run public qmgr D
    patiently requested "$REAL/postfix-run.log" "D "
}

@test "kicks of instances that do not run say so, and reach those that do" {
    real_clear postfix-run
    real_kick public qmgr I
    is "$status" 1
    is "$stderr" "postkick: warning: $REAL/etc/postfix: public/qmgr: not running
postkick: warning: $REAL/etc/postfix-stopped: public/qmgr: $(stopped_reason)
postkick: warning: $REAL/etc/postfix-never: public/qmgr: not running"
    patiently requested "$REAL/postfix-run.log" "I "
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
    real_kick_as postdrop -n -i run public qmgr I
    is "$status" 0

    # Anybody may see what runs.
    real_kick_as - -l -j -i run
    is "$status" 0
    is "$(rows enabled)" y
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
    for round in {1..8}; do
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
    [ "$looks" -gt 100 ]
    is "$(cat "$REAL/failed" 2>/dev/null)" ""
}

@test "looking takes no lock on master.pid" {
    command -v strace >/dev/null || skip "needs strace"
    strace -f -e trace=flock,fcntl,openat -o "$REAL/trace" "$POSTKICK" -f "$INI" -l -j >/dev/null
    run grep -E 'flock|F_.*LK|master.pid' "$REAL/trace"
    is "$status" 1
    grep -q /proc/locks "$REAL/trace"
}

# values_alike NAME...: -l -j and postconf -x have the same for postfix-run.
values_alike()
{
    local name value
    real_kick -l -j -i "$REAL/etc/postfix-run"
    is "$status" 0
    for name; do
        value=$(postconf -c "$REAL/etc/postfix-run" -x -h "$name" 2>/dev/null)
        case $name in multi_instance_*) value=${value:--} ;; esac
        is "$(rows "${name#multi_instance_}")" "$value"
    done
}

@test "values that refer to Postfix's own parameters are what postconf says" {
    local etc=$REAL/etc/postfix-run
    cp "$etc/main.cf" "$REAL/main.cf"
    sed -i '/^myhostname/d' "$etc/main.cf"
    while read -r line; do
        cp "$REAL/main.cf" "$etc/main.cf"
        sed -i '/^myhostname/d; /^multi_instance_name/d' "$etc/main.cf"
        printf '%b\n' "$line" >>"$etc/main.cf"
        touch -d '1 hour ago' "$etc/main.cf" # Postfix waits for a file that is new
        echo "$line" >&2
        values_alike multi_instance_name multi_instance_group queue_directory data_directory
    done <<'EOF'
multi_instance_name = x-$myhostname
multi_instance_name = x-$myhostname\nmyhostname = set.example
multi_instance_name = ${mydomain}-$mail_version
multi_instance_group = g-$mail_name-$multi_instance_name\nmulti_instance_name = $alias_database
multi_instance_name = ${multi_instance_group?{yes}:{no}}\nmulti_instance_group = $default_database_type
multi_instance_name = ${{$compatibility_level} >=level {3.6} ? {new} : {old}}
multi_instance_name = ${{$mail_version} > {3} ? {new} : {old}}
multi_instance_name = $$myhostname $(mail_owner)
data_directory = /var/lib/$mail_owner/$setgid_group
multi_instance_name = $smtp_bind_address\nmulti_instance_group = ${relayhost:none}
multi_instance_name = $nosuchname-a\nmulti_instance_group = $mail_owner$nosuchname
multi_instance_name = $a\na = $b\nb = $myhostname
EOF
    cp -p "$REAL/main.cf" "$etc/main.cf"
}
