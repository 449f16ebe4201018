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
    kick -j -p stop
    is "$(row 1 status running exit_status signal reason)" \
        '{"status": "ok", "running": "n", "exit_status": 0, "signal": 0, "reason": ""}'
    is "$(row 2 status exit_status)" '{"status": "failed", "exit_status": -1}'
    has "$(row 3 reason)" "No such file or directory"
    is "$(row 6 status command)" \
        "{\"status\": \"duplicate\", \"command\": [\"$BIN/postfix\", \"--\", \"stop\"]}"
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
    kick -q -p start
    is "$status" 1
    is "$stderr" ""
    kick -v -i - -i 0003 -p status
    has "$stderr" "postkick: warning: $DEFAULT: exit status 3"
    has "$stderr" "postkick: $C: exit status 0 after 0."
    has "$stderr" "s: $BIN/postfix -- status"
    # a single instance's command had its say itself
    kick -c "$DEFAULT" -p start
    is "$status" 1
    is "$stderr" ""
    kick -v -c "$DEFAULT" -p start
    has "$stderr" "postkick: exit status 3 after 0."
    kick -c "$A" -p start
    is "$stderr" "postkick: warning: killed by signal 9 (Killed)"
}

@test "without -P and -j the output of commands passes through, streams apart" {
    on postfix-0001 'echo to stdout; echo to stderr >&2'
    kick -p status
    is "$output" "to stdout"
    is "$stderr" "to stderr"
}

@test "of parallel commands each stream goes to ours, in instance order, with names on standard error" {
    on postfix 'sleep 0.4; echo 1; sleep 0.2; echo one >&2'
    on postfix-0001 'printf "2\n2"; printf "two\ntwo" >&2'
    on postfix-0003 'sleep 0.1; echo 3; sleep 0.4; echo 3'
    kick -P 4 -p status
    is "$status" 0
    is "$output" $'1\n2\n23\n3'
    is "$stderr" "==> $DEFAULT <==
one
==> $A <==
two
two"
    kick -P 4 -p stop
    is "$(printf '%s\n' "$stderr" | grep '^==>')" "==> $DEFAULT <==
==> $A <=="
    kick -P 4 -c "$DEFAULT" -p status
    is "$output" 1
    is "$stderr" one
}

@test "standard output of -x is the commands' alone, so that it can be piped" {
    program queue <<'EOF'
#!/bin/sh
echo "{\"queue\": \"$MAIL_CONFIG\"}"
[ "$multi_instance_enable" = yes ] || echo "postqueue: warning: not enabled" >&2
EOF
    kick -P 4 -x queue
    is "$status" 0
    is "$output" "{\"queue\": \"$DEFAULT\"}
{\"queue\": \"$A\"}
{\"queue\": \"$OFF\"}
{\"queue\": \"$C\"}"
    is "$stderr" "==> $OFF <==
postqueue: warning: not enabled"
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

@test "-P runs that many at once, and no more" {
    program count <<'EOF'
#!/bin/bash
mkdir "$CALLS.running.$$"
ls -d "$CALLS".running.* | wc -l >>"$CALLS"
sleep 0.5
rmdir "$CALLS.running.$$"
EOF
    kick -x count
    is "$(sort -u "$CALLS")" 1
    rm "$CALLS"
    kick -P 3 -x count
    is "$(sort -n "$CALLS" | tail -n 1)" 3
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
    is "$(row 1 status signal exit_status)" '{"status": "ok", "signal": 0, "exit_status": 0}'
    is "$(row 2 status exit_status stdout)" \
        '{"status": "failed", "exit_status": 0, "stdout": "asked\n"}'
    is "$(row 4 status signal reason)" \
        '{"status": "failed", "signal": 0, "reason": "not started within 1s"}'
    called "postfix -- status" "postfix-0001 -- status"
}

@test "-n shows the commands and runs nothing" {
    rm "$A/main.cf"
    kick -n -p start now
    is "$status" 1
    is "$output" "$DEFAULT: run $BIN/postfix -- start now
$A: fail: open $A/main.cf: No such file or directory
$OFF: run $BIN/postfix -- check now
$C: run $BIN/postfix -- start now"
    has "$stderr" "postkick: warning: $OFF: not enabled: check is run instead of start (-c $OFF overrides)"
    kick -n -i "$OFF" -i "$C" -p stop
    is "$status" 0
    is "$output" "$C: run $BIN/postfix -- stop
$OFF: skip: not enabled"
    kick -n -c "$C" -x postfix 'a  b' "it's" '' $'\n' '$x'
    is "$status" 0
    is "$output" "$C: run $BIN/postfix 'a  b' 'it'\\''s' '' '\\012' '\$x'"
    kick -n -j -p stop
    is "$(row 1 status exit_status)" '{"status": "planned", "exit_status": -1}'
    is "$(row 3 status)" '{"status": "disabled"}'
    called
}

@test "JSON: what a command wrote, byte by byte, and how it ended" {
    on postfix 'printf "a\0b\377\303\244\n"; echo err >&2; exit 4'
    kick -j -i - -p status
    is "$status" 1
    is "$(row 1 status exit_status signal stdout stderr command)" "{\"status\": \"failed\", \
\"exit_status\": 4, \"signal\": 0, \"stdout\": \"a\\u0000b\\ufffd\\u00e4\\n\", \
\"stderr\": \"err\\n\", \"command\": [\"$BIN/postfix\", \"--\", \"status\"]}"
    is "$(row 1 stdout_truncated stderr_truncated)" \
        '{"stdout_truncated": false, "stderr_truncated": false}'
    is "$(row 1 enabled config_directory running)" \
        "{\"enabled\": \"y\", \"config_directory\": \"$DEFAULT\", \"running\": \"n\"}"
    is "$(printf '%s' "$output" | LC_ALL=C tr -d ' -~' | wc -c)" 0
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
    is "$(row 1 stdout_truncated stderr_truncated)" \
        '{"stdout_truncated": false, "stderr_truncated": true}'
    is "$stderr" \
        "postkick: warning: $DEFAULT: standard error after the first 1048576 bytes was dropped: run it without -P and -j"
}

@test "a captured postfix command has a terminal as standard error, which changes nothing" {
    on postfix '[ -t 2 ] && [ ! -t 1 ] && printf "a\nb\tc\r\n\4\3" >&2'
    kick -j -i - -p status
    is "$(row 1 status stdout stderr)" \
        '{"status": "ok", "stdout": "", "stderr": "a\nb\tc\r\n\u0004\u0003"}'
    on postfix '( : <>/dev/tty ) || echo none'
    run --separate-stderr setsid -w env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j -i - -p status
    is "$(row 1 stdout)" '{"stdout": "none\n"}' # it is nobody's controlling terminal
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
    is "$(row 1 status stderr)" '{"status": "ok", "stderr": "none\n"}'
}

@test "-x: the exact arguments, and no shell" {
    kick -i - -x printf '<%s>' 'a b' '' '$HOME' '*' "'" '-n' $'x\ny'
    is "$status" 0
    is "$output" $'<a b><><$HOME><*><\'><-n><x\ny>'
    kick -c "$A" -x -- echo -n -x -- -c
    is "$output" "-x -- -c"
}

@test "standard input is for one instance only" {
    run bash -c 'echo text | "$1" -f "$2" -i - -x cat' - "$POSTKICK" "$INI"
    is "$output" "text"
    run bash -c 'echo text | "$1" -f "$2" -j -i - -x cat | grep -c "\"text.n\""' - "$POSTKICK" "$INI"
    is "$output" 1
    run bash -c 'echo text | "$1" -f "$2" -i - -i 0001 -x cat' - "$POSTKICK" "$INI"
    is "$output" ""
    run bash -c 'echo text | "$1" -f "$2" -P 2 -x cat' - "$POSTKICK" "$INI"
    is "$output" ""
    on postfix 'cat'
    run bash -c 'echo text | "$1" -f "$2" -p start' - "$POSTKICK" "$INI"
    is "$output" ""
    run bash -c 'echo text | "$1" -f "$2" -c "$3" -p start' - "$POSTKICK" "$INI" "$DEFAULT"
    is "$output" "text"
}

@test "commands get no descriptor, no ignored signal, umask 022, the limit we were given" {
    run bash -c 'exec 7</dev/null 8</dev/null; umask 077; trap "" HUP PIPE; ulimit -Sn 222
        "$1" -f "$2" -P 2 -x sh -c "
            ls /proc/self/fd | tr \\\\n \" \"; umask; ulimit -Sn
            grep -E \"^Sig(Blk|Ign)\" /proc/self/status" | grep -v "==>" | sort -u' \
        - "$POSTKICK" "$INI"
    is "$output" $'0 1 2 3 0022\n222\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000'
}

@test "a signal is passed on, waited for, and died of" {
    local number
    program wait <<'EOF'
#!/bin/bash
exec 2>/dev/null
trap 'sleep 0.5; echo "$name got it" >>"$CALLS"; exit 0' INT TERM
name=${MAIL_CONFIG##*/}
echo "$name ready" >>"$CALLS.ready"
while :; do sleep 0.05; done
EOF
    for number in 2 15; do
        rm -f "$CALLS" "$CALLS.ready"
        python3 - "$number" "$POSTKICK" -f "$INI" -P 2 -x wait 2>"$TREE/errors" <<'EOF'
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
ready = os.environ["CALLS"] + ".ready"
while not os.path.exists(ready) or open(ready).read().count("ready") < 2:
    time.sleep(0.02)
child.send_signal(int(sys.argv[1]))
assert child.wait(60) == -int(sys.argv[1]), child.returncode
EOF
        is "$(sort "$CALLS")" $'postfix got it\npostfix-0001 got it'
        is "$(cat "$TREE/errors")" "postkick: warning: $DEFAULT: interrupted
postkick: warning: $A: interrupted
postkick: warning: $OFF: not started: interrupted
postkick: warning: $C: not started: interrupted"
    done
}

@test "the commands are run even if nobody reads the results" {
    run bash -c '"$1" -f "$2" -j -x sh -c "sleep 0.3; echo \"\$MAIL_CONFIG\" >>\"\$CALLS\"" | :
        exit "${PIPESTATUS[0]}"' - "$POSTKICK" "$INI"
    is "$status" 1
    has "$output" "write to standard output: Broken pipe"
    is "$(wc -l <"$CALLS")" 4
}

@test "what only kicks use is not looked at" {
    echo 'trigger_timeout = x' >>"$C/main.cf"
    kick -i "$C" -x echo run
    is "$status" 0
    is "$output" run
    kick -i "$C" public qmgr I
    is "$status" 1
    is "$stderr" "postkick: warning: $C: parameter trigger_timeout: bad time value or unit: x"
}
