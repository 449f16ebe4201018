#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Kicks of real Postfix instances in a scratch directory, beside Postfix's own postkick.

load on_scratch

INSTANCES=(postfix postfix-in postfix-out postfix-off)

make_instances()
{
    real_instance postfix
    real_instance postfix-in
    real_instance postfix-out
    real_instance postfix-off "multi_instance_enable = no"
    real_start "${INSTANCES[@]}"
}

setup()
{
    real_need
    real_clear "${INSTANCES[@]}"
}

# count_endings TIMES COMMAND...: "GOOD BROKEN OTHER" of that many runs: exit status 0, SIGPIPE.
count_endings()
{
    local times=$1 good=0 broken=0 other=0 status
    shift
    while [ $((good + broken + other)) -lt "$times" ]; do
        status=0
        "$@" >/dev/null 2>&1 || status=$?
        case $status in
        0) good=$((good + 1)) ;;
        141) broken=$((broken + 1)) ;;
        *) other=$((other + 1)) ;;
        esac
    done
    echo "$good $broken $other"
}

@test "1,000 kicks of an idle qmgr end well, every one, and all were read" {
    local etc=$REAL/etc/postfix-in ours theirs
    ours=$(count_endings 1000 "$POSTKICK" -f "$INI" -c "$etc" public qmgr I)
    theirs=$(count_endings 100 postkick -c "$etc" public qmgr I)
    echo "# result: public qmgr I: ${ours% * *} of 1000 kicks ended well," \
        "${theirs% * *} of 100 by Postfix's own postkick" \
        "($(cut -d' ' -f2 <<<"$theirs") died of SIGPIPE)" >&3
    is "$ours" "1000 0 0"
    # Postfix's own too, whatever their exit status
    patiently requested_times postfix-in I 1100
}

requested_times()
{
    [ "$(requests "$REAL/$1.log" | grep -o "$2" | wc -l)" = "$3" ]
}

@test "100 flushes of all instances at once end well, every one" {
    is "$(count_endings 100 "$POSTKICK" -f "$INI" flush)" "100 0 0"
    patiently requested_times postfix "FADI " 100
    patiently requested_times postfix-in "FADI " 100
    patiently requested_times postfix-out "FADI " 100
    is "$(requests "$REAL/postfix-off.log")" ""
}

# same_bytes BEHAVIOUR REQUEST: at a stand-in that never closes first, so that Postfix's own can
# send everything.
same_bytes()
{
    TREE=$BATS_TEST_TMPDIR/tree-$1-$RANDOM
    make_tree
    echo "application_event_drain_time = 1s" >>"$DEFAULT/main.cf" # Postfix's own waits for the close
    touch -d '1 hour ago' "$DEFAULT/main.cf"
    behave "$1" "$SPOOL/public/qmgr"
    start_listener
    postkick -c "$DEFAULT" public qmgr "$2"
    kick public qmgr "$2"
    is "$status" 0
    patiently received_twice
    is "$stderr" "${3:-}"
    stop_listener
}

# received_twice: the second half of what was received is the first once more.
received_twice()
{
    local bytes
    bytes=$(cut -f2 "$LOG" | tr -d '\n')
    [ -n "$bytes" ] && [ "${bytes:0:${#bytes}/2}" = "${bytes:${#bytes}/2}" ]
}

@test "the bytes on a socket are those of Postfix's own postkick" {
    same_bytes drain I
    same_bytes drain FADI
    same_bytes drain $'\x01\xffX' 'postkick: warning: public/qmgr: request "\001\377X": "\001\377X" is ignored: the service acts on ADFIW'
}

@test "the bytes on a FIFO are those of Postfix's own postkick" {
    same_bytes fifo I
    same_bytes fifo FADI
}

@test "flush sends what postqueue -f sends" {
    # Postfix's own sends the NUL in a second write, for which the service may not wait.
    flushed() { real_log postfix "request: 0 (" && real_log postfix "pickup.*trigger arrived"; }
    local theirs attempt
    for ((attempt = 0; attempt < 60; attempt++)); do
        real_clear postfix
        postqueue -c "$REAL/etc/postfix" -f || true
        sleep 0.3
        if flushed; then break; fi
    done
    flushed
    theirs=$(requests "$REAL/postfix.log")
    real_clear postfix
    real_kick -w flush
    is "$status" 0
    patiently real_log postfix "pickup.*trigger arrived"
    patiently requested "$REAL/postfix.log" "$theirs"
    [ -n "$theirs" ]
}

deferred()
{
    [ "$(find "$REAL/spool/$1/deferred" -type f | wc -l)" = 1 ]
}

@test "flush delivers a deferred message in every enabled instance" {
    local name
    for name in "${INSTANCES[@]}"; do real_send "$name"; done
    for name in "${INSTANCES[@]}"; do patiently deferred "$name"; done
    for name in "${INSTANCES[@]}"; do : >"$REAL/$name.works"; done

    # D respects the retry time, which is hours away
    real_clear "${INSTANCES[@]}"
    real_kick -v deferred
    is "$status" 0
    for name in postfix postfix-in postfix-out; do
        patiently real_log "$name" "done deferred queue scan"
        deferred_still "$name"
    done

    real_kick flush
    is "$status" 0
    is "$output$stderr" ""
    for name in postfix postfix-in postfix-out; do
        patiently real_log "$name" "status=sent"
    done
    # a request that is sure to come after, had there been one before
    real_kick -c "$REAL/etc/postfix-off" public qmgr D
    is "$status" 0
    patiently requested "$REAL/postfix-off.log" "D "
    patiently real_log postfix-off "done deferred queue scan"
    deferred_still postfix-off

    real_kick -a flush
    is "$status" 0
    patiently real_log postfix-off "status=sent"
}

deferred_still()
{
    run real_log "$1" "status=sent"
    is "$status" 1
    is "$(find "$REAL/spool/$1/deferred" -type f | wc -l)" 1
}

@test "flush picks up what lies in the maildrop queue unnoticed" {
    local public=$REAL/spool/postfix-out/public
    : >"$REAL/postfix-out.works"
    mv "$public/pickup" "$public/aside" # so that sendmail cannot notify pickup
    real_send postfix-out
    mv "$public/aside" "$public/pickup"
    is "$(find "$REAL/spool/postfix-out/maildrop" -type f | wc -l)" 1
    real_kick flush
    is "$status" 0
    patiently real_log postfix-out "status=sent"
}

@test "a stopped qmgr is unconfirmed after its own limit, and the others are kicked" {
    local stopped
    echo "application_event_drain_time = 1s" >>"$REAL/etc/postfix-in/main.cf"
    stopped=$(real_daemon postfix-in qmgr)
    kill -STOP "$stopped"
    real_kick -j public qmgr I
    kill -CONT "$stopped"
    is "$status" 1
    is "$(rows status reason)" "\
kicked|
unconfirmed|request not read within 1s (qmgr, process $stopped, stopped)
kicked|
disabled|"
    patiently requested "$REAL/postfix-in.log" "I " # late, but it came
}
