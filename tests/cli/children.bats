#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The children of -p and -x: signals and terminals, stops, shortages.

load cli

# The default instance, two that are enabled and one, 0002, that is not; programs are in $BIN.
setup()
{
    make_tree -n 4 -d 2
    A=$DEFAULT-0001 OFF=$DEFAULT-0002 C=$DEFAULT-0003
    BIN=$TREE/bin
    export CALLS=$TREE/calls
    mkdir "$BIN"
    sed -i "s,^command_directory.*,command_directory = $BIN," "$DEFAULT/main.cf" "$INI"
}

# program NAME: a script in $BIN, its text on standard input.
program()
{
    cat >"$BIN/$1"
    chmod +x "$BIN/$1"
}

@test "a command that is stopped is reported, and a signal ends it" {
    on_terminal -s stopped=15 -- -i - -i 0001 -P 2 -x sh -c '
        [ "${MAIL_CONFIG##*/}" = postfix ] || exit 0
        kill -TTOU $$; sleep 1000'
    has "$output" "postkick: warning: $DEFAULT: stopped by signal 22 (Stopped (tty output)): \
waiting until it continues
postkick: warning: $DEFAULT: interrupted"
    is "${output##*$'\n'}" "status -15"
}

@test "a captured command that reads the terminal is stopped, and ^C ends the run" {
    on_terminal -k 'stopped=\3' -- -i - -i 0001 -P 2 -x sh -c 'read -r word </dev/tty; echo "$word"'
    has "$output" ": stopped by signal 21 (Stopped (tty input)): waiting"
    has "$output" "postkick: warning: $A: interrupted"
    is "${output##*$'\n'}" "status -2"
}

@test "a command that stops again instead of ending is killed" {
    on_terminal -s stopped=15 -- -i - -P 2 -x bash -c 'trap "kill -STOP \$\$" TERM; kill -STOP $$
        while :; do :; done'
    is "${output##*$'\n'}" "status -15"
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
    on_terminal -- -P 2 -i - -i 0001 -x sh -c 'echo out; exit 3'
    is "$output" "==> $DEFAULT <==
out
==> $A <==
out
postkick: warning: $DEFAULT: exit status 3
postkick: warning: $A: exit status 3
status 1"
}

@test "where both streams go to one place, names say which instance wrote what" {
    run "$POSTKICK" -f "$INI" -P 2 -i - -i 0001 -x echo out
    is "$output" "==> $DEFAULT <==
out
==> $A <==
out"
}

@test "names go to a terminal, and never into a pipe" {
    on_terminal -o -- -i - -i 0001 -x echo out
    is "$output" $'out\nout'
    is "$stderr" "status 0"
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

@test "a line on the terminal shows what is waited for" {
    on_terminal -- -P 2 -t 60 -i - -i 0001 -x sh -c '[ "${MAIL_CONFIG##*/}" = postfix ] || sleep 1.3'
    has "$output" "1 of 2 done, "
    has "$output" " s left, waiting for $A"
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
    program postfix <<<'[ -t 2 ] && [ ! -t 1 ] && ! ( : <>/dev/tty ) 2>/dev/null && echo none'
    run --separate-stderr setsid -w env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stdout stderr)" $'ok|none\n|'
    kick -j -i - -x sh -c '[ ! -t 2 ]'
    is "$status" 0
}

@test "where there are no pseudo-terminals, standard error is captured nevertheless" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace"
    program postfix <<<'[ -t 2 ] || echo none >&2'
    run --separate-stderr unshare -m env -u MAIL_CONFIG bash -c '
        mount -t tmpfs tmpfs /dev/pts
        [ -L /dev/ptmx ] || mount --bind /dev/null /dev/ptmx
        exec "$0" "$@"' "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stderr)" "ok|none"
}

@test "a signal is passed on, waited for, and died of" {
    program wait <<'EOF'
#!/bin/bash
exec 2>/dev/null
name=${MAIL_CONFIG##*/}
trap 'echo "$name got it" >>"$CALLS"; exit 0' INT
echo "$name ready" >>"$CALLS.ready"
while :; do sleep 0.05; done
EOF
    python3 - "$POSTKICK" -f "$INI" -P 2 -x wait 2>"$TREE/errors" <<'EOF'
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
ready = os.environ["CALLS"] + ".ready"
while not os.path.exists(ready) or open(ready).read().count("ready") < 2:
    time.sleep(0.02)
child.send_signal(signal.SIGINT)
assert child.wait(60) == -signal.SIGINT, child.returncode
EOF
    is "$(sort "$CALLS")" $'postfix got it\npostfix-0001 got it'
    is "$(cat "$TREE/errors")" "postkick: warning: $DEFAULT: interrupted
postkick: warning: $A: interrupted
postkick: warning: $OFF: not started: interrupted
postkick: warning: $C: not started: interrupted"
}
