#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Standard output and standard error that are not read, are full, or limited.

load cli

# blocked SIGNAL STREAM ARGUMENT...: a kick whose standard output and standard error, STREAM, is a full
# pipe that nobody reads (or a terminal after ^S); after half a second it gets the signal, unless that
# is 0. Prints how it ended, and whether without being killed.
blocked()
{
    run python3 -c '
import os, pty, signal, subprocess, sys, time
number, stream = int(sys.argv[1]), sys.argv[2]
for each in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    signal.signal(each, signal.SIG_DFL) # bats may ignore them
def full():
    out, into = os.pipe()
    os.set_blocking(into, False)
    try:
        while True:
            os.write(into, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(into, True)
        return into
def stopped():
    terminal, into = pty.openpty()
    os.write(terminal, b"\x13")
    return into
into = full() if stream == "pipe" else stopped()
child = subprocess.Popen(sys.argv[3:], stdin=into, stdout=into, stderr=into)
if number:
    time.sleep(0.5)
    child.send_signal(number)
try:
    print(child.wait(timeout=60))
except subprocess.TimeoutExpired:
    child.kill()
    print("late")' "$1" "$2" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" "${@:3}"
}

@test "a reader that does not read delays neither the limit of time nor a signal" {
    make_tree -n 2
    behave never "$SPOOL-0001/public/qmgr"
    start_listener
    blocked 0 pipe -t 1 -j public qmgr W
    is "$output" 1
    blocked 0 terminal -t 1 public qmgr W
    is "$output" 1
    blocked 15 pipe -l -j
    is "$output" -15
    blocked 1 pipe public nosuch W
    is "$output" -1
}

@test "a slow reader gets everything, also from a stream that does not block" {
    make_tree -n 40
    for blocking in True False; do
        run python3 -c '
import fcntl, os, struct, subprocess, sys, termios, time
PAGE = 4096
out, into = os.pipe()
fcntl.fcntl(into, 1031, PAGE) # F_SETPIPE_SZ
os.set_blocking(into, sys.argv[1] == "True")
child = subprocess.Popen(sys.argv[2:], stdout=into)
os.close(into)
while struct.unpack("i", fcntl.ioctl(out, termios.FIONREAD, b"    "))[0] < PAGE:
    time.sleep(0.01)
text = b""
while chunk := os.read(out, 1000):
    text += chunk
print(child.wait(), text.count(b"\n"), len(text) > 2 * PAGE)' "$blocking" \
            env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -j
        is "$output" "0 40 True"
    done
}

# bats test_tags=plain
@test "a limit on the size of files is an error, not the end by a signal" {
    make_tree -n 50
    # what is read by a worker comes in a file, too
    run env -u MAIL_CONFIG bash -c 'ulimit -f 8; { "$@" 2>&1 >"$0"; echo "$?"; } | cat' \
        "$BATS_TEST_TMPDIR/out" "$POSTKICK" -f "$INI" -l -j
    is "$output" "\
postkick: warning: write to standard output: File too large
1"
}
