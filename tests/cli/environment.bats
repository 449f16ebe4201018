#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the program inherits: its name, descriptors, variables; and a terminal.

bats_require_minimum_version 1.5.0
load cli

# bats test_tags=native
@test "lines start with the name that the program was called by" {
    make_tree
    ln -s "$(realpath "$POSTKICK")" "$TREE/kick-all"
    run --separate-stderr "$TREE/kick-all" -f "$INI" public nosuch W
    is "${stderr_lines[0]}" "kick-all: warning: unable to look up public/nosuch: No such file or directory"
    run --separate-stderr bash -c 'exec -a "$1" "$2" -f "$3" -Z' - $'o\ndd' "$POSTKICK" "$INI"
    is "${stderr_lines[0]}" "o\\012dd: fatal: invalid option -- 'Z'"
    run --separate-stderr bash -c 'exec -a "" "$1" -f "$2" -Z' - "$POSTKICK" "$INI"
    is "${stderr_lines[0]}" "postkick: fatal: invalid option -- 'Z'"
}

@test "what disturbs a terminal is escaped, wherever it comes from" {
    make_tree -n 2
    kick public $'a\x1b[2J\n\x7f\xc2\x9b\xff' W
    is "$status" 1
    is "$(plain "${stderr_lines[0]}")" 'postkick: warning: /etc/postfix: public/a\033[2J\012\177\302\233\377: not running'
    kick $'\x07' qmgr W
    has "$stderr" 'invalid class name: "\007"'
    kick public qmgr $'x\r'
    has "$stderr" 'request "x\015": "x\015" is ignored'
    kick -i $'\x1b' public qmgr W
    has "$stderr" 'no instance matches -i \033'
    kick -f $'/none\e' public qmgr W
    has "$stderr" 'open /none\033: No such'
    set_main_cf "$DEFAULT-0001" $'bad\x1bline'
    kick public qmgr W
    has "$stderr" '"bad\033line"'
    # what reorders, hides or breaks lines: U+202E, U+200B, U+2028, U+FEFF
    kick public $'a\xe2\x80\xaeb\xe2\x80\x8bc\xe2\x80\xa8d\xef\xbb\xbf' W
    has "$stderr" 'public/a\342\200\256b\342\200\213c\342\200\250d\357\273\277: not running'
    # harmless characters stay
    kick public dienst-ä W
    has "$stderr" 'public/dienst-ä: not running'
}

@test "nor does postkick-requeue pass on what a queue says" {
    command -v jq >/dev/null || skip "needs jq"
    make_tree
    mkdir "$TREE/bin"
    cat >"$TREE/bin/postqueue" <<'END'
#!/bin/sh
echo '{"queue_id": "ABC"}'
echo '{"queue_id": "D\\u001b[2J\\nE F"}'
END
    chmod 755 "$TREE/bin/postqueue"
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    POSTKICK=$POSTKICK run --separate-stderr "$ROOT/scripts/postkick-requeue" -f "$INI" -n ALL
    is "$output" "$DEFAULT: would requeue 1: ABC"
    POSTKICK=$POSTKICK run --separate-stderr "$ROOT/scripts/postkick-requeue" -f "$INI" $'D\e[2J'
    is "$status" 1
    is "${stderr_lines[-1]}" "postkick-requeue: fatal: not a queue id: D?[2J"
}

@test "a failed write to standard output is exit 1" {
    make_tree
    start_listener
    for arguments in "-l" "-lj" "--help" "--version" "-j public qmgr W" "-n public qmgr W"; do
        # shellcheck disable=SC2016
        run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" >/dev/full' - \
            "$POSTKICK" -f "$INI" $arguments
        is "$status" 1
        is "$stderr" "postkick: warning: write to standard output: No space left on device"
        run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" >&-' - \
            "$POSTKICK" -f "$INI" $arguments
        is "$status" 1
        is "$stderr" "postkick: warning: write to standard output: Bad file descriptor"
        # nobody reads it
        # shellcheck disable=SC2016
        run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" | true; echo "${PIPESTATUS[0]}"' - \
            env --default-signal=PIPE sh -c 'sleep 0.2; exec "$@"' - "$POSTKICK" -f "$INI" $arguments
        is "$output" 1
    done
    # what writes nothing does not mind
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" >/dev/full' - "$POSTKICK" -f "$INI" public qmgr W
    is "$status" 0
}

@test "closed standard descriptors" {
    make_tree -n 3
    start_listener
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" <&- >&- 2>&-' - "$POSTKICK" -f "$INI" public qmgr x
    is "$status" 0
    for i in '' -0001 -0002; do received "$SPOOL$i/public/qmgr" 'x\000'; done
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" <&- 2>&-' - "$POSTKICK" -f "$INI" -lj
    is "$status" 0
    is "$(rows config_directory | head -n 1)" /etc/postfix
    run --separate-stderr env -u MAIL_CONFIG bash -c '"$@" 2>/dev/full' - "$POSTKICK" -f "$INI" public nosuch W
    is "$status" 1
}

@test "a line on a terminal shows the progress, and is erased in the end" {
    make_tree -n 3
    behave never "$SPOOL-0001/public/qmgr"
    behave never "$SPOOL-0002/public/qmgr"
    start_listener
    on_terminal "$POSTKICK" -f "$INI" -t 3 -j public qmgr W
    is "$status" 1
    has "$output" '\r\x1b[K1 of 3 done, '
    has "$output" ' s left, waiting for '
    run python3 -c '
import re, sys
text = sys.argv[1].replace("\\r", "\r").replace("\\n", "\n").replace("\\x1b[K", "\f")
before, rest = text.rsplit("\r\f", 1)
assert "done" not in rest, rest
assert rest.count("\"status\"") == 3, rest
for line in before.split("\r\f"):
    assert len(line) < 80, line' "$output"
    is "$output" ""
}

@test "no progress line in a pipe, under -q, or when all is quick" {
    make_tree -n 2
    start_listener
    on_terminal "$POSTKICK" -f "$INI" public qmgr W
    is "$status" 0
    is "$output" ""
    behave never "$SPOOL-0001/public/qmgr"
    restart_listener
    on_terminal "$POSTKICK" -f "$INI" -q -t 2 public qmgr W
    is "$status" 1
    is "$output" ""
    kick -t 2 public qmgr W
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001: public/qmgr: request not read within 2s"
}
