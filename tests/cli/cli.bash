# SPDX-License-Identifier: MIT
# Shared by the bats files beside it: load it with "load cli".

load ../lib/common

teardown()
{
    stop_listener
    release_locks
}

# with_mail_config DIR ARGUMENT...: as kick, with MAIL_CONFIG in the environment.
with_mail_config()
{
    run --separate-stderr env -u MAIL_VERBOSE MAIL_CONFIG="$1" "$POSTKICK" -f "$INI" "${@:2}"
}

# set_main_cf DIR LINE...: appends lines to an instance's main.cf.
set_main_cf()
{
    local file=$1/main.cf
    shift
    printf '%s\n' "$@" >>"$file"
}

# restart_listener: with what $SPEC says now, and an empty log.
restart_listener()
{
    stop_listener
    awk '{print $2}' "$SPEC" | xargs rm -f
    start_listener
}

# plain TEXT: without $TREE.
plain()
{
    printf '%s' "${1//$TREE/}"
}
