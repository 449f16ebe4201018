#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What one instance, or its services, can do to the kicks of others: nothing.
load cli

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
    for ((i = 0; i < 100; i++)); do
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 20 public qmgr "Wrun$i." || failed=$((failed + 1))
    done
    kill "$swapper"
    is "$failed" 0
    for ((i = 0; i < 100; i++)); do
        received "$SPOOL-0002/public/qmgr" "Wrun$i.\\000"
    done
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
