#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -M on the command line: with stand-ins for postqueue and postsuper, which take a file for the queue.

load cli

# The default instance, 0001, and 0002 that is not enabled, each with a queue.
setup()
{
    make_tree -n 3 -d 2
    A=$DEFAULT-0001 B=$DEFAULT-0002
    mkdir "$TREE/bin"
    sed -i '/^command_directory/d' "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    cat >"$TREE/bin/postqueue" <<'END'
#!/bin/sh
[ "$*" = -j ] && cat "$MAIL_CONFIG/queue"
END
    # what it finds, it takes out of the file
    cat >"$TREE/bin/postsuper" <<'END'
#!/bin/bash
cd "$MAIL_CONFIG" || exit
declare -A reports=([-h]="Placed on hold" [-H]="Released from hold" [-r]=Requeued [-d]=Deleted
    [-e]=Force-expired)
: >queue.left
awk -v report="${reports[$1]}" '
    NR == FNR { wanted[$1]; next }
    match($0, /"queue_id": "[^"]*/) && substr($0, RSTART + 13, RLENGTH - 13) in wanted {
        print "postsuper: " substr($0, RSTART + 13, RLENGTH - 13) ": done"
        n++
        next
    }
    { print >"queue.left" }
    END { printf "postsuper: %s: %d message%s\n", report, n, n == 1 ? "" : "s" }' - queue >&2
mv queue.left queue
END
    chmod 755 "$TREE/bin/postqueue" "$TREE/bin/postsuper"
    NOW=$(date +%s)
    queue "$DEFAULT" deferred 4F2A1B3C5D "$((NOW - 7830))" 2048 anna@example.com b@one.example
    queue "$DEFAULT" hold 5F2A1B3C5D "$((NOW - 5430))" 500 MAILER-DAEMON c@one.example
    queue "$A" active 3PTb9R4sdCzKnBs "$((NOW - 3665))" 12345678 'anna@Example.com' d@two.example
    queue "$B" deferred 4F2A1B3C5D "$((NOW - 90000))" 1024 z@example.com local
}

# queue DIR QUEUE ID ARRIVAL SIZE SENDER RECIPIENT: a message that is listed there.
queue()
{
    printf '{"queue_name": "%s", "queue_id": "%s", "arrival_time": %s, "message_size": %s, ' \
        "${@:2:4}" >>"$1/queue"
    printf '"forced_expire": false, "sender": "%s", "recipients": [{"address": "%s", ' "${@:6:2}" >>"$1/queue"
    printf '"delay_reason": "connect to x: Connection refused"}, {"address": "second@two.example"}]}\n' \
        >>"$1/queue"
}

# queued: the queue IDs in all queues.
queued()
{
    cat "$DEFAULT/queue" "$A/queue" "$B/queue" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | paste -s -d ' '
}

@test "the list, as text and as JSON" {
    kick -M list
    is "$status$stderr" 0
    is "$output" "\
-             deferred  4F2A1B3C5D        2h10m    2.0K  anna@example.com                b@one.example +1
-             hold      5F2A1B3C5D        1h30m     500  MAILER-DAEMON                   c@one.example +1
postfix-0001  active    3PTb9R4sdCzKnBs    1h1m   11.8M  anna@Example.com                d@two.example +1
postfix-0002  deferred  4F2A1B3C5D         1d1h    1.0K  z@example.com                   local +1"
    "$ROOT/tests/lib/on-terminal" "$POSTKICK" -f "$INI" -M --queue active list >"$TREE/shown"
    has "$(tr -d '\r' <"$TREE/shown")" "\
NAME          QUEUE     ID                  AGE    SIZE  SENDER                          RECIPIENTS
postfix-0001  active    3PTb9R4sdCzKnBs    1h1m   11.8M  anna@Example.com                d@two.example +1"
    "$ROOT/tests/lib/on-terminal" "$POSTKICK" -f "$INI" -M -j --queue active list >"$TREE/shown"
    is "$(grep -c NAME "$TREE/shown")" 0
    kick -M -j list 4F2A1B3C5D
    is "$status$stderr" 0
    is "$(rows name config_directory queue_id)" "\
-|/etc/postfix|4F2A1B3C5D
postfix-0002|/etc/postfix-0002|4F2A1B3C5D"
    is "$(jq -c 'del(.name, .config_directory)' <<<"$output")" \
        "$(jq -c 'select(.queue_id == "4F2A1B3C5D")' "$DEFAULT/queue" "$B/queue")"
}

@test "the sums" {
    kick -M count
    is "$output" "4  11.8M  total"
    kick -M --by domain count
    is "$output" "\
4  11.8M  two.example
2   2.5K  one.example
1   1.0K  -
4  11.8M  total"
    kick -M --by sender --top 1 -i - -i 0001 count
    is "$output" "\
1  11.8M  anna@Example.com
3  11.8M  total (2 more)"
    kick -M -j --by instance --top 2 count
    is "$output" '{"key": "-", "messages": 2, "bytes": 2548}
{"key": "postfix-0001", "messages": 1, "bytes": 12345678}'
    kick -M -j count
    is "$output" '{"key": "total", "messages": 4, "bytes": 12349250}'
    "$ROOT/tests/lib/on-terminal" "$POSTKICK" -f "$INI" -M --queue hold count >"$TREE/shown"
    has "$(<"$TREE/shown")" "MESSAGES  SIZE  KEY"
}

@test "what was done is reported by instance, and kicked where it was done" {
    start_listener
    kick -M requeue -/4F2A1B3C5D 0001/3PTb9R4sdCzKnBs
    is "$status$stderr" 0
    is "$output" "$DEFAULT: 1 message requeued
$A: 1 message requeued"
    received "$SPOOL/public/pickup" 'W\000'
    received "$SPOOL-0001/public/pickup" 'W\000'
    is "$(grep -c pickup "$LOG")" 2
    is "$(queued)" "5F2A1B3C5D 4F2A1B3C5D"
    kick -M release ALL
    is "$output" "$DEFAULT: 1 message released"
    received "$SPOOL/public/qmgr" 'D\000'
    kick -M --now -q expire ALL
    is "$status$output$stderr" 0
    received "$SPOOL-0002/public/qmgr" 'FAD\000'
    is "$(grep -c qmgr "$LOG")" 2
    kick -M hold ALL
    is "$status$output$stderr" "0no message to hold"
}

@test "what keeps the messages waiting is a failure, in its instance" {
    start_listener
    rm "$SPOOL/public/pickup"
    kick -M -i - requeue 4F2A1B3C5D
    is "$status" 1
    is "$output" "$DEFAULT: 1 message requeued"
    has "$stderr" "postkick: warning: $DEFAULT: public/pickup: "
    kick -M -j -i 0001 requeue ALL
    is "$status" 0
    is "$(rows verb requested done gone kicked status reason)" "requeue|1|1|0|kicked|ok|"
}

@test "the dry run names the first messages, and runs no postsuper" {
    rm "$TREE/bin/postsuper"
    for id in 6F2A1B3C5D 7F2A1B3C5D 8F2A1B3C5D; do queue "$A" hold "$id" 1 1 x y; done
    kick -M -n delete ALL
    is "$status$stderr" 0
    is "$output" "\
$DEFAULT: would delete 2 messages: 4F2A1B3C5D 5F2A1B3C5D
$A: would delete 4 messages: 3PTb9R4sdCzKnBs 6F2A1B3C5D 7F2A1B3C5D ...
$B: would delete 1 message: 4F2A1B3C5D"
    kick -M -n -j -i 0001 --queue hold requeue
    is "$(rows verb requested done kicked status)" "requeue|3|0|-|planned"
    mv "$A/queue" "$A/away"
    kick -M -n delete ALL
    is "$status" 1
}

@test "an instance that fails has its row, and is not acted on" {
    start_listener
    printf '{"queue_name":' >>"$DEFAULT/queue"
    for verb in list count; do
        kick -M -j -i - -i 0001 $verb
        is "$status" 1
        is "$(tail -n 1 <<<"$output" | jq -r '.config_directory, .verb, .status, .reason' | paste -s)" \
            "$(printf '%s\t' "$DEFAULT" $verb failed)postqueue -j: the last line is not complete"
        has "$stderr" "postkick: warning: $DEFAULT: postqueue -j: the last line is not complete"
    done
    kick -M --yes delete ALL
    is "$status" 1
    is "$output" "$A: 1 message deleted
$B: 1 message deleted"
    is "$stderr" "postkick: warning: $DEFAULT: postqueue -j: the last line is not complete"
    is "$(grep -c . "$DEFAULT/queue")" 3
    # one that is not enabled need not be there
    rm "$DEFAULT/queue" "$B/queue"
    kick -M -i 0001 -i 0002 -j list
    is "$status" 1
    printf '' | tee "$DEFAULT/queue" >"$A/queue"
    kick -M -j list
    is "$status" 0
    is "$(rows name status)" "postfix-0002|disabled"
}

@test "text from outside is shown, and never followed" {
    : >"$DEFAULT/queue"
    : >"$A/queue"
    : >"$B/queue"
    queue "$DEFAULT" hold 4F2A1B3C5D 1700000000 1 'x\ty\u001b[31m\npostfix-0001' '\"a b\"@\u202ex'
    kick -M list
    has "$output" '4F2A1B3C5D'
    has "$output" 'x\011y\033[31m\012postfix-0001  "a b"@\342\200\256x +1'
    is "$(wc -l <<<"$output")" 1
    kick -M --by sender count
    has "$output" '1  1  x\011y\033[31m\012postfix-0001'
}

@test "messages from standard input" {
    local form
    start_listener
    queue "$A" hold 6F2A1B3C5D 1 1 x y
    # what mailq prints
    cat >"$TREE/mailq" <<'END'
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
3PTb9R4sdCzKnBs*   12345678 Tue Nov 14 22:13:20  anna@Example.com
                                                 (connect to x: Connection refused)
                                         d@two.example

6F2A1B3C5D!#        1 Thu Jan  1 00:00:01  x
                                         y

-- 12056 Kbytes in 2 Requests.
END
    kick -M -n requeue - <"$TREE/mailq"
    is "$status$stderr" 0
    is "$output" "$A: would requeue 2 messages: 3PTb9R4sdCzKnBs 6F2A1B3C5D"
    # what our own list prints
    kick -M -j --queue deferred list
    kick -M -n requeue - <<<"$output"
    is "$output" "$DEFAULT: would requeue 1 message: 4F2A1B3C5D
$B: would requeue 1 message: 4F2A1B3C5D"
    # without a newline at the end; the directory of an instance
    for form in 3PTb9R4sdCzKnBs "0001/3PTb9R4sdCzKnBs" "$A/3PTb9R4sdCzKnBs" "$(grep 3PTb "$A/queue")"; do
        kick -M -n hold - < <(printf '%s' "$form")
        is "$output" "$A: would hold 1 message: 3PTb9R4sdCzKnBs"
    done
    # nothing is named, and nothing is meant
    kick -M --yes delete - </dev/null
    is "$status$output$stderr" "0no message to delete"
    kick -M --yes --sender '*' delete - </dev/null
    is "$status$output$stderr" "0no message to delete"
    kick -M --yes delete - <<<"Mail queue is empty"
    is "$output" "no message to delete"
    # a line that is none stops all
    kick -M --yes delete - < <(printf '3PTb9R4sdCzKnBs\nALL\n')
    is "$status$output" 1
    is "$stderr" "postkick: fatal: standard input, line 2: not a queue ID: ALL"
    is "$(queued)" "4F2A1B3C5D 5F2A1B3C5D 3PTb9R4sdCzKnBs 6F2A1B3C5D 4F2A1B3C5D"
    mkfifo "$TREE/silent"
    kick -M -t 1 hold - <>"$TREE/silent"
    has "$stderr" "postkick: fatal: standard input: "
    is "$status" 1
}

@test "messages that are named and not there" {
    kick -M hold 9F2A1B3C5D 3PTb9R4sdCzKnBs '4F2A1B3C5D*' nosuch/4F2A1B3C5D
    is "$status" 1
    is "$output" "$A: 1 message held"
    is "$stderr" "\
postkick: warning: nosuch/4F2A1B3C5D: no such instance is selected
postkick: warning: 9F2A1B3C5D: no such message
postkick: warning: 4F2A1B3C5D: in several instances: $DEFAULT, postfix-0002: specify instance/4F2A1B3C5D"
    kick -M hold 4F2A1B3C5D deferred
    is "$status$output" 1
    is "$stderr" "postkick: fatal: not a queue ID: deferred"
    kick -M -q list 9F2A1B3C5D
    is "$status$output$stderr" 1
}

@test "no number is claimed where postsuper has not reported one" {
    printf '#!/bin/sh\necho "postsuper: fatal: open /log" >&2\nexit 1\n' >"$TREE/bin/postsuper"
    kick -M --yes -i 0001 delete ALL
    is "$status" 1
    is "$output" "$A: unknown number of messages deleted"
    is "$stderr" "postkick: warning: $A: postsuper: fatal: open /log; it is unknown how many messages were deleted"
    kick -M -j --yes -i 0001 delete ALL
    is "$(rows requested done status)" "1|0|failed"
}

@test "delete asks on the terminal" {
    local answer
    for answer in 'n\n' '\n' '\4' 'yesterday\n'; do
        run "$ROOT/tests/lib/on-terminal" -k "instances?=$answer" "$POSTKICK" -f "$INI" -M delete ALL
        has "$output" "delete 4 messages of 3 instances? [y/N] "
        has "$output" "postkick: fatal: not confirmed: nothing was deleted"
        is "${lines[-1]}" "status 1"
    done
    is "$(queued | wc -w)" 4
    for ((i = 10000; i < 11001; i++)); do queue "$A" hold "6F2A1$i" 1 1 x y; done
    run "$ROOT/tests/lib/on-terminal" -k 'instance?=y\n' "$POSTKICK" -f "$INI" -M -i 0001 --sender x delete
    has "$output" "delete 1,001 messages of 1 instance? [y/N] "
    has "$output" "$A: 1001 messages deleted"
    is "${lines[-1]}" "status 0"
    # what is on standard input is no answer, and without a terminal there is none
    run --separate-stderr setsid -w "$POSTKICK" -f "$INI" -M delete ALL <<<y
    is "$status" 1
    has "$stderr" "postkick: fatal: delete: no terminal to ask on: "
    is "$(queued | wc -w)" 4
}

@test "one that hangs, and a reader that goes away, hold nobody" {
    printf '#!/bin/sh\ncase $MAIL_CONFIG in *postfix) exec sleep 60 ;; *) cat "$MAIL_CONFIG/queue" ;; esac\n' \
        >"$TREE/bin/postqueue"
    kick -M -t 2 list
    is "$status" 1
    is "$(wc -l <<<"$output")" 2
    is "$stderr" "postkick: warning: $DEFAULT: not finished within 2s"
    printf '#!/bin/sh\nyes "$(cat "$MAIL_CONFIG/queue")"\n' >"$TREE/bin/postqueue"
    run --separate-stderr bash -c 'timeout 60 "$@" | head -n 1; exit "${PIPESTATUS[0]}"' - \
        "$POSTKICK" -f "$INI" -M -i 0001 list
    is "$status" 1
    is "$stderr" "postkick: warning: write to standard output: Broken pipe"
}

@test "an instance that others can write is refused if the settings say so" {
    chmod o+w "$A/main.cf"
    kick -M count
    is "$status$output$stderr" "04  11.8M  total"
    printf '[trust]\nwritable = refuse\n' >>"$INI"
    kick -M --yes delete ALL
    is "$status" 1
    is "$output" "$DEFAULT: 2 messages deleted
$B: 1 message deleted"
    is "$stderr" "postkick: warning: $A: refused: $A/main.cf can be written by users other than root"
}

@test "MAIL_CONFIG means one instance, even the default one" {
    with_mail_config "$DEFAULT" -M count
    is "$output" "2  2.5K  total"
    with_mail_config "$B" -M count
    is "$output" "1  1.0K  total"
}
