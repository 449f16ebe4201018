#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every fault of a service, each in one of many instances that are kicked in the same run. Other things
# than services are in commands/dryrun.

load cli

@test "what services do: all others are confirmed at once, and the run ends with the longest limit" {
    local behaviour state reason path number=0 started expected=
    make_tree -n 60
    for path in "$TREE"/etc/*; do
        set_main_cf "$path" "trigger_timeout = 2s" "application_event_drain_time = 3s"
    done
    while IFS='|' read -r behaviour state reason; do
        printf -v path '%s-%04d/public/qmgr' "$SPOOL" $((++number))
        # shellcheck disable=SC2086 # the name, and its argument if any
        set -- $behaviour
        behave "$1" "$path" "${@:2}"
        expected+=$behaviour\|$state\|$reason$'\n'
    done <<'END'
noaccept|unconfirmed|request not read within 3s
never|unconfirmed|request not read within 3s
shutdown|unconfirmed|request not read within 3s
megabyte|unconfirmed|request not read within 3s
late 1|kicked|
full 1|kicked|
full|failed|listen queue full for 2s
closeunread|failed|closed before the request was read
reset|failed|closed before the request was read
half|failed|closed before the request was read
closeafter 1|failed|closed before the request was read
greet|kicked|
garbage|kicked|
drain|kicked|
work 30|kicked|
dead|failed|no process is listening on the socket: stop and start the instance
dgram|failed|a datagram socket accepts no requests
fifo|kicked|
fifofull|failed|FIFO full for 2s
fifofull 1|kicked|
fifoleave 1|failed|no process is reading the FIFO: stop and start the instance
fifonoreader|failed|no process is reading the FIFO: stop and start the instance
END
    hold_locks "$TREE"/spool/*/
    start_listener
    started=$SECONDS
    kick -j public qmgr FADI
    [ $((SECONDS - started)) -le 14 ] # a busy machine takes its time to start and end a program
    is "$(rows status reason | sed -n '2,23p' | paste -d '|' <(cut -d '|' -f 1 <<<"$expected" | grep .) -)" "${expected%$'\n'}"
    is "$(rows status | sed '2,23d' | uniq -c | tr -s ' ')" " 38 kicked"
    is "$(rows seconds | sed '2,23d' | awk '$1 > 1.9')" ""
    is "$(wc -l <<<"$stderr")" "$(grep -c -e "|failed" -e "|unconfirmed" <<<"$expected")"
    # those that failed got nothing, the others the request once
    received "$SPOOL/public/qmgr" 'FADI\000'
    received "$SPOOL-0059/public/qmgr" 'FADI\000'
    received "$SPOOL-0005/public/qmgr" 'FADI\000'
    received "$SPOOL-0018/public/qmgr" FADI
    is "$(grep -c -e '-00\(07\|17\)/' "$LOG")" 0
    # -t ends everything, whatever the limits of the instances are
    kick -t 1 -w -j public qmgr FADI
    is "$(rows status | sed -n '15,16p')" $'unfinished\nunfinished'
    is "$(rows seconds | awk '$1 > 1.9')" ""
}
