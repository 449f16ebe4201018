#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Limits and trust: descriptors, and the programs of Postfix that may be asked.

bats_require_minimum_version 1.5.0
load cli

# make_postconf DIR SCRIPT: a postconf there that logs how it is called, and then runs the script.
make_postconf()
{
    mkdir -p "$1"
    # shellcheck disable=SC2016
    printf '#!/bin/bash\n{ printf "%%s" "$0"; printf " %%s" "$@"; echo; } >>%s\n%s\n' "$TREE/calls" "$2" \
        >"$1/postconf"
    chmod 755 "$1/postconf"
}

calls()
{
    if [ -e "$TREE/calls" ]; then plain "$(cat "$TREE/calls")"; fi
}

@test "16 descriptors for 40 instances" {
    make_tree -n 40
    behave full "$SPOOL-0005/public/qmgr" 1
    behave late "$SPOOL-0010/public/qmgr" 1
    behave never "$SPOOL-0015/public/qmgr"
    behave fifo "$SPOOL-0020/public/qmgr"
    start_listener
    run --separate-stderr env -u MAIL_CONFIG bash -c 'ulimit -n 16; exec 3>&- 4>&- 5>&-; exec "$@"' - \
        "$POSTKICK" -f "$INI" -j -o application_event_drain_time=4 public qmgr W
    is "$status" 1
    is "$(rows status reason | sort | uniq -c | awk '{$1 = $1; print}')" "\
39 kicked|
1 unconfirmed|request not read within 4s"
    run --separate-stderr env -u MAIL_CONFIG bash -c 'ulimit -S -n 16; exec "$@"' - \
        "$POSTKICK" -f "$INI" -t 2 -j public qmgr W
    is "$(rows status | sort | uniq -c | awk '{$1 = $1; print}')" "\
39 kicked
1 unconfirmed"
}

@test "postconf is not asked when it is not needed" {
    make_tree -n 3
    make_postconf "$TREE/bin" 'exit 1'
    sed -i "s:^command_directory.*:command_directory = $TREE/bin:" "$INI" "$DEFAULT/main.cf"
    set_main_cf "$DEFAULT-0001" 'mydestination = $myhostname' 'own = postfix-0001' 'multi_instance_name = $own'
    start_listener
    kick -q flush
    is "$status" 0
    kick -q -l
    is "$status" 0
    kick -q -n public qmgr W
    kick -c "$DEFAULT-0001" -q public qmgr W
    is "$status" 0
    is "$(calls)" ""
}

@test "postconf is asked once for all, and is the default instance's" {
    make_tree -n 4
    make_postconf "$TREE/bin" 'env | sort | grep -v -e ^_= -e ^SHLVL= -e ^PWD= >>"${0%/*}/environment"
echo "myhostname = mx"; echo "process_name = $(dirname "${0%/*}")/spool/postfix-0001"; echo "ipc_timeout = 9s"; echo "data_directory = /stray"'
    make_postconf "$TREE/evil" 'exit 1'
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    set_main_cf "$DEFAULT-0001" "command_directory = $TREE/evil" 'multi_instance_name = ${myhostname}' \
        'queue_directory = $process_name' 'trigger_timeout = $ipc_timeout'
    set_main_cf "$DEFAULT-0002" "command_directory = $TREE/evil"
    set_main_cf "$DEFAULT-0003" 'multi_instance_name = b.$myhostname$nosuch'
    start_listener
    kick -q -j public qmgr W
    is "$status" 0
    is "$(rows name queue_directory data_directory status)" "\
-|/spool/postfix|/lib/postfix|kicked
mx|/spool/postfix-0001|/lib/postfix-0001|kicked
postfix-0002|/spool/postfix-0002|/lib/postfix-0002|kicked
b.mx|/spool/postfix-0003|/lib/postfix-0003|kicked"
    is "$(calls)" "/bin/postconf -c /proc/self/fdinfo -d"
    is "$(cat "$TREE/bin/environment")" "\
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin"
    # the default main.cf is looked at for that, also when it is not the instance
    rm "$TREE/calls"
    kick -q -c "$DEFAULT-0001" -o 'trigger_timeout = 3' public qmgr W
    is "$status" 0
    is "$(wc -l <"$TREE/calls")" 1
    # where it says nothing, postkick.ini does
    rm "$TREE/calls"
    sed -i '/^command_directory/d' "$DEFAULT/main.cf"
    sed -i "s:^command_directory.*:command_directory = $TREE/bin:" "$INI"
    kick -q -c "$DEFAULT-0001" public qmgr W
    is "$status" 0
    is "$(wc -l <"$TREE/calls")" 1
}

@test "a postconf that is not there, fails, lies, floods, or prints garbage" {
    make_tree -n 2
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    set_main_cf "$DEFAULT-0001" 'trigger_timeout = $ipc_timeout'
    start_listener
    said() {
        kick public qmgr W
        is "$status" 1
        is "$(grep -v overriding <<<"$(plain "$stderr")")" "postkick: warning: /etc/postfix-0001: $1"
    }
    said "run /bin/postconf: No such file or directory"
    useless="/bin/postconf did not print the parameters that main.cf refers to"
    for script in 'exit 1' 'echo ipc_timeout = 5; exit 2' 'kill -SEGV $$' 'echo ipc_timeout' \
        'echo ipc_timeout = 5; yes | head -c 5000000' 'head -c 100000 /dev/urandom'; do
        make_postconf "$TREE/bin" "$script"
        said "$useless"
    done
    make_postconf "$TREE/bin" 'echo ipc_timeout = 5x'
    said 'parameter trigger_timeout: bad time value or unit: 5x'
    make_postconf "$TREE/bin" $'echo "ipc_timeout = \e[2J"'
    said 'parameter trigger_timeout: bad time value or unit: \033[2J'
    chmod 644 "$TREE/bin/postconf"
    said "run /bin/postconf: Permission denied"
    sed -i "s:^command_directory.*:command_directory = bin:" "$DEFAULT/main.cf"
    said "command_directory is not an absolute path: bin"
    received "$SPOOL/public/qmgr" 'W\000' 11
}

@test "a postconf that hangs delays nothing else" {
    make_tree -n 4
    make_postconf "$TREE/bin" 'trap "" TERM; sleep 100 & echo $! >"${0%/*}/child"; wait; sleep 100'
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    for name in "$DEFAULT-0001" "$DEFAULT-0002"; do
        set_main_cf "$name" 'trigger_timeout = $ipc_timeout'
        rm "$name/master.cf"
        mkfifo "$name/master.cf"
    done
    start_listener
    started=$SECONDS
    "$POSTKICK" -f "$INI" -t 6 public qmgr W 2>"$TREE/errors" &
    pid=$!
    # what is ready has been kicked long before
    for _ in $(seq 60); do [ "$(grep -c qmgr "$LOG")" = 2 ] && break; sleep 0.05; done
    received "$SPOOL/public/qmgr" 'W\000'
    received "$SPOOL-0003/public/qmgr" 'W\000'
    kill -0 "$pid"
    wait "$pid" || true
    [ $((SECONDS - started)) -lt 30 ]
    is "$(plain "$(grep -v overriding "$TREE/errors")")" "\
postkick: warning: /etc/postfix-0001: /bin/postconf did not answer in time
postkick: warning: /etc/postfix-0002: /bin/postconf did not answer in time"
    is "$(wc -l <"$TREE/calls")" 1
    for _ in $(seq 100); do kill -0 "$(cat "$TREE/bin/child")" 2>/dev/null || break; sleep 0.05; done
    run kill -0 "$(cat "$TREE/bin/child")"
    is "$status" 1
}

@test "a signal ends the question, and nothing is left behind" {
    make_tree -n 2
    # shellcheck disable=SC2016
    make_postconf "$TREE/bin" 'echo $$ >"${0%/*}/child"; exec sleep 100'
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    set_main_cf "$DEFAULT-0001" 'trigger_timeout = $ipc_timeout'
    for signal in TERM KILL; do
        rm -f "$TREE/bin/child" "$TREE/calls"
        "$POSTKICK" -f "$INI" -l &
        pid=$!
        for _ in $(seq 200); do [ -s "$TREE/bin/child" ] && break; sleep 0.05; done
        kill -s "$signal" "$pid"
        wait "$pid" || true
        for _ in $(seq 100); do kill -0 "$(cat "$TREE/bin/child")" 2>/dev/null || break; sleep 0.05; done
        run kill -0 "$(cat "$TREE/bin/child")"
        is "$status" 1
    done
}

@test "the question has limits of memory and computing" {
    make_tree -n 2
    make_postconf "$TREE/bin" 'ulimit -v >"${0%/*}/limits"; ulimit -t >>"${0%/*}/limits"; pwd >>"${0%/*}/limits"; echo ipc_timeout = 5'
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    set_main_cf "$DEFAULT-0001" 'trigger_timeout = $ipc_timeout'
    kick -q -l
    is "$status" 0
    is "$(head -n 2 "$TREE/bin/limits")" "\
524288
10"
    is "$(tail -n 1 "$TREE/bin/limits")" /
}

@test "Postfix is not asked after a limit was exceeded" {
    make_tree -n 2
    make_postconf "$TREE/bin" 'echo myhostname = a'
    set_main_cf "$DEFAULT" "command_directory = $TREE/bin"
    # 1.8 KB of text that doubles forty times
    {
        echo 'multi_instance_name = $myhostname'
        echo 'queue_directory = $a40'
        echo 'a0 = xxxxxxxx'
        for i in $(seq 40); do echo "a$i = \$a$((i - 1))\$a$((i - 1))"; done
    } >>"$DEFAULT-0001/main.cf"
    kick -j -l
    is "$status" 1
    is "$(calls)" ""
    is "$(rows name)" "\
-
-"
}

@test "values are as long as what they name can be" {
    make_tree -n 3
    set_main_cf "$DEFAULT-0001" "multi_instance_name = $(printf '%0300d' 0)"
    printf 'queue_directory = /%04000000d\n' 0 >>"$DEFAULT-0002/main.cf"
    kick -l -j
    is "$status" 1
    is "$(rows reason)" "
bad string length 300 > 255: multi_instance_name = 00000000000000000000...
bad string length 4000001 > 4095: queue_directory = /0000000000000000000..."
    [ "$(wc -c <<<"$output")" -lt 2000 ]
}

@test "what is in place of main.cf is not opened before it was checked" {
    make_tree -n 2
    rm "$DEFAULT-0001/main.cf"
    mkfifo "$DEFAULT-0001/main.cf"
    # a FIFO's writer goes on as soon as somebody opens it for reading
    timeout 20 bash -c 'exec 4>"$1"; echo opened' - "$DEFAULT-0001/main.cf" >"$TREE/writer" 3>&- &
    start_listener
    sleep 0.2
    kick public qmgr W
    is "$status" 1
    has "$stderr" "$DEFAULT-0001: open $DEFAULT-0001/main.cf: not a regular file"
    received "$SPOOL/public/qmgr" 'W\000'
    kill %1
    wait %1 || true
    is "$(cat "$TREE/writer")" ""
}

@test "Postfix's own postconf" {
    [ -x /usr/sbin/postconf ] || skip "no Postfix"
    make_tree -n 2
    set_main_cf "$DEFAULT-0001" 'myhostname = mx.example.com' 'multi_instance_name = postfix-${mydomain}'
    start_listener
    kick -q -j public qmgr W
    is "$status" 0
    is "$(rows name)" "\
-
postfix-example.com"
}

@test "without /proc nothing is done" {
    unshare -m true 2>/dev/null || skip "needs the privilege to make a mount namespace"
    if is_sanitized; then skip "a sanitizer needs /proc"; fi
    make_tree -n 1
    run --separate-stderr unshare -m sh -c \
        'mount -t tmpfs none /proc && exec env -u MAIL_CONFIG "$@"' sh \
        "$POSTKICK" -f "$INI" public qmgr I
    is "$status" 1
    is "$stderr" "postkick: fatal: /proc/self/fd: No such file or directory: /proc must be mounted"
}

@test "a value that is wrong, and of which only postconf knows a part: Postfix's words" {
    make_tree -n 1
    printf 'command_directory = %s\nqueue_directory = $nosuch$\n' "$BATS_TEST_TMPDIR" \
        >>"$DEFAULT/main.cf"
    printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/postconf"
    chmod 755 "$BATS_TEST_TMPDIR/postconf"
    kick -q public qmgr I
    is "$status" 1
    is "$stderr" 'postkick: warning: empty macro name: "$nosuch$"
postkick: fatal: dictionary mail_dict: macro processing error'
}

# bats test_tags=plain
@test "an address-space limit: served, or out of memory and nothing else" {
    local limit status met=0 served=0
    unset MAIL_CONFIG
    if is_sanitized; then skip "a sanitizer needs more"; fi
    make_tree -n 300 --full
    start_listener
    for ((limit = 2000; limit < 6000; limit += 50)); do
        status=0
        bash -c 'ulimit -v "$1"; shift; exec "$@"' - "$limit" "$POSTKICK" -q -f "$INI" \
            public qmgr I >"$TREE/out" 2>&1 || status=$?
        case $status:$(cat "$TREE/out") in
        0:) served=$((served + 1)) ;;
        "1:postkick: fatal: out of memory") met=$((met + 1)) ;;
        127:*loading* | 127:*"data structures for initial thread" | 126:* | 139: | 137:) [ $met = 0 ] ;; # not enough to start a program
        *) echo "limit $limit: status $status: $(cat "$TREE/out")" >&2 && return 1 ;;
        esac
    done
    echo "# result: address space: $met times out of memory, $served times served" >&3
    [ "$served" -gt 0 ]
    [ "$met" -gt 0 ]
}

@test "a main.cf made to keep us busy does not delay the other kicks" {
    make_tree -n 4
    # names of a megabyte that are looked up again and again; nested text; a million settings
    python3 - "$DEFAULT" <<'END'
import sys
parameters = "queue_directory data_directory multi_instance_name trigger_timeout".split()
name = "n" * 1000000
def write(number, text):
    with open(f"{sys.argv[1]}-000{number}/main.cf", "a", encoding="ascii") as file:
        file.write(text)
write(1, f"{name} =\nr = ${name}\n" + "x" * 8000000 + " =\n" +
      "".join(f"{each} = {'$r' * 1000}\n" for each in parameters))
write(2, "x = x\n" + "".join(f"{each} = {'${x?' * 200000 + '}' * 200000}\n" for each in parameters))
write(3, "".join(f"{number:x} =\n" for number in range(1000000)))
END
    start_listener
    run --separate-stderr prlimit --cpu=9 env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -t 200 public qmgr W
    is "$status" 1
    received "$SPOOL/public/qmgr" 'W\000'
    is "$(plain "$stderr" | grep -v overriding)" "\
postkick: warning: /etc/postfix-0001: macro expansion: more work than is allowed for one instance
postkick: warning: /etc/postfix-0001: dictionary mail_dict: macro processing error
postkick: warning: /etc/postfix-0002: macro expansion: more work than is allowed for one instance
postkick: warning: /etc/postfix-0002: dictionary mail_dict: macro processing error
postkick: warning: /etc/postfix-0003: /etc/postfix-0003/main.cf: more work than is allowed for one instance"
}

@test "-t holds while instances are read" {
    make_tree -n 150
    python3 - "$TREE/hostile" <<'END'
import sys
nested = "${x?" * 200000 + "}" * 200000
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f"multi_instance_enable = yes\nx = x\nqueue_directory = {nested}\ndata_directory = {nested}\n")
END
    for number in $(seq -w 1 149); do
        ln -sf "$TREE/hostile" "$DEFAULT-0$number/main.cf"
    done
    start_listener
    kick -t 1 public qmgr W
    is "$status" 1
    has "$stderr" "not read: time limit reached"
    [ "$(grep -c 'processing error' <<<"$stderr")" -lt 100 ] # a busy machine reads fewer
}
