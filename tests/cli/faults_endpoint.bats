#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every fault of an endpoint, each in one of many instances that are kicked in the same run: all the
# others are confirmed at once, and the run ends with the longest limit.
load ../lib/common

SEND_LIMIT=2
READ_LIMIT=3

# limited_tree N: instances with short limits, all of which are running as far as can be seen.
limited_tree()
{
    make_tree -n "$1"
    COUNT=$1
    NEXT=1
    EXPECTED=$TREE/expected
    : >"$EXPECTED"
    for each in "$TREE"/etc/*; do
        printf 'trigger_timeout = %ds\napplication_event_drain_time = %ds\n' \
            "$SEND_LIMIT" "$READ_LIMIT" >>"$each/main.cf"
    done
}

# fault STATUS LEAST MOST REASON BEHAVIOUR [N]: the next instance behaves so. Without a behaviour,
# nothing is made there by the listener. NAME, ENDPOINT, QUEUE: of that instance.
fault()
{
    NAME=$(printf 'postfix-%04d' "$NEXT")
    NEXT=$((NEXT + 1))
    QUEUE=$TREE/spool/$NAME
    ENDPOINT=$QUEUE/public/qmgr
    printf '%s\t%s\t%s\t%s\t%s\n' "$TREE/etc/$NAME" "$1" "$2" "$3" "$4" >>"$EXPECTED"
    if [ $# -gt 5 ]; then
        behave "$5" "$ENDPOINT" "$6"
    elif [ $# -gt 4 ]; then
        behave "$5" "$ENDPOINT"
    else
        grep -v "$QUEUE/" "$SPEC" >"$SPEC.new"
        mv "$SPEC.new" "$SPEC"
    fi
}

# move_queue DIRECTORY: the queue directory of the instance.
move_queue()
{
    sed -i "s|^queue_directory = .*|queue_directory = $1|" "$TREE/etc/$NAME/main.cf"
}

# check_rows: kicks, and compares the rows, the diagnostics and the time with what is expected.
check_rows()
{
    local failed before=$SECONDS
    failed=$(grep -c -v $'\tkicked\t' "$EXPECTED")
    kick -j "$@" public qmgr FADI
    printf '%s\n' "$output" | "$ROOT/tests/lib/compare-rows" "$EXPECTED" "$COUNT"
    is "$status" 1
    is "$(grep -c '^postkick: warning: /' <<<"$stderr")" "$failed"
    is "$(wc -l <<<"$stderr")" "$failed"
    # not the sum of the limits; a busy machine takes its time to start and end a program
    [ $((SECONDS - before)) -le $((LONGEST + 10)) ]
}

teardown()
{
    stop_listener
    release_locks
}

@test "what services do: every behaviour in one run" {
    local n=$SEND_LIMIT r=$READ_LIMIT
    LONGEST=$((READ_LIMIT + 1))
    limited_tree 60
    fault unconfirmed $r $LONGEST "request not read within ${r}s" noaccept
    fault unconfirmed $r $LONGEST "request not read within ${r}s" never
    fault unconfirmed $r $LONGEST "request not read within ${r}s" trickle
    fault unconfirmed $r $LONGEST "request not read within ${r}s" shutdown
    fault kicked 0.9 2.5 "" late 1
    fault kicked 1 4.5 "" full 3 # from when it was made, a while ago
    sed -i 's/^trigger_timeout.*/trigger_timeout = 5/' "$TREE/etc/$NAME/main.cf"
    fault failed $n $((n + 1)) "listen queue full for ${n}s" full
    fault failed 0 1 "closed before the request was read" closeunread
    fault failed 0 1 "closed before the request was read" reset
    fault failed 0 1 "closed before the request was read" half
    fault failed 0.9 2 "closed before the request was read" closeafter 1
    fault failed 0.9 2 "closed before the request was read" dieafter 1
    fault failed 0.9 2 "closed before the request was read" diequeued 1
    fault unconfirmed $r $LONGEST "request not read within ${r}s" megabyte
    fault kicked 0 1 "" greet
    fault kicked 0 1 "" garbage
    fault kicked 0 1 "" drain
    fault kicked 0 1 "" work 30
    fault failed 0 1 "no process is listening on the socket: stop and start the instance" dead
    fault failed 0 1 "a datagram socket accepts no requests" dgram
    fault kicked 0 1 "" fifo
    fault failed $n $((n + 1)) "FIFO full for ${n}s" fifofull
    fault kicked 0.3 3 "" fifofull 2
    fault failed 0.3 3 "no process is reading the FIFO: stop and start the instance" fifoleave 2
    fault failed 0 1 "no process is reading the FIFO: stop and start the instance" fifonoreader
    hold_locks "$TREE"/spool/*/
    start_listener
    check_rows
    # those that failed got nothing, the others the request once
    received "$TREE/spool/postfix/public/qmgr" 'FADI\000'
    received "$TREE/spool/postfix-0059/public/qmgr" 'FADI\000'
    received "$TREE/spool/postfix-0006/public/qmgr" 'FADI\000'
    received "$TREE/spool/postfix-0021/public/qmgr" FADI
    received "$TREE/spool/postfix-0007/public/qmgr" 'FADI\000' 0
    received "$TREE/spool/postfix-0020/public/qmgr" 'FADI\000' 0
}

@test "other things in place of endpoints: all in one run" {
    LONGEST=1
    limited_tree 40
    fault failed 0 1 "not a socket or a FIFO"
    echo text >"$ENDPOINT"
    fault failed 0 1 "not a socket or a FIFO"
    mkdir "$ENDPOINT"
    fault failed 0 1 "not a socket or a FIFO"
    mknod "$ENDPOINT" c 1 3
    fault failed 0 1 "is a symbolic link"
    ln -s "$TREE/spool/postfix/public/qmgr" "$ENDPOINT"
    fault failed 0 1 "is a symbolic link"
    ln -s nowhere "$ENDPOINT"
    fault failed 0 1 "is a symbolic link"
    ln -s qmgr "$ENDPOINT"
    fault failed 0 1 "the FIFO has more than one hard link" fifo
    local linked=$ENDPOINT
    fault failed 0 1 "the socket is missing although master.cf has the service: stop and start the instance"
    fault failed 0 1 "public is a symbolic link"
    rmdir "$QUEUE/public"
    ln -s ../postfix/public "$QUEUE/public"
    fault failed 0 1 "cannot be looked up: Not a directory"
    rmdir "$QUEUE/public"
    : >"$QUEUE/public"
    fault failed 0 1 "the socket is missing although master.cf has the service: stop and start the instance"
    rmdir "$QUEUE/public"
    fault failed 0 0 "chdir $TREE/none: No such file or directory"
    move_queue "$TREE/none"
    fault failed 0 0 "chdir $INI: Not a directory"
    move_queue "$INI"
    fault failed 0 0 "chdir $TREE/loop: *"
    ln -s loop "$TREE/loop"
    move_queue "$TREE/loop"
    # a directory that is a link, or that lies deep, is no fault
    fault kicked 0 1 ""
    mv "$TREE/etc/$NAME" "$TREE/linked"
    ln -s "$TREE/linked" "$TREE/etc/$NAME"
    echo "read $ENDPOINT" >>"$SPEC"
    fault kicked 0 1 ""
    mv "$QUEUE" "$TREE/elsewhere"
    ln -s "$TREE/elsewhere" "$QUEUE"
    echo "read $TREE/elsewhere/public/qmgr" >>"$SPEC"
    fault kicked 0 1 ""
    local deep long
    long=$(printf '%0150d' 0)
    mkdir -p "$TREE/$long/public" "$TREE/$long/pid"
    move_queue "$TREE/$long"
    echo "read $TREE/$long/public/qmgr" >>"$SPEC"
    fault kicked 0 1 ""
    deep=$TREE
    while [ ${#deep} -lt 3000 ]; do deep+=/$long; done
    mkdir -p "$deep/public"
    move_queue "$deep"
    echo "read $deep/public/qmgr" >>"$SPEC"
    fault failed 0 0 "*queue_directory*"
    move_queue "$deep/$deep"
    hold_locks "$TREE"/spool/*/
    start_listener
    ln "$linked" "$linked.other"
    check_rows
    received "$deep/public/qmgr" 'FADI\000'
    received "$TREE/$long/public/qmgr" 'FADI\000'
    received "$TREE/spool/postfix/public/qmgr" 'FADI\000'
}

@test "-w: what is read and goes on is unfinished, not failed" {
    local r=$READ_LIMIT
    LONGEST=$((READ_LIMIT + 2))
    limited_tree 20
    fault kicked 0.9 2.5 "" work 1
    fault unfinished $r $LONGEST "request read, service not finished within ${r}s" work 30
    fault unfinished $r $LONGEST "request read, service not finished within ${r}s" drain
    fault unconfirmed $r $LONGEST "request not read within ${r}s" never
    fault failed 0 1 "closed before the request was read" closeunread
    fault failed 0 1 "closed before the request was read" half
    fault failed 0 1 "closed before the request was read" reset
    fault unconfirmed $r $LONGEST "request not read within ${r}s" shutdown
    fault kicked 0 1 "" read
    fault kicked 0 1 "" fifo
    hold_locks "$TREE"/spool/*/
    start_listener
    check_rows -w
}

@test "-t ends everything, whatever the limits of the instances are" {
    limited_tree 30
    LONGEST=2
    for each in never noaccept full trickle fifofull; do
        fault '*' 0 2 '*' "$each" # what is left when the kicks begin
    done
    sed -i -e '/postfix-000[35]/s/\*/failed/' -e '/postfix-000[124]/s/\*/unconfirmed/' "$EXPECTED"
    hold_locks "$TREE"/spool/*/
    start_listener
    check_rows -t 1
}

@test "200 faulty among 1000" {
    make_tree -n 1000
    sed -i 's/^read \(.*-...[05].public.qmgr\)/closeunread \1/' "$SPEC"
    start_listener
    kick -j public qmgr FADI
    is "$(rows config_directory status | sed 's/.*[05]|failed/failed/; s/.*|kicked/kicked/' | sort | uniq -c | tr -s ' ')" "\
 199 failed
 801 kicked"
}
