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

# Every error of a main.cf is tested in unit/postfix and unit/base.
@test "one bad instance never stops the others" {
    make_tree -n 8
    rm "$DEFAULT-0001/main.cf"
    mkdir "$DEFAULT-0001/main.cf"
    set_main_cf "$DEFAULT-0002" 'foo bar'
    set_main_cf "$DEFAULT-0003" 'queue_directory = spool'
    ln -sf /dev/zero "$DEFAULT-0004/main.cf"
    # large, but not too large
    head -c 2000000 /dev/zero | tr '\0' y | sed 's/^/x = /' >>"$DEFAULT-0006/main.cf"
    seq 10000 | sed 's/.*/x& = y/' >>"$DEFAULT-0007/main.cf"
    sed -i 's:^multi_instance_directories.*:&\n    relative/dir:' "$DEFAULT/main.cf"
    start_listener
    kick -j flush
    is "$status" 1
    is "$(rows config_directory status | uniq)" "\
/etc/postfix|kicked
relative/dir|failed
/etc/postfix-0001|failed
/etc/postfix-0002|failed
/etc/postfix-0003|failed
/etc/postfix-0004|failed
/etc/postfix-0005|kicked
/etc/postfix-0006|kicked
/etc/postfix-0007|kicked"
    # once for each instance, however many targets
    is "$(grep -v -c overriding <<<"$stderr")" 5
    has "$(plain "$stderr")" "postkick: warning: /etc/postfix-0004: open /etc/postfix-0004/main.cf: not a regular file"
}
