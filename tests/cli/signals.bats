#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals while the program waits: it says what is left undone, and dies of them.

bats_require_minimum_version 1.5.0
load cli

# interrupt SIGNAL COMMAND...: sends the signal once the silent services have their connections.
# Its status is in $status: 128 and the signal's number; its messages in $stderr.
interrupt()
{
    run --separate-stderr python3 -c '
import os, signal, subprocess, sys, time
number = getattr(signal, sys.argv[1])
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
child = subprocess.Popen(sys.argv[2:])
def connected():
    held = os.listdir("/proc/%d/fd" % child.pid)
    links = []
    for each in held:
        try:
            links.append(os.readlink("/proc/%d/fd/%s" % (child.pid, each)))
        except OSError:
            pass
    return sum(link.startswith("socket:") for link in links) == 2
while not connected() and child.poll() is None:
    time.sleep(0.02)
time.sleep(0.3)
child.send_signal(number)
status = child.wait()
print("status", status, file=sys.stdout)' "$@"
}

setup()
{
    make_tree -n 4
    behave never "$SPOOL-0001/public/qmgr"
    behave never "$SPOOL-0003/public/qmgr"
    start_listener
}

@test "SIGINT, SIGTERM and SIGHUP name what is not confirmed yet" {
    for signal in SIGINT:2 SIGTERM:15 SIGHUP:1; do
        interrupt "${signal%:*}" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" public qmgr W
        is "$output" "status -${signal#*:}"
        is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: public/qmgr: not confirmed: interrupted
postkick: warning: /etc/postfix-0003: public/qmgr: not confirmed: interrupted"
    done
}

@test "the rows are written nevertheless" {
    interrupt SIGTERM env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -q -j public qmgr W
    is "$stderr" ""
    is "${lines[4]}" "status -15"
    output=$(printf '%s\n' "${lines[@]:0:4}")
    is "$(rows config_directory status reason)" "\
/etc/postfix|kicked|
/etc/postfix-0001|failed|not confirmed: interrupted
/etc/postfix-0002|kicked|
/etc/postfix-0003|failed|not confirmed: interrupted"
}

@test "a signal that was ignored from the start stays ignored" {
    interrupt SIGHUP env -u MAIL_CONFIG --ignore-signal=HUP "$POSTKICK" -f "$INI" -t 3 public qmgr W
    is "$output" "status 1"
    is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: public/qmgr: request not read within 3s
postkick: warning: /etc/postfix-0003: public/qmgr: request not read within 3s"
}

@test "of one instance, in Postfix's form" {
    behave never "$SPOOL/public/one"
    behave never "$SPOOL/public/two"
    restart_listener
    printf '[action both]\nkick = public one W, public two W\n' >>"$INI"
    interrupt SIGTERM env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -c "$DEFAULT" both
    is "$output" "status -15"
    is "$stderr" "\
postkick: warning: public/one: not confirmed: interrupted
postkick: warning: public/two: not confirmed: interrupted"
}

@test "at any moment: dies of it, and the rows that it writes are true" {
    local number after
    for number in 1 2 15; do
        for after in 0.001 0.002 0.003 0.005 0.01 0.1 0.3; do
            run --separate-stderr timeout --preserve-status -k 5 -s "$number" "$after" \
                env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j public qmgr "s$number.$after"
            is "$status" $((128 + number))
            [ -z "$output" ] || is "$(grep -c -e '"status": "kicked"' \
                -e '"reason": "not confirmed: interrupted"' <<<"$output")" 4
        done
        is "$(grep -c '"status": "kicked"' <<<"$output")" 2
    done
}
