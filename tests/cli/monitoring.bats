#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check_postkick, postkick-metrics, the units and the dashboard: all well, and not; names that would end
# a label, a value or a line; programs that die half-way; and what is typed wrong.

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
    make_tree -n 2 -m 0
    # A directory's name comes from a list, in which blanks separate.
    NASTY=$TREE/etc/${HOSTILE//[$'\n\t ']/}
    mv "$DEFAULT-0001" "$NASTY"
    main_cf=$(<"$DEFAULT/main.cf")
    printf '%s\n' "${main_cf//"$DEFAULT-0001"/"$NASTY"}" >"$DEFAULT/main.cf"
    set_main_cf "$NASTY" "multi_instance_name = ${HOSTILE//$'\n'/}" "multi_instance_group = ${HOSTILE//$'\n'/}"
    start_listener
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

# without_figures: $output without $TREE and what differs from run to run.
without_figures()
{
    sed -e "s,$TREE/etc/,/etc/,g" -e 's/[0-9]*\.[0-9]\{6\}/N/g' -e 's/\([= ]\)[0-9.]*%/\1N%/g' <<<"$output"
}

# samples NAME: the values of that metric, in instance order.
samples()
{
    sed -n "s,^postkick_$1{.*} ,,p" <<<"$output" | paste -s -d ' '
}

# instead COMMANDS: a program that runs them in place of postkick, which is $REAL there.
instead()
{
    printf '#!/bin/bash\nREAL=%q\n%s\n' "$POSTKICK" "$1" >"$BATS_TEST_TMPDIR/instead"
    chmod 755 "$BATS_TEST_TMPDIR/instead"
    echo "$BATS_TEST_TMPDIR/instead"
}

# Postfix's own: it answers to no option of ours.
postfix_own()
{
    instead 'echo "postkick: fatal: usage: postkick [-c config_dir] [-v] class service request" >&2; exit 1'
}

@test "check: all well, or answers that take too long" {
    make_host
    check
    is "$status" 0
    is "$(without_figures)" "POSTKICK OK - 3 of 3 instances ok | ok=3;;3:;0;3 slowest=Ns;;"
    check -g outbound -w 60 -c 120.5
    is "$status" 0
    is "$(without_figures)" "POSTKICK OK - 1 of 1 instance ok | ok=1;;1:;0;1 slowest=Ns;60;120.5"
    check --warning 0:0.000001 -g outbound
    is "$status" 1
    is "$(without_figures)" "POSTKICK WARNING - 0 of 1 instance ok; warning: /etc/postfix-0001
WARNING /etc/postfix-0001: responded after N s | ok=0;;1:;0;1 slowest=Ns;0:N;"
    check -w 0 -c 0.000002 -i 0001
    is "$status" 2
    check -C "$DEFAULT-0003" -v # though it is not enabled
    is "$status" 0
    is "$(without_figures)" "POSTKICK OK - 1 of 1 instance ok
OK /etc/postfix-0003: responded after N s | ok=1;;1:;0;1 slowest=Ns;;"
    check -i 0003 # it is named
    is "$status" 0
    check -i '*3'
    is "$status" 3
    is "${lines[1]%% |*}" "UNKNOWN postkick: no selected instance is enabled"
}

@test "check: the queues, by ranges" {
    local state range
    make_host
    mv "$SPOOL"-0001/deferred/* "$SPOOL-0001/hold/"
    check --deferred 1,500 --hold 5,1 --oldest 1000000,2000000 --free 0:,0:
    is "$status" 2
    is "$(without_figures | sed 's/oldest=[0-9]*s/oldest=Ns/')" \
        "POSTKICK CRITICAL - 0 of 3 instances ok; critical: /etc/postfix-0001
CRITICAL /etc/postfix-0001: 2 messages on hold
WARNING /etc/postfix: 2 messages deferred
WARNING /etc/postfix-0002: 2 messages deferred | ok=0;;3:;0;3 deferred=2;1;500 free=N%;0:;0: hold=2;5;1\
 oldest=Ns;1000000;2000000 slowest=Ns;;"
    # Two messages, by every form of a range.
    while read -r state range; do
        check -i - --deferred "$range"
        is "$range ${output%% - *}" "$range POSTKICK $state"
    done <<END
OK 2,
OK ,2
OK 2:2,3
OK ~:2,~:2
OK @3:4,
OK @~:1,@3:
WARNING 1,2
WARNING 3:,2
WARNING @2,
WARNING ~:-1,
WARNING @1:2,@3:4
CRITICAL 1,1
CRITICAL ,@2:2
CRITICAL 0:1,3:
END
    check --oldest 30, -i -
    is "$status" 1
    has "$output" "seconds since the oldest message arrived"
    check --free 100.5:, -i -
    is "$status" 1
    has "$output" "% of the queue file system free"
    # What cannot be read is not known, but what answers is.
    rmdir "$SPOOL-0002/hold"
    check --hold 0,0 -i 0002 -i -
    is "$status" 3
    is "$(without_figures | sed "s,$TREE,," | tail -n 1)" "UNKNOWN /etc/postfix-0002: \
read /spool/postfix-0002/hold: No such file or directory | ok=1;;2:;0;2 hold=0;0;0 slowest=Ns;;"
}

@test "one hung, one stopped: critical, with the reasons" {
    make_host never
    rm "$SPOOL-0001/pid/master.pid" "$SPOOL-0001/public/qmgr"
    check
    is "$status" 2
    is "$(without_figures)" "POSTKICK CRITICAL - 1 of 3 instances ok; critical: /etc/postfix /etc/postfix-0001
CRITICAL /etc/postfix: request not read within 1s
CRITICAL /etc/postfix-0001: not running | ok=1;;3:;0;3 slowest=Ns;;"
    metrics -
    is "$status" 0
    is "$(samples instance_up)" "0 0 1"
    is "$(samples instance_enabled)" "1 1 1 0"
    is "$(samples instance_running)" "1 0 1 1"
    is "$(samples instance_responding)" "0 0 1 1"
    is "$(samples instance_response_seconds | wc -w)" 2
    is "$(samples instance_conflicts)" "0 0 0 0"
}

@test "metrics: what is in the queues, also of a stopped instance and of one that is not enabled" {
    make_host
    rm "$SPOOL-0001/pid/master.pid" "$SPOOL-0001/public/qmgr" "$SPOOL-0002/deferred"/?/*
    rmdir "$SPOOL-0003/hold"
    metrics -
    is "$status" 0
    is "$(samples queue_readable)" "1 1 1 0"
    is "$(sed -n 's/^postkick_queue_messages{.*"postfix-0001".*queue="\(.*\)"} /\1 /p' <<<"$output" | paste -s)" \
        $'incoming 0\tactive 0\tdeferred 2\thold 0\tmaildrop 0\tcorrupt 0'
    is "$(grep -c '^postkick_queue_bytes{.*queue="deferred"} [1-9]' <<<"$output")" 2
    # none is oldest where there is none
    is "$(samples queue_oldest_timestamp_seconds | wc -w)" 2
    is "$(samples queue_filesystem_free_inodes | wc -w)" 3
    is "$(samples build_info)" 1
    has "$output" "postkick_build_info{version=\"$("$POSTKICK" --version | cut -d ' ' -f 2)\"}"
    is "${lines[-1]}" "postkick_collector_success 1"
}

@test "an invalid main.cf: unknown, unless there is worse" {
    make_host
    echo damaged >>"$DEFAULT-0002/main.cf"
    check --deferred 500,2000
    is "$status" 3
    is "${#lines[@]}" 2
    has "$(without_figures)" "POSTKICK UNKNOWN - 2 of 3 instances ok; unknown: /etc/postfix-0002"
    has "$output" "missing '=' after attribute name"
    metrics -
    is "$status" 0
    is "$(samples instance_up)" "1 1 0"
    rm "$SPOOL/public/qmgr"
    check
    is "$status" 2
}

@test "a conflict: a warning at least, and a metric" {
    make_host
    set_main_cf "$DEFAULT-0003" "multi_instance_name = postfix-0001"
    check
    is "$status" 1
    is "${#lines[@]}" 3
    has "$(without_figures)" "WARNING /etc/postfix-0003: instance /etc/postfix-0003, multi_instance_name=postfix-0001 conflicts"
    metrics -
    is "$status" 0
    is "$(samples instance_conflicts)" "0 1 0 1"
    is "${lines[-1]}" "postkick_collector_success 1"
}

@test "what cannot be determined: unknown" {
    make_host
    ln -sf pickup "$SPOOL/public/qmgr"
    check
    is "$status" 3
    has "$output" "is a symbolic link"
}

@test "every state of an instance has its state of the check, and so has one from the future" {
    local state word program
    make_host
    program=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"
        status=failed
        [ "$STATE" != ok ] || status=ok
        "$REAL" "$@" | jq -c --arg state "$STATE" --arg status $status \
            "{state: \$state, reason: \"as \(\$state)\"} as \$new | . + \$new + {status: \$status}"
        [ "$STATE" = ok ]')
    while read -r state word; do
        STATE=$word POSTKICK=$program check -i 0001
        is "$word ${output%% - *}" "$word POSTKICK $state"
        [ "$word" = ok ] || is "$(without_figures | sed -n '2s/ |.*//p')" "$state /etc/postfix-0001: as $word"
        STATE=$word POSTKICK=$program metrics -i 0001 -
        is "$(samples instance_up)" "$([ "$word" != ok ] || echo 1)$([ "$word" = ok ] || echo 0)"
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
    while read -r commands; do
        POSTKICK=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"; '"$commands") \
            run --separate-stderr sh "$BATS_TEST_TMPDIR/hook" eth0 up
        is "$commands: $status" "$commands: 0"
        [ "$commands" = "exit 0" ] || has "$output" "logged: -t postkick-network-up -p mail.warning"
        [ "$commands" != "exit 0" ] || is "$output$stderr" ""
        [[ $commands != *half* ]] || has "$stderr" half
    done <<'END'
exit 0
exit 1
kill -KILL $$
echo half; kill -TERM $$
END
}

@test "a name that matches nothing is reported, whatever the others are" {
    make_host
    check -i gone -i lost
    is "$status" 3
    is "$output" $'POSTKICK UNKNOWN - no instance matches gone\nno instance matches gone\nno instance matches lost'
    check -i 0001 -i gone --hold 5,10
    is "$status" 3
    is "$(without_figures | sed 's/ |.*//')" "POSTKICK UNKNOWN - 1 of 1 instance ok; unknown: no instance matches gone
UNKNOWN postkick: no instance matches gone"
    rm "$SPOOL-0001/pid/master.pid" "$SPOOL-0001/public/qmgr"
    check -i 0001 -i gone
    is "$status" 2
    is "$(without_figures | sed -n '2,$s/ |.*//p')" "UNKNOWN postkick: no instance matches gone"
    for arguments in "-i 0001 -i gone" "-i gone"; do
        # shellcheck disable=SC2086 # words
        metrics $arguments -
        is "$status" 1
        is "$stderr" "postkick-metrics: fatal: no instance matches gone"
        is "${lines[-1]}" "postkick_collector_success 0"
    done
    rm "$DEFAULT-0002/main.cf" # it may be the one
    check -i gone
    has "$output" "UNKNOWN postkick: no instance with a known name matches gone"
    metrics -i gone -
    is "$stderr" "postkick-metrics: fatal: no instance with a known name matches gone"
    is "${lines[-1]}" "postkick_collector_success 0"
}

@test "a first line of under 200 bytes, then a line for each problem, as many as an agent passes on" {
    make_tree -n 100
    check
    is "$status" 2
    [ "${#lines[0]}" -lt 200 ]
    has "${lines[0]}" "POSTKICK CRITICAL - 0 of 100 instances ok; critical: $DEFAULT "
    [[ ${lines[0]} =~ ' and '[0-9]+' more'$ ]]
    [ "${#output}" -lt 4096 ]
    [ "${#lines[@]}" -gt 10 ]
    is "$(without_figures | sed -n '$s/ |.*//p')" "and $((100 - ${#lines[@]} + 2)) more: see postkick -s and postkick -Q"
    has "${lines[-1]}" " | ok=0;;100:;0;100"
    check -v
    is "${#lines[@]}" 101
}

@test "no text from outside can be taken for another instance's, for performance data or a message of ours" {
    local text
    make_host
    for text in '; /etc/postfix-0001: not running | ok=9' \
        'postkick: fatal: usage: postkick [-c config_dir] [-v] class service request' \
        'POSTKICK OK - 3 of 3 instances ok' 'CRITICAL /etc/postfix: not running'; do
        cp "$DEFAULT-0002/main.cf" "$TREE/main.cf"
        printf '%s\n' "${text//=/}" >>"$DEFAULT-0002/main.cf"
        check
        is "$status" 3
        is "${#lines[@]}" 2
        is "$(without_figures | sed -n 1p)" "POSTKICK UNKNOWN - 2 of 3 instances ok; unknown: /etc/postfix-0002"
        has "$(without_figures | sed -n 2p)" "UNKNOWN /etc/postfix-0002: /etc/postfix-0002/main.cf, line "
        is "$(tr -cd '|' <<<"$output")" "|"
        metrics -
        is "$status" 0
        is "$(samples instance_up)" "1 1 0"
        cp "$TREE/main.cf" "$DEFAULT-0002/main.cf"
        # in the default main.cf, whose error ends the program
        cp "$DEFAULT/main.cf" "$TREE/main.cf"
        printf '%s\n' "${text//=/}" >>"$DEFAULT/main.cf"
        check
        is "$status" 3
        [ "${#lines[0]}" -lt 200 ]
        has "$output" "POSTKICK UNKNOWN - postkick: fatal: $DEFAULT/main.cf, line "
        is "$(tr -cd '|' <<<"$output")" ""
        metrics -
        is "$status" 1
        has "$stderr" "postkick-metrics: fatal: postkick: fatal: $DEFAULT/main.cf, line "
        cp "$TREE/main.cf" "$DEFAULT/main.cf"
    done
    # before the reason itself
    text=$(instead '[ "$1" = --version ] && exec "$REAL" "$@"
        printf "%s\n" "postkick: warning: /x: postkick: fatal: no" "postkick: fatal: the reason" >&2; exit 1')
    POSTKICK=$text check
    is "$output" "POSTKICK UNKNOWN - postkick: fatal: the reason"
    POSTKICK=$text metrics -
    is "$stderr" "postkick-metrics: fatal: postkick: fatal: the reason"
}

@test "a directory of any name is in its lines, without what could mislead" {
    hostile_tree
    rm "$SPOOL-0001/public/qmgr"
    check
    is "$status" 2
    is "$stderr" ""
    is "${#lines[@]}" 2
    has "${lines[0]}" "critical: $TREE/etc/a?b'c=d\"e\\f?g?h?i"$'\357\277\275'"j;k\`l\`%{m}??€"
    is "$(tr -cd '|' <<<"$output")" "|"
}

@test "a directory that is listed twice is one instance, with one sample of each metric" {
    make_host
    sed -i "s:^multi_instance_directories.*:& $DEFAULT-0001 $DEFAULT-0001:" "$DEFAULT/main.cf"
    check
    is "$status" 0
    has "$output" "POSTKICK OK - 3 of 3 instances ok"
    sed -i "s:^multi_instance_directories.*:& $TREE/etc//postfix-0001/:" "$DEFAULT/main.cf"
    check
    is "$status" 1 # a conflict
    has "$output" "POSTKICK WARNING - 2 of 3 instances ok; warning: $DEFAULT-0001"
    metrics -
    is "$status" 0
    is "$(samples instance_enabled)" "1 1 1 0"
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
    own=$(postfix_own)
    POSTKICK=$own metrics "$directory"
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: $own is another program, such as Postfix's own: install postkick, or set POSTKICK to where it is"
    is "$(grep '^postkick_[cis]' "$directory/postkick.prom")" "postkick_collector_success 0"
    POSTKICK=$TREE/nosuch metrics "$directory"
    is "$stderr" "postkick-metrics: fatal: $TREE/nosuch is not installed: install postkick, or set POSTKICK to where it is"
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

@test "each error in the command line or the host is one clear line" {
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
-w, -c: not a range: 1s|-w 1s
-w, -c: not a range: :|-c :
-w, -c: more than two ranges|-w 1,2
--deferred: not a range: 5:2|--deferred 5:2,
--free: not a range: @|--free ,@
--oldest: not a range: 1:2:3|--oldest 1:2:3,
invalid option -- 'x'|-x
option requires an argument -- 'g'|-g
unrecognized option '--nosuch'|--nosuch
unexpected argument: x|x
$TREE/nosuch|-f $TREE/nosuch
$TREE/ini|-f $TREE/ini
no instance is in group nosuch|-f $INI -g nosuch
END
    POSTKICK=$TREE/nosuch check
    has "$output" "nosuch is not installed: install postkick, or set POSTKICK"
    POSTKICK=$(postfix_own) check
    has "$output" "is another program, such as Postfix's own: install postkick, or set POSTKICK"
    PATH=$(mkdir "$TREE/bin" && ln -s "$(command -v bash)" "$(command -v getopt)" "$(command -v sed)" \
        "$(command -v dirname)" "$(command -v head)" "$TREE/bin" && echo "$TREE/bin") \
        run bash -c "sed 's/^PATH=.*//' $ROOT/scripts/check_postkick | bash -s"
    is "$output" "POSTKICK UNKNOWN - jq is not installed: install the package jq"
    metrics "$TREE/nosuch"
    is "$status" 1
    is "$stderr" "postkick-metrics: fatal: $TREE/nosuch: no such directory: install node_exporter \
(Debian: prometheus-node-exporter), or name its --collector.textfile.directory"
    metrics -x
    is "$status" 1
    has "$stderr" "postkick-metrics: fatal: invalid option -- 'x'"
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
