#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals while the program waits: it says what is left undone, and dies of them.

load cli

# interrupt SIGNAL ARGUMENT...: sends the signal once all has been read but by the two silent services,
# to which it is connected. How it ended is the last line of output.
interrupt()
{
    : >"$LOG"
    run --separate-stderr python3 -c '
import os, signal, subprocess, sys, time
number, log = int(sys.argv[1]), sys.argv[2]
signal.signal(number, signal.SIG_DFL)
child = subprocess.Popen(sys.argv[3:])
def is_waiting():
    try:
        held = [os.readlink(each.path) for each in os.scandir(f"/proc/{child.pid}/fd")]
    except OSError:
        return False # one was closed meanwhile
    return (open(log).read().count("/qmgr\t") == 2 and
            sum(link.startswith("socket:") for link in held) == 2)
while not is_waiting() and child.poll() is None:
    time.sleep(0.02)
child.send_signal(number)
print("status", child.wait())' "$1" "$LOG" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" "${@:2}"
}

setup()
{
    make_tree -n 4
    behave never "$SPOOL-0001/public/qmgr"
    behave never "$SPOOL-0003/public/qmgr"
    start_listener
}

# bats test_tags=native
@test "SIGHUP, SIGINT and SIGTERM end it, and it says what is not confirmed yet" {
    for signal in 1 2 15; do
        interrupt "$signal" public qmgr W
        is "$output" "status -$signal"
        is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: public/qmgr: not confirmed: interrupted
postkick: warning: /etc/postfix-0003: public/qmgr: not confirmed: interrupted"
    done
}

@test "at any moment: dies of it, and writes a row for each instance, or none" {
    local after
    for after in 0.001 0.002 0.003 0.004 0.006 0.01 0.02 0.1; do
        run --separate-stderr timeout --preserve-status -k 60 -s TERM "$after" \
            env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j public qmgr "Ws$after"
        is "$status" 143
        [ -z "$output" ] || is "$(grep -c -e '"status": "kicked"' \
            -e '"reason": "not confirmed: interrupted"' <<<"$output")" 4
    done
}
