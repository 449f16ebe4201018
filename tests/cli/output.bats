#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Standard output and standard error that are not read, are full, or limited.

bats_require_minimum_version 1.5.0
load cli

# blocked SIGNAL COMMAND...: runs the command with standard output and standard error on full pipes
# that nobody reads; after half a second sends the signal, unless it is 0. Prints how it ended, and
# within how many seconds.
blocked()
{
    run python3 -c '
import os, signal, subprocess, sys, time
number = int(sys.argv[1])
for each in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    signal.signal(each, signal.SIG_DFL) # bats may ignore them
def full():
    out, into = os.pipe()
    os.set_blocking(into, False)
    try:
        while True:
            os.write(into, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(into, True)
    return into
started = time.monotonic()
child = subprocess.Popen(sys.argv[2:], stdout=full(), stderr=full())
if number:
    time.sleep(0.5)
    child.send_signal(number)
try:
    child.wait(timeout=20)
except subprocess.TimeoutExpired:
    child.kill()
print(child.wait(), "in time" if time.monotonic() - started < 10 else "late")' "$@"
}

@test "a reader that does not read delays neither the limit of time nor a signal" {
    make_tree -n 2
    start_listener
    blocked 0 env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 1 -j public qmgr W
    is "$output" "1 in time"
    blocked 0 env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 1 public nosuch W
    is "$output" "1 in time"
    for signal in 2 15 1; do
        blocked "$signal" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j public qmgr W
        is "$output" "-$signal in time"
        blocked "$signal" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" public nosuch W
        is "$output" "-$signal in time"
        blocked "$signal" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l
        is "$output" "-$signal in time"
    done
}

@test "a slow reader gets everything, also from a stream that does not block" {
    make_tree -n 400
    for blocking in True False; do
        run python3 -c '
import os, subprocess, sys, time
out, into = os.pipe()
os.set_blocking(into, sys.argv[1] == "True")
child = subprocess.Popen(sys.argv[2:], stdout=into)
os.close(into)
time.sleep(0.3)
text = b""
while chunk := os.read(out, 8192):
    text += chunk
print(child.wait(), text.count(b"\n"), len(text) > 100000)' "$blocking" \
            env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -j
        is "$output" "0 400 True"
    done
}

# bats test_tags=plain
@test "a limit on the size of files is an error, not the end by a signal" {
    make_tree -n 20
    run env -u MAIL_CONFIG bash -c 'ulimit -f 0; { "$@" 2>&1 >"$0"; echo "$?"; } | cat' \
        "$BATS_TEST_TMPDIR/out" "$POSTKICK" -f "$INI" -l
    is "$output" "\
postkick: warning: write to standard output: File too large
1"
    run --separate-stderr env -u MAIL_CONFIG bash -c 'ulimit -f 0; "$@" 2>&1 | wc -l' \
        - "$POSTKICK" -f "$INI" -l
    is "$output" 20
}

@test "a diagnostic line is at most 4 KiB long and says that it was cut" {
    make_tree
    long=$(head -c 9000 /dev/zero | tr '\0' '\033')
    kick "$long" qmgr W
    is "$status" 1
    [ "$(printf '%s\n' "$stderr" | wc -c)" -le 4096 ]
    has "$stderr" '\033\033\033... ('
    has "$stderr" ' bytes more)'
}

# What is written to a terminal waits after ^S. In the second run the kernel cannot refuse descriptors,
# so that a signal comes every millisecond.
@test "a terminal that is stopped does not delay the limit of time" {
    make_tree -n 2
    behave never "$SPOOL-0001/public/qmgr"
    start_listener
    for failure in none:1:1 setsockopt:0:92; do # ENOPROTOOPT
        run python3 -c '
import os, pty, subprocess, sys, time
terminal, stream = pty.openpty()
os.write(terminal, b"\x13")
environment = dict(os.environ, INJECT=sys.argv[1], LD_PRELOAD=sys.argv[2],
                   ASAN_OPTIONS="verify_asan_link_order=0")
environment.pop("MAIL_CONFIG", None)
started = time.monotonic()
child = subprocess.Popen(sys.argv[3:], stdin=stream, stderr=stream, env=environment)
try:
    child.wait(timeout=20)
except subprocess.TimeoutExpired:
    child.kill()
print(child.wait(), "in time" if time.monotonic() - started < 10 else "late")' \
            "$failure" "$TOOLS/inject.so" "$POSTKICK" -f "$INI" -t 2 public qmgr W
        is "$output" "1 in time"
    done
}
