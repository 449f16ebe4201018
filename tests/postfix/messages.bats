#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -M with real mail in real instances: two that are enabled, one of them with long queue IDs, and "off",
# that is not enabled.

INSTANCES=(postfix postfix-a postfix-off)
load on_scratch

configure()
{
    real_set postfix-a "enable_long_queue_ids = yes"
}

setup()
{
    real_need
    ETC=$REAL/etc
    no_mail "${INSTANCES[@]}"
}

@test "a list of queue IDs is requeued in whichever instance they are, and pickup kicked there" {
    local old_default old_a id
    defer postfix 2
    defer postfix-a
    defer postfix-off
    old_default=$(queued postfix) old_a=$(queued postfix-a)
    touch "$REAL/postfix.works" "$REAL/postfix-a.works" "$REAL/postfix-off.works"
    real_clear postfix-off
    printf '%s\n' "$old_default" "$old_a" >"$REAL/queueidlist"
    kick -M requeue - <"$REAL/queueidlist"
    is "$status$stderr" 0
    is "$output" "$ETC/postfix: 2 messages requeued
$ETC/postfix-a: 1 message requeued"
    patiently delivered postfix 2
    patiently delivered postfix-a 1
    for id in $old_default; do
        run grep "pipe.*$id: .*status=sent" "$REAL/postfix.log"
        is "$status" 1
    done
    # the old queue IDs lead to the new ones
    is "$(grep -c 'pickup.*orig_id=' "$REAL/postfix.log")" 2
    has "$(cat "$REAL/postfix-a.log")" "orig_id=$old_a"
    holds postfix-off deferred 1
    run grep -c pickup "$REAL/postfix-off.log"
    is "$output" 0
}

@test "what a pattern of senders matches is deleted in every instance" {
    local name
    for name in postfix postfix-a postfix-off; do
        defer "$name"
        real_send "$name" News@spam.example
        real_send "$name" '<>'
        kick -c "$ETC/$name" pickup
        patiently holds "$name" deferred 3
    done
    kick -M --yes --sender '*@SPAM.example' delete
    is "$status$stderr" 0
    is "$output" "$ETC/postfix: 1 message deleted
$ETC/postfix-a: 1 message deleted
$ETC/postfix-off: 1 message deleted"
    kick -M --yes -i a --sender '<>' delete
    is "$status$output$stderr" "0$ETC/postfix-a: 1 message deleted"
    holds postfix deferred 2
    holds postfix-a deferred 1
}

@test "mail is held and released, and keeps its retry time; what is held is not requeued unasked" {
    local id times
    defer postfix 2
    id=$(queued postfix | head -n 1)
    times=$(cd "$REAL/spool/postfix/deferred" && find . -name "$id" -printf '%T@')
    kick -M hold "$id"
    is "$status$output$stderr" "0$ETC/postfix: 1 message held"
    is "$(queued postfix hold)" "$id"
    # it is held already
    kick -M -i - hold ALL
    is "$output" "$ETC/postfix: 1 message held"
    kick -M -i - requeue ALL
    is "$status$output$stderr" "0no message to requeue"
    real_clear postfix
    kick -M release "$id"
    is "$status$output$stderr" "0$ETC/postfix: 1 message released"
    patiently requested "$REAL/postfix.log" "D "
    is "$(queued postfix)" "$id"
    is "$(cd "$REAL/spool/postfix/deferred" && find . -name "$id" -printf '%T@')" "$times"
    is "$(queued postfix hold | wc -l)" 1
    touch "$REAL/postfix.works"
    kick -M --queue hold requeue
    is "$status$output$stderr" "0$ETC/postfix: 1 message requeued"
    patiently delivered postfix 1
}

@test "expired mail is returned when its retry time comes, or now" {
    printf '%s\n' 3.5 "$(postconf -d -h mail_version)" | sort -C -V || skip "needs Postfix 3.5"
    defer postfix-a 2
    real_clear postfix-a
    kick -M -i a --older 0 expire
    is "$status$output$stderr" "0$ETC/postfix-a: 2 messages expired"
    patiently requested "$REAL/postfix-a.log" "D "
    is "$(postqueue -c "$ETC/postfix-a" -j | jq -s 'map(.forced_expire)' -c)" "[true,true]"
    # they are expired already
    kick -M -i a expire ALL
    is "$status$output$stderr" "0no message to expire"
    # held, and expired: mailq marks it with both
    kick -M -i a hold ALL
    mailq -C "$ETC/postfix-a" >"$REAL/mailq"
    has "$(<"$REAL/mailq")" '!#'
    real_clear postfix-a
    kick -M release - <"$REAL/mailq"
    is "$status$output$stderr" "0$ETC/postfix-a: 2 messages released"
    real_send postfix-a
    kick -c "$ETC/postfix-a" pickup
    patiently holds postfix-a deferred 3
    kick -M -i a --now expire ALL
    is "$output" "$ETC/postfix-a: 1 message expired"
    has "$(requests "$REAL/postfix-a.log")" "FAD"
    patiently real_log postfix-a 'status=force-expired'
}

@test "a message that leaves the queue after it was found is gone" {
    local id
    mkdir -p "$REAL/bin"
    defer postfix 2
    id=$(queued postfix | head -n 1)
    cat >"$REAL/bin/postqueue" <<END
#!/bin/sh
postqueue "\$@"
[ -e "$REAL/once" ] || { touch "$REAL/once"; postsuper -d $id 2>/dev/null; }
END
    ln -sf "$(command -v postsuper)" "$REAL/bin/postsuper"
    chmod 755 "$REAL/bin/postqueue"
    rm -f "$REAL/once"
    echo "command_directory = $REAL/bin" >>"$ETC/postfix/main.cf"
    kick -M -i - hold ALL
    sed -i '/^command_directory/d' "$ETC/postfix/main.cf"
    is "$status$stderr" 0
    is "$output" "$ETC/postfix: 1 message held, 1 gone"
}

@test "a stopped instance is listed and acted on" {
    local id
    defer postfix-off
    id=$(queued postfix-off)
    real_stop postfix-off
    chown postfix "$REAL/postfix-off.log" # as whom postsuper(1) writes there when no postlogd does
    kick -M list "$id"
    is "$status$stderr" 0
    has "$output" "postfix-off  deferred  $id"
    kick -M requeue "$id"
    is "$status" 1
    is "$output" "$ETC/postfix-off: 1 message requeued"
    has "$stderr" "postkick: warning: $ETC/postfix-off: public/pickup: $(stopped_reason)"
    real_start postfix-off
}

@test "only root acts, and postqueue decides who may list" {
    real_kick_as - -M hold ALL
    is "$status$output" 1
    is "$stderr" "postkick: fatal: hold: must be run as root, like postsuper(1)"
    real_kick_as - -M -i - list
    is "$status$output" 1
    has "$stderr" "postkick: warning: $ETC/postfix: postqueue: fatal: "
}
