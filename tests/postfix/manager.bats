#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manager beside postmulti(1), on a whole host: the default instance and three others, the last
# but one not enabled. Everything is in a mount namespace with /etc, /usr and /var of its own.

load on_host

# postfix-script is where postfix(1) does what it does for one instance. It notes each time it is run,
# but for what it runs of itself, or a script of Debian's does; what it does is done only once
# /var/log/real is there, and only remembered until then.
make_host()
{
    host mkdir "$HOST/usr" "$HOST/usr.work"
    host mount -t overlay overlay -o lowerdir=/usr \
        -o upperdir="$HOST/usr",workdir="$HOST/usr.work" /usr
    host cp "$POSTKICK" /usr/local/sbin/postkick
    host_instances postfix-{a,off,c}:some
    local script
    script=$(postconf -d -h daemon_directory)/postfix-script
    host mv "$script" "$script.real"
    host tee "$script" >/dev/null <<'EOF'
#!/bin/sh
up=/var/log/up.${MAIL_CONFIG##*/}
case $1 in
check-* | quick-check | chroot) exec "$0.real" "$@" ;;
esac
echo "$MAIL_CONFIG $*" >>/var/log/runs
[ ! -e /var/log/real ] || exec "$0.real" "$@"
case $1 in
start) mkdir "$up" ;;
stop | abort | drain | quick-stop) rmdir "$up" ;;
status | reload | flush) [ -d "$up" ] ;;
esac
EOF
    host chmod 755 "$script"
}

# wrapper COMMAND: what postfix(1) runs from now on.
wrapper()
{
    host postconf -e "multi_instance_wrapper = $1"
    host touch -d '1 hour ago' /etc/postfix/main.cf
}

# manage COMMAND...: postfix(1) does that; what it did, in which instances and in what order, and
# its exit status, on standard output.
manage()
{
    local status=0
    host postfix "$@" >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null 3>&- 4>&- || status=$?
    echo "== postfix $*: $status"
    runs
}

# runs: what was done since the last time.
runs()
{
    host cat /var/log/runs 2>/dev/null || true
    host rm -f /var/log/runs
}

# whole_life: one command after the other, the mail systems running or not.
whole_life()
{
    manage check
    manage start
    manage start
    manage status
    manage reload
    manage flush
    manage stop
    manage stop
    manage abort
    manage start
    manage drain
    manage quick-stop
    manage set-permissions
    manage upgrade-configuration
}

# ours COMMAND...: the program itself, with the streams apart.
ours()
{
    run --separate-stderr host /usr/local/sbin/postkick "$@"
}

@test "as multi_instance_wrapper it does what postmulti does, command by command" {
    wrapper '${command_directory}/postmulti -p --'
    whole_life >"$BATS_TEST_TMPDIR/theirs"
    wrapper '/usr/local/sbin/postkick -p --'
    whole_life >"$BATS_TEST_TMPDIR/ours"
    diff -u "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
    # and that is what it should be
    is "$(sed -n '/postfix start: 0/,$p' "$BATS_TEST_TMPDIR/ours" | head -n 6)" \
        "== postfix start: 0
/etc/postfix start
/etc/postfix-a start
/etc/postfix-off check
/etc/postfix-c start
== postfix start: 1"
    is "$(sed -n '/postfix drain: 0/,$p' "$BATS_TEST_TMPDIR/ours" | head -n 5)" \
        "== postfix drain: 0
/etc/postfix-c drain
/etc/postfix-a drain
/etc/postfix drain
== postfix quick-stop: 1"
}

@test "postfix -c and MAIL_CONFIG mean one instance, and nothing is run twice" {
    wrapper '/usr/local/sbin/postkick -p --'
    is "$(manage -c /etc/postfix-off start)" "== postfix -c /etc/postfix-off start: 0
/etc/postfix-off start"
    is "$(manage -c /etc/postfix-off stop)" "== postfix -c /etc/postfix-off stop: 0
/etc/postfix-off stop"
    is "$(manage -c /etc/postfix check)" "== postfix -c /etc/postfix check: 0
/etc/postfix check"
    ours -c /etc/postfix-off -p start
    is "$status" 0
    is "$(runs)" "/etc/postfix-off start"
    ours -c /etc/postfix-off -p stop
    is "$(runs)" "/etc/postfix-off stop"
    run --separate-stderr host env MAIL_CONFIG=/etc/postfix-a /usr/local/sbin/postkick -p start
    is "$status" 1
    has "$stderr" "fatal: MAIL_CONFIG=/etc/postfix-a is not the default instance"
    is "$(runs)" ""
}

@test "an invalid secondary main.cf fails that instance, where postmulti gives up" {
    host cp -p /etc/postfix-a/main.cf /var/saved
    host bash -c 'echo nonsense >>/etc/postfix-a/main.cf; touch -d "1 hour ago" /etc/postfix-a/main.cf'
    wrapper '${command_directory}/postmulti -p --'
    is "$(manage start)" "== postfix start: 1"
    wrapper '/usr/local/sbin/postkick -p --'
    is "$(manage start)" "== postfix start: 1
/etc/postfix start
/etc/postfix-off check
/etc/postfix-c start"
    has "$(cat "$BATS_TEST_TMPDIR/said")" "warning: /etc/postfix-a: /etc/postfix-a/main.cf, line"
    is "$(manage stop)" "== postfix stop: 1
/etc/postfix-c stop
/etc/postfix stop"
    host rm /etc/postfix-a/main.cf
    is "$(manage check)" "== postfix check: 1
/etc/postfix check
/etc/postfix-off check
/etc/postfix-c check"
    has "$(cat "$BATS_TEST_TMPDIR/said")" \
        "warning: /etc/postfix-a: open /etc/postfix-a/main.cf: No such file or directory"
    host cp -p /var/saved /etc/postfix-a/main.cf
}

@test "in parallel, with JSON: daemons run, and delay nothing else" {
    host touch /var/log/real
    ours -j -P 4 -t 60 -p start
    is "$status" 0
    is "$(rows config_directory | paste -s -d " ")" "/etc/postfix /etc/postfix-a /etc/postfix-off /etc/postfix-c"
    is "$(rows status | paste -s -d " ")" "ok ok ok ok"
    is "$(rows exit_status | paste -s -d " ")" "0 0 0 0"
    is "$(rows command | grep -o "'[a-z]*'" | tr '\n' ' ')" "'start' 'start' 'check' 'start' "
    is "$(runs | head -n 1)" "/etc/postfix start"
    # instances can be distinguished by the messages
    ours -P 4 -p status
    is "$status" 1
    is "$output" ""
    # what Postfix says to a terminal only
    has "$stderr" "==> /etc/postfix-a <==
postfix-a/postfix-script: the Postfix mail system is running: PID: "
    has "$stderr" "==> /etc/postfix-off <==
postfix-off/postfix-script: the Postfix mail system is not running"
    is "${stderr##*$'\n'}" "postkick: warning: /etc/postfix-off: exit status 1: not running"
    ours --tag -p status
    is "$output" ""
    has "$stderr" "postfix-a	postfix-a/postfix-script: the Postfix mail system is running: PID: "
    has "$stderr" "postfix-off	postfix-off/postfix-script: the Postfix mail system is not running"
    ours -P 4 -i - -p start
    is "$stderr" "==> /etc/postfix <==
postfix/postfix-script: fatal: the Postfix mail system is already running
postkick: warning: /etc/postfix: exit status 1"
    ours -j -p reload
    is "$(rows status | paste -s -d " ")" "ok ok disabled ok"
    ours -j -P 4 -p stop
    is "$status" 0
    is "$(rows status | paste -s -d " ")" "ok ok disabled ok"
    is "$(runs | tail -n 1)" "/etc/postfix stop"
    host rm /var/log/real
}

# master_of INSTANCE: its process.
master_of()
{
    host cat "/var/spool/$1/pid/master.pid" | tr -d ' '
}

@test "-p restart: one after the other, and the next only when the last one responds" {
    local before started=started also=
    # one that may be running is stopped first
    [ "$(stopped)" = n ] || started=restarted also=$'\n/etc/postfix-c stop'
    host touch /var/log/real
    ours -p start
    runs >"$BATS_TEST_TMPDIR/runs"
    before=$(master_of postfix):$(master_of postfix-a)
    host postfix -c /etc/postfix-c stop
    runs >"$BATS_TEST_TMPDIR/runs"
    ours -v -t 60 -p restart
    is "$status" 0
    is "$(grep -v ' exit ' <<<"$stderr" | grep responding)" "postkick: /etc/postfix: restarted and responding
postkick: /etc/postfix-a: restarted and responding
postkick: /etc/postfix-c: $started and responding"
    is "$(runs)" "/etc/postfix check
/etc/postfix-a check
/etc/postfix-c check
/etc/postfix stop
/etc/postfix start
/etc/postfix-a stop
/etc/postfix-a start$also
/etc/postfix-c start"
    [[ $(master_of postfix) != "${before%:*}" && $(master_of postfix-a) != "${before#*:}" ]]
    ours -s -E
    is "$status" 0
    # what postfix check finds
    host mv /etc/postfix-c/master.cf /etc/postfix-c/gone
    ours -j -p restart
    is "$status" 1
    is "$(rows status reason)" "untouched|
untouched|
disabled|not enabled
failed|check: exit status 1"
    has "$output" "fatal: no /etc/postfix-c/master.cf file found"
    is "$(runs | grep -c stop)" 0
    host mv /etc/postfix-c/gone /etc/postfix-c/master.cf
    # a queue manager that cannot be run
    host sed -i 's/^\(qmgr .*\)qmgr$/\1nosuch/' /etc/postfix-a/master.cf
    ours -P 1 -p restart
    is "$status" 1
    has "$stderr" "postkick: /etc/postfix: restarted and responding
postkick: warning: /etc/postfix-a: no response: "
    is "${stderr##*$'\n'}" "postkick: warning: /etc/postfix-c: not touched"
    host sed -i 's/^\(qmgr .*\)nosuch$/\1qmgr/' /etc/postfix-a/master.cf
    ours -P 2 -p restart
    is "$status" 0
    ours -s -E
    is "$status" 0
    runs >"$BATS_TEST_TMPDIR/runs"
}

@test "-p restart: what systemd runs as a unit is refused, with the command" {
    local groups=/sys/fs/cgroup unit="postkick\\x2dtest@$$.service"
    [ ! -d $groups/systemd ] || groups=$groups/systemd
    mkdir "$groups/$unit" 2>/dev/null || skip "needs control groups"
    master_of postfix-a >"$groups/$unit/cgroup.procs"
    ours -p restart
    master_of postfix-a >"$groups/cgroup.procs"
    rmdir "$groups/$unit"
    is "$status" 1
    is "$stderr" "postkick: warning: /etc/postfix-a: run by systemd: systemctl restart '$unit'
postkick: warning: nothing was stopped"
    is "$(runs)" ""
}

@test "-p reload names the instances that do not run" {
    ours -p start
    ours -i postfix-c -p stop
    ours -p reload
    is "$status" 1
    has "$stderr" "postkick: warning: /etc/postfix-c: exit status 1"
    [ "$(stopped)" != n ] || is "$(grep 'not running' <<<"$stderr")" \
        "postkick: warning: /etc/postfix-c: exit status 1: not running"
    ours -p stop
    host rm /var/log/real
    runs >"$BATS_TEST_TMPDIR/runs"
}

@test "what Debian and postmulti(1) make is not warned about; what others can write is" {
    ours -p status
    is "$(grep -c "written by users" <<<"$stderr")" 0
    host chmod g+w /etc/postfix-a
    host chgrp postfix /etc/postfix-a
    ours -p status
    has "$stderr" "postkick: warning: /etc/postfix-a: /etc/postfix-a can be written by users other than root"
    is "$(grep -c 'written by users' <<<"$stderr")" 1
    host chmod g-w /etc/postfix-a
    host chgrp root /etc/postfix-a
    runs >"$BATS_TEST_TMPDIR/runs"
}

# environment_of PROGRAM: of what it runs in all instances; PATH as the program found it.
environment_of()
{
    host "$@" -x env | grep -v -e '^MAIL_LOGTAG=' -e '^POSTLOG_' -e '^_='
}

@test "-x has the environment, the order and the status of postmulti -x" {
    # with a log file of its own, postmulti(1) also exports where its own log goes
    environment_of postmulti >"$BATS_TEST_TMPDIR/theirs"
    environment_of /usr/local/sbin/postkick >"$BATS_TEST_TMPDIR/ours"
    is "$(grep -c ^config_directory "$BATS_TEST_TMPDIR/theirs")" 4
    diff -u <(sort "$BATS_TEST_TMPDIR/theirs") <(sort "$BATS_TEST_TMPDIR/ours")
    diff -u <(grep ^MAIL_CONFIG "$BATS_TEST_TMPDIR/theirs") \
        <(grep ^MAIL_CONFIG "$BATS_TEST_TMPDIR/ours")
    environment_of postmulti -v -R -g some >"$BATS_TEST_TMPDIR/theirs" 2>/dev/null
    environment_of /usr/local/sbin/postkick -v -R -g some >"$BATS_TEST_TMPDIR/ours" 2>/dev/null
    diff -u <(sort "$BATS_TEST_TMPDIR/theirs") <(sort "$BATS_TEST_TMPDIR/ours")
    diff -u <(grep ^config_directory "$BATS_TEST_TMPDIR/theirs") \
        <(grep ^config_directory "$BATS_TEST_TMPDIR/ours")
    ours -x postconf -h queue_directory
    is "$status" 0
    is "$output" "/var/spool/postfix
/var/spool/postfix-a
/var/spool/postfix-off
/var/spool/postfix-c"
    ours -x sh -c '[ "$multi_instance_enable" = yes ]'
    is "$status" 1
    is "$stderr" "postkick: warning: /etc/postfix-off: exit status 1"
}

@test "the default main.cf says which commands are for which instances" {
    wrapper '/usr/local/sbin/postkick -p --'
    host postconf -e 'postmulti_control_commands = reload flush status' \
        'postmulti_stop_commands = check'
    host touch -d '1 hour ago' /etc/postfix/main.cf
    is "$(manage check)" "== postfix check: 0
/etc/postfix-c check
/etc/postfix-a check
/etc/postfix check"
    is "$(manage status | wc -l)" 4
    wrapper '${command_directory}/postmulti -p --'
    is "$(manage check)" "== postfix check: 0
/etc/postfix-c check
/etc/postfix-a check
/etc/postfix check"
    host postconf -X postmulti_control_commands postmulti_stop_commands
    host touch -d '1 hour ago' /etc/postfix/main.cf
}
