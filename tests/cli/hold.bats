#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=plain
# Nobody's paths hold a run, or show what only root may read. A second user, played by lib/hold, has
# namespaces of his own, and attacks every path of an instance of his that root follows, in every mode.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is expanded later, and by bats
load cli

ALL="flush -s -l -n -Q list hold -x -p"

# lay_out: three instances, of which the second one's files are his; in each there is a message, and
# every command succeeds.
lay_out()
{
    stop_listener
    release_locks
    rm -rf "$TREE"
    make_tree -n 3 -m 1
    chmod 755 "$TREE"
    export ONE=$DEFAULT-0001 QUEUE=$SPOOL-0001 DATA=$TREE/lib/postfix-0001 SHOWN=$TREE/shown
    mkdir "$TREE/mnt"
    own_programs
    echo '{"queue_name": "deferred", "queue_id": "4F2A1B3C5D", "arrival_time": 1, "message_size": 1,' \
        '"sender": "x", "recipients": [{"address": "y"}]}' >"$TREE/message"
    program postqueue "cat $TREE/message"
    program postsuper 'cat >/dev/null; echo "postsuper: Placed on hold: 1 message" >&2'
    program postfix ""
    cp -r "$ONE" "$SHOWN"
    cp -r "$QUEUE/." "$INI" "$SHOWN"
    printf 'read %s\n' "$SHOWN"/public/{qmgr,pickup} >>"$SPEC"
    hold_locks "$SPOOL"* "$SHOWN"
    chown -R 1234 "$ONE" "$QUEUE" "$DATA" "$SHOWN"
    start_listener
}

setup()
{
    export POSTKICK TREE
    TREE=$(mktemp -d "${TMPDIR:-/tmp}/postkick-hold.XXXXXX") # bats' own directories are closed to him
    lay_out
    UNLOCKED=-n # what fails without the lock of a master daemon, where that can be determined
    [ "$(stopped)" = n ] || UNLOCKED=
}

teardown()
{
    stop_listener
    release_locks
    rm -rf "$TREE"
}

# attack MODES BEFORE DURING [OPTION...]: lib/hold, with its options, holds after the commands BEFORE,
# and while it does those DURING are run, with its $HIS. Then exactly these modes
# fail, in time, for the second instance alone. Afterwards everything is laid out anew.
attack()
{
    eval "$2"
    run --separate-stderr env -u MAIL_CONFIG "$ROOT/tests/lib/hold" --at 60 "${@:4}" "$SHOWN" -- bash -ec "
        $3
        $ROOT/tests/lib/every-mode $ONE ${OTHERS-2} -f $INI" 3>&-
    [ "$status" != 77 ] || skip "needs namespaces, FUSE and overlay: $stderr"
    is "$status" 0
    [ "$output" = "$1" ] || echo "attack: ${*:2}: $stderr" >&2
    is "$output" "$1"
    lay_out
}

@test "a link of /proc is followed neither to the configuration, nor in it" {
    attack "" "" ""
    attack "$ALL" "" 'sed -i "s,$ONE,$HIS," $TREE/etc/postfix/main.cf' --bind
    attack "$ALL" 'rm -r $ONE' 'ln -s $HIS $ONE' --bind
    attack "$ALL" 'rm $ONE/main.cf' 'ln -s $HIS/main.cf $ONE/main.cf' --bind
    has "$stderr" "postkick: warning: $ONE: open $ONE/main.cf: leads through a link of /proc"
    attack "flush -s -n" 'rm $ONE/master.cf $QUEUE/public/qmgr' 'ln -s $HIS/master.cf $ONE/master.cf'
    attack "list hold" "" 'sed -i "s,^\(command\|daemon\)_directory = .*,\1_directory = $HIS," $ONE/main.cf'
}

@test "a link of /proc is followed neither to the queues, nor in them" {
    attack "flush -s -n -Q hold" "" 'sed -i "s,^queue_directory = .*,queue_directory = $HIS," $ONE/main.cf' --bind
    attack "flush -s -n -Q hold" 'mv $QUEUE $TREE/moved' 'ln -s $HIS $QUEUE' --bind
    has "$stderr" "postkick: warning: $ONE: chdir $QUEUE: leads through a link of /proc"
    attack "flush -s -n" 'mv $QUEUE/public $TREE/moved' 'ln -s $HIS/public $QUEUE/public' --bind
    attack "flush -s -n" 'rm $QUEUE/public/qmgr' 'ln -s $HIS/public/qmgr $QUEUE/public/qmgr' --bind
    attack "-Q hold" 'mv $QUEUE/deferred $TREE/moved' 'ln -s $HIS/deferred $QUEUE/deferred' --bind
    attack "hold" 'mv $QUEUE/deferred/A $TREE/moved' 'ln -s $HIS/deferred/A $QUEUE/deferred/A' --bind
}

@test "a link of /proc is followed to no lock of the master daemon" {
    attack "" 'mv $QUEUE/pid $TREE/moved' 'ln -s $HIS/pid $QUEUE/pid'
    attack "$UNLOCKED" 'mv $QUEUE/pid/master.pid $TREE/moved' 'ln -s $HIS/pid/master.pid $QUEUE/pid/master.pid' --bind
    attack "" "" 'sed -i "s,^data_directory = .*,data_directory = $HIS," $ONE/main.cf'
}

@test "a link of /proc to what does not answer" {
    attack "$ALL" 'rm $ONE/main.cf' 'ln -s $HIS/main.cf $ONE/main.cf'
    attack "flush -s -n -Q hold" 'mv $QUEUE $TREE/moved' 'ln -s $HIS $QUEUE'
}

@test "a configuration directory that does not answer" {
    attack "$ALL" "" "" --cached --mount "$ONE"
    has "$stderr" "postkick: warning: $ONE: open $ONE/main.cf: the file system does not answer"
}

@test "a queue directory that does not answer" {
    attack "flush -s -n -Q hold" "" "" --mount "$QUEUE"
    has "$stderr" "postkick: warning: $ONE: chdir $QUEUE: the file system does not answer"
}

@test "a directory below the queue directory that does not answer" {
    attack "flush -s -n" "" "" --cached --mount "$QUEUE/public"
    attack "-Q hold" "" "" --mount "$QUEUE/deferred"
    attack "" "" "" --mount "$QUEUE/pid"
}

@test "a configuration directory that is locked" {
    attack "$ALL" 'mv $ONE/main.cf $TREE/moved' "" --lock "$ONE"
    attack "flush -s -n" 'mv $ONE/master.cf $TREE/moved; rm $QUEUE/public/qmgr' "" --lock "$ONE"
}

@test "directories of the queues that are locked" {
    attack "flush -s -n hold" 'mv $QUEUE/public $TREE/moved' "" --lock "$QUEUE"
    attack "flush -s -n" 'mv $QUEUE/public/qmgr $TREE/moved' "" --lock "$QUEUE/public"
    has "$stderr" ": the file system does not answer" # before Linux 5.12, the queue directory is named
    attack "" 'mv $QUEUE/pid/master.pid $TREE/moved' "" --lock "$QUEUE/pid"
    attack "-Q" "" "" --lock "$QUEUE/deferred"
    attack "-Q hold" "" "" --lock "$QUEUE/deferred/A"
}

@test "files with a lease" {
    attack "$ALL" "" "" --lease "$ONE/main.cf"
    has "$stderr" "postkick: warning: $ONE: open $ONE/main.cf: another process has a lease on it"
    attack "flush -s -n" 'rm $QUEUE/public/qmgr' "" --lease "$ONE/master.cf"
    attack "$UNLOCKED" 'rm $QUEUE/pid/master.pid; install -o 1234 /dev/null $QUEUE/pid/master.pid' "" \
        --lease "$QUEUE/pid/master.pid"
    attack "-Q" "" "" --lease "$(find "$QUEUE/deferred" -type f)"
}

@test "a FIFO that is locked" {
    attack "flush -s" 'behave fifonoreader $QUEUE/public/qmgr; behave fifo $SPOOL-0002/public/qmgr
        restart_listener; chown 1234 $QUEUE/public/qmgr' "" --read "$QUEUE/public/qmgr"
    has "$stderr" "postkick: warning: $ONE: public/qmgr: no answer from the FIFO within 2s"
}

# He holds for a quarter of the time.
@test "what he holds is not counted as time of others" {
    mv "$QUEUE/public/qmgr" "$TREE/moved"
    run env -u MAIL_CONFIG "$ROOT/tests/lib/hold" --lock "$QUEUE/public" "$SHOWN" -- \
        "$POSTKICK" -f "$INI" -t 12 -s -j 3>&-
    [ "$status" != 77 ] || skip "needs namespaces, FUSE and overlay: $output"
    output=$(grep '^{' <<<"$output")
    is "$(rows status | paste -s -d ' ')" "ok failed ok"
    [ "$(rows status seconds | sed -n 's,^ok|\([0-9]*\).*,\1,p' | sort -n | tail -n 1)" -lt 3 ]
}

@test "a signal ends the wait for what he holds" {
    local started=$SECONDS
    mv "$QUEUE/public/qmgr" "$TREE/moved"
    run env -u MAIL_CONFIG "$ROOT/tests/lib/hold" --lock "$QUEUE/public" "$SHOWN" -- bash -c '
        "$POSTKICK" -f "$1" public qmgr D &
        until pgrep -P $! >/dev/null; do sleep 0.05; done
        kill -TERM $!
        wait $!' - "$INI" 3>&-
    [ "$status" != 77 ] || skip "needs namespaces, FUSE and overlay: $output"
    is "$status" 143
    has "$output" "postkick: warning: $ONE: public/qmgr: cannot be looked up: interrupted"
    [ $((SECONDS - started)) -lt 8 ] # without -t, it would wait 10 s
}

# What the administrator types is followed, and may fail, but holds no run.
@test "a settings file that does not answer" {
    OTHERS=0 INI=$SHOWN/postkick.ini
    attack "$ALL" "" 'ln -s $HIS/postkick.ini $TREE/link.ini' --lease "$INI"
    INI=$TREE/mnt/postkick.ini
    attack "$ALL" "" "" --cached --mount "$TREE/mnt"
    INI=$TREE/link.ini
    attack "$ALL" "" 'ln -s $HIS/postkick.ini $TREE/link.ini'
}

@test "a configuration directory that is typed and does not answer" {
    run --separate-stderr env -u MAIL_CONFIG "$ROOT/tests/lib/hold" --at 60 --mount "$TREE/mnt" "$SHOWN" -- bash -c '
        cd "$TREE"
        for each in "mnt public qmgr D" "/proc/self/cwd/mnt -s" "/proc/$$/cwd/mnt -Q" \
            "mnt -n public qmgr D" "mnt -M hold ALL" "mnt -v -x true" "mnt -v -p check"; do
            timeout -s KILL 4 "$POSTKICK" -f "$0" -t 2 -c $each || echo "status $?"
        done' "$INI" 3>&-
    [ "$status" != 77 ] || skip "needs namespaces, FUSE and overlay: $stderr"
    is "$(grep -c '^status 1' <<<"$output")" 7
    is "$(grep -c 'the file system does not answer' <<<"$output$stderr")" 7
}

@test "what the administrator types is followed through /proc" {
    kick -c "/proc/$$/root$DEFAULT" public qmgr D
    is "$status" 0
    INI=/proc/$$/root$INI
    kick -l
    is "$status" 0
}
