#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whole command lines, as commands/NAME has them: "follow" in cli.bash.

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
