#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command line as a whole: usage, forms of options, where they end.

bats_require_minimum_version 1.5.0
load cli

@test "usage errors exit with 1 and touch nothing" {
    make_tree
    start_listener
    for arguments in "" "-Z public qmgr W" "-c" "-P 2 flush" "-w -p status"; do
        # shellcheck disable=SC2086
        kick $arguments
        is "$status" 1
        is "$output" ""
        is "${#stderr_lines[@]}" 2
        has "${stderr_lines[0]}" "postkick: fatal: "
        has "${stderr_lines[1]}" "postkick: usage: postkick "
    done
    kick $'-\xff' flush
    is "${stderr_lines[0]}" "postkick: fatal: invalid option -- '\\377'"
    kick $'-\x7f' flush
    is "${stderr_lines[0]}" "postkick: fatal: invalid option -- '\\177'"
    # however long
    local long
    long=$(printf '%0100000d' 0)
    for option in "--$long" "-t$long" "-o$long" "-g$long" "-i$long" "-c$long" "-P$long"; do
        kick "$option" public qmgr W
        is "$status" 1
    done
    for operands in "$long" "public $long W" "$long qmgr W" "public qmgr W $long"; do
        # shellcheck disable=SC2086
        kick $operands
        is "$status" 1
    done
    is "$(cat "$LOG")" ""
}

@test "options end at the first operand" {
    make_tree
    start_listener
    kick public pickup -v
    is "$status" 0
    is "$stderr" ""
    received "$SPOOL/public/pickup" '-v\000'
    kick -- public pickup --help
    is "$status" 0
    received "$SPOOL/public/pickup" '--help\000'
}

@test "long options do what the short ones do" {
    make_tree -n 3 -d 2
    behave work "$SPOOL/public/pickup" 1
    start_listener
    run --separate-stderr env -u MAIL_CONFIG "$POSTKICK" --settings="$INI" --all --json --quiet \
        --wait --timeout=1m --verbose public pickup x
    is "$status" 0
    is "$(rows config_directory status)" "\
/etc/postfix|kicked
/etc/postfix-0001|kicked
/etc/postfix-0002|kicked"
    run --separate-stderr env -u MAIL_CONFIG "$POSTKICK" --settings "$INI" --list --reverse \
        --instance 0001 --instance - --group outbound
    is "$status" 0
    is "$(plain "$output")" "postfix-0001    outbound        y         /etc/postfix-0001"
    run --separate-stderr env -u MAIL_CONFIG "$POSTKICK" --settings "$INI" --config-directory \
        "$DEFAULT-0002" --dry-run public qmgr W
    is "$output" "$DEFAULT-0002: fail: \"W\" to $SPOOL-0002/public/qmgr: not running"
}

@test "--help and --version" {
    make_tree
    kick --help
    is "$status" 0
    is "$stderr" ""
    has "$output" "flush                       deliver everything now, as postqueue -f does"
    for letter in a c f g i j l n p P q R t v w x; do has "$output" "  -$letter, --"; done
    kick --version
    is "$status" 0
    run grep -E -x 'postkick [0-9.]+' <<<"$output"
    is "$status" 0
}

@test "--help helps with broken settings too" {
    echo 'no setting' >"$BATS_TEST_TMPDIR/broken.ini"
    run --separate-stderr "$POSTKICK" -f "$BATS_TEST_TMPDIR/broken.ini" --help
    is "$status" 0
    has "$output" "Usage:"
    is "$stderr" "postkick: warning: $BATS_TEST_TMPDIR/broken.ini, line 1: not a section, a setting or a comment"
}
