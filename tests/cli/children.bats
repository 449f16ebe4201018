#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The children of -p and -x: signals and terminals, stops, shortages.

bats_require_minimum_version 1.5.0
load manager

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
