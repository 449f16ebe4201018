#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The recipes in scripts/, with real mail in real instances: two that are enabled, and "off", that
# is not. Mail is deferred until the test says otherwise, and nothing is retried by itself.

bats_require_minimum_version 1.5.0
load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-a
    real_instance postfix-off "multi_instance_enable = no"
    real_start postfix postfix-a postfix-off
}

setup()
{
    local name
    real_need
    ETC=$REAL/etc
    export POSTKICK
    for name in postfix postfix-a postfix-off; do
        postsuper -c "$ETC/$name" -d ALL 2>/dev/null
        rm -f "$REAL/$name.works"
    done
    real_clear postfix postfix-a postfix-off
}

# queued NAME: the queue ids of what is deferred there.
queued()
{
    (cd "$REAL/spool/$1/deferred" && find . -type f -printf '%f\n' | sort)
}

queued_are()
{
    [ "$(queued "$1" | grep -c .)" = "$2" ]
}

# defer NAME [N]: that many messages are sent and deferred there.
defer()
{
    local i
    for ((i = 0; i < ${2:-1}; i++)); do real_send "$1"; done
    "$POSTKICK" -f "$INI" -c "$ETC/$1" pickup
    patiently queued_are "$1" "${2:-1}"
}

# delivered NAME N: so many messages, each under a new queue id.
delivered()
{
    [ "$(grep -c 'pipe.*status=sent' "$REAL/$1.log")" = "$2" ]
}

# requeue ARGUMENT...: the script, with its standard input.
requeue()
{
    run --separate-stderr env -u MAIL_CONFIG "$ROOT/scripts/postkick-requeue" -f "$INI" "$@"
}

@test "mail of two instances is requeued and delivered under new queue ids" {
    local old_default old_a
    defer postfix 2
    defer postfix-a
    defer postfix-off
    old_default=$(queued postfix) old_a=$(queued postfix-a)
    touch "$REAL/postfix.works" "$REAL/postfix-a.works" "$REAL/postfix-off.works"
    requeue ALL
    is "$status" 0
    is "$output" "$ETC/postfix: 2 requeued
$ETC/postfix-a: 1 requeued"
    patiently delivered postfix 2
    patiently delivered postfix-a 1
    for id in $old_default; do
        run grep "pipe.*$id: .*status=sent" "$REAL/postfix.log"
        is "$status" 1
    done
    run grep "pipe.*$old_a: .*status=sent" "$REAL/postfix-a.log"
    is "$status" 1
    # the old queue ids lead to the new ones
    is "$(grep -c 'pickup.*orig_id=' "$REAL/postfix.log")" 2
    has "$(cat "$REAL/postfix-a.log")" "orig_id=$old_a"
    # what is not enabled was left alone, and nothing was left behind elsewhere
    queued_are postfix-off 1
    queued_are postfix 0
    queued_are postfix-a 0
}

@test "queue ids say in which instance, and only there pickup is kicked" {
    local id other
    defer postfix
    defer postfix-a 2
    id=$(queued postfix-a | head -n 1) other=$(queued postfix-a | tail -n 1)
    touch "$REAL/postfix.works" "$REAL/postfix-a.works"
    real_clear postfix postfix-a
    requeue "a/$id" "postfix-a/$id"
    is "$status" 0
    is "$output" "$ETC/postfix-a: 1 requeued"
    patiently delivered postfix-a 1
    run grep -c pickup "$REAL/postfix.log"
    is "$output" 0
    queued_are postfix 1
    is "$(queued postfix-a)" "$other"
    # on standard input; a configuration directory, "-" for the default instance
    printf '%s\n' "$ETC/postfix-a/$other" "-/$(queued postfix)" >"$REAL/ids"
    run --separate-stderr "$ROOT/scripts/postkick-requeue" -f "$INI" <"$REAL/ids"
    is "$status" 0
    patiently delivered postfix-a 2
    patiently delivered postfix 1
}

@test "what keeps the requeued messages waiting is reported with its instance" {
    defer postfix-a
    mv "$REAL/spool/postfix-a/public/pickup" "$REAL/spool/postfix-a/public/away"
    requeue -i a ALL
    mv "$REAL/spool/postfix-a/public/away" "$REAL/spool/postfix-a/public/pickup"
    is "$status" 1
    is "$output" "$ETC/postfix-a: 1 requeued"
    has "${stderr_lines[0]}" "postkick-requeue: warning: $ETC/postfix-a: "
    has "$stderr" "public/pickup"
}

@test "with -i a queue id needs no instance; missing ids are reported" {
    local id
    defer postfix-off
    id=$(queued postfix-off)
    touch "$REAL/postfix-off.works"
    requeue -n -i off "$id"
    is "$status" 0
    is "$output" "$ETC/postfix-off: would requeue 1: $id"
    requeue -n -i off "$id" 4ZzZzZzZzZz
    is "$status" 1
    has "$stderr" "1 of 2 queue ids not found"
    queued_are postfix-off 1
    requeue -n -i a ALL
    is "$output" "$ETC/postfix-a: would requeue 0"
    requeue -i off "$id" 4ZzZzZzZzZz
    is "$status" 1
    is "$output" "$ETC/postfix-off: 1 requeued"
    has "$stderr" "postkick-requeue: warning: $ETC/postfix-off: 1 of 2 queue ids not found"
    patiently delivered postfix-off 1
    real_clear postfix-off
    requeue -q -c "$ETC/postfix-off" 4ZzZzZzZzZz
    is "$status" 1
    is "$output" ""
    run grep -c pickup "$REAL/postfix-off.log"
    is "$output" 0
    run --separate-stderr env MAIL_CONFIG="$ETC/postfix-a" "$ROOT/scripts/postkick-requeue" \
        -f "$INI" ALL
    is "$output" "$ETC/postfix-a: 0 requeued"
}

@test "nonsensical requests change nothing" {
    defer postfix-a
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086 # several arguments
        requeue $arguments
        is "$status" 1
        has "$stderr" "$message"
        is "$output" ""
    done <<EOF
4ZzZzZzZzZz|unique only within an instance
nosuch/4ZzZzZzZzZz|no such instance: nosuch
a/../x|no such instance
a/x;y|not a queue id: a/x;y
/4ZzZzZzZzZz|no such instance
-i a a/4ZzZzZzZzZz|are for queue ids without an instance
-i nosuch ALL|No matching instances
-z|usage: postkick-requeue
EOF
    queued_are postfix-a 1
    run --separate-stderr "$ROOT/scripts/postkick-requeue" -f "$INI" </dev/null
    is "$status" 0
    is "$output$stderr" ""
}

@test "instances are requeued in their order, by root only" {
    postconf -c "$ETC/postfix" -e "multi_instance_directories = $ETC/postfix-off $ETC/postfix-a"
    requeue -n -a ALL
    postconf -c "$ETC/postfix" -e "multi_instance_directories = $ETC/postfix-a $ETC/postfix-off"
    is "$output" "$ETC/postfix: would requeue 0
$ETC/postfix-off: would requeue 0
$ETC/postfix-a: would requeue 0"
    run setpriv --reuid=65534 --regid=65534 --clear-groups bash -s -- ALL \
        <"$ROOT/scripts/postkick-requeue"
    is "$status" 1
    is "$output" "postkick-requeue: fatal: run it as root, as postsuper(1)"
}

@test "on a terminal, what is read is announced" {
    run "$ROOT/tests/lib/on-terminal" -k 'up to=\4' "$ROOT/scripts/postkick-requeue" -f "$INI" -i a
    has "$output" "reading queue ids from the terminal, up to ^D"
    is "${lines[-1]}" "status 0"
}

@test "a damaged instance does not stop the others, and makes bare queue ids ambiguous" {
    local id
    defer postfix-a
    id=$(queued postfix-a)
    cp -p "$ETC/postfix-off/main.cf" "$REAL/saved"
    echo nonsense >>"$ETC/postfix-off/main.cf"
    touch "$REAL/postfix-a.works"
    requeue -i a -i off "$id"
    is "$status" 1
    has "$stderr" "unique only within an instance"
    is "$output" ""
    queued_are postfix-a 1
    requeue ALL
    cp -p "$REAL/saved" "$ETC/postfix-off/main.cf"
    is "$status" 1
    has "$output" "$ETC/postfix-a: 1 requeued"
    has "$stderr" "missing '=' after attribute name"
    patiently delivered postfix-a 1
}

@test "what mailq and postqueue -j print is understood" {
    local mailq json
    defer postfix-a 2
    mailq=$(mailq -C "$ETC/postfix-a") json=$(postqueue -c "$ETC/postfix-a" -j)
    requeue -q -n -i a <<<"$mailq"
    is "$status$output$stderr" 0
    requeue -n -i a <<<"$mailq"
    has "$output" "would requeue 2:"
    requeue -n -i a <<<"$json"
    has "$output" "would requeue 2:"
    touch "$REAL/postfix-a.works"
    requeue -q -i a <<<"$json"
    is "$status$output$stderr" 0
    patiently delivered postfix-a 2
    requeue -i a <<<"{nonsense"
    is "$status" 1
    has "$stderr" "not what postqueue -j prints"
}

@test "the postkick of the current directory is not run, nor Postfix's own" {
    mkdir "$BATS_TEST_TMPDIR/here"
    cd "$BATS_TEST_TMPDIR/here"
    printf '#!/bin/sh\ntouch ran\n' >postkick
    chmod 755 postkick
    cp "$ROOT/scripts/postkick-requeue" .
    run --separate-stderr env -u POSTKICK PATH=/usr/sbin:/usr/bin:/bin bash postkick-requeue ALL
    is "$status" 1
    has "$stderr" "is not the postkick that lists instances"
    [ ! -e ran ]
}

@test "the network hook flushes every enabled instance, and never fails" {
    local hook="$ROOT/scripts/postkick-network-up"
    defer postfix
    defer postfix-a
    defer postfix-off
    export POSTKICK_SETTINGS=$INI
    touch "$REAL/postfix.works" "$REAL/postfix-a.works" "$REAL/postfix-off.works"
    # not for these
    run env IFACE=lo MODE=start PHASE=post-up "$hook"
    is "$status$output" 0
    run env IFACE=eth0 MODE=stop "$hook"
    is "$status$output" 0
    run env -u IFACE "$hook" eth0 pre-up
    is "$status$output" 0
    sleep 1
    queued_are postfix 1
    # ifupdown
    run env IFACE=eth0 MODE=start PHASE=post-up MAIL_CONFIG="$ETC/postfix-off" "$hook"
    is "$status$output" 0
    patiently delivered postfix 1
    patiently delivered postfix-a 1
    queued_are postfix-off 1
    # NetworkManager
    rm "$REAL/postfix-a.works"
    defer postfix-a
    touch "$REAL/postfix-a.works"
    run env -u IFACE -u MODE "$hook" eth0 up
    is "$status$output" 0
    patiently delivered postfix-a 2
    rm "$REAL/postfix-a.works"
    defer postfix-a
    touch "$REAL/postfix-a.works"
    run env -u IFACE -u MODE CONNECTIVITY_STATE=NONE "$hook" eth0 connectivity-change
    sleep 0.5
    queued_are postfix-a 1
    run env -u IFACE -u MODE CONNECTIVITY_STATE=FULL "$hook" eth0 connectivity-change
    is "$status$output" 0
    patiently delivered postfix-a 3
    # where nothing works, that is logged
    run env POSTKICK_SETTINGS=/nonexistent IFACE=eth0 "$hook"
    is "$status" 0
    has "$output" "postkick: fatal: open /nonexistent"
    run env POSTKICK=/usr/sbin/postkick IFACE=eth0 "$hook"
    is "$status" 0
    has "$output" "/usr/sbin/postkick is missing, or is not the postkick that flushes all instances"
}
