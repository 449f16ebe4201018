# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154 # variables are for the tests, or set by bats
# A host whose programs are stand-ins: load it with "load manager".

load ../lib/common

# The default instance, two that are enabled and one, 0002, that is not; programs are in $BIN, what
# was called in $CALLS.
setup()
{
    make_tree -n 4 -d 2
    A=$DEFAULT-0001 OFF=$DEFAULT-0002 C=$DEFAULT-0003
    BIN=$TREE/bin
    CALLS=$TREE/calls
    mkdir "$BIN"
    export CALLS
    # It notes the instance and its arguments, and does what the file of that name says.
    cat >"$BIN/postfix" <<'EOF'
#!/bin/bash
name=${MAIL_CONFIG##*/}
echo "$name $*" >>"$CALLS"
[ ! -e "$CALLS.$name" ] || . "$CALLS.$name"
echo "$name.end" >>"$CALLS.ends"
EOF
    chmod +x "$BIN/postfix"
    sed -i "s,^command_directory.*,command_directory = $BIN," "$DEFAULT/main.cf" "$INI"
}

# program NAME: an executable in $BIN, its text on standard input.
program()
{
    cat >"$BIN/$1"
    chmod +x "$BIN/$1"
}

# called LINE...: these calls, in this order, since the last time.
called()
{
    local expected=
    [ $# = 0 ] || expected=$(printf '%s\n' "$@")
    is "$(cat "$CALLS" 2>/dev/null)" "$expected"
    rm -f "$CALLS" "$CALLS.ends"
}

# on NAME COMMAND: what the stand-in does in that instance.
on()
{
    echo "$2" >"$CALLS.$1"
}
