#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# -Q: what is in the queues of each instance.

load cli

# message FILE SIZE AGE: a queue file below $SPOOL, of a message that arrived so many seconds ago.
message()
{
    local file=$SPOOL$1 size arrival
    printf -v size '%15d %15d %15d %15d %15d %15d' "$2" 600 1 0 "$2" 0
    arrival="$(($(date +%s) - $3)) 5"
    mkdir -p "$(dirname "$file")"
    printf 'C\x5f%sT\x0c%s' "$size" "$arrival" >"$file"
    truncate -s $(($2 + 1000)) "$file"
    chmod 700 "$file"
}

# shown: $output without $TREE, and without how much of this machine's disk is free.
shown()
{
    sed -E -e "s:$TREE::g" -e 's/ [ 0-9]{3}%/   N%/' <<<"$output"
}

@test "running or not, enabled or not; a shared queue directory counts once" {
    make_tree -n 4 -d 2 -m 0
    sed -i "s:^queue_directory.*:queue_directory = $SPOOL-0001:" "$DEFAULT-0003/main.cf"
    message /incoming/4F1 100 174600
    message -0001/deferred/4/4F2 9000000 7810
    message -0001/deferred/5/5F2 10000000 60
    message -0001/corrupt/4F4 5000 7200
    message -0002/maildrop/4F3 500 18010
    kick -Q
    is "$stderr" ""
    is "$status" 0
    is "$(shown)" "\
NAME          GROUP       INCOMING  ACTIVE  DEFERRED  HOLD  MAILDROP   SIZE  OLDEST  FREE  DIRECTORY
-             -                  1       0         0     0         0    100      2d    N%  /etc/postfix
postfix-0001  outbound           0       0         2     0         0  18.1M   2h10m    N%  /etc/postfix-0001
postfix-0002  submission         0       0         0     0         1   1.5K      5h    N%  /etc/postfix-0002
postfix-0003  inbound            0       0         2     0         0  18.1M   2h10m    N%  /etc/postfix-0003
total                            1       0         2     0         1  18.1M      2d
corrupt: /spool/postfix-0001/corrupt: 1 message, size 4.9K, oldest 2h"
    kick -Q -j -R -E -P 3
    is "$(rows config_directory status messages running)" "\
/etc/postfix-0003|ok|2|n
/etc/postfix-0001|ok|2|n
/etc/postfix|ok|1|n"
}

@test "an instance that cannot be read does not hold the others" {
    make_tree -n 3 -d 2 -m 0
    rmdir "$SPOOL-0002/hold"
    kick -Q
    is "$status" 0 # it is not enabled
    is "$stderr" ""
    kick -Q -i 0002
    is "$status" 1
    is "$(plain "$stderr")" "postkick: warning: /etc/postfix-0002: read /spool/postfix-0002/hold: No such file or directory"
    echo damaged >>"$DEFAULT-0001/main.cf"
    kick -Q
    is "$status" 1
    has "$(plain "$stderr")" "postkick: warning: /etc/postfix-0001: /etc/postfix-0001/main.cf, line"
    is "$(shown | sed -n 's/  */ /gp')" "\
NAME GROUP INCOMING ACTIVE DEFERRED HOLD MAILDROP SIZE OLDEST FREE DIRECTORY
- - 0 0 0 0 0 - - N% /etc/postfix
postfix-0001 outbound - - - - - - - - /etc/postfix-0001
postfix-0002 submission - - - - - - - - /etc/postfix-0002
total 0 0 0 0 0 - -"
}

@test "MAIL_CONFIG means one instance, even the default one" {
    make_tree -n 3 -d 2 -m 0
    with_mail_config "$DEFAULT" -Q -j
    is "$(rows config_directory)" /etc/postfix
    rmdir "$SPOOL-0002/hold"
    with_mail_config "$DEFAULT-0002" -Q
    is "$status" 1
    is "$(plain "$stderr")" "postkick: warning: read /spool/postfix-0002/hold: No such file or directory"
}
