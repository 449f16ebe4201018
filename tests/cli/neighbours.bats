#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What one instance, or its services, can do to the kicks of others: nothing.
bats_require_minimum_version 1.5.0
load cli

# claim_neighbour SERVICE: instance 1, which is listed before its neighbour 2, names the neighbour's
# queue directory, and SERVICE as its queue manager.
claim_neighbour()
{
    make_tree -n 3
    sed -i "s|^queue_directory = .*|queue_directory = $SPOOL-0002|" "$DEFAULT-0001/main.cf"
    set_main_cf "$DEFAULT-0001" "queue_service_name = $1"
}

@test "a neighbour's queue directory is claimed: the neighbour still gets every request" {
    claim_neighbour pickup
    start_listener
    kick -j flush
    is "$status" 0
    is "$(rows config_directory service status reason)" "\
/etc/postfix|qmgr|kicked|
/etc/postfix|pickup|kicked|
/etc/postfix-0001|pickup|kicked|
/etc/postfix-0001|pickup|kicked|
/etc/postfix-0002|qmgr|kicked|
/etc/postfix-0002|pickup|duplicate|same endpoint as /etc/postfix-0001's"
    has "$stderr" "same endpoint as $DEFAULT-0001's: not kicked again"
    received "$SPOOL-0002/public/qmgr" 'FADI\000'
    received "$SPOOL-0002/public/pickup" 'FADI\000'
    received "$SPOOL-0002/public/pickup" 'W\000'
}

@test "a queue directory that is swapped for the neighbour's keeps no request from it" {
    local i failed=0
    make_tree -n 3
    start_listener
    sed -i "s|^queue_directory = .*|queue_directory = $TREE/link|" "$DEFAULT-0001/main.cf"
    ln -s "$SPOOL-0001" "$TREE/link"
    python3 -c '
import itertools, os, sys
parent, link = os.getppid(), sys.argv[1]
for each in itertools.cycle(sys.argv[2:]):
    os.symlink(each, link + ".new")
    os.rename(link + ".new", link)
    if os.getppid() != parent:
        break' "$TREE/link" "$SPOOL-0001" "$SPOOL-0002" 3>&- &
    local swapper=$!
    for ((i = 0; i < 300; i++)); do
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 20 public qmgr "run$i." || failed=$((failed + 1))
    done
    kill "$swapper"
    is "$failed" 0
    for ((i = 0; i < 300; i++)); do
        received "$SPOOL-0002/public/qmgr" "run$i.\\000"
    done
}

@test "no limit of an instance is longer than the host's" {
    make_tree -n 3
    set_main_cf "$DEFAULT-0001" 'application_event_drain_time = 10d'
    set_main_cf "$DEFAULT-0002" 'trigger_timeout = 10d'
    printf '[kick]\nlimit = 1s\n' >>"$INI"
    behave never "$SPOOL-0001/public/qmgr"
    behave full "$SPOOL-0002/public/qmgr"
    start_listener
    kick -t 20 -j public qmgr I
    is "$status" 1
    is "$(rows status reason)" "\
kicked|
unconfirmed|request not read within 1s
failed|listen queue full for 1s"
}

# A file system of another user; without allow_other, root may not enter it. It has no server.
@test "a user's file system in place of an instance's files: only that instance fails" {
    [ -w /dev/fuse ] && unshare -m true 2>/dev/null || skip "needs /dev/fuse and a mount namespace"
    make_tree -n 4
    start_listener
    run --separate-stderr timeout 20 unshare -m --propagation private python3 -c '
import ctypes, os, sys
for directory in sys.argv[1:3]:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=65534,group_id=65534"
    if ctypes.CDLL(None).mount(b"user", directory.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit(77)
os.environ.pop("MAIL_CONFIG", None)
os.execv(sys.argv[3], sys.argv[3:])' \
        "$DEFAULT-0001" "$SPOOL-0002" "$POSTKICK" -f "$INI" -j public qmgr I
    [ "$status" != 77 ] || skip "no FUSE in this kernel"
    is "$status" 1
    is "$(rows config_directory status reason)" "\
/etc/postfix|kicked|
/etc/postfix-0001|failed|open /etc/postfix-0001/main.cf: Permission denied
/etc/postfix-0002|failed|chdir /spool/postfix-0002: Permission denied
/etc/postfix-0003|kicked|"
}

# with_locks FILE ARGUMENT...: as kick, with the file in place of /proc/locks. It has to end by itself.
with_locks()
{
    # shellcheck disable=SC2016 # for the other shell
    run --separate-stderr timeout -s KILL 60 unshare -m --propagation private env -u MAIL_CONFIG sh -c \
        'mount --bind "$1" /proc/locks && shift && exec "$@"' - "$1" "$POSTKICK" -f "$INI" "${@:2}"
    is "$status" 0
}

# A FIFO: hundreds of processes that read /proc/locks make it as slow.
@test "a slow /proc/locks holds up no run" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace"
    make_tree -n 2
    start_listener
    touch "$SPOOL/pid/master.pid" "$SPOOL-0001/pid/master.pid"
    mkfifo "$TREE/locks"
    python3 -c '
import os, sys, time
parent, locks = os.getppid(), os.open(sys.argv[1], os.O_RDWR)
while os.getppid() == parent:
    os.write(locks, b"1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF\n")
    time.sleep(0.05)' "$TREE/locks" 3>&- &
    with_locks "$TREE/locks" -j -t 1 public qmgr I
    is "$(rows running)" $'-\n-'
    with_locks "$TREE/locks" -l -j
    is "$(rows running)" $'-\n-'
}

@test "no more than a mebibyte of /proc/locks is read" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace"
    make_tree -n 1
    touch "$SPOOL/pid/master.pid"
    for count in 1000 30000; do
        yes '1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF' | head -n $count >"$TREE/locks.$count"
    done
    with_locks "$TREE/locks.1000" -l -j
    is "$(rows running)" "$(stopped)"
    with_locks "$TREE/locks.30000" -l -j
    is "$(rows running)" -
}

@test "the locks of the host are read a page at a time" {
    command -v strace || skip "no strace"
    make_tree -n 1
    touch "$SPOOL/pid/master.pid"
    mkdir "$TREE/many"
    for ((i = 0; i < 400; i++)); do mkdir -p "$TREE/many/$i/pid"; done
    hold_locks "$TREE"/many/*
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under strace
    run --separate-stderr strace -e trace=read -P /proc/locks -o "$TREE/trace" \
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -j
    is "$status" 0
    # 20,000 bytes in eight readings; the last call of each gets nothing
    awk -F'= ' '/read/ { if ($2 > 0) { bytes += $2; calls++ } }
        END { print bytes, "bytes in", calls, "calls"; exit !(bytes > 100000 && bytes / calls > 2500) }' \
        "$TREE/trace"
}
