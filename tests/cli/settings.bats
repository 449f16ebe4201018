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
    # --help helps then too
    kick --help
    is "$status" 0
    has "$output" "Usage:"
    has "$stderr" "postkick: warning: $INI, line 9: kick would be read as"
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
    kick nosuch
    has "$stderr" "one of flush, incoming, deferred, pickup, mine"
}
