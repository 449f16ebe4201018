#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What comes of whole command lines, as commands/NAME has it: a line "$ COMMAND" is run by this shell,
# and followed by what it writes to standard output, then to standard error (after "! "), and by its
# status unless 0 (after "? "). @ is the directory of the test, and figures of time are N, however wide.
# With UPDATE in the environment, what is found replaces what was expected.

load cli

# The instances home (the default one), on (in group g), and off, which is not enabled. None runs.
setup()
{
    TREE=$BATS_TEST_TMPDIR/tree
    INI=$TREE/postkick.ini SPEC=$TREE/listener.spec LOG=$TREE/log
    mkdir -p "$TREE"/bin "$TREE"/{home,on,off}/q/{public,private,pid}
    : >"$SPEC"
    # All of [postfix]: what this machine's Postfix was built with does not matter.
    sed "s|^config_directory .*|config_directory = $TREE/home|" "$ROOT/conf/postfix.ini" >"$INI"
    main_cf home "multi_instance_directories = $TREE/on $TREE/off" multi_instance_enable=yes \
        "command_directory = $TREE/bin"
    main_cf on multi_instance_name=on multi_instance_group=g multi_instance_enable=yes
    main_cf off multi_instance_name=off
    for name in home on off; do
        main_cf $name "queue_directory = $TREE/$name/q" "data_directory = $TREE/$name/d"
    done
    cd "$TREE"
}

# main_cf INSTANCE LINE...: more lines in its main.cf.
main_cf()
{
    printf '%s\n' "${@:2}" >>"$TREE/$1/main.cf"
}

# settings LINE...: more lines in postkick.ini.
settings()
{
    printf '%s\n' "$@" >>"$INI"
}

# program NAME TEXT: a script in bin.
program()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$TREE/bin/$1"
    chmod +x "$TREE/bin/$1"
}

# serve BEHAVIOUR PATH: what the listener does there from now on.
serve()
{
    behave "$1" "$TREE/$2"
    restart_listener
}

postkick()
{
    env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "$@"
}

# terminal ARGUMENT...: what postkick shows on a terminal.
terminal()
{
    "$ROOT/tests/lib/on-terminal" env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "$@"
}

# members KEY...: those members of each JSON object on standard input, with | between.
members()
{
    jq -r --args '[.[$ARGS.positional[]] | tostring] | join("|")' "$@"
}

# follow NAME: runs the commands, and compares.
follow()
{
    local line status file=$BATS_TEST_DIRNAME/commands/$1
    set -o pipefail
    while IFS= read -r line; do
        case $line in
        '#'* | '') echo "$line" ;;
        '$ '*)
            echo "$line"
            line=${line#\$ } status=0
            eval "${line//@\//$TREE/}" >"$TREE/out" 2>"$TREE/errors" </dev/null || status=$?
            sed '$a\' "$TREE/out"
            sed -e 's/^/! /' -e '$a\' "$TREE/errors"
            [ $status = 0 ] || echo "? $status"
            ;;
        esac
    done <"$file" >"$TREE/found"
    sed -i -E -e "s:$TREE:@:g" -e 's/[0-9]+\.[0-9]+(m?s)/N\1/g' -e '/respond|enabled|TIME/s/  +(@|DIR)/  \1/' \
        "$TREE/found"
    # What belongs to a user who is not root can be written by that user.
    [ $EUID = 0 ] || sed -i '/: warning: @\/[a-z]*\.ini can b/d' "$TREE/found"
    [ -z "${UPDATE-}" ] || cp "$TREE/found" "$file"
    diff -u "$file" "$TREE/found"
}

@test "-l" { follow list; }
@test "requests and actions" { follow kick; }
@test "what services do" { follow services; }
@test "-s" { follow status; }
@test "-p" { follow postfix; }
@test "-x" { follow execute; }
@test "--tag" { follow tag; }
# bats test_tags=native
@test "-p restart" { follow restart; }
@test "-n" { follow dryrun; }
@test "postkick.ini" { follow settings; }
@test "what people type" { follow typing; }
