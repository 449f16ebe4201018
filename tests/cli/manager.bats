#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -p and -x with stand-ins for Postfix's programs: which instances, in what order, with what around
# them, and the results of commands that fail, hang or flood.

bats_require_minimum_version 1.5.0
load manager

@test "damaged, missing and relative instances fail alone" {
    echo nonsense >>"$A/main.cf"
    rm "$OFF/main.cf"
    echo "multi_instance_directories = $A $OFF some/where $C $C" >>"$DEFAULT/main.cf"
    kick -p start
    is "$status" 1
    called "postfix -- start" "postfix-0003 -- start"
    has "$stderr" "$A/main.cf, line 10: missing '=' after attribute name"
    has "$stderr" "postkick: warning: $OFF: open $OFF/main.cf: No such file or directory"
    has "$stderr" "some/where: multi_instance_directories: not an absolute path"
    has "$stderr" "postkick: warning: $C: listed twice: not run again"
    kick -p stop
    is "$status" 1
    called "postfix-0003 -- stop" "postfix -- stop"
}

@test "of two instances with one queue the enabled one is not left out" {
    echo "queue_directory = $SPOOL-0003" >>"$OFF/main.cf"
    kick -p stop
    is "$status" 0
    called "postfix-0003 -- stop" "postfix-0001 -- stop" "postfix -- stop"
    kick -p start
    is "$status" 0
    called "postfix -- start" "postfix-0001 -- start" "postfix-0002 -- check" \
        "postfix-0003 -- start"
}

@test "failures are remembered, and named in the end with their reason" {
    on postfix 'exit 3'
    on postfix-0001 'kill -KILL $$'
    on postfix-0002 'exit 255'
    kick -p start
    is "$status" 1
    called "postfix -- start" "postfix-0001 -- start" "postfix-0002 -- check" \
        "postfix-0003 -- start"
    is "$stderr" "postkick: warning: $DEFAULT: exit status 3
postkick: warning: $A: killed by signal 9 (Killed)
postkick: warning: $OFF: exit status 255"
    # a single instance's command had its say itself
    kick -c "$DEFAULT" -p start
    is "$status" 1
    is "$stderr" ""
}

@test "without -P and -j the output of commands passes through, streams apart" {
    on postfix-0001 'echo to stdout; echo to stderr >&2'
    kick -p status
    is "$output" "to stdout"
    is "$stderr" "to stderr"
}

@test "of parallel commands each stream goes to ours, in instance order, with names on standard error" {
    on postfix 'until [ -e "$CALLS.3" ]; do sleep 0.02; done; echo 1; echo one >&2'
    on postfix-0001 'printf "2\n2"; printf "two\ntwo" >&2'
    on postfix-0003 'echo 3; touch "$CALLS.3"'
    kick -P 4 -p status
    is "$status" 0
    is "$output" $'1\n2\n23'
    is "$stderr" "==> $DEFAULT <==
one
==> $A <==
two
two"
}

@test "with -P the default instance starts before the others and stops after them" {
    on postfix 'sleep 0.5; wc -l <"$CALLS" >"$CALLS.seen"'
    on postfix-0001 'sleep 0.3'
    on postfix-0003 'sleep 0.3'
    kick -P 4 -p start
    is "$status" 0
    is "$(cat "$CALLS.seen")" 1 # while it ran no other was called
    is "$(head -n 1 "$CALLS.ends")" postfix.end
    is "$(wc -l <"$CALLS")" 4
    rm "$CALLS" "$CALLS.ends" "$CALLS.seen"
    on postfix 'cp "$CALLS.ends" "$CALLS.seen"'
    kick -P 4 -p stop
    is "$status" 0
    is "$(sort "$CALLS.seen" | tr '\n' ' ')" "postfix-0001.end postfix-0003.end "
    is "$(tail -n 1 "$CALLS")" "postfix -- stop"
}

@test "-t ends the run, politely at first, with all that was started" {
    on postfix-0001 'trap "echo asked; exit 0" TERM; sleep 1000 & echo $! >"$CALLS.pid"; wait'
    on postfix-0002 'trap "" TERM; sleep 1000; sleep 1000'
    local before=$SECONDS
    kick -P 4 -t 1 -p status
    [ $((SECONDS - before)) -lt 60 ]
    is "$status" 1
    is "$stderr" "postkick: warning: $A: not finished within 1s
postkick: warning: $OFF: not finished within 1s"
    has "$output" "asked"
    run grep -s -v '^State.*[ZX]' "/proc/$(cat "$CALLS.pid")/status"
    is "$(printf '%s\n' "$output" | grep -c '^State')" 0
    rm -f "$CALLS"
    kick -j -t 1 -p status
    is "$(rows status reason)" "\
ok|
failed|not finished within 1s
failed|not started within 1s
failed|not started within 1s"
    called "postfix -- status" "postfix-0001 -- status"
}

@test "at most 1 MiB of each stream is kept, and a daemon that holds them delays nothing" {
    on postfix 'head -c 1500000 /dev/zero | tr "\0" @; head -c 1048577 /dev/zero | tr "\0" % >&2'
    on postfix-0001 'setsid sleep 1000 & echo $! >"$CALLS.daemon"; echo started'
    local before=$SECONDS
    kick -P 2 -i - -i 0001 -p status
    kill -KILL "$(cat "$CALLS.daemon")" # it lives: nobody but the command's own group is ended
    [ $((SECONDS - before)) -lt 60 ]
    is "$status" 1
    is "$(printf '%s' "$output" | tr -d -c @ | wc -c)" 1048576
    is "${output##*@}" started
    is "$(printf '%s' "$stderr" | tr -d -c % | wc -c)" 1048576
    is "${stderr##*%}" "
postkick: warning: $DEFAULT: standard output after the first 1048576 bytes was dropped: run it without -P and -j
postkick: warning: $DEFAULT: standard error after the first 1048576 bytes was dropped: run it without -P and -j"
    on postfix 'head -c 1048577 /dev/zero >&2'
    kick -j -i - -p status
    is "$(rows stdout_truncated stderr_truncated)" "False|True"
    is "$stderr" \
        "postkick: warning: $DEFAULT: standard error after the first 1048576 bytes was dropped: run it without -P and -j"
}

@test "a captured postfix command has a terminal as standard error, which is nobody's controlling one" {
    on postfix '[ -t 2 ] && [ ! -t 1 ] && ! ( : <>/dev/tty ) 2>/dev/null && echo none'
    run --separate-stderr setsid -w env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stdout stderr)" $'ok|none\n|'
    kick -j -i - -x sh -c '[ ! -t 2 ]'
    is "$status" 0
}

@test "where there are no pseudo-terminals, standard error is captured nevertheless" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace"
    on postfix '[ -t 2 ] || echo none >&2'
    run --separate-stderr unshare -m env -u MAIL_CONFIG bash -c '
        mount -t tmpfs tmpfs /dev/pts
        [ -L /dev/ptmx ] || mount --bind /dev/null /dev/ptmx
        exec "$0" "$@"' "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(rows status stderr)" "ok|none"
}

@test "standard input is for one instance only, and arguments are what they are" {
    local arguments expected
    on postfix 'cat'
    while IFS='|' read -r arguments expected; do
        # shellcheck disable=SC2086 # words
        output=$(echo text | env -u MAIL_CONFIG "$POSTKICK" -f "$INI" $arguments 2>/dev/null)
        is "$arguments: $output" "$arguments: $expected"
    done <<END
-i - -x cat|text
-P 2 -i - -x cat|text
-c $DEFAULT -p start|text
-i - -i 0001 -x cat|
-P 2 -x cat|
-p start|
END
    kick -i - -x printf '<%s>' 'a b' '' '$HOME' '*' "'" '-n' $'x\ny'
    is "$output" $'<a b><><$HOME><*><\'><-n><x\ny>'
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

@test "the commands are run even if nobody reads the results" {
    run bash -c '"$1" -f "$2" -j -x sh -c "sleep 0.3; echo \"\$MAIL_CONFIG\" >>\"\$CALLS\"" | :
        exit "${PIPESTATUS[0]}"' - "$POSTKICK" "$INI"
    is "$status" 1
    has "$output" "write to standard output: Broken pipe"
    is "$(wc -l <"$CALLS")" 4
}
