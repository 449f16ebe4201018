#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=plain
# Nobody's paths hold a run, or show what only root may read: a second user attacks every path that
# root follows.
load cli

# held MOUNT... -- ARGUMENT...: a kick with those paths on a file system that has stopped to answer, which
# shows one of its own instances. It is skipped where there is no FUSE.
held()
{
    local mounts=()
    while [ "$1" != -- ]; do
        mounts+=("$1")
        shift
    done
    cp -r "$TREE/etc/postfix-0001/." "$TREE/served"
    run --separate-stderr env -u MAIL_CONFIG "$ROOT/tests/lib/hold" "${HOLD[@]}" "$TREE/served" \
        "${mounts[@]}" -- "$POSTKICK" -f "$INI" "${@:2}" 3>&-
    [ "$status" != 77 ] || skip "no FUSE: $stderr"
    [ "$status" != 124 ] || { echo "held: $stderr" >&2; return 1; }
}

# Links of /proc lead into the mount namespaces of other users.
@test "a link of /proc is followed in no path of an instance" {
    make_tree -n 3
    start_listener
    local one=$TREE/etc/postfix-0001 two=$TREE/etc/postfix-0002
    sed -i "s,^queue_directory = ,&/proc/$$/root," "$one/main.cf"
    mv "$two/main.cf" "$two/real.cf"
    ln -s "/proc/$$/root$two/real.cf" "$two/main.cf"
    kick public qmgr D
    is "$status" 1
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001: chdir /proc/$$/root/spool/postfix-0001: leads through a link of /proc
postkick: warning: /etc/postfix-0002: open /etc/postfix-0002/main.cf: leads through a link of /proc"
    received "$SPOOL/public/qmgr" 'D\000'
    is "$(grep -c . "$LOG")" 1
    kick -Q -i "*-0001"
    has "$stderr" "leads through a link of /proc"
    kick -s -i "*-0001"
    is "$status" 1
}

@test "what the administrator types is followed through /proc" {
    make_tree
    start_listener
    kick -c "/proc/$$/root$DEFAULT" public qmgr D
    is "$status" 0
    INI=/proc/$$/root$INI
    kick -l
    is "$status" 0
}

@test "a file system that does not answer fails its own instances alone" {
    make_tree -n 5
    start_listener
    mkdir "$TREE/served" "$TREE/mnt"
    local one=$TREE/etc/postfix-0001 two=$SPOOL-0002
    HOLD=()
    held "$one" "$two" -- -t 5 public qmgr D
    is "$status" 1
    is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix-0001: open /etc/postfix-0001/main.cf: the file system does not answer
postkick: warning: /etc/postfix-0002: chdir /spool/postfix-0002: the file system does not answer"
    received "$SPOOL/public/qmgr" 'D\000'
    received "$SPOOL-0003/public/qmgr" 'D\000'
    received "$SPOOL-0004/public/qmgr" 'D\000'
    held "$one" "$two" -- -t 5 -n public qmgr D
    has "$stderr$output" "the file system does not answer"
    held "$one" "$two" -- -t 5 -s
    is "$(grep -c "does not answer" <<<"$stderr")" 2
    held "$one" "$two" -- -t 5 -Q
    is "$status" 1
    held "$one" "$two" -- -t 5 -v -x true
    is "$status" 1
    held "$TREE/mnt" -- -t 5 -c "$TREE/mnt" public qmgr D
    is "$status" 1
}

@test "a directory that another user locks fails its own instance alone" {
    make_tree -n 3
    start_listener
    mkdir "$TREE/served" "$TREE/mnt"
    chown 65534 "$SPOOL-0001/public"
    HOLD=(--lock "$SPOOL-0001/public")
    held "$TREE/mnt" -- -t 5 public nosuch D
    is "$status" 1
    is "$(plain "$stderr" | grep -c "not answer")" 1
    has "$stderr" "/etc/postfix-0001: public/nosuch: cannot be looked up: the file system does not answer"
    is "$(wc -l <<<"$stderr")" 3
}

# A FIFO is held by whoever reads it into memory that no file system provides.
@test "a reader that holds its FIFO fails its own instance alone" {
    make_tree -n 4
    behave fifonoreader "$SPOOL-0001/public/qmgr"
    behave fifo "$SPOOL-0002/public/qmgr"
    start_listener
    mkdir "$TREE/served" "$TREE/mnt"
    HOLD=(--read "$SPOOL-0001/public/qmgr")
    held "$TREE/mnt" -- -t 3 public qmgr D
    is "$status" 1
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001: public/qmgr: no answer from the FIFO within 3s"
    received "$SPOOL/public/qmgr" 'D\000'
    received "$SPOOL-0002/public/qmgr" 'D'
    received "$SPOOL-0003/public/qmgr" 'D\000'
    held "$TREE/mnt" -- -t 3 -s
    is "$status" 1
    is "$(awk '{print $1, $3, $4}' <<<"$output" | grep -c " not responding")" 1
    is "$(grep -c " responding" <<<"$output")" 4
}
