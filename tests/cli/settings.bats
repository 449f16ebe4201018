#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# postkick.ini, as the program takes it.

bats_require_minimum_version 1.5.0
load cli

# settings LINE...: the tree's postkick.ini with more lines.
settings()
{
    cp "$TREE/original.ini" "$INI"
    printf '%s\n' "$@" >>"$INI"
}

setup()
{
    make_tree
    cp "$INI" "$TREE/original.ini"
}

# refused LINE...: the settings are, with these lines on stderr, before anything is touched.
refused()
{
    kick public qmgr W
    is "$status" 1
    is "$output" ""
    is "$(plain "$stderr")" "$(printf '%s\n' "$@")"
}

@test "a mistake is fatal, with the section and key or the line" {
    start_listener
    settings '[kick]' 'strict = perhaps'
    refused 'postkick: fatal: /postkick.ini, line 9: [kick] strict: must be yes or no'
    settings '[action mine]' 'kick = public qmgr I, \' '  public pickup W'
    kick public qmgr W
    is "$status" 1
    has "$(plain "${stderr_lines[0]}")" 'postkick: warning: /postkick.ini, line 9: kick would be read as '
    is "$(cat "$LOG")" ""
}

@test "all mistakes are reported, the last one as fatal" {
    settings 'bad_one = 1' '[kick]' 'strict = 2' '[other]'
    refused 'postkick: warning: /postkick.ini, line 8: [postfix] bad_one: unknown parameter' \
        'postkick: warning: /postkick.ini, line 10: [kick] strict: must be yes or no' \
        'postkick: fatal: /postkick.ini, line 11: [other]: unknown section'
}

@test "what is no file, or is no text" {
    truncate -s 300K "$INI"
    refused 'postkick: fatal: open /postkick.ini: file is larger than 262144 bytes'
    # as many settings as fit, and anything at all
    python3 -c 'print("[kick]", *("k%d=" % i for i in range(30000)), sep="\n")' >"$INI"
    kick public qmgr W
    is "$status" 1
    is "${stderr_lines[-1]}" "postkick: fatal: $INI, line 30001: [kick] k29999: unknown setting"
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(1, 256)) * 500)' >"$INI"
    kick public qmgr W
    is "$status" 1
}

@test "settings for what main.cf does not set" {
    sed -i '/^queue_directory/d' "$DEFAULT/main.cf"
    settings 'trigger_timeout = 7s' 'queue_service_name = other'
    kick -j -n incoming
    is "$(rows queue_directory endpoint)" "/spool/postfix|/spool/postfix/public/other"
    sed -i "s|^queue_directory .*|queue_directory = $TREE/elsewhere|" "$INI"
    kick public qmgr W
    is "$(plain "$stderr")" "postkick: fatal: chdir /elsewhere: No such file or directory"
}

@test "services and actions of one's own" {
    settings '[service mine]' 'name = Mine' 'class = private' 'requests = XY' 'modifiers = Y' \
        '[action mine]' 'kick = private Mine X, public qmgr I' 'about = two at once' \
        '[action flush]' 'kick = public pickup W'
    behave read "$SPOOL/private/Mine"
    start_listener
    kick -j mine
    is "$status" 0
    is "$(rows endpoint request status)" "\
/spool/postfix/private/Mine|X|kicked
/spool/postfix/public/qmgr|I|kicked"
    kick private Mine Y
    is "$stderr" 'postkick: warning: private/Mine: request "Y" starts nothing on its own: add one of X'
    kick public Mine X
    is "$status" 1
    has "$stderr" 'unable to look up public/Mine'
    kick -j flush
    is "$(rows service)" pickup
    kick --help
    is "$status" 0
    has "$(tr -s ' ' <<<"$output")" "mine two at once"
    kick nosuch
    has "$stderr" "one of flush, incoming, deferred, pickup, mine"
}

@test "connections at once" {
    rm -r "$TREE"
    make_tree -n 12
    printf '[kick]\nconnections = 1\n' >>"$INI"
    start_listener
    kick public qmgr W
    is "$status" 0
    run grep -c public/qmgr "$LOG"
    is "$output" 12
    behave never "$SPOOL-0003/public/qmgr"
    behave never "$SPOOL-0005/public/qmgr"
    restart_listener
    kick -t 1 -j public qmgr W
    is "$status" 1
    is "$(rows status reason | sort | uniq -c | awk '{$1 = $1; print}')" "\
8 failed|not started: time limit reached
3 kicked|
1 unconfirmed|request not read within 1s"
}

@test "the shipped file is accepted and changes nothing" {
    cat "$ROOT/conf/postkick.ini" >"$TREE/shipped.ini"
    run --separate-stderr "$POSTKICK" -f "$TREE/shipped.ini" --help
    is "$status" 0
    is "$stderr" ""
    : >"$TREE/empty.ini"
    shipped=$output
    run --separate-stderr "$POSTKICK" -f "$TREE/empty.ini" --help
    is "$output" "$shipped"
}
