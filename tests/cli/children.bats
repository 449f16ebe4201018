#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The children of -p and -x: signals and terminals, stops, shortages.

load cli

# The default instance, two that are enabled and one, 0002, that is not; programs are in $TREE/bin.
setup()
{
    make_tree -n 4 -d 2
    A=$DEFAULT-0001
    export TREE
    own_programs
}

@test "a command that is stopped is reported, and a signal or ^C ends it" {
    on_terminal -s stopped=15 -- -i - -i 0001 -P 2 -x sh -c '
        [ "${MAIL_CONFIG##*/}" = postfix ] || exit 0
        kill -TTOU $$; sleep 1000'
    has "$output" "postkick: warning: $DEFAULT: stopped by signal 22 (Stopped (tty output)): \
waiting until it continues
postkick: warning: $DEFAULT: interrupted"
    is "${output##*$'\n'}" "status -15"
    # one that is captured does not have the terminal
    on_terminal -k 'stopped=\3' -- -i - -i 0001 -P 2 -x sh -c 'read -r word </dev/tty; echo "$word"'
    has "$output" ": stopped by signal 21 (Stopped (tty input)): waiting"
    is "${output##*$'\n'}" "status -2"
}

@test "one after the other, commands have the terminal: they read it and write to it" {
    # tostop would stop them when they write, were they in the background
    on_terminal -k 'name?=abc\n' -- -i - -i 0001 -x sh -c '
        [ "${MAIL_CONFIG##*/}" = postfix ] || exit 0
        echo "name?"; read -r word </dev/tty; echo "<$word>"'
    is "$output" "==> $DEFAULT <==
name?
abc
<abc>
==> $A <==
status 0"
}

@test "names go to a terminal, or where both streams go to one place, and never into a pipe" {
    on_terminal -- -P 2 -i - -i 0001 -x sh -c 'echo out; exit 3'
    is "$output" "==> $DEFAULT <==
out
==> $A <==
out
postkick: warning: $DEFAULT: exit status 3
postkick: warning: $A: exit status 3
status 1"
    run "$POSTKICK" -f "$INI" -P 2 -i - -i 0001 -x echo out
    is "$output" "==> $DEFAULT <==
out
==> $A <==
out"
    on_terminal -o -- -P 2 -i - -i 0001 -x sh -c 'printf out; echo err >&2'
    is "$output" "outout"
    is "$stderr" "==> $DEFAULT <==
err
==> $A <==
err
status 0"
    on_terminal -- -c "$A" -x echo out
    is "$output" $'out\nstatus 0'
}

# bats test_tags=plain,native
@test "with too few processes for -P, commands wait for others" {
    [ "$(id -u)" = 0 ] || skip "the number of processes is limited only for other users than root"
    local directories=() i user=61873 # nobody else's: all processes of a user count
    for ((i = 0; i < 20; i++)); do
        mkdir "$TREE/many-$i"
        sed "s,^queue_directory.*,queue_directory = $TREE/many-$i," "$A/main.cf" \
            >"$TREE/many-$i/main.cf"
        directories+=("$TREE/many-$i")
    done
    echo "multi_instance_directories = ${directories[*]}" >>"$DEFAULT/main.cf"
    cp "$POSTKICK" "$TREE/postkick"
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
    run --separate-stderr setpriv --reuid=$user --regid=$user --clear-groups bash -c '
        ulimit -u 8; exec "$0" "$@"' "$TREE/postkick" -f "$INI" -q -j -P 50 -x sleep 0.1
    is "$stderr" ""
    is "$(rows status | sort | uniq -c | tr -s ' ')" " 21 ok"
}

@test "a captured postfix command has a terminal as standard error, which is nobody's controlling one" {
    program postfix '[ -t 2 ] && [ ! -t 1 ] && ! ( : <>/dev/tty ) 2>/dev/null && echo none'
    run --separate-stderr setsid -w env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stdout stderr)" $'ok|none\n|'
    kick -j -i - -x sh -c '[ ! -t 2 ]'
    is "$status" 0
}

@test "where there are no pseudo-terminals, standard error is captured nevertheless" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace"
    program postfix '[ -t 2 ] || echo none >&2'
    run --separate-stderr unshare -m env -u MAIL_CONFIG bash -c '
        mount -t tmpfs tmpfs /dev/pts
        [ -L /dev/ptmx ] || mount --bind /dev/null /dev/ptmx
        exec "$0" "$@"' "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stderr)" "ok|none"
}

@test "a signal is passed on, waited for, and died of" {
    program wait 'exec 2>/dev/null
        trap "echo ${MAIL_CONFIG##*/} got it >>$TREE/calls; exit 0" INT
        echo >>$TREE/ready
        while :; do sleep 0.05; done'
    python3 - "$TREE/ready" "$POSTKICK" -f "$INI" -P 2 -x wait 2>"$TREE/errors" <<'EOF'
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
while not os.path.exists(sys.argv[1]) or os.path.getsize(sys.argv[1]) < 2:
    time.sleep(0.02)
child.send_signal(signal.SIGINT)
assert child.wait(60) == -signal.SIGINT, child.returncode
EOF
    is "$(sort "$TREE/calls")" $'postfix got it\npostfix-0001 got it'
    is "$(cat "$TREE/errors")" "postkick: warning: $DEFAULT: interrupted
postkick: warning: $A: interrupted
postkick: warning: $DEFAULT-0002: not started: interrupted
postkick: warning: $DEFAULT-0003: not started: interrupted"
}
