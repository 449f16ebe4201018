#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the program inherits: its name, privileges, limits; a terminal; readers that do not read.

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

@test "control characters from names, values and requests never reach the terminal" {
    local options path evil file=$BATS_TEST_TMPDIR/shown
    # Controls but white space, which separates the elements of a list; C1, bytes that are not UTF-8, a
    # surrogate, what reorders, hides or breaks lines, and what stays: an emoji and a letter
    evil=$'\001\002\003\004\005\006\007\010\016\033]0;title\007\033[2J"\\\177\302\233\200\377\355\240\200'
    evil+=$'\342\200\256\342\200\250\357\273\277\360\237\230\200\303\244'
    # in a directory, a name, a group, a queue directory and a value
    make_tree -n 4
    mv "$DEFAULT-0001" "$TREE/etc/$evil"
    mv "$SPOOL-0001" "$TREE/spool/$evil"
    sed -i /postfix-0001/d "$SPEC"
    for path in "$DEFAULT" "$TREE/etc/$evil"; do
        options=$(<"$path/main.cf")
        printf '%s\n' "${options//postfix-0001/"$evil"}" >"$path/main.cf"
    done
    set_main_cf "$DEFAULT-0002" "multi_instance_group = $evil"
    set_main_cf "$DEFAULT-0003" "trigger_timeout = $evil"
    behave garbage "$SPOOL-0002/public/qmgr"
    start_listener
    # shellcheck disable=SC2086 # no blanks in it
    for options in "-n public qmgr FADI$evil" "-v public qmgr FADI$evil" "-q public qmgr FADI$evil" -lv \
        "public qmgr FADI$evil" "public $evil x" "$evil qmgr x" "$evil" "-i $evil flush" "-c $evil flush" \
        "-f $evil flush" "--$evil flush"; do
        kick $options
        is "$status" 1
        printf '%s\n%s\n' "$output" "$stderr" >>"$file"
    done
    run bash -c 'exec -a "$1" "${@:2}"' - "$evil" "$POSTKICK" -f "$INI" x
    printf '%s\n' "$output" >>"$file"
    has "$(<"$file")" '\377\355\240\200\342\200\256\342\200\250\357\273\277😀ä'
    run grep -a -P '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xae]' "$file"
    is "$output" ""
    iconv -f UTF-8 "$file" >"$TREE/text"
    for options in "public qmgr FADI$evil" -l "-n public qmgr W$evil"; do
        # shellcheck disable=SC2086 # no blanks in it
        kick -j $options
        is "$(LC_ALL=C tr -d '\n -~' <<<"$output")" ""
        is "$(jq -r type <<<"$output" | uniq -c | tr -s ' ')" " 4 object"
    done
}

# bats test_tags=plain,native
@test "with raised privileges it refuses to run, whatever is asked of it" {
    unshare -m true 2>/dev/null || skip "needs a mount namespace: this file system may be nosuid"
    local arguments
    make_tree
    for arguments in "public qmgr I" --version -Z; do
        # shellcheck disable=SC2016,SC2086
        run unshare -m sh -c 'mount -t tmpfs -o mode=755 tmpfs "$0" && cp "$1" "$0/it" &&
            chgrp 65533 "$0/it" && chmod 2755 "$0/it" && cd "$0" && shift &&
            exec setpriv --reuid=65534 --regid=65534 --clear-groups ./it "$@"' /mnt "$POSTKICK" $arguments
        is "$status$output" "1it: fatal: refusing to run with raised privileges (set-uid, set-gid or capabilities)"
    done
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
    is "$(rows status | uniq -c | tr -s ' ')" $' 1 kicked\n 2 unconfirmed'
    on_terminal -- -q -t 2 public qmgr W
    is "$output" "status 1"
    on_terminal -- -P 2 -t 60 -i - -i 0001 -x sh -c '[ "${MAIL_CONFIG##*/}" = postfix ] || sleep 1.3'
    has "$output" "1 of 2 done, "
    has "$output" " s left, waiting for $DEFAULT-0001"
}

# The rest is in unit/base.
@test "a reader that does not read delays neither the limit of time nor a signal" {
    local run='timeout 0.3 cat /dev/zero; exec "$@"'
    make_tree -n 2
    # shellcheck disable=SC2016 # for the other shell
    run bash -c '{ bash -c "$@" 2>&3 | sleep 4; } 3>&1 | cat' - "$run" - "$POSTKICK" -f "$INI" -t 1 -j public qmgr W
    is "${lines[0]}" "postkick: warning: write to standard output: not read within the time limit"
    # shellcheck disable=SC2016 # for the other shell
    run bash -c 'timeout --preserve-status 1.3 bash -c "$@" | sleep 4; exit "${PIPESTATUS[0]}"' - "$run" - \
        "$POSTKICK" -f "$INI" -l -j
    is "$status" 143
}

# bats test_tags=plain
@test "a limit on the size of files is an error, not the end by a signal" {
    make_tree -n 50
    # what is read by a worker comes in a file, too
    run env -u MAIL_CONFIG bash -c 'ulimit -f 8; { "$@" 2>&1 >"$0"; echo "$?"; } | cat' \
        "$BATS_TEST_TMPDIR/out" "$POSTKICK" -f "$INI" -l -j
    is "$output" "\
postkick: warning: write to standard output: File too large
1"
}
