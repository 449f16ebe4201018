#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every kind of line that -j prints, with every status, is as conf/postkick.schema.json says.

load cli

# The default instance, 0001, 0002 that is not enabled, and 0003.
setup()
{
    /usr/bin/python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null ||
        skip "needs python3-jsonschema 4"
    make_tree -n 4 -d 2
    A=$DEFAULT-0001 C=$DEFAULT-0003
    start_listener
}

# add KIND ARGUMENT...: what "postkick -j ARGUMENT..." prints, added to what is checked at the end.
add()
{
    kick -j "${@:2}"
    printf '%s\n' "$output" >>"$TREE/$1"
}

# valid KIND [--all]: what was printed is valid, and has all statuses of the schema.
valid()
{
    "$ROOT/tests/lib/validate-lines" "$@" <"$TREE/$1"
}

@test "the listing" {
    add listing -l
    set_main_cf "$A" "multi_instance_name = $(printf 'a\377b\001')" 'multi_instance_group ='
    add listing -l
    echo damaged >>"$C/main.cf"
    add listing -l
    add listing -l -c "$TREE/nosuch"
    valid listing
}

@test "messages, their sums, and what was done with them, with every status" {
    own_programs
    program postqueue "case \$MAIL_CONFIG in */postfix) cat $TREE/queued ;; *) exit 1 ;; esac"
    program postsuper 'echo "postsuper: Requeued: 1 message" >&2'
    printf '%s' '{"queue_name": "hold", "queue_id": "4F2A1B3C5D", "arrival_time": 1, "message_size": 2, ' \
        '"forced_expire": false, "sender": "a\u001bb", "recipients": [{"address": "c", "delay_reason": ' \
        "$(printf '"d\377"')" '}, {"address": "e"}]}' >"$TREE/queued"
    echo >>"$TREE/queued"
    add message -M -i - list
    add sum -M -i - count
    add sum -M -i - --by reason count
    add act -M -i 0001 list
    add act -M -n requeue ALL
    add act -M requeue 4F2A1B3C5D
    sed -i "s|^multi_instance_directories.*|& $A|" "$DEFAULT/main.cf"
    add act -M -i - -i 0001 hold ALL
    valid act --all
    valid message
    valid sum
}

@test "requests, with every status" {
    set_main_cf "$A" 'application_event_drain_time = 1s'
    behave never "$SPOOL-0001/public/qmgr"
    behave work "$SPOOL-0001/public/pickup" 30
    behave closeunread "$SPOOL-0003/public/pickup"
    restart_listener
    add kick -w flush
    add kick -n private nosuch X
    hold_locks "$SPOOL"
    add kick -n flush
    set_main_cf "$C" "queue_directory = $SPOOL"
    add kick public qmgr "$(printf 'W\377\001"')"
    echo damaged >>"$C/main.cf"
    add kick flush
    valid kick --all
}

@test "status, of instances in every state" {
    set_main_cf "$A" 'application_event_drain_time = 1s'
    behave never "$SPOOL-0001/public/qmgr"
    restart_listener
    hold_locks "$SPOOL"
    add status -s -t 1
    echo damaged >>"$C/main.cf"
    add status -s -t 1
    add status -s -c "$DEFAULT-0002"
    valid status --all
}

@test "commands, with every status" {
    own_programs
    program postfix 'exit 3'
    add command -p status
    add command -p stop
    add command -n -p stop
    # shellcheck disable=SC2016 # for the command's shell
    add command -x sh -c 'printf "a\377\n\033"; echo b >&2; [ -z "$multi_instance_name" ] || kill -9 $$'
    sed -i "/^multi_instance_directories/s|\$| $A|" "$DEFAULT/main.cf"
    add command -x true
    echo damaged >>"$C/main.cf"
    add command -x true
    add command -p restart
    valid command --all
}

@test "queues, that can be read or not" {
    local queue
    for queue in incoming active deferred hold maildrop; do mkdir "$SPOOL/$queue"; done
    printf 'T\0121700000000' >"$SPOOL/hold/4F2A"
    chmod 700 "$SPOOL/hold/4F2A"
    add queues -Q
    echo damaged >>"$C/main.cf"
    add queues -Q
    valid queues --all
}

# rejects KIND SED: a valid line of that kind, after SED, is not valid any more.
rejects()
{
    ! printf '%s\n' "$output" | sed "$2" | "$ROOT/tests/lib/validate-lines" "$1" 2>/dev/null ||
        { echo "taken as valid: $2" >&2; return 1; }
}

@test "the schema does not accept just anything" {
    kick -j -i 0001 public qmgr I
    rejects kick 's/"kicked"/"done"/'
    rejects kick 's/"kicked"/"failed"/'
    rejects kick 's/"seconds": [^}]*/"seconds": "1"/'
    rejects kick 's/"name"/"instance"/'
    rejects kick 's/"enabled": "y"/"enabled": true/'
    rejects kick 's/"queue_directory": "/&x/'
    rejects kick 's/}/, "more": 1}/'
    rejects listing ''
    rejects command ''
    run ! "$ROOT/tests/lib/validate-lines" kick </dev/null
}
