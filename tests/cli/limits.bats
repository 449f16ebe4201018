#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Descriptors, /proc and its locks, and what a main.cf may cost.

load cli

@test "16 descriptors for 40 instances" {
    make_tree -n 40
    behave full "$SPOOL-0005/public/qmgr" 1
    behave late "$SPOOL-0010/public/qmgr" 1
    behave fifo "$SPOOL-0020/public/qmgr"
    start_listener
    run --separate-stderr env -u MAIL_CONFIG bash -c 'ulimit -n 16; exec 3>&- 4>&- 5>&-; exec "$@"' - \
        "$POSTKICK" -f "$INI" -j public qmgr W
    is "$(rows status reason | uniq -c | tr -s ' ')" " 40 kicked|"
}

@test "without /proc nothing is done" {
    unshare -m true 2>/dev/null || skip "needs the privilege to make a mount namespace"
    if is_sanitized; then skip "a sanitizer needs /proc"; fi
    make_tree -n 1
    run --separate-stderr unshare -m sh -c \
        'mount -t tmpfs none /proc && exec env -u MAIL_CONFIG "$@"' sh \
        "$POSTKICK" -f "$INI" public qmgr I
    is "$status" 1
    is "$stderr" "postkick: fatal: /proc/self/fd: No such file or directory: /proc must be mounted"
}

teardown()
{
    stop_listener
    release_locks
    umount -q "$TREE/btrfs" "$TREE/disk" 2>/dev/null || true
}

# running: of each instance, as -l -j has it.
running()
{
    kick -l -j
    rows running | tr '\n' ' '
}

@test "what is mounted over /proc/locks shows no locks, and none that are missing" {
    unshare -m true 2>/dev/null || skip "needs the privilege to make a mount namespace"
    make_tree -n 2
    hold_locks "$SPOOL" "$SPOOL-0001"
    is "$(running)" "y y "
    : >"$BATS_TEST_TMPDIR/empty"
    run --separate-stderr unshare -m sh -c 'mount --bind "$1" /proc/locks && shift && exec "$@"' sh \
        "$BATS_TEST_TMPDIR/empty" env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -j
    is "$(rows running | tr '\n' ' ')" "- - "
}

# In a PID namespace, /proc/locks does not show the locks of processes outside it.
# bats test_tags=native
@test "a PID namespace: the reason is what master.pid shows" {
    unshare --mount --pid --fork --mount-proc true 2>/dev/null || skip "needs the privilege to make a PID namespace"
    make_tree -n 4
    start_listener
    stop_listener # its sockets stay
    echo 99999999 >"$SPOOL/pid/master.pid"
    echo 99999999 >"$SPOOL-0001/pid/master.pid"
    rm "$SPOOL-0001/public/qmgr"
    mkfifo "$SPOOL-0001/public/qmgr"
    echo 1 >"$SPOOL-0002/pid/master.pid"
    mkdir "$SPOOL-0003/pid/master.pid"
    run --separate-stderr unshare --mount --pid --fork --mount-proc env -u MAIL_CONFIG \
        sh -c '"$@"; exit' sh "$POSTKICK" -f "$INI" -s -j
    is "$status" 1
    is "$(rows running state reason)" "\
-|not-responding|no process is listening on the socket, and the process of pid/master.pid is gone: start the instance
-|not-responding|no process is reading the FIFO, and the process of pid/master.pid is gone: start the instance
-|not-responding|no process is listening on the socket: check with postfix status whether the instance is running
-|not-responding|no process is listening on the socket: check with postfix status whether the instance is running"
}

# In a chroot, mountinfo does not show what the root is on.
# bats test_tags=native
@test "a chroot whose root is no mount point: an instance is running or not" {
    unshare -m true 2>/dev/null || skip "needs the privilege to make a mount namespace"
    PATH=$PATH:/sbin:/usr/sbin command -v mkfs.ext4 >/dev/null || skip "needs e2fsprogs"
    TREE=$BATS_TEST_TMPDIR
    truncate -s 64M "$TREE/image"
    PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q "$TREE/image"
    mkdir "$TREE/disk"
    mount -o loop "$TREE/image" "$TREE/disk" 2>/dev/null || skip "cannot mount ext4"
    local root=$TREE/disk/root
    mkdir -p "$root$ROOT" "$root/proc"
    TREE=$root/tree make_tree -n 2
    sed -i "s|$root||g" "$root/tree/postkick.ini" "$root"/tree/etc/*/main.cf
    cp "$POSTKICK" "$root/postkick"
    hold_locks "$root/tree/spool/postfix-0001"
    : >"$root/tree/spool/postfix/pid/master.pid"
    run --separate-stderr unshare -m bash -c 'for each in /usr /lib* "$1" /proc /dev; do
            [ -d "$0$each" ] || mkdir "$0$each"
            mount --rbind "$each" "$0$each" || exit
        done
        exec env -u MAIL_CONFIG chroot "$0" /postkick -f /tree/postkick.ini -l -j' "$root" "$ROOT"
    is "$status" 0
    is "$(rows running)" "$(stopped)
y"
}

# The subvolumes share the device that /proc/locks names, and have the same inodes.
# bats test_tags=native
@test "instances in subvolumes of btrfs are running or not" {
    command -v mkfs.btrfs >/dev/null || skip "needs btrfs-progs"
    make_tree -n 3
    local each
    truncate -s 128M "$TREE/image"
    mkfs.btrfs -q "$TREE/image"
    mkdir "$TREE/btrfs"
    mount -o loop "$TREE/image" "$TREE/btrfs" 2>/dev/null || skip "cannot mount btrfs"
    for each in postfix postfix-0001 postfix-0002; do
        btrfs -q subvolume create "$TREE/btrfs/$each"
        cp -r "$TREE/spool/$each/." "$TREE/btrfs/$each"
        mkdir -p "$TREE/btrfs/$each/pid"
        printf '%32d\n' 1 >"$TREE/btrfs/$each/pid/master.pid"
    done
    sed -i "s:$TREE/spool:$TREE/btrfs:" "$TREE"/etc/*/main.cf
    is "$(stat -c %i "$TREE"/btrfs/*/pid/master.pid | sort -u | wc -l)" 1
    is "$(running)" "$(stopped) $(stopped) $(stopped) "
    hold_locks "$TREE/btrfs/postfix-0001"
    is "$(running)" "$(stopped) y $(stopped) "
}

# The layers are on one file system, then on two, where the device that stat(2) names is not that of
# the mount; then from a PID namespace with the /proc of the one outside, where our number is another.
# bats test_tags=native
@test "instances on an overlay are running or not" {
    unshare -m true 2>/dev/null || skip "needs the privilege to make a mount namespace"
    make_tree -n 3
    local file_systems others
    for file_systems in 1 2 "2 unshare --pid --fork"; do
        others=$(stopped)
        [ "$file_systems" = "${file_systems#2 }" ] || others=-
        rm -rf "$TREE/layers"
        mkdir "$TREE/layers"
        run --separate-stderr unshare -m bash -c '
            [ "$2" = 1 ] || mount -t tmpfs tmpfs "$1/layers" || exit
            mkdir "$1/layers/upper" "$1/layers/work"
            mount -t overlay overlay -o "lowerdir=$1/spool,upperdir=$1/layers/upper" \
                -o "workdir=$1/layers/work" "$1/spool" || exit 77
            for each in postfix postfix-0001 postfix-0002; do
                printf "%32d\n" 1 >"$1/spool/$each/pid/master.pid"
            done
            . "$0/tests/lib/common.bash"
            hold_locks "$1/spool/postfix-0001"
            "${@:3}" env -u MAIL_CONFIG "$POSTKICK" -f "$1/postkick.ini" -l -j
            release_locks' "$ROOT" "$TREE" $file_systems
        [ "$status" != 77 ] || skip "cannot mount an overlay"
        is "$(rows running | tr '\n' ' ')" "$others y $others "
    done
}

@test "a main.cf made to keep us busy does not delay the other kicks" {
    make_tree -n 5
    # names of a megabyte that are looked up again and again; nested text; many settings; a large file
    python3 - "$DEFAULT" <<'END'
import sys
parameters = "queue_directory data_directory multi_instance_name trigger_timeout".split()
name = "n" * 900000
def write(number, text):
    with open(f"{sys.argv[1]}-000{number}/main.cf", "a", encoding="ascii") as file:
        file.write(text)
write(1, f"{name} =\nr = ${name}\n" + "".join(f"{each} = {'$r' * 1000}\n" for each in parameters))
write(2, "x = x\n" + "".join(f"{each} = {'${x?' * 90000 + '}' * 90000}\n" for each in parameters))
write(3, "".join(f"{number:x} =\n" for number in range(200000)))
write(4, "#" * 2097152)
END
    start_listener
    run --separate-stderr prlimit --cpu=9 env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 200 public qmgr W
    is "$status" 1
    received "$SPOOL/public/qmgr" 'W\000'
    is "$(plain "$stderr" | grep -v overriding)" "\
postkick: warning: /etc/postfix-0001: macro expansion: more work than is allowed for one instance
postkick: warning: /etc/postfix-0001: dictionary mail_dict: macro processing error
postkick: warning: /etc/postfix-0002: macro expansion: more work than is allowed for one instance
postkick: warning: /etc/postfix-0002: dictionary mail_dict: macro processing error
postkick: warning: /etc/postfix-0003: /etc/postfix-0003/main.cf, line 16384: more than 16384 parameters
postkick: warning: /etc/postfix-0004: open /etc/postfix-0004/main.cf: file is larger than 2097152 bytes"
}
