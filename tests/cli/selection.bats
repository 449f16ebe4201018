#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Instances that are invalid, listed twice, not enabled, or that others can write. Which instances
# are chosen is tested with unit/postfix and postfix/host.bats.

load cli

@test "a group without members is an error, unless an instance may be in it" {
    make_tree -n 3
    start_listener
    kick -g nosuch -g submission flush
    is "$status" 1
    is "$stderr" "postkick: fatal: no instance is in group nosuch: the groups are outbound, submission"
    is "$(cat "$LOG")" ""
    echo 'multi_instance_group = ${x' >>"$DEFAULT-0001/main.cf"
    kick -g nosuch -g submission flush
    is "$status" 1
    [[ $stderr != *"is in group"* ]]
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
    truncate -s $((2 * 1024 * 1024 + 1)) "$DEFAULT-0006/main.cf"
    set_main_cf "$DEFAULT-0007" 'queue_directory = spool'
    set_main_cf "$DEFAULT-0008" 'multi_instance_enable = perhaps'
    ln -sf /dev/zero "$DEFAULT-0010/main.cf"
    rm -r "${DEFAULT:?}-0012"
    # large, but not too large
    head -c 2000000 /dev/zero | tr '\0' y | sed 's/^/x = /' >>"$DEFAULT-0013/main.cf"
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
/etc/postfix-0006|failed|open /etc/postfix-0006/main.cf: file is larger than 2097152 bytes
/etc/postfix-0007|failed|queue_directory is not an absolute path: spool
/etc/postfix-0008|failed|bad boolean configuration: multi_instance_enable = perhaps
/etc/postfix-0009|kicked|
/etc/postfix-0010|failed|open /etc/postfix-0010/main.cf: not a regular file
/etc/postfix-0011|kicked|
/etc/postfix-0012|failed|open /etc/postfix-0012/main.cf: No such file or directory
/etc/postfix-0013|kicked|
/etc/postfix-0014|kicked|"
    is "$(grep -v -c overriding <<<"$stderr")" 11
    has "$stderr" "postkick: warning: $DEFAULT-0001: open $DEFAULT-0001/main.cf: No such file or directory"
    # once for each instance, however many targets
    kick flush
    is "$(grep -c "^postkick: warning: $DEFAULT-0001: open" <<<"$stderr")" 1
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
    # the settings
    chmod 666 "$INI"
    is "$(warned -v public qmgr W)" "/postkick.ini
$expected"
}
