#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=plain
# Nobody's paths hold a run, or show what only root may read: a second user attacks every path that
# root follows.
load cli

# Links of /proc lead into the mount namespaces of other users.
@test "a link of /proc is followed in no path of an instance" {
    make_tree -n 3
    start_listener
    local one=$TREE/etc/postfix-0001 two=$TREE/etc/postfix-0002
    sed -i "s,^queue_directory = ,&/proc/$$/root," "$one/main.cf"
    mv "$two/main.cf" "$two/real.cf"
    ln -s "/proc/$$/root$two/real.cf" "$two/main.cf"
    kick public qmgr D
    is "$status" 1
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001: chdir /proc/$$/root/spool/postfix-0001: leads through a link of /proc
postkick: warning: /etc/postfix-0002: open /etc/postfix-0002/main.cf: leads through a link of /proc"
    received "$SPOOL/public/qmgr" 'D\000'
    is "$(grep -c . "$LOG")" 1
    kick -Q -i "*-0001"
    has "$stderr" "leads through a link of /proc"
    kick -s -i "*-0001"
    is "$status" 1
}

@test "what the administrator types is followed through /proc" {
    make_tree
    start_listener
    kick -c "/proc/$$/root$DEFAULT" public qmgr D
    is "$status" 0
    INI=/proc/$$/root$INI
    kick -l
    is "$status" 0
}
