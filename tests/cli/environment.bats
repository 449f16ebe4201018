#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the program inherits: its name, descriptors, variables; and a terminal.

load cli

# bats test_tags=native
@test "lines start with the name that the program was called by" {
    make_tree
    ln -s "$(realpath "$POSTKICK")" "$TREE/kick-all"
    run --separate-stderr "$TREE/kick-all" -f "$INI" public nosuch W
    is "${stderr_lines[0]}" "kick-all: warning: unable to look up public/nosuch: No such file or directory"
    run --separate-stderr bash -c 'exec -a "" "$1" -f "$2" -Z' - "$POSTKICK" "$INI"
    is "${stderr_lines[0]}" "postkick: fatal: invalid option -- 'Z'"
}

# shown: what the last kick wrote is kept, and it was an error.
shown()
{
    is "$status" 1
    printf '%s\n%s\n' "$output" "$stderr" >>"$BATS_TEST_TMPDIR/shown"
}

# lines_of_json N: N lines of output, each an object, in ASCII.
lines_of_json()
{
    printf '%s\n' "$output" | python3 -c '
import json, sys
lines = sys.stdin.buffer.read().decode("ascii").splitlines()
assert len(lines) == int(sys.argv[1]), lines
assert all(isinstance(json.loads(line), dict) for line in lines)' "$1"
}

# Controls but white space, which separates the elements of a list; C1, bytes that are not UTF-8, a
# surrogate, what reorders, hides or breaks lines, and what stays: an emoji and a letter
EVIL=$'\001\002\003\004\005\006\007\010\016\033]0;title\007\033[2J"\\\177\302\233\200\377\355\240\200'
EVIL+=$'\342\200\256\342\200\250\357\273\277\360\237\230\200\303\244'

# evil_tree: four instances; it is in a directory, a name, a group, a queue directory and a value.
evil_tree()
{
    local main_cf
    make_tree -n 4
    mv "$DEFAULT-0001" "$TREE/etc/$EVIL"
    mv "$SPOOL-0001" "$TREE/spool/$EVIL"
    sed -i /postfix-0001/d "$SPEC"
    main_cf=$(<"$DEFAULT/main.cf")
    printf '%s\n' "${main_cf//postfix-0001/"$EVIL"}" >"$DEFAULT/main.cf"
    main_cf=$(<"$TREE/etc/$EVIL/main.cf")
    printf '%s\n' "${main_cf//postfix-0001/"$EVIL"}" >"$TREE/etc/$EVIL/main.cf"
    set_main_cf "$DEFAULT-0002" "multi_instance_group = $EVIL"
    set_main_cf "$DEFAULT-0003" "trigger_timeout = $EVIL"
}

@test "control characters from names, values and requests never reach the terminal" {
    local options each
    evil_tree
    behave garbage "$SPOOL-0002/public/qmgr"
    start_listener
    for options in -n -v -q ''; do
        # shellcheck disable=SC2086
        kick $options public qmgr "FADI$EVIL"
        shown
    done
    kick -lv
    shown
    kick -j public qmgr "FADI$EVIL"
    lines_of_json 4
    kick -j -l
    lines_of_json 4
    kick -j -n public qmgr "W$EVIL"
    lines_of_json 4
    for each in "public $EVIL x" "$EVIL qmgr x" "$EVIL" "-i $EVIL flush" "-c $EVIL flush" "-f $EVIL flush" \
        "--$EVIL flush"; do
        # shellcheck disable=SC2086 # no blanks in it
        kick $each
        shown
    done
    run --separate-stderr bash -c 'exec -a "$1" "${@:2}"' - "$EVIL" "$POSTKICK" -f "$INI" x
    shown
    has "$(<"$BATS_TEST_TMPDIR/shown")" '\377\355\240\200\342\200\256\342\200\250\357\273\277😀ä'
    run grep -a -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xae]' "$BATS_TEST_TMPDIR/shown"
    is "$output" ""
    iconv -f UTF-8 "$BATS_TEST_TMPDIR/shown" >"$TREE/text"
}

# to_nobody ARGUMENT...: as kick, with a pipe as standard output whose reader is gone.
to_nobody()
{
    run --separate-stderr env -u MAIL_CONFIG python3 -c '
import os, subprocess, sys
out, into = os.pipe()
os.close(out)
sys.exit(subprocess.call(sys.argv[1:], stdout=into))' "$POSTKICK" -f "$INI" "$@"
}

@test "a failed write to standard output is exit 1" {
    make_tree
    start_listener
    for arguments in "-l" "--version" "-j public qmgr W"; do
        # shellcheck disable=SC2016,SC2086
        run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" >&-' - "$POSTKICK" -f "$INI" $arguments
        is "$status" 1
        is "$stderr" "postkick: warning: write to standard output: Bad file descriptor"
        # shellcheck disable=SC2086
        to_nobody $arguments
        is "$status" 1
        is "$stderr" "postkick: warning: write to standard output: Broken pipe"
    done
    # what writes nothing does not mind
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" >/dev/full' - "$POSTKICK" -f "$INI" public qmgr W
    is "$status" 0
}

@test "closed standard descriptors" {
    make_tree -n 3
    start_listener
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" <&- >&- 2>&-' - "$POSTKICK" -f "$INI" public qmgr W
    is "$status" 0
    for i in '' -0001 -0002; do received "$SPOOL$i/public/qmgr" 'W\000'; done
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" 2>/dev/full' - "$POSTKICK" -f "$INI" public nosuch W
    is "$status" 1
}

@test "a line on a terminal shows the progress, and is erased in the end; none with -q" {
    make_tree -n 3
    behave never "$SPOOL-0001/public/qmgr"
    behave never "$SPOOL-0002/public/qmgr"
    start_listener
    on_terminal -- -t 2 -j public qmgr W
    has "$output" $'\r\e[K1 of 3 done, '
    has "$output" ' s left, waiting for '
    output=${output##*$'\r\e[K'}
    is "${output##*$'\n'}" "status 1"
    output=${output%$'\n'*}
    is "$(rows status)" $'kicked\nunconfirmed\nunconfirmed'
    on_terminal -- -q -t 2 public qmgr W
    is "$output" "status 1"
}

# bats test_tags=plain,native
@test "with raised privileges it refuses to run, whatever is asked of it" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace: this file system may be nosuid"
    local arguments
    make_tree
    for arguments in "public qmgr I" -l "-x id" --version -Z; do
        # shellcheck disable=SC2016,SC2086
        run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o mode=755 tmpfs "$0" && cp "$1" "$0/it" &&
            chgrp 65533 "$0/it" && chmod 2755 "$0/it" && cd "$0" && shift &&
            exec setpriv --reuid=65534 --regid=65534 --clear-groups ./it "$@"' /mnt "$POSTKICK" $arguments
        is "$status" 1
        is "$stderr" "it: fatal: refusing to run with raised privileges (set-uid, set-gid or capabilities)"
        is "$output" ""
    done
}
