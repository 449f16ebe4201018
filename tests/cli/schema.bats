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

# valid KIND ARGUMENT...: what "postkick -j ARGUMENT..." prints, appended to $TREE/KIND.
valid()
{
    local kind=$1
    shift
    kick -j "$@"
    printf '%s\n' "$output" | "$ROOT/tests/lib/validate-lines" "$kind" >>"$TREE/$kind" ||
        { printf '%s\n' "$output" >&2; return 1; }
}

# seen KIND: the statuses that were valid are those that the schema has.
seen()
{
    is "$(tr ' ' '\n' <"$TREE/$1" | sort -u)" "$(/usr/bin/python3 -c '
import json, sys
kind = json.load(open(sys.argv[1]))["$defs"][sys.argv[2]]
print(*sorted(kind["properties"]["status"]["enum"]), sep="\n")' \
        "$ROOT/conf/postkick.schema.json" "$1")"
}

@test "the listing" {
    valid listing -l
    set_main_cf "$A" "multi_instance_name = $(printf 'a\377b\001')" 'multi_instance_group ='
    valid listing -l
    echo damaged >>"$C/main.cf"
    valid listing -l
    valid listing -l -c "$TREE/nosuch"
}

@test "messages, their sums, and what was done with them, with every status" {
    local line
    mkdir "$TREE/bin"
    sed -i '/^command_directory/d' "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    printf '#!/bin/sh\ncase $MAIL_CONFIG in *%s) cat %s ;; *) exit 1 ;; esac\n' \
        '/postfix' "$TREE/queued" >"$TREE/bin/postqueue"
    printf '#!/bin/sh\necho "postsuper: Requeued: 1 message" >&2\n' >"$TREE/bin/postsuper"
    chmod 755 "$TREE"/bin/*
    printf '%s' '{"queue_name": "hold", "queue_id": "4F2A1B3C5D", "arrival_time": 1, "message_size": 2, ' \
        '"forced_expire": false, "sender": "a\u001bb", "recipients": [{"address": "c", "delay_reason": ' \
        "$(printf '"d\377"')" '}, {"address": "e"}]}' >"$TREE/queued"
    echo >>"$TREE/queued"
    valid message -M -i - list
    valid sum -M -i - count
    valid sum -M -i - --by reason count
    valid act -M -i 0001 list
    valid act -M -n requeue ALL
    valid act -M requeue 4F2A1B3C5D
    sed -i "s|^multi_instance_directories.*|& $A|" "$DEFAULT/main.cf"
    valid act -M -i - -i 0001 hold ALL
    seen act
}

@test "requests, with every status" {
    set_main_cf "$A" 'application_event_drain_time = 1s'
    behave never "$SPOOL-0001/public/qmgr"
    behave work "$SPOOL-0001/public/pickup" 30
    behave closeunread "$SPOOL-0003/public/pickup"
    restart_listener
    valid kick -w flush
    valid kick -n private nosuch X
    hold_locks "$SPOOL"
    valid kick -n flush
    set_main_cf "$C" "queue_directory = $SPOOL"
    valid kick public qmgr "$(printf 'W\377\001"')"
    echo damaged >>"$C/main.cf"
    valid kick flush
    seen kick
}

@test "status, of instances in every state" {
    set_main_cf "$A" 'application_event_drain_time = 1s'
    behave never "$SPOOL-0001/public/qmgr"
    restart_listener
    hold_locks "$SPOOL"
    valid status -s -t 1
    echo damaged >>"$C/main.cf"
    valid status -s -t 1
    valid status -s -c "$DEFAULT-0002"
    seen status
}

@test "commands, with every status" {
    local bin=$TREE/bin
    mkdir "$bin"
    printf '#!/bin/sh\nexit 3\n' >"$bin/postfix"
    chmod +x "$bin/postfix"
    sed -i "s,^command_directory.*,command_directory = $bin," "$DEFAULT/main.cf" "$INI"
    valid command -p status
    valid command -p stop
    valid command -n -p stop
    # shellcheck disable=SC2016 # for the command's shell
    valid command -x sh -c 'printf "a\377\n\033"; echo b >&2; [ -z "$multi_instance_name" ] || kill -9 $$'
    sed -i "/^multi_instance_directories/s|\$| $A|" "$DEFAULT/main.cf"
    valid command -x true
    echo damaged >>"$C/main.cf"
    valid command -x true
    valid command -p restart
    seen command
}

@test "queues, that can be read or not" {
    local queue
    for queue in incoming active deferred hold maildrop; do mkdir "$SPOOL/$queue"; done
    printf 'T\0121700000000' >"$SPOOL/hold/4F2A"
    chmod 700 "$SPOOL/hold/4F2A"
    valid queues -Q
    echo damaged >>"$C/main.cf"
    valid queues -Q
    seen queues
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
