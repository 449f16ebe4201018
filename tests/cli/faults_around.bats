#!/usr/bin/env bats
# Faults around the endpoints: files, limits, descriptors, signals, postconf, the command line.
bats_require_minimum_version 1.5.0
load ../lib/common

BACKGROUND=

teardown()
{
    if [ -n "$BACKGROUND" ]; then kill "$BACKGROUND" 2>/dev/null || true; fi
    stop_listener
}

# damage N: the configuration directory of instance N, in CF its main.cf.
damage()
{
    CF=$(printf '%s/etc/postfix-%04d/main.cf' "$TREE" "$1")
}

# bad TEXT: the damaged instance is told with TEXT.
bad()
{
    printf 'postkick: warning: %s: %s\n' "${CF%/main.cf}" "$1" >>"$BATS_TEST_TMPDIR/expected"
}

# big_file NAME PYTHON: what the expression makes, as bytes.
big_file()
{
    python3 -c "import sys; sys.stdout.buffer.write($2)" >"$1"
}

is_sanitized()
{
    nm -D "$POSTKICK" | grep -q __asan_init
}

@test "main.cf: whatever it is, it is that instance's failure alone" {
    make_tree -n 20
    start_listener
    damage 1 && rm "$CF"
    bad "open $CF: No such file or directory"
    damage 2 && rm "$CF" && mkdir "$CF"
    bad "read $CF: Is a directory"
    damage 3 && rm "$CF" && mkfifo "$CF"
    bad "open $CF: not a regular file"
    damage 4 && ln -sf /dev/zero "$CF"
    bad "open $CF: not a regular file"
    damage 5 && truncate -s 17M "$CF"
    bad "open $CF: file is larger than 16777216 bytes"
    damage 6 && printf 'a = b\0c\n' >>"$CF"
    bad "read $CF: file contains a null byte"
    damage 7 && ln -sf main.cf "$CF"
    bad "open $CF: Too many levels of symbolic links"
    damage 8 && echo 'foo bar' >"$CF"
    bad "$CF, line 1: missing '=' after attribute name: \"foo bar\""
    damage 9 && rm -r "${CF%/main.cf}"
    bad "open $CF: No such file or directory"
    damage 10 && echo 'queue_directory = spool' >>"$CF"
    sed -i '/^queue_directory = \//d' "$CF"
    bad "queue_directory is not an absolute path: spool"
    damage 11 && sed -i 's/^queue_directory.*/queue_directory =/' "$CF"
    kick -q -c "${CF%/main.cf}" public qmgr I
    is "$status" 1
    sed -i "s|^queue_directory.*|queue_directory = $TREE/nowhere|" "$CF"
    bad "chdir $TREE/nowhere: No such file or directory"
    # big, but not too big
    damage 12 && big_file "$CF.x" '(b"x = " + b"y" * (15 << 20) + b"\n")' && cat "$CF.x" >>"$CF"
    damage 13 && big_file "$CF.x" 'b"".join(b"x%d = y\n" % i for i in range(100000))' &&
        cat "$CF.x" >>"$CF"
    kick public qmgr I
    is "$status" 1
    is "$stderr" "$(cat "$BATS_TEST_TMPDIR/expected")"
    for each in postfix postfix-0012 postfix-0013 postfix-0019; do
        received "$TREE/spool/$each/public/qmgr" 'I\000'
    done
    is "$(wc -l <"$LOG")" 9
}

@test "main.cf that grows while it is read is an error or whole, and ends" {
    make_tree -n 3
    start_listener
    damage 1
    # shellcheck disable=SC2016 # for the other shell
    bash -c 'while :; do echo "x = y" >>"$1"; done' - "$CF" >/dev/null 2>&1 3>&- &
    BACKGROUND=$!
    for ((i = 0; i < 50; i++)); do
        timeout 20 "$POSTKICK" -f "$INI" public qmgr "n$i" 2>>"$BATS_TEST_TMPDIR/err" || true
    done
    kill "$BACKGROUND"
    BACKGROUND=
    run grep -v -e 'keeps changing while it is read' -e ' is ignored: ' "$BATS_TEST_TMPDIR/err"
    is "$output" ""
    for ((i = 0; i < 50; i++)); do received "$TREE/spool/postfix-0002/public/qmgr" "n$i\\000"; done
}

@test "postkick.ini: whatever it is, a clean refusal" {
    make_tree -n 2
    start_listener
    refused()
    {
        kick public qmgr I
        is "$status" 1
        is "$stderr" "postkick: fatal: $1"
    }
    cp "$INI" "$INI.good"
    chmod 0 "$INI"
    rm "$INI" && refused "open $INI: No such file or directory"
    mkdir "$INI" && refused "read $INI: Is a directory" && rmdir "$INI"
    mkfifo "$INI" && refused "open $INI: not a regular file" && rm "$INI"
    ln -s /dev/zero "$INI" && refused "open $INI: not a regular file" && rm "$INI"
    truncate -s 17M "$INI" && refused "open $INI: file is larger than 262144 bytes" && rm "$INI"
    printf 'a\0b' >"$INI" && refused "read $INI: file contains a null byte" && rm "$INI"
    big_file "$INI" 'b"x" * (200 << 10)'
    kick public qmgr I
    is "$status" 1
    has "$stderr" "line 1: line too long"
    # as many settings as fit
    big_file "$INI" 'b"[kick]\n" + b"".join(b"k%d=\n" % i for i in range(30000))'
    run bash -c '"$@" 2>&1 | tail -n 1' - "$POSTKICK" -f "$INI" public qmgr I
    is "$output" "postkick: fatal: $INI: [kick] k29999: unknown setting"
    big_file "$INI" 'bytes(range(1, 256)) * 500'
    run bash -c 'set -o pipefail; "$@" 2>&1 | tail -n 1' - "$POSTKICK" -f "$INI" public qmgr I
    is "$status" 1
    is "$(wc -l <"$LOG")" 0
}

@test "postkick.ini that is replaced all the time is read whole" {
    make_tree -n 2
    start_listener
    cp "$INI" "$INI.good"
    # shellcheck disable=SC2016 # for the other shell
    bash -c 'while :; do cp "$1.good" "$1.new"; mv "$1.new" "$1"; done' - "$INI" >/dev/null 2>&1 \
        3>&- &
    BACKGROUND=$!
    for ((i = 0; i < 50; i++)); do
        "$POSTKICK" -f "$INI" -q public qmgr I
    done
}

@test "multi_instance_directories: too many, relative, looping, itself" {
    make_tree -n 2
    start_listener
    cp "$DEFAULT/main.cf" "$DEFAULT/good"
    grep -v -e multi_instance_directories -e '^ ' "$DEFAULT/good" >"$DEFAULT/single"
    list_nothing()
    {
        cat "$DEFAULT/single"
        python3 -c "print('multi_instance_directories =', '/nosuch ' * $1)"
    }
    list_nothing 70000 >"$DEFAULT/main.cf"
    kick public qmgr I
    is "$status" 1
    is "$stderr" "postkick: fatal: multi_instance_directories: more than 65536 instances"
    # 60,000 that are not there
    list_nothing 60000 >"$DEFAULT/main.cf"
    run bash -c '"$@" 2>&1 | wc -l' - timeout 60 "$POSTKICK" -f "$INI" public qmgr I
    is "$output" 60000
    received "$SPOOL/public/qmgr" 'I\000'
    # odd ones, each of them told, and the good one served
    {
        cat "$DEFAULT/single"
        echo "multi_instance_directories = relative ../up $DEFAULT $TREE/etc/postfix-0001" \
            "$TREE/etc/../etc/postfix-0001 $TREE/loop $TREE/etc/postfix-0001/../postfix-0001"
    } >"$DEFAULT/main.cf"
    ln -s loop "$TREE/loop"
    kick public qmgr D
    is "$status" 1
    has "$stderr" "warning: relative: multi_instance_directories: not an absolute path: relative"
    has "$stderr" "warning: ../up: multi_instance_directories: not an absolute path: ../up"
    has "$stderr" "warning: $DEFAULT: same queue directory as $DEFAULT: not kicked again"
    has "$stderr" "etc/../etc/postfix-0001: same queue directory as $TREE/etc/postfix-0001: not"
    has "$stderr" "open $TREE/loop/main.cf: Too many levels of symbolic links"
    received "$SPOOL/public/qmgr" 'D\000'
    received "$TREE/spool/postfix-0001/public/qmgr" 'D\000'
}

@test "values that expand without bound are an error, soon and in little memory" {
    make_tree -n 4
    start_listener
    damage 1
    {
        echo 'x0 = xxxxxxxxxxxxxxxx'
        for ((i = 1; i < 40; i++)); do
            printf 'x%d = $x%d$x%d\n' "$i" $((i - 1)) $((i - 1))
        done
        # shellcheck disable=SC2016 # for main.cf
        echo 'multi_instance_group = $x39'
    } >>"$CF"
    damage 2
    # shellcheck disable=SC2016 # for main.cf
    printf 'loop = $loop\ntrigger_timeout = $loop\n' >>"$CF"
    local limit=400000
    if is_sanitized; then limit=unlimited; fi
    run --separate-stderr bash -c 'ulimit -v "$1"; shift; exec timeout 30 "$@"' - "$limit" \
        env -u MAIL_CONFIG "$POSTKICK" -f "$INI" public qmgr I
    is "$status" 1
    has "$stderr" "postfix-0001: dictionary mail_dict: macro processing error"
    has "$stderr" "postfix-0002: dictionary mail_dict: macro processing error"
    received "$TREE/spool/postfix-0003/public/qmgr" 'I\000'
}

@test "a descriptor limit of 16: endpoints go in turns, all are served" {
    make_tree -n 200
    start_listener
    run --separate-stderr bash -c 'ulimit -n 16; exec "$@"' - env -u MAIL_CONFIG "$POSTKICK" -f "$INI" \
        public qmgr I
    is "$status" 0
    is "$stderr" ""
    is "$(wc -l <"$LOG")" 200
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
        127:*loading* | 126:* | 139: | 137:) [ $met = 0 ] ;; # not enough to start a program
        *) echo "limit $limit: status $status: $(cat "$TREE/out")" >&2 && return 1 ;;
        esac
    done
    echo "# result: address space: $met times out of memory, $served times served" >&3
    [ "$served" -gt 0 ]
    [ "$met" -gt 0 ]
}

@test "standard output: closed is no failure to write to; full and broken are" {
    make_tree -n 2
    start_listener
    run bash -c '"$@" >/dev/full' - env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j public qmgr I
    is "$status" 1
    has "$output" "postkick: warning: write to standard output: No space left on device"
    run bash -c '"$@" >/dev/full' - env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -l
    is "$status" 1
    run bash -c '"$@" >/dev/full' - "$POSTKICK" --help
    is "$status" 1
    run bash -c '"$@" >/dev/full' - "$POSTKICK" --version
    is "$status" 1
    run bash -c 'set -o pipefail; { sleep 0.3; "$@"; } | :' - env -u MAIL_CONFIG "$POSTKICK" \
        -f "$INI" -l
    is "$status" 1
    has "$output" "Broken pipe"
    run bash -c '"$@" 2>/dev/full' - env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -v public qmgr I
    is "$status" 0
}

@test "descriptors 0 to 2 closed: nothing of ours lands there" {
    make_tree -n 3
    start_listener
    for closed in '<&-' '1>&-' '2>&-' '<&- 1>&-' '<&- 2>&-' '1>&- 2>&-' '<&- 1>&- 2>&-'; do
        run bash -c "\"\$@\" $closed" - env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -v -j public qmgr I
        # what cannot be written to standard output is a failure
        case $closed in *'1>&-'*) is "$status" 1 ;; *) is "$status" 0 ;; esac
    done
    is "$(sort "$LOG" | uniq -c | grep -c '^ *7 .*/public/qmgr	I\\000$')" 3
}

@test "SIGINT, SIGTERM, SIGHUP at any moment: dies of it, and what it says is true" {
    local number after
    make_tree -n 40
    for ((i = 1; i < 40; i += 2)); do
        behave never "$(printf '%s/spool/postfix-%04d/public/qmgr' "$TREE" "$i")"
    done
    start_listener
    for number in 1 2 15; do
        for after in 0.001 0.002 0.003 0.005 0.01 0.1 0.3; do
            run --separate-stderr timeout --preserve-status -k 5 -s "$number" "$after" \
                env -u MAIL_CONFIG "$POSTKICK" -f "$INI" -j public qmgr "s$number.$after"
            is "$status" $((128 + number))
            if [ -n "$output" ]; then
                is "$(wc -l <<<"$output")" 40
                is "$(grep -c -e '"status": "kicked"' -e '"reason": "not confirmed: interrupted"' \
                    <<<"$output")" 40
            fi
        done
        is "$(grep -c '"status": "kicked"' <<<"$output")" 20
    done
}

# postconf_that COMMAND: main.cf of the second instance asks it.
postconf_that()
{
    mkdir -p "$TREE/bin"
    printf '#!/bin/sh\n%s\n' "$1" >"$TREE/bin/postconf"
    chmod +x "$TREE/bin/postconf"
    grep -q "$TREE/bin" "$DEFAULT/main.cf" ||
        sed -i "s|^command_directory.*|command_directory = $TREE/bin|" "$DEFAULT/main.cf"
    # shellcheck disable=SC2016 # for main.cf
    grep -q mydomain "$TREE/etc/postfix-0001/main.cf" ||
        echo 'multi_instance_group = $mydomain' >>"$TREE/etc/postfix-0001/main.cf"
}

@test "a postconf that hangs, floods, lies or is killed is that instance's failure" {
    local answer
    make_tree -n 3
    start_listener
    # shellcheck disable=SC2016 # for that shell
    for answer in 'exit 0' 'exit 1' 'kill -9 $$' 'echo multi_instance_group' \
        'echo "multi_instance_name = other"' 'exec yes' 'exec cat /dev/zero' 'exec sleep 60' \
        'trap "" TERM; while :; do :; done' 'sleep 2 3>&- & exit 0'; do
        postconf_that "$answer"
        kick -t 1 public qmgr I
        is "$status" 1
        has "$stderr" "etc/postfix-0001: "
    done
    : >"$LOG"
    rm "$TREE/bin/postconf"
    kick public qmgr I
    is "$status" 1
    has "$stderr" "run $TREE/bin/postconf: No such file or directory"
    received "$TREE/spool/postfix-0002/public/qmgr" 'I\000'
}

@test "the command line: 100 KB, empty and hostile operands" {
    local long
    make_tree -n 2
    behave drain "$TREE/spool/postfix-0001/public/qmgr"
    start_listener
    long=$(printf '%0100000d' 0)
    run bash -c '"$@" 2>&1 | cut -c 1-200 | grep -v 00000000' - "$POSTKICK" -f "$INI" public qmgr "$long"
    is "$output" "postkick: warning: public/qmgr: request is 100000 bytes long: trigger servers read \
the first 1024
postkick: warning: $DEFAULT: public/qmgr: closed before the request was read"
    is "$(cut -f 2 "$LOG" | grep -c '^0*$')" 2
    is "$(grep -c "postfix-0001.*000" "$LOG")" 2
    : >"$LOG"
    kick public qmgr ''
    is "$status" 0
    received "$SPOOL/public/qmgr" '\000'
    kick public "$long" x
    is "$status" 1
    for each in a/b / . .. '' ../public/qmgr ./qmgr qmgr/; do
        kick public "$each" x
        is "$status" 1
        has "$stderr" "fatal: invalid service name"
        kick "$each" qmgr x
        is "$status" 1
        has "$stderr" "fatal: invalid class name"
        kick -t "$long" -c "$each" public qmgr x
        is "$status" 1
    done
    kick public qmgr x "$long"
    is "$status" 1
    kick "$long"
    is "$status" 1
    kick -i "$long" -g "$long" public qmgr x
    is "$status" 1
    kick "--$long" public qmgr x
    is "$status" 1
    kick -o "$long" public qmgr x
    is "$status" 1
    run --separate-stderr bash -c 'exec -a "" "$@"' - "$POSTKICK" -f "$INI"
    is "$status" 1
    is "$(wc -l <"$LOG")" 2
}
