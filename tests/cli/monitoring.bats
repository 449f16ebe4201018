#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check_postkick and postkick-metrics: all well, and not; names that would end a label, a value or a
# line; and what is typed wrong.

load cli

# Quotes, the characters of both formats, controls (C1 too), what changes the direction
# of text or ends a line elsewhere, bytes that are not UTF-8.
HOSTILE=$'a|b\'c=d"e\\f\033g\177h\302\205i\377j;k`l`%{m}\342\200\256\342\200\250\342\202\254\n\t '

setup()
{
    command -v jq >/dev/null || skip "needs jq"
    export POSTKICK
}

# hostile_tree: the second instance's directory, name and group are like that.
hostile_tree()
{
    local main_cf
    make_tree -n 2
    # A directory's name comes from a list, in which blanks separate.
    NASTY=$TREE/etc/${HOSTILE//[$'\n\t ']/}
    mv "$DEFAULT-0001" "$NASTY"
    main_cf=$(<"$DEFAULT/main.cf")
    printf '%s\n' "${main_cf//"$DEFAULT-0001"/"$NASTY"}" >"$DEFAULT/main.cf"
    set_main_cf "$NASTY" "multi_instance_name = ${HOSTILE//$'\n'/}" "multi_instance_group = ${HOSTILE//$'\n'/}"
    start_listener
}

# make_host [BEHAVIOUR]: three instances and one that is not enabled, all running; the default one's
# queue manager behaves so.
make_host()
{
    make_tree -n 4 -d 3
    printf '[status]\nlimit = 1s\n' >>"$INI"
    behave "${1-read}" "$SPOOL/public/qmgr"
    hold_locks "$SPOOL"*
    start_listener
}

check()
{
    run --separate-stderr "$ROOT/scripts/check_postkick" -f "$INI" "$@"
}

metrics()
{
    run --separate-stderr "$ROOT/scripts/postkick-metrics" -f "$INI" "$@"
}

# performance: what a reader of performance data makes of the line: one item a line.
performance()
{
    python3 -c '
import re, sys
text, bar, data = sys.stdin.read().rstrip("\n").partition("|")
assert "\n" not in data and "|" not in data, data
label = r"(?:\x27(?:[^\x27]|\x27\x27)*\x27|[^\s=\x27]+)"
item = label + r"=[0-9.]+(?:us)?(?:;[0-9.:]*){0,4}"
assert re.fullmatch(rf"\s*{item}(?:\s+{item})*\s*", data), data
for each in re.findall(item, data):
    name = re.match(label, each).group()
    assert "=" not in name, name
    print(name)' <<<"$output"
}

# without_figures: $output without $TREE and what differs from run to run.
without_figures()
{
    sed -e "s,$TREE/etc/,,g" -e 's/=[0-9]*us/=Nus/g' -e 's/ [0-9.]* ms/ N ms/g' <<<"$output"
}

# samples NAME: the values of that metric, in instance order.
samples()
{
    sed -n "s,^postkick_$1{.*} ,,p" <<<"$output" | paste -s -d ' '
}

@test "all well, or answers that take too long" {
    make_host
    check
    is "$status" 0
    is "$(without_figures)" "POSTKICK OK - 3 of 3 instances answer | answering=3;;3:;0;3\
 'postfix'=Nus;;;0 'postfix-0001'=Nus;;;0 'postfix-0002'=Nus;;;0"
    check -g outbound -w 60 -c 120.5
    is "$status" 0
    is "$(without_figures)" "POSTKICK OK - 1 of 1 instances answer | answering=1;;1:;0;1\
 'postfix-0001'=Nus;60000000;120500000;0"
    check -w 0.000001
    is "$status" 1
    has "$(without_figures)" "POSTKICK WARNING - 3 of 3 instances answer; postfix: answers after N ms; "
    check -w 0.000001 -c 0.000002 -i 0001
    is "$status" 2
    has "$output" "POSTKICK CRITICAL - 1 of 1 instances answer; "
}

@test "one hung, one stopped: critical, with the reasons" {
    make_host never
    rm "$SPOOL-0001/pid/master.pid" "$SPOOL-0001/public/qmgr"
    check
    is "$status" 2
    is "$(without_figures)" "POSTKICK CRITICAL - 1 of 3 instances answer; postfix: request not read \
within 1s; postfix-0001: not running | answering=1;;3:;0;3 'postfix-0002'=Nus;;;0"
    metrics -
    is "$status" 0
    is "$(samples instance_up)" "0 0 1"
    is "$(samples instance_enabled)" "1 1 1 0"
    is "$(samples instance_running)" "1 0 1 1"
    is "$(samples instance_responding)" "0 0 1 1"
    is "$(samples instance_response_seconds | wc -w)" 2
}

@test "a damaged main.cf: unknown, unless there is worse" {
    make_host
    echo damaged >>"$DEFAULT-0002/main.cf"
    check
    is "$status" 3
    has "$(without_figures)" "POSTKICK UNKNOWN - 2 of 3 instances answer; postfix-0002: "
    has "$output" "missing '=' after attribute name"
    metrics -
    is "$status" 0
    is "$(samples instance_up)" "1 1 0"
    is "$(samples instance_enabled)" "1 1 0"
    rm "$SPOOL/public/qmgr"
    check
    is "$status" 2
}

@test "what cannot be determined: unknown" {
    make_host
    ln -sf pickup "$SPOOL/public/qmgr"
    check
    is "$status" 3
    has "$output" "is a symbolic link"
}

@test "performance data of any directory can be read, and the line is one" {
    hostile_tree
    check
    is "$status" 0
    is "$stderr" ""
    is "${#lines[@]}" 1
    run performance
    is "$status" 0
    is "${#lines[@]}" 3
    is "${lines[2]}" "'$TREE/etc/a?b''c_d\"e\\f?g?h?i"$'\357\277\275'"j;k\`l\`%{m}??€'"
}

@test "so can they when that instance fails" {
    hostile_tree
    echo damaged >>"$NASTY/main.cf"
    check
    is "$status" 3
    is "${#lines[@]}" 1
    run performance
    is "$status" 0
    is "${#lines[@]}" 2
}

@test "fatal errors have no bar either" {
    make_tree
    echo 'a|b 5' >"$DEFAULT/main.cf"
    check
    is "$status" 3
    has "$output" "missing '=' after attribute name: \"a?b 5\""
    is "$(tr -cd '|' <<<"$output")" ""
}

@test "a directory that is listed twice has one sample of each metric" {
    hostile_tree
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT:" "$DEFAULT/main.cf"
    metrics -
    is "$status" 0
    is "$(grep -c '^postkick_instance_enabled{' <<<"$output")" 2
    is "$(grep -v '^#' <<<"$output" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
}

@test "labels of any name are valid for Prometheus, and complete" {
    command -v promtool >/dev/null || skip "needs promtool, of Debian's prometheus"
    hostile_tree
    metrics -
    is "$status" 0
    is "$stderr" ""
    is "$(grep -c '^postkick_instance_up{' <<<"$output")" 2
    has "$output" 'name="a|b'\''c=d\"e\\f'
    run promtool check metrics <<<"$output"
    is "$output" ""
    is "$status" 0
}

@test "a program that does not run: one error, and metrics that report it" {
    local own directory=$BATS_TEST_TMPDIR/metrics
    mkdir "$directory"
    make_tree
    start_listener
    metrics "$directory"
    metrics -g nosuch "$directory"
    is "$stderr" "postkick-metrics: fatal: postkick: fatal: no instance is in group nosuch: none is in any"
    echo nonsense >"$TREE/nonsense.ini"
    metrics -f "$TREE/nonsense.ini" "$directory"
    is "${#stderr_lines[@]}" 1
    has "$stderr" "nonsense.ini"
    own=$TREE/own
    printf '#!/bin/sh\necho "postkick: fatal: usage: postkick [-c dir] class service request" >&2; exit 1\n' >"$own"
    chmod 755 "$own"
    POSTKICK=$own metrics "$directory"
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: $own has no option -s: it is Postfix's own"
    is "$(grep -v '^#' "$directory/postkick.prom")" "postkick_status_success 0"
    POSTKICK=$TREE/nosuch metrics "$directory"
    is "$stderr" "postkick-metrics: fatal: $TREE/nosuch is not installed"
    metrics /proc
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: /proc: cannot be written to"
}

@test "the file of metrics is written nowhere else, whoever owns the directory" {
    local directory=$BATS_TEST_TMPDIR/metrics
    make_tree
    start_listener
    mkdir "$directory" "$directory/elsewhere"
    ln -s elsewhere "$directory/postkick.prom"
    metrics "$directory"
    is "$status" 0
    is "$(ls -A "$directory/elsewhere")" ""
    is "$(stat -c '%F %a' "$directory/postkick.prom")" "regular file 644"
    command -v strace || skip "no strace"
    export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under strace
    run strace -f -q -e trace=openat,chmod,fchmodat -o "$TREE/trace" "$ROOT/scripts/postkick-metrics" \
        -f "$INI" "$directory"
    [ "$(grep -c "metrics/postkick\." "$TREE/trace")" -gt 0 ]
    is "$(grep "metrics/postkick\." "$TREE/trace" | grep -v O_EXCL)" ""
}

@test "the file of metrics is whole at every moment" {
    local i directory=$BATS_TEST_TMPDIR/metrics writers=()
    make_tree
    start_listener
    mkdir "$directory"
    metrics "$directory"
    is "$status" 0
    for i in 1 2; do
        for _ in 1 2 3; do "$ROOT/scripts/postkick-metrics" -f "$INI" "$directory"; done &
        writers+=($!)
    done
    while kill -0 "${writers[@]}" 2>/dev/null; do
        for i in "$directory"/*.prom; do is "$(tail -n 1 "$i")" "postkick_status_success 1"; done
    done
    wait "${writers[@]}"
    is "$(ls "$directory")" postkick.prom
    is "$(stat -c %a "$directory/postkick.prom")" 644
}

@test "each mistake in the command line or the host is one clear line" {
    local message arguments
    make_tree
    echo nonsense >"$TREE/ini"
    while IFS='|' read -r message arguments; do
        # shellcheck disable=SC2086 # words
        run "$ROOT/scripts/check_postkick" $arguments
        is "$status" 3
        is "${#lines[@]}" 1
        has "$output" "POSTKICK UNKNOWN - "
        has "$output" "$message"
    done <<END
-w: not a number of seconds: 1s|-w 1s
unknown option: -x|-x
-g needs an argument|-g
unexpected argument: x|x
$TREE/nosuch|-f $TREE/nosuch
$TREE/ini|-f $TREE/ini
no instance is in group nosuch|-f $INI -g nosuch
END
    printf '#!/bin/sh\necho "postkick: fatal: usage: postkick [-c dir] class service request" >&2; exit 1\n' >"$TREE/own"
    chmod 755 "$TREE/own"
    POSTKICK=$TREE/nosuch check
    has "$output" "nosuch is not installed"
    POSTKICK=$TREE/own check
    has "$output" "is Postfix's own"
    POSTKICK=/bin/echo check
    has "$output" "not understood"
    metrics "$TREE/nosuch"
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: $TREE/nosuch: not a directory"
    metrics -x
    is "$status" 1
    has "$stderr" "postkick-metrics: fatal: unknown option: -x"
}

@test "the units say nothing to systemd-analyze, and are in a tight sandbox" {
    local unit
    systemd-analyze --help 2>/dev/null | grep -q offline || skip "needs systemd-analyze of systemd 250"
    mkdir -p "$BATS_TEST_TMPDIR/units"
    cp "$ROOT"/conf/systemd/* "$BATS_TEST_TMPDIR/units"
    sed -i -e 's,^ExecStart=/usr/sbin/[^ ]*,ExecStart=/bin/true,' "$BATS_TEST_TMPDIR"/units/*.service
    run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/units/*
    is "$status" 0
    is "$output" ""
    for unit in "$ROOT"/conf/systemd/*.service; do
        run systemd-analyze security --offline=yes --threshold=10 --no-pager "$unit"
        is "$status" 0
    done
}
