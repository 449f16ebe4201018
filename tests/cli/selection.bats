#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which instances: -c over MAIL_CONFIG over the default main.cf, and -a, -g, -i, -R.

bats_require_minimum_version 1.5.0
load cli

# kicked ARGUMENT...: the last components of the configuration directories that are kicked, and
# those that are not with their status.
kicked()
{
    kick -j "$@" public qmgr W
    rows config_directory status | sed -e 's:.*/::' -e 's/|kicked$//' | paste -s -d ' ' -
}

@test "-c overrides MAIL_CONFIG, and MAIL_CONFIG the default main.cf" {
    make_tree -n 3 -d 2
    start_listener
    kick -j public qmgr W
    is "$status" 0
    is "$(rows config_directory status)" "\
/etc/postfix|kicked
/etc/postfix-0001|kicked
/etc/postfix-0002|disabled"
    # one instance, enabled or not
    with_mail_config "$DEFAULT-0002" -j public qmgr W
    is "$status" 0
    is "$(rows config_directory status)" "/etc/postfix-0002|kicked"
    with_mail_config "$DEFAULT-0002" -c "$DEFAULT-0001" -j public qmgr W
    is "$(rows config_directory status)" "/etc/postfix-0001|kicked"
    kick -j -c "$DEFAULT-0002" public qmgr W
    is "$status" 0
    is "$(rows config_directory status)" "/etc/postfix-0002|kicked"
    # also when it names the default directory, as postmulti -x exports it
    with_mail_config "$DEFAULT" -j public qmgr W
    is "$(rows config_directory status)" "/etc/postfix|kicked"
}

@test "with -c or MAIL_CONFIG the lines are Postfix's, without a label" {
    make_tree -n 2
    kick -c "$DEFAULT-0001" public nosuch W
    is "$status" 1
    is "${stderr_lines[0]}" "postkick: warning: unable to look up public/nosuch: No such file or directory"
    with_mail_config "$DEFAULT" public nosuch W
    is "${stderr_lines[0]}" "postkick: warning: unable to look up public/nosuch: No such file or directory"
    kick -c "$TREE/none" public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: open $TREE/none/main.cf: No such file or directory"
    rm -r "$SPOOL-0001"
    kick -c "$DEFAULT-0001" public qmgr W
    is "$stderr" "postkick: fatal: chdir $SPOOL-0001: No such file or directory"
}

@test "the fatal lines of a single instance are Postfix's" {
    make_tree
    expect() {
        kick public qmgr W
        is "$status" 1
        is "$(plain "$stderr")" "$1"
    }
    set_main_cf "$DEFAULT" 'foo bar'
    expect "postkick: fatal: /etc/postfix/main.cf, line 7: missing '=' after attribute name: \"foo bar\""
    sed -i '$d' "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT" 'application_event_drain_time = 5x'
    expect "postkick: fatal: parameter application_event_drain_time: bad time value or unit: 5x"
    sed -i '$d' "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT" 'multi_instance_name = ${'
    expect "\
postkick: warning: truncated macro reference: \"\${\"
postkick: fatal: dictionary mail_dict: macro processing error"
    sed -i '$d' "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT" 'multi_instance_enable = maybe'
    expect "postkick: fatal: bad boolean configuration: multi_instance_enable = maybe"
    # once, with both targets of an action
    kick flush
    is "$stderr" "postkick: fatal: bad boolean configuration: multi_instance_enable = maybe"
}

@test "a relative -c, a relative queue_directory" {
    make_tree
    start_listener
    cd "$TREE/etc"
    kick -c postfix public qmgr W
    is "$status" 0
    set_main_cf "$DEFAULT" 'queue_directory = ../spool/postfix'
    kick -q -c postfix public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: queue_directory is not an absolute path: ../spool/postfix"
    received "$SPOOL/public/qmgr" 'W\000'
}

@test "a host with one instance: that one, enabled or not" {
    make_tree
    start_listener
    for enable in no yes; do
        kick -o queue_directory="$SPOOL" public qmgr W
        is "$status" 0
        set_main_cf "$DEFAULT" "multi_instance_enable = $enable" 'multi_instance_directories ='
        kick -q public qmgr W
        is "$status" 0
    done
    received "$SPOOL/public/qmgr" 'W\000' 4
}

@test "-a, and a default instance that is not enabled" {
    make_tree -n 4 -d 2
    start_listener
    is "$(kicked)" "postfix postfix-0001 postfix-0002|disabled postfix-0003"
    is "$(kicked -a)" "postfix postfix-0001 postfix-0002 postfix-0003"
    sed -i 's/^multi_instance_enable.*/multi_instance_enable = No/' "$DEFAULT/main.cf"
    is "$(kicked)" "postfix|disabled postfix-0001 postfix-0002|disabled postfix-0003"
    is "$(kicked --all)" "postfix postfix-0001 postfix-0002 postfix-0003"
}

@test "-i in all its forms, and -g" {
    make_tree -n 5
    start_listener
    is "$(kicked -i postfix-0002)" postfix-0002
    is "$(kicked -i 0002)" postfix-0002
    is "$(kicked -i "$DEFAULT-0002")" postfix-0002
    is "$(kicked -i -)" postfix
    is "$(kicked -i "$DEFAULT")" postfix
    is "$(kicked -i 0003 -i - -i 0001)" "postfix postfix-0001 postfix-0003"
    is "$(kicked -g outbound)" "postfix-0001 postfix-0004"
    is "$(kicked -g outbound -g inbound)" "postfix-0001 postfix-0003 postfix-0004"
    is "$(kicked -g outbound -i 0001 -i 0002)" postfix-0001
}

@test "with one of several selected, lines name it still" {
    make_tree -n 2
    kick -i - public nosuch W
    is "$status" 1
    is "$stderr" "postkick: warning: $DEFAULT: public/nosuch: not running"
}

@test "an -i that matches nothing is a failure even when others match" {
    make_tree -n 2
    start_listener
    kick -i nosuch -i - public qmgr W
    is "$status" 1
    is "$stderr" "postkick: warning: no instance matches -i nosuch"
    received "$SPOOL/public/qmgr" 'W\000'
    kick -q -i $'no\nsuch' -i - public qmgr W
    is "$status" 1
    is "$stderr" ""
}

@test "nothing left to kick" {
    make_tree -n 3 -d 2
    kick -g submission -i 0001 public qmgr W
    is "$status" 1
    is "$output" ""
    is "$stderr" "postkick: fatal: No matching instances"
    kick -g nosuch public qmgr W
    is "$status" 1
    is "$stderr" "\
postkick: warning: no instance is in group nosuch
postkick: fatal: No matching instances"
    kick -i nosuch public qmgr W
    is "$status" 1
    is "$stderr" "\
postkick: warning: no instance matches -i nosuch
postkick: fatal: No matching instances"
    kick -i postfix public qmgr W
    is "$stderr" "\
postkick: warning: no instance matches -i postfix (the default instance is -i -)
postkick: fatal: No matching instances"
}

@test "a group without members is reported, unless an instance may be in it" {
    make_tree -n 3
    start_listener
    kick -g nosuch -g submission flush
    is "$status" 0
    is "$stderr" "postkick: warning: no instance is in group nosuch"
    echo 'multi_instance_group = ${x' >>"$DEFAULT-0001/main.cf"
    kick -g nosuch -g submission flush
    is "$status" 1
    [[ $stderr != *"is in group"* ]]
}

@test "what is not enabled is left out in silence, unless -i names it or -v is given" {
    local line="/etc/postfix-0002: not enabled: not kicked (-a or -c /etc/postfix-0002 overrides)"
    make_tree -n 3 -d 2
    start_listener
    for arguments in "" "-i 000* -i -" "-q -i 0001 -i 0002"; do
        # shellcheck disable=SC2086
        kick $arguments flush
        is "$status" 0
        is "$stderr" ""
    done
    kick -i 0001 -i 0002 flush
    is "$status" 0
    is "$(plain "$stderr")" "postkick: warning: $line"
    kick -v flush
    has "$(plain "$stderr")" "postkick: $line"
    mv "$DEFAULT-0002" "$DEFAULT-%s%d" # its name is no format
    sed -i 's/postfix-0002/postfix-%s%d/' "$DEFAULT/main.cf"
    kick -v flush
    has "$(plain "$stderr")" "postkick: ${line//0002/%s%d}"
}

@test "what matches but is not enabled is named, and how to reach it" {
    make_tree -n 3 -d 2
    for mode in "" -n -j; do
        # shellcheck disable=SC2086
        kick $mode -i 0002 public qmgr W
        is "$status" 1
        is "$output" ""
        is "$stderr" "postkick: fatal: No matching instances: postfix-0002 is not enabled: use -a or -c"
    done
    sed -i 's/^multi_instance_enable.*/multi_instance_enable = no/' "$DEFAULT/main.cf"
    kick -i - -i 0002 flush
    is "$(plain "$stderr")" "postkick: fatal: No matching instances: /etc/postfix, postfix-0002 are not enabled: use -a or -c"
}

@test "-i takes patterns and a slash at the end of a directory" {
    make_tree -n 5
    start_listener
    is "$(kicked -i 'postfix-000[12]')" "postfix-0001 postfix-0002"
    is "$(kicked -i '000?')" "postfix-0001 postfix-0002 postfix-0003 postfix-0004"
    is "$(kicked -i "$DEFAULT-0002/")" postfix-0002
    is "$(kicked -i "$DEFAULT-000[34]")" "postfix-0003 postfix-0004"
    is "$(kicked -i "$TREE/*")" ""
    is "$(kicked -i '*')" "postfix postfix-0001 postfix-0002 postfix-0003 postfix-0004"
}

@test "-E: only those that are enabled" {
    make_tree -n 4 -d 2
    for mode in -l "-x true"; do
        # shellcheck disable=SC2086
        kick -E -j $mode
        [ "$mode" != -l ] || is "$(rows config_directory)" "\
/etc/postfix
/etc/postfix-0001
/etc/postfix-0003"
    done
    # shellcheck disable=SC2016
    kick -E -x sh -c 'echo "$multi_instance_name"'
    is "$status" 0
    is "$output" "
postfix-0001
postfix-0003"
    kick -E -l -i 0002
    is "$status" 1
    is "$stderr" "postkick: fatal: No matching instances"
}

@test "a name that is overridden has to be known" {
    make_tree -n 2
    set_main_cf "$DEFAULT-0001" 'x = $mine' 'set = 1'
    mkdir "$TREE/bin"
    printf '#!/bin/sh\necho >>%s/calls\necho relayhost =\n' "$TREE" >"$TREE/bin/postconf"
    chmod 755 "$TREE/bin/postconf"
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    start_listener
    kick -q -o mine=1 -o set=1 -o trigger_timeout=3 public qmgr W
    is "$status" 0
    [ ! -e "$TREE/calls" ]
    kick -q -o relayhost=x -o mine=1 public qmgr W
    is "$status" 0
    kick -o relayhost=x -o nosuchparameter=1 -o worse=2 public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: -o nosuchparameter=1: no main.cf sets or uses that parameter, and Postfix has none of that name"
    is "$(wc -l <"$TREE/calls")" 2
    received "$SPOOL/public/qmgr" 'W\000' 2
}

@test "-g and -i contradict -c and MAIL_CONFIG" {
    make_tree -n 2
    for option in -g -i; do
        kick -c "$DEFAULT" $option x public qmgr W
        is "$status" 1
        is "$stderr" "postkick: fatal: -g and -i cannot be used with -c, which selects one instance"
        with_mail_config "$DEFAULT" $option x public qmgr W
        is "$status" 1
        is "$stderr" "postkick: fatal: -g and -i cannot be used with MAIL_CONFIG in the environment, which selects one instance"
    done
}

@test "one bad instance never stops the others" {
    make_tree -n 15
    rm "$DEFAULT-0001/main.cf"
    printf 'foo bar\n' >>"$DEFAULT-0002/main.cf"
    printf 'a = b\0\n' >>"$DEFAULT-0003/main.cf"
    rm "$DEFAULT-0004/main.cf"
    mkdir "$DEFAULT-0004/main.cf"
    rm "$DEFAULT-0005/main.cf"
    mkfifo "$DEFAULT-0005/main.cf"
    rm "$DEFAULT-0006/main.cf"
    truncate -s 17M "$DEFAULT-0006/main.cf"
    set_main_cf "$DEFAULT-0007" 'queue_directory = spool'
    set_main_cf "$DEFAULT-0008" 'multi_instance_enable = perhaps'
    ln -sf /dev/zero "$DEFAULT-0010/main.cf"
    ln -sf main.cf "$DEFAULT-0011/main.cf"
    rm -r "${DEFAULT:?}-0012"
    # large, but not too large
    head -c 15000000 /dev/zero | tr '\0' y | sed 's/^/x = /' >>"$DEFAULT-0013/main.cf"
    seq 10000 | sed 's/.*/x& = y/' >>"$DEFAULT-0014/main.cf"
    sed -i 's:^multi_instance_directories.*:&\n    relative/dir:' "$DEFAULT/main.cf"
    start_listener
    kick -j public qmgr W
    is "$status" 1
    is "$(rows config_directory status reason)" "\
/etc/postfix|kicked|
relative/dir|failed|multi_instance_directories: not an absolute path: relative/dir
/etc/postfix-0001|failed|open /etc/postfix-0001/main.cf: No such file or directory
/etc/postfix-0002|failed|/etc/postfix-0002/main.cf, line 10: missing '=' after attribute name: \"foo bar\"
/etc/postfix-0003|failed|read /etc/postfix-0003/main.cf: file contains a null byte
/etc/postfix-0004|failed|read /etc/postfix-0004/main.cf: Is a directory
/etc/postfix-0005|failed|open /etc/postfix-0005/main.cf: not a regular file
/etc/postfix-0006|failed|open /etc/postfix-0006/main.cf: file is larger than 16777216 bytes
/etc/postfix-0007|failed|queue_directory is not an absolute path: spool
/etc/postfix-0008|failed|bad boolean configuration: multi_instance_enable = perhaps
/etc/postfix-0009|kicked|
/etc/postfix-0010|failed|open /etc/postfix-0010/main.cf: not a regular file
/etc/postfix-0011|failed|open /etc/postfix-0011/main.cf: Too many levels of symbolic links
/etc/postfix-0012|failed|open /etc/postfix-0012/main.cf: No such file or directory
/etc/postfix-0013|kicked|
/etc/postfix-0014|kicked|"
    is "$(grep -v -c overriding <<<"$stderr")" 12
    has "$stderr" "postkick: warning: $DEFAULT-0001: open $DEFAULT-0001/main.cf: No such file or directory"
    # once for each instance, however many targets
    kick flush
    is "$(grep -c "^postkick: warning: $DEFAULT-0001: open" <<<"$stderr")" 1
}

@test "an instance that cannot be read, and -i and -g" {
    make_tree -n 3
    rm "$DEFAULT-0001/main.cf"
    start_listener
    is "$(kicked -i 0002)" postfix-0002
    is "$(kicked -i 0002 -i -)" "postfix postfix-0002"
    is "$(kicked -i 0002 -i 0001)" "postfix-0001|failed postfix-0002"
    is "$(kicked -g submission)" "postfix-0001|failed postfix-0002"
    is "$(kicked -i "$DEFAULT-0001")" "postfix-0001|failed"
    # a pattern may mean it, one for directories does not
    is "$(kicked -i '*')" "postfix postfix-0001|failed postfix-0002"
    is "$(kicked -i '000[2-9]')" "postfix-0001|failed postfix-0002"
    is "$(kicked -i "$DEFAULT-000[2-9]")" postfix-0002
    kick -i 0002 public qmgr W
    is "$status" 0
    kick -i 0001 public qmgr W
    is "$status" 1
    is "$(plain "$stderr")" "\
postkick: warning: no instance matches -i 0001
postkick: warning: /etc/postfix-0001: open /etc/postfix-0001/main.cf: No such file or directory"
}

@test "a default main.cf that cannot be read is fatal" {
    make_tree -n 2
    mv "$DEFAULT/main.cf" "$TREE/main.cf"
    kick public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: open $DEFAULT/main.cf: No such file or directory"
    kick -l
    is "$status" 1
    is "$output" ""
    is "$stderr" "postkick: fatal: open $DEFAULT/main.cf: No such file or directory"
    printf 'multi_instance_directories = ${\n' >"$DEFAULT/main.cf"
    kick public qmgr W
    is "$status" 1
    is "$stderr" "\
postkick: warning: truncated macro reference: \"\${\"
postkick: fatal: dictionary mail_dict: macro processing error"
    # -c and MAIL_CONFIG do without it
    start_listener
    kick -c "$DEFAULT-0001" public qmgr W
    is "$status" 0
}

@test "a directory that is listed twice is served once" {
    make_tree -n 3
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT-0001/ $DEFAULT:" "$DEFAULT/main.cf"
    start_listener
    kick -j flush
    is "$status" 0
    is "$(rows config_directory service status reason)" "\
/etc/postfix|qmgr|kicked|
/etc/postfix|pickup|kicked|
/etc/postfix-0001/|qmgr|kicked|
/etc/postfix-0001/|pickup|kicked|
/etc/postfix|qmgr|duplicate|listed twice
/etc/postfix|pickup|duplicate|listed twice
/etc/postfix-0001|qmgr|duplicate|listed twice
/etc/postfix-0001|pickup|duplicate|listed twice
/etc/postfix-0002|qmgr|kicked|
/etc/postfix-0002|pickup|kicked|"
    is "$(plain "$stderr")" "\
postkick: warning: /etc/postfix: listed twice: not kicked again
postkick: warning: /etc/postfix-0001: listed twice: not kicked again"
    received "$SPOOL-0001/public/qmgr" 'FADI\000'
    kick -q -x pwd
    is "$(wc -l <<<"$output")" 3
}

@test "an instance that names a neighbour's queue directory does not silence the neighbour" {
    make_tree -n 3
    # listed before its victim, it calls pickup its queue manager
    set_main_cf "$DEFAULT-0001" "queue_directory = $SPOOL-0002" 'queue_service_name = pickup'
    start_listener
    kick flush
    is "$status" 0
    received "$SPOOL-0002/public/qmgr" 'FADI\000'
    received "$SPOOL-0002/public/pickup" 'FADI\000'
    received "$SPOOL-0002/public/pickup" 'W\000'
    # shellcheck disable=SC2016
    kick -q -x sh -c 'echo "${config_directory##*/}"'
    is "$output" "\
postfix
postfix-0001
postfix-0002"
    # its failures are not the victim's
    set_main_cf "$DEFAULT-0001" 'queue_service_name = nosuch'
    restart_listener
    kick -j flush
    is "$status" 1
    received "$SPOOL-0002/public/qmgr" 'FADI\000'
    is "$(rows config_directory service status | grep 0002)" "\
/etc/postfix-0002|qmgr|kicked
/etc/postfix-0002|pickup|duplicate"
}

@test "more than 65,536 instances" {
    make_tree
    {
        printf 'multi_instance_directories =\n'
        yes ' r' | head -n 65536
    } >>"$DEFAULT/main.cf"
    kick public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: multi_instance_directories: more than 65536 instances"
    # and 60,000 that are not there, beside one that is
    sed -i '6000,$d' "$DEFAULT/main.cf"
    yes ' /r' | head -n 60000 >>"$DEFAULT/main.cf"
}

@test "main.cf warnings, each once" {
    make_tree -n 2
    set_main_cf "$DEFAULT-0001" 'a = 1' 'a = 2'
    start_listener
    kick public qmgr W
    is "$status" 0
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001/main.cf, line 11: overriding earlier entry: a=1"
    kick -q public qmgr W
    is "$stderr" ""
}

# warned ARGUMENT...: the paths that kick warns of.
warned()
{
    kick "$@"
    sed -n "s/^postkick: warning: \(.*\) can be written by users other than root$/\1/p" \
        <<<"$(plain "$stderr")"
}

@test "who else can write the configuration" {
    [ "$(id -u)" = 0 ] || skip "not root"
    make_tree -n 5
    chmod 666 "$DEFAULT-0001/main.cf"
    chmod 777 "$DEFAULT-0002"
    # by way of a link, and of a directory that only leads there
    mkdir -m 1777 "$TREE/sticky"
    mkdir -m 775 "$TREE/sticky/group"
    chgrp 65534 "$TREE/sticky/group"
    mv "$DEFAULT-0003/main.cf" "$TREE/sticky/group"
    ln -s ../../sticky/group/main.cf "$DEFAULT-0003/main.cf"
    start_listener
    kick public qmgr W
    is "$stderr" ""
    expected="\
/etc/postfix-0001: /etc/postfix-0001/main.cf
/etc/postfix-0002: /etc/postfix-0002
/etc/postfix-0003: /sticky/group"
    is "$(warned -v public qmgr W)" "$expected"
    is "$(warned -n public qmgr W)" "$expected"
    is "$(warned -n -x true)" "$expected"
    # what is run as root from there is warned of without -v, or refused
    mkdir "$TREE/bin"
    printf '#!/bin/sh\necho "${MAIL_CONFIG##*/}"\n' >"$TREE/bin/postfix"
    chmod 755 "$TREE/bin/postfix"
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    is "$(warned -p status)" "$expected"
    printf '[trust]\nwritable = refuse\n' >>"$INI"
    kick -p status
    is "$status" 1
    is "$output" "\
postfix
postfix-0004"
    has "$(plain "$stderr")" "postkick: warning: /etc/postfix-0003: refused: /sticky/group can be written by users other than root"
    is "$(warned -q -p status)" ""
    kick public qmgr W
    is "$status" 0
}

@test "who else can write the settings" {
    [ "$(id -u)" = 0 ] || skip "not root"
    make_tree
    start_listener
    chmod 666 "$INI"
    kick -v -i - public qmgr W
    has "$stderr" "the settings file can be written by users other than root"
}
