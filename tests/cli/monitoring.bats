#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What check_postkick and postkick-metrics make of names that would end a label, a value or a line.

bats_require_minimum_version 1.5.0
load cli

# Quotes, the characters of both formats, controls (C1 too), what changes the direction
# of text or ends a line elsewhere, bytes that are not UTF-8.
HOSTILE=$'a|b\'c=d"e\\f\033g\177h\302\205i\377j;k`l`%{m}\342\200\256\342\200\250\342\202\254\n\t '

setup()
{
    local main_cf
    command -v jq >/dev/null || skip "needs jq"
    export POSTKICK
    make_tree -n 2
    # A directory's name comes from a list, in which blanks separate.
    NASTY=$TREE/etc/${HOSTILE//[$'\n\t ']/}
    mv "$DEFAULT-0001" "$NASTY"
    main_cf=$(<"$DEFAULT/main.cf")
    printf '%s\n' "${main_cf//"$DEFAULT-0001"/"$NASTY"}" >"$DEFAULT/main.cf"
    set_main_cf "$NASTY" "multi_instance_name = ${HOSTILE//$'\n'/}" "multi_instance_group = ${HOSTILE//$'\n'/}"
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

@test "performance data of any directory can be read, and the line is one" {
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
    echo damaged >>"$NASTY/main.cf"
    check
    is "$status" 3
    is "${#lines[@]}" 1
    run performance
    is "$status" 0
    is "${#lines[@]}" 2
}

@test "fatal errors have no bar either" {
    echo 'a|b 5' >"$DEFAULT/main.cf"
    check
    is "$status" 3
    has "$output" "missing '=' after attribute name: \"a?b 5\""
    is "$(tr -cd '|' <<<"$output")" ""
}

@test "a directory that is listed twice has one sample of each metric" {
    sed -i "s:^multi_instance_directories.*:&\n    $DEFAULT:" "$DEFAULT/main.cf"
    metrics -
    is "$status" 0
    is "$(grep -c '^postkick_instance_enabled{' <<<"$output")" 2
    is "$(grep -v '^#' <<<"$output" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
}

@test "labels of any name are valid for Prometheus, and complete" {
    command -v promtool >/dev/null || skip "needs promtool, of Debian's prometheus"
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
    metrics -g nosuch "$directory"
    is "$stderr" "postkick-metrics: fatal: postkick: fatal: No matching instances"
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
    metrics "$TREE/nosuch"
    is "$stderr" "postkick-metrics: fatal: $TREE/nosuch: not a directory"
    metrics /proc
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: /proc: cannot be written to"
}

@test "the file of metrics is written nowhere else, whoever owns the directory" {
    local directory=$BATS_TEST_TMPDIR/metrics
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
