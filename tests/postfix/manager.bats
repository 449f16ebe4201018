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
    local command
    for command in check start start status reload flush stop stop abort start drain quick-stop \
        set-permissions upgrade-configuration; do
        manage $command
    done
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
    # and that is something
    is "$(sed -n '/postfix start: 0/,$p' "$BATS_TEST_TMPDIR/ours" | head -n 6)" \
        "== postfix start: 0
/etc/postfix start
/etc/postfix-a start
/etc/postfix-off check
/etc/postfix-c start
== postfix start: 1"
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
    host cp -p /var/saved /etc/postfix-a/main.cf
}

@test "in parallel, with JSON: daemons run, and delay nothing else" {
    host touch /var/log/real
    ours -j -P 4 -t 60 -p start
    is "$status" 0
    is "$(rows config_directory status exit_status)" "$(printf '/etc/postfix%s|ok|0\n' '' -a -off -c)"
    is "$(runs | head -n 1)" "/etc/postfix start"
    # instances can be distinguished by the messages
    ours -P 4 -p status
    is "$status$output" 1
    # what Postfix says to a terminal only
    has "$stderr" "==> /etc/postfix-a <==
postfix-a/postfix-script: the Postfix mail system is running: PID: "
    has "$stderr" "==> /etc/postfix-off <==
postfix-off/postfix-script: the Postfix mail system is not running"
    is "${stderr##*$'\n'}" "postkick: warning: /etc/postfix-off: exit status 1: not running"
    # what Debian and postmulti(1) make is not warned about
    run ! grep "written by users" <<<"$stderr"
    ours -j -p reload
    is "$(rows status | paste -s -d " ")" "ok ok disabled ok"
    ours -j -P 4 -p stop
    is "$status" 0
    is "$(rows status | paste -s -d " ")" "ok ok disabled ok"
    is "$(runs | tail -n 1)" "/etc/postfix stop"
    host rm /var/log/real
}

@test "-p restart: one after the other, and the next only when the last one responds" {
    local before started=started also=
    # one that may be running is stopped first
    [ "$(stopped)" = n ] || started=restarted also=$'\n/etc/postfix-c stop'
    host touch /var/log/real
    ours -p start
    before=$(host_master postfix):$(host_master postfix-a)
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
    [[ $(host_master postfix) != "${before%:*}" && $(host_master postfix-a) != "${before#*:}" ]]
    ours -s -E
    is "$status" 0
    runs >"$BATS_TEST_TMPDIR/runs"
}

@test "-p restart: what systemd runs as a unit is refused, with the command" {
    local groups=/sys/fs/cgroup unit="postkick\\x2dtest@$$.service"
    [ ! -d $groups/systemd ] || groups=$groups/systemd
    mkdir "$groups/$unit" 2>/dev/null || skip "needs control groups"
    host_master postfix-a >"$groups/$unit/cgroup.procs"
    ours -p restart
    host_master postfix-a >"$groups/cgroup.procs"
    rmdir "$groups/$unit"
    is "$status" 1
    is "$stderr" "postkick: warning: /etc/postfix-a: run by systemd: systemctl restart '$unit'
postkick: warning: nothing was stopped"
    is "$(runs)" ""
}

# environment_of PROGRAM: of what it runs in all instances; PATH as the program found it.
environment_of()
{
    host "$@" -x env | grep -v -e '^MAIL_LOGTAG=' -e '^POSTLOG_' -e '^_='
}

# environments_alike [OPTION...]: both have the same, in the same order of instances.
environments_alike()
{
    # with a log file of its own, postmulti(1) also exports where its own log goes
    environment_of postmulti "$@" >"$BATS_TEST_TMPDIR/theirs" 2>/dev/null
    environment_of /usr/local/sbin/postkick "$@" >"$BATS_TEST_TMPDIR/ours" 2>/dev/null
    diff -u <(sort "$BATS_TEST_TMPDIR/theirs") <(sort "$BATS_TEST_TMPDIR/ours")
    diff -u <(grep ^MAIL_CONFIG "$BATS_TEST_TMPDIR/theirs") <(grep ^MAIL_CONFIG "$BATS_TEST_TMPDIR/ours")
}

@test "-x has the environment and the order of postmulti -x" {
    environments_alike
    is "$(grep -c ^config_directory "$BATS_TEST_TMPDIR/ours")" 4
    environments_alike -v -R -g some
}

@test "the default main.cf says which commands are for which instances" {
    local each
    host rm /var/log/real
    host postconf -e 'postmulti_control_commands = reload flush status' 'postmulti_stop_commands = check'
    for each in '${command_directory}/postmulti' /usr/local/sbin/postkick; do
        wrapper "$each -p --"
        is "$(manage check)" "== postfix check: 0
/etc/postfix-c check
/etc/postfix-a check
/etc/postfix check"
        is "$(manage status | wc -l)" 4
    done
}
