#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -Q on real queues: the same figures as those that postqueue(1) has, message by message.

INSTANCES=(postfix postfix-1 postfix-2 postfix-3)
load on_scratch

# Flat, one level of some queues as Postfix has it, and more levels of all; short and long queue IDs.
configure()
{
    local all='incoming active deferred hold corrupt defer bounce' name
    real_set postfix 'hash_queue_names = bounce'
    real_set postfix-1 'enable_long_queue_ids = yes'
    real_set postfix-2 'hash_queue_depth = 2' "hash_queue_names = $all"
    real_set postfix-3 'hash_queue_depth = 3' "hash_queue_names = $all" 'enable_long_queue_ids = yes'
    for name in "${INSTANCES[@]}"; do
        printf '%s\n' 'hang unix - n n - 1 pipe user=nobody argv=/bin/sleep 300' \
            'source unix - - n - - smtpd' >>"$REAL/etc/$name/master.cf"
        # All is deferred at once, but for hang.example: that stays in the active queue.
        real_set "$name" 'defer_transports = deliver' 'transport_maps = inline:{hang.example=hang:}'
    done
}

# figures NAME: "QUEUE MESSAGES BYTES OLDEST" of each queue that is not empty, as postqueue has them.
figures()
{
    postqueue -c "$REAL/etc/$1" -j | jq -r -s 'group_by(.queue_name)[] |
        "\(.[0].queue_name) \(length) \(map(.message_size) | add) \(map(.arrival_time) | min)"'
}

# ours NAME [QUEUE]: the same, as postkick has them, without or only of the queue corrupt.
ours()
{
    "$POSTKICK" -f "$INI" -c "$REAL/etc/$1" -Q -j | jq -r --arg queue "${2-}" '
        if .status != "ok" or .messages != (.queues | del(.corrupt) | map(.messages) | add) then error else . end |
        .queues | to_entries | sort_by(.key)[] |
        select(.value.messages > 0 and (.key == "corrupt") == ($queue == "corrupt")) |
        "\(.key) \(.value.messages) \(.value.bytes) \(.value.oldest)"'
}

# agree NAME...: both have the same figures.
agree()
{
    local name
    for name; do is "$name: $(ours "$name")" "$name: $(figures "$name")"; done
}

# send NAME RECIPIENT [BYTES]: a message.
send()
{
    real_send "$1" sender@example.com "$2" "${3-100}"
}

@test "each queue, empty and not, running and stopped" {
    local name file
    agree "${INSTANCES[@]}"
    is "$(ours postfix)" ""
    for name in "${INSTANCES[@]}"; do
        send "$name" one@hang.example 3000
        send "$name" two@hang.example 20
        patiently holds "$name" active 2
        send "$name" other@example.com 100000
        send "$name" another@example.com 5000
        patiently holds "$name" deferred 2
        postsuper -c "$REAL/etc/$name" -h ALL deferred 2>/dev/null
        patiently holds "$name" hold 2
        send "$name" third@example.com 300
        patiently holds "$name" deferred 1
        kill -STOP "$(real_daemon "$name" qmgr)"
        send "$name" fourth@example.com 10
        patiently holds "$name" incoming 1
        kill -STOP "$(real_daemon "$name" pickup)"
        send "$name" fifth@example.com 40000
        patiently holds "$name" maildrop 1
        agree "$name"
        is "$(ours "$name" | awk '{printf "%s %s ", $1, $2}')" \
            "active 2 deferred 1 hold 2 incoming 1 maildrop 1 "
        # One that is requeued keeps its arrival. Before 3.11, Postfix shows it with its old size, not
        # the file's.
        postsuper -c "$REAL/etc/$name" -r "$(basename "$(find "$REAL/spool/$name/deferred" -type f)")" \
            2>/dev/null
        patiently holds "$name" maildrop 2
        is "$(ours "$name" | awk '{print $1, $2, $4}')" "$(figures "$name" | awk '{print $1, $2, $4}')"
    done
    # what is not complete, and what is no queue file, is not in mailq(1)
    chmod 600 "$(find "$REAL/spool/postfix-2/hold" -type f | head -n 1)"
    file=$(find "$REAL/spool/postfix-2/incoming" -type f)
    printf 'junk' >"$file"
    is "$(ours postfix-2 | awk '{print $1, $2, $4}')" "$(figures postfix-2 | awk '{print $1, $2, $4}')"
    is "$(ours postfix-2 | awk '{printf "%s %s ", $1, $2}')" "active 2 hold 1 maildrop 2 "
    # with nothing running there
    real_stop "${INSTANCES[@]}"
    is "$(ours postfix-1 | awk '{print $1, $2, $4}')" "$(figures postfix-1 | awk '{print $1, $2, $4}')"
    has "$(ours postfix-1)" "hold 2 "
    chown postfix "$REAL"/*.log # postsuper(1) at the start ends if it cannot log what it finds
    real_start "${INSTANCES[@]}"
}

@test "what the queue manager has found to be corrupt" {
    local file
    send postfix-3 broken@example.com
    patiently real_log postfix-3 'to=<broken@example.com>.*status=deferred'
    file=$(find "$REAL/spool/postfix-3/deferred" -type f -newer "$REAL/etc/postfix-3/main.cf" | head -n 1)
    truncate -s 150 "$file"
    touch -d '1 hour ago' "$file" # it is due
    kick -c "$REAL/etc/postfix-3" deferred
    patiently test -n "$(ours postfix-3 corrupt)"
    is "$(ours postfix-3 corrupt | awk '{print $1, $2}')" "corrupt 1"
    agree postfix-3
}

@test "more messages in a directory than are read at once" {
    postsuper -c "$REAL/etc/postfix" -d ALL 2>/dev/null
    smtp-source -s 20 -m 3000 -l 700 -f sender@example.com -t recipient@example.com \
        "unix:$REAL/spool/postfix/private/source"
    patiently holds postfix deferred 3000
    agree postfix
    is "$(ours postfix | awk '{print $1, $2}')" "deferred 3000"
}
