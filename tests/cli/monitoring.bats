#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check_postkick, postkick-metrics, the units and the dashboard: all well, and not; names that would end
# a label, a value or a line; programs that die half-way; and what is typed wrong.

load cli

setup()
{
    command -v jq >/dev/null || skip "needs jq"
    export POSTKICK
}

# make_host [BEHAVIOUR]: three instances and one that is not enabled, all running; the default one's
# queue manager behaves so. Two messages are deferred in each.
make_host()
{
    make_tree -n 4 -d 3 -m 2
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

# samples NAME...: the values of those metrics on standard input, in instance order.
samples()
{
    local metrics name
    metrics=$(cat)
    for name; do sed -n "s,^postkick_$name{.*} ,,p" <<<"$metrics" | paste -s -d ' '; done
}

# instead COMMANDS: a program that runs them in place of postkick, which is $REAL there.
instead()
{
    printf '#!/bin/bash\nREAL=%q\n%s\n' "$POSTKICK" "$1" >"${TREE:-$BATS_TEST_TMPDIR}/instead"
    chmod 755 "${TREE:-$BATS_TEST_TMPDIR}/instead"
    echo "${TREE:-$BATS_TEST_TMPDIR}/instead"
}

# Postfix's own: it answers to no option of ours.
postfix_own()
{
    instead 'echo "postkick: fatal: usage: postkick [-c config_dir] [-v] class service request" >&2; exit 1'
}

@test "check_postkick and postkick-metrics" {
    check()
    {
        "$ROOT/scripts/check_postkick" -f "$INI" "$@" |
            sed -e 's/[0-9]*\.[0-9]\{6\}/N/g' -e 's/\([= ]\)[0-9.]*%/\1N%/g' -e 's/oldest=[0-9]*/oldest=N/'
    }
    metrics()
    {
        "$ROOT/scripts/postkick-metrics" -f "$INI" "$@" -
    }
    make_host
    cd "$TREE"
    follow monitoring
}

@test "every state of an instance has its state of the check, and so has one from the future" {
    local state word program
    make_host
    program=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"
        status=$([ "$STATE" = ok ] && echo ok || echo failed)
        "$REAL" "$@" | jq -c --arg state "$STATE" --arg status $status \
            ". + {state: \$state, reason: \"as \(\$state)\", status: \$status}"
        [ "$STATE" = ok ]')
    while read -r state word; do
        STATE=$word POSTKICK=$program check -i 0001
        is "$word ${output%% - *}" "$word POSTKICK $state"
        [ "$word" = ok ] || is "$(sed -n '2s/ |.*//p' <<<"$output")" "$state $DEFAULT-0001: as $word"
        STATE=$word POSTKICK=$program metrics -i 0001 -
        is "$(samples instance_up <<<"$output")" $([ "$word" = ok ]; echo $((! $?)))
    done <<END
OK ok
CRITICAL full
CRITICAL stopped
CRITICAL no-pickup
CRITICAL not-responding
CRITICAL not-running
UNKNOWN unknown
CRITICAL one-that-is-new
END
}

@test "a program that dies half-way, or leaves something out, is never OK" {
    local commands program
    make_host
    while read -r commands; do
        program=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"; '"$commands")
        POSTKICK=$program check --deferred 500,2000
        is "$commands: $status" "$commands: 3"
        has "$output" "POSTKICK UNKNOWN - "
        POSTKICK=$program metrics -
        is "$status" 1
        [ -n "$stderr" ]
        is "$commands: ${output##*$'\n'}" "$commands: postkick_collector_success 0"
    done <<'END'
"$REAL" "$@" | head -n 1; kill -KILL $$
"$REAL" "$@" | head -n 1; exit 1
"$REAL" "$@" | head -c 900; exit 0
"$REAL" "$@" | head -c 900; kill -TERM $$
"$REAL" "$@"; kill -SEGV $$
"$REAL" "$@"; echo half of a li; exit 0
"$REAL" "$@"; echo '"x"'; exit 0
exit 0
exit 1
if [ "$1" = -Q ]; then "$REAL" "$@" | head -n 2; exit 1; fi; exec "$REAL" "$@"
[ "$1" != -Q ] || exit 1; exec "$REAL" "$@"
END
    # What is there counts: critical is worse.
    rm "$SPOOL/pid/master.pid" "$SPOOL/public/qmgr"
    POSTKICK=$(instead '"$REAL" "$@" | head -n 1; kill -KILL $$') check
    is "$status" 2
    has "$output" "UNKNOWN postkick: -s ended with status 137"
}

@test "the network hook reports a program that dies, with what it has written" {
    local commands
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho "logged: $*"\n' >"$BATS_TEST_TMPDIR/bin/logger"
    chmod 755 "$BATS_TEST_TMPDIR/bin/logger"
    sed "s,^PATH=,&$BATS_TEST_TMPDIR/bin:," "$ROOT/scripts/postkick-network-up" >"$BATS_TEST_TMPDIR/hook"
    for commands in "exit 0" "exit 1" "kill -KILL \$\$" "echo half; kill -TERM \$\$"; do
        POSTKICK=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"; '"$commands") \
            run sh "$BATS_TEST_TMPDIR/hook" eth0 up
        is "$commands: $status" "$commands: 0"
        [ "$commands" != "exit 0" ] || is "$output" ""
        [ "$commands" = "exit 0" ] || has "$output" "logged: -t postkick-network-up -p mail.warning"
    done
    has "$output" half
}

@test "a first line of under 200 bytes, then a line for each problem, as many as an agent passes on" {
    make_tree -n 100
    check
    is "$status" 2
    [ "${#lines[0]}" -lt 200 ]
    [[ ${lines[0]} =~ ' - 0 of 100 instances ok; critical: '"$DEFAULT".*' and '[0-9]+' more'$ ]]
    [ "${#output}" -lt 4096 ]
    [ "${#lines[@]}" -gt 10 ]
    has "${lines[-1]}" "and $((100 - ${#lines[@]} + 2)) more: see postkick -s and postkick -Q | ok=0;;100:;0;100"
    check -v
    is "${#lines[@]}" 101
}

@test "no text from outside can be taken for another instance's, for performance data or a message of ours" {
    local text
    make_host
    cp "$DEFAULT/main.cf" "$TREE/home"
    cp "$DEFAULT-0002/main.cf" "$TREE/other"
    for text in '; /etc/postfix-0001: not running | ok9' \
        'postkick: fatal: usage: postkick [-c config_dir] [-v] class service request' \
        'POSTKICK OK - 3 of 3 instances ok' 'CRITICAL /etc/postfix: not running'; do
        cat "$TREE/other" - <<<"$text" >"$DEFAULT-0002/main.cf"
        check
        is "$status ${#lines[@]} $(tr -cd '|' <<<"$output")" "3 2 |"
        is "${lines[0]}" "POSTKICK UNKNOWN - 2 of 3 instances ok; unknown: $DEFAULT-0002"
        has "${lines[1]}" "UNKNOWN $DEFAULT-0002: $DEFAULT-0002/main.cf, line "
        metrics -
        is "$status $(samples instance_up <<<"$output")" "0 1 1 0"
        # in the default main.cf, whose error ends the program
        cat "$TREE/home" - <<<"$text" >"$DEFAULT/main.cf"
        check
        is "$status $(tr -cd '|' <<<"$output")" "3 "
        [ "${#lines[0]}" -lt 200 ]
        has "$output" "POSTKICK UNKNOWN - postkick: fatal: $DEFAULT/main.cf, line "
        metrics -
        is "$status" 1
        has "$stderr" "postkick-metrics: fatal: postkick: fatal: $DEFAULT/main.cf, line "
        cp "$TREE/home" "$DEFAULT/main.cf"
    done
    # before the reason itself
    text=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"
        printf "%s\n" "postkick: warning: /x: postkick: fatal: no" "postkick: fatal: the reason" >&2; exit 1')
    POSTKICK=$text check
    is "$output" "POSTKICK UNKNOWN - postkick: fatal: the reason"
    POSTKICK=$text metrics -
    is "$stderr" "postkick-metrics: fatal: postkick: fatal: the reason"
}

@test "a directory of any name is in its lines and labels, without what could mislead" {
    # Quotes, the characters of both formats, controls (C1 too), what changes the direction
    # of text or ends a line elsewhere, bytes that are not UTF-8.
    local main_cf nasty hostile=$'a|b\'c=d"e\\f\033g\177h\302\205i\377j;k`l`%{m}\342\200\256\342\200\250\342\202\254\n\t '
    make_tree -n 2 -m 0
    # A directory's name comes from a list, in which blanks separate.
    nasty=$TREE/etc/${hostile//[$'\n\t ']/}
    mv "$DEFAULT-0001" "$nasty"
    main_cf=$(<"$DEFAULT/main.cf")
    printf '%s\n' "${main_cf//"$DEFAULT-0001"/"$nasty"}" >"$DEFAULT/main.cf"
    set_main_cf "$nasty" "multi_instance_name = ${hostile//$'\n'/}" "multi_instance_group = ${hostile//$'\n'/}"
    start_listener
    metrics -
    is "$status$stderr" 0
    is "$(grep -c '^postkick_instance_up{' <<<"$output")" 2
    has "$output" 'name="a|b'\''c=d\"e\\f'
    ! command -v promtool >/dev/null || is "$(promtool check metrics <<<"$output" 2>&1)" ""
    rm "$SPOOL-0001/public/qmgr"
    check
    is "$status$stderr" 2
    is "${#lines[@]}" 2
    has "${lines[0]}" "critical: $TREE/etc/a?b'c=d\"e\\f?g?h?i"$'\357\277\275'"j;k\`l\`%{m}??€"
    is "$(tr -cd '|' <<<"$output")" "|"
}

# ask_prometheus AGE: reads a query a line, and prints those that find nothing in $TREE/metrics, as it
# would be scraped now if it had been written so many seconds ago. promtool evaluates them.
ask_prometheus()
{
    python3 -c '
import json, re, sys, time
now = int(time.time())
series = {"node_textfile_mtime_seconds{file=\"/x/postkick.prom\"}": now - int(sys.argv[2])}
for line in open(sys.argv[1]):
    if not line.startswith("#"):
        name, value = line.rstrip().rsplit(" ", 1)
        series[name if "{" in name else name + "{}"] = value
queries = [line.rstrip("\n") for line in sys.stdin]
more = "instance=\"mx1:9100\",job=\"node\""
print(json.dumps({"evaluation_interval": f"{now}s", "tests": [{
    "interval": f"{now}s",
    "input_series": [
        {"series": re.sub("{(.*)}$", lambda it: "{" + it[1] + ("," if it[1] else "") + more + "}", name),
         "values": f"_ {value}"} for name, value in series.items()],
    "promql_expr_test": [
        {"expr": f"count({query}) > bool 0", "eval_time": f"{now}s",
         "exp_samples": [{"labels": "{}", "value": 1}]} for query in queries],
}]}))' "$TREE/metrics" "$1" >"$BATS_TEST_TMPDIR/tests.yml"
    promtool test rules "$BATS_TEST_TMPDIR/tests.yml" 2>&1 | tr -d '\\' |
        sed -n 's/^ *expr: "count(\(.*\)) > bool 0".*/\1/p; /error\|parse/p'
}

@test "the queries of the dashboard find what they are for" {
    local queries
    command -v promtool >/dev/null || skip "needs promtool, of Debian's prometheus"
    make_host never
    rmdir "$SPOOL-0002/hold"
    set_main_cf "$DEFAULT-0003" "multi_instance_name = postfix-0001"
    metrics -
    is "$status" 0
    cat >"$TREE/metrics" <<<"$output"
    queries=$(jq -r '.. | .expr? // empty' "$ROOT/conf/grafana.json" | sed 's/\$host/.*/g; s/ or vector(0)$//')
    [ "$(wc -l <<<"$queries")" -ge 12 ]
    is "$(ask_prometheus 0 <<<"$queries")" ""
    # also where one of several would do
    is "$(grep -o 'postkick_[a-z_]*' "$ROOT/conf/grafana.json" | sort -u |
        comm -23 - <(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$TREE/metrics" | sort))" ""
    # Its variables are defined.
    is "$(grep -o '\$[{a-z][a-z]*' "$ROOT/conf/grafana.json" | tr -d '${' | sort -u | paste -s -d ' ')" \
        "$(jq -r '.templating.list | map(.name) | sort | join(" ")' "$ROOT/conf/grafana.json")"
}

# alerts: the expressions of the manual, one a line.
alerts()
{
    sed -n '/^Rules for alerts/,/^\.Ed/p' "$ROOT/man/postkick-metrics.8" | sed '/^\./d; /^Rules/d; s/^/  /' |
        cat <(printf 'groups:\n- name: postkick\n  rules:\n') - >"$TREE/rules.yml"
    promtool check rules "$TREE/rules.yml" >"$TREE/checked"
    python3 -c '
import re, sys
for rule in re.split("(?m)^ *- alert: ", sys.stdin.read())[1:]:
    expr = re.search(r"(?ms)^    expr: (.*?)(?=^    \w|\Z)", rule)[1]
    print(" ".join(expr.removeprefix("|").split()))' <"$TREE/rules.yml"
}

@test "the alerts of the manual fire, and only then" {
    command -v promtool >/dev/null || skip "needs promtool, of Debian's prometheus"
    make_host
    metrics -i 0001 -
    cat >"$TREE/metrics" <<<"$output"
    [ "$(alerts | wc -l)" -ge 8 ]
    is "$(ask_prometheus 0 < <(alerts))" "$(alerts)"
    rm "$SPOOL/pid/master.pid" "$SPOOL/public/qmgr"
    rmdir "$SPOOL-0002/hold"
    set_main_cf "$DEFAULT-0003" "multi_instance_name = postfix-0001"
    metrics -
    # all but the one for missing metrics; what is too much and too old is so here already
    cat >"$TREE/metrics" <<<"$output"
    is "$(ask_prometheus 600 < <(alerts | sed 's/ > 1000$/ > 1/; s/ > 86400$/ > 1/; s/ < 0\.10$/ < 1/'))" \
        "absent(postkick_collector_success)"
    : >"$TREE/metrics"
    is "$(ask_prometheus 0 < <(alerts | grep absent))" ""
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
    # nor where the owner of the directory above lets the name lead
    mkdir "$directory/mine"
    ln -s "$directory/elsewhere" "$directory/mine/node-exporter"
    ln -s "$directory" "$directory/mine/above"
    for directory in "$directory"/mine/{node-exporter,node-exporter/,above/elsewhere,above/../metrics/elsewhere}; do
        metrics "$directory"
        is "$status" 1
        is "$stderr" "postkick-metrics: fatal: $directory is $BATS_TEST_TMPDIR/metrics/elsewhere: name it so, without symbolic links"
    done
    directory=$BATS_TEST_TMPDIR/metrics
    is "$(ls -A "$directory/elsewhere")" ""
    cd "$directory/elsewhere"
    metrics ".//./"
    is "$status" 0
    is "$(ls -A)" postkick.prom
    metrics ..//elsewhere
    has "$stderr" "name it so"
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
        for i in "$directory"/*.prom; do is "$(tail -n 1 "$i")" "postkick_collector_success 1"; done
    done
    wait "${writers[@]}"
    is "$(ls "$directory")" postkick.prom
    is "$(stat -c %a "$directory/postkick.prom")" 644
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
        run systemd-analyze security --offline=yes --threshold=11 --no-pager "$unit"
        is "$status" 0
    done
}

@test "the units are started at boot, and skipped where there is nobody to read the metrics" {
    local root=$BATS_TEST_TMPDIR/root
    command -v systemctl >/dev/null || skip "needs systemctl"
    mkdir -p "$root/usr/lib/systemd/system"
    cp "$ROOT"/conf/systemd/* "$root/usr/lib/systemd/system"
    systemctl --quiet --root="$root" enable postkick-flush.service postkick-metrics.timer
    is "$(cd "$root/etc/systemd/system" && echo ./*/*)" \
        "./multi-user.target.wants/postkick-flush.service ./timers.target.wants/postkick-metrics.timer"
    # the directory, where the condition, the program and the sandbox have it
    is "$(sed -n 's,^\(ConditionPathIsDirectory\|ExecStart\|ReadWritePaths\)=\(.*[- ]\)*\(/.*node-exporter\)$,\1 \2 \3,p' \
        "$ROOT/conf/systemd/postkick-metrics.service")" "\
ConditionPathIsDirectory  /var/lib/prometheus/node-exporter
ExecStart /usr/sbin/postkick-metrics  /var/lib/prometheus/node-exporter
ReadWritePaths - /var/lib/prometheus/node-exporter"
    is "$(sed -n 's/^directory=\(\/.*\)/\1/p' "$ROOT/scripts/postkick-metrics")" /var/lib/prometheus/node-exporter
}
