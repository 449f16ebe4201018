#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Kernels without the younger system calls, and filters of containers that refuse them: whatever fails,
# everything works as it does otherwise.

load cli

CALLS="clone3 close_range faccessat2 memfd_create openat2 pidfd_open statx"

setup()
{
    make_tree -n 2
    own_programs
    program postfix 'echo "postfix $2"'
    # Those of the shell, which has the script at 10 and the directory at 3.
    program descriptors 'echo /proc/self/fd/*'
    behave read "$SPOOL/public/qmgr"
    ln -s qmgr "$SPOOL/public/link"
    start_listener
    hold_locks "$TREE"/spool/*
}

# all [COMMAND...]: what the modes write and return, run by the command.
all()
{
    local arguments
    cd "$TREE"
    while read -r arguments; do
        echo "$ $arguments"
        # shellcheck disable=SC2086 # words
        env -u MAIL_CONFIG -u MAIL_VERBOSE "$@" "$POSTKICK" -f "$INI" $arguments 7</etc/passwd 8</ 2>&1 </dev/null |
            sed -E 's/ +/ /g; s/[0-9.]+ *(ms|s)\b/N/; s/("seconds":|"(free|total)_[a-z]*":|"oldest":)[^,}]*/\1N/g'
        echo "? ${PIPESTATUS[0]}"
    done <<'END'
public qmgr I
-j public qmgr I
public link x
-c etc/postfix-0001 public qmgr I
-c etc/postfix-0001 public nosuch I
-c /proc/self/cwd/etc/postfix-0001 public qmgr I
-c spool public qmgr I
-s
-l -j
-Q -j
-x descriptors
-x -P 2 -j descriptors
-p status
-M -n count
END
}

# bats test_tags=plain,native
@test "each of the younger system calls, and all, can be missing or refused" {
    local expected error call
    "$TOOLS/refuse" EPERM statx -- true || skip "no seccomp(2)"
    expected=$(all)
    has "$expected" $'\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/10 /proc/self/fd/2 /proc/self/fd/3\n'
    has "$expected" "public/link: is a symbolic link"
    for error in ENOSYS EPERM; do
        for call in $CALLS "$CALLS"; do
            # shellcheck disable=SC2086 # words
            diff <(echo "$expected") <(all "$TOOLS/refuse" $error $call --) ||
                { echo "with $error of $call"; return 1; }
        done
    done
}

# Its number there is another one.
# bats test_tags=native
@test "a worker finds the program in the /proc of the PID namespace outside" {
    unshare --pid --fork true 2>/dev/null || skip "needs the privilege to make a PID namespace"
    "$TOOLS/refuse" EPERM statx -- true || skip "no seccomp(2)"
    local directory
    cd "$TREE"
    for directory in etc/postfix-0001 /proc/self/cwd/etc/postfix-0001; do
        run --separate-stderr unshare --pid --fork "$TOOLS/refuse" ENOSYS openat2 -- \
            env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l -c "$directory"
        is "$stderr" ""
        has "$output" "$directory"
    done
}
