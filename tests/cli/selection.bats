#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Instances that are damaged, listed twice, not enabled, or that others can write. Which instances
# are chosen is tested with unit/postfix and postfix/host.bats.

bats_require_minimum_version 1.5.0
load cli

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

@test "more than 65,536 instances" {
    make_tree
    {
        printf 'multi_instance_directories =\n'
        yes ' r' | head -n 65536
    } >>"$DEFAULT/main.cf"
    kick public qmgr W
    is "$status" 1
    is "$stderr" "postkick: fatal: multi_instance_directories: more than 65536 instances"
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
