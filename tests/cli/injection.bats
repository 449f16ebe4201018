#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bats file_tags=injection
# Every allocation and every system call fails once: tests/lib/inject-every has the rules.
load cli

setup()
{
    make_tree -n 5 -d 3
    behave fifo "$TREE/spool/postfix-0001/public/qmgr"
    behave greet "$TREE/spool/postfix-0002/public/qmgr"
    start_listener
    hold_locks "$TREE"/spool/*
    cat >>"$INI" <<'END'
[service tester]
class = public
requests = *
[action own]
kick = public tester x
END
    # The allocations that fail in a sanitizer's run are a sample.
    STEP=1
    if is_sanitized; then STEP=7; fi
}

# inject [-s N] ARGUMENT...: all failures of one command line; of allocations, only every Nth.
inject()
{
    local step=$STEP
    [ "$1" != -s ] || { step=$((STEP * $2)) && shift 2; }
    run "$ROOT/tests/lib/inject-every" --library "$TOOLS/inject.so" --log "$LOG" --step $step -- \
        "$POSTKICK" -f "$INI" "$@"
    echo "# ${lines[-1]}" >&3
    [ "$status" = 0 ] || {
        echo "$output" >&2
        return 1
    }
}

@test "no failing call makes a kick crash, lie, lose a setting or leak" {
    inject -q -t 2 -j public qmgr 'W{run}'
}

@test "the same when one service closes without reading and one main.cf is invalid" {
    stop_listener
    rm "$TREE"/spool/*/public/*
    behave closeunread "$TREE/spool/postfix-0002/public/qmgr"
    start_listener
    echo 'trigger_timeout = never' >>"$TREE/etc/postfix-0004/main.cf"
    inject -t 2 -j -w public qmgr 'W{run}'
}

@test "no failing call makes a dry run lie" {
    inject -n -j public qmgr 'W{run}'
}

@test "no failing call makes a list lie, nor a question to postconf go wrong" {
    own_programs
    program postconf 'echo "multi_instance_group = asked"'
    # shellcheck disable=SC2016 # for main.cf
    set_main_cf "$DEFAULT-0004" 'multi_instance_group = $mydomain'
    inject -s 3 -l -j
}

@test "no failing call makes the status lie" {
    inject -s 3 -s -j -i - -i 0002 -i 0004
}

@test "no failing call makes the queues lie" {
    for each in "$TREE"/spool/*; do mkdir "$each"/{incoming,active,deferred,hold,maildrop,corrupt}; done
    inject -s 3 -Q -j -E
}

# queue_programs: a postqueue with three messages in each instance, and a postsuper that finds all.
queue_programs()
{
    own_programs
    for id in 4F2A1B3C5D 5F2A1B3C5D 6F2A1B3C5D; do
        echo '{"queue_name": "active", "queue_id": "'$id'", "arrival_time": 1, "message_size": 2,' \
            '"sender": "s", "recipients": []}'
    done >"$TREE/messages"
    program postqueue "cat $TREE/messages"
    program postsuper 'echo "postsuper: Force-expired: $(wc -l) messages" >&2'
}

@test "no failing call makes a count of messages lie" {
    queue_programs
    inject -s 5 -M -j -E --by instance count
}

@test "no failing call makes an act on messages lie" {
    queue_programs
    inject -s 5 -M -j -E -t 20 expire ALL
}

@test "no failing call makes a command run in every instance go wrong" {
    # shellcheck disable=SC2016 # for main.cf and sh, not for this shell
    inject -s 5 -x -j -P 2 -t 20 -- sh -c 'echo "$multi_instance_name"'
}

@test "a limit of memory ends the program with an error message, never by a crash" {
    if is_sanitized; then skip "a sanitizer needs more memory"; fi
    cat "$ROOT/conf/postkick.ini" >>"$INI"
    sed -i '0,/^config_directory/!{/^[a-z]*_directory .*=/d}' "$INI"
    run python3 -c '
import collections, resource, subprocess, sys
ends = collections.Counter()
for limit in range(3000, 8000, 12):
    run = subprocess.run(sys.argv[1:], capture_output=True, text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit << 10,) * 2))
    if run.returncode == 127:
        continue  # the libraries did not fit
    ended = "well" if run.returncode == 0 else run.stderr.split(": ")[-1]
    ends[run.returncode, ended.strip()] += 1
print(*sorted(end for end in ends if end not in (
    (0, "well"), (1, "out of memory"), (1, "Cannot allocate memory"), (1, "Resource temporarily unavailable"))))
assert ends[0, "well"] > 100' env -u MAIL_CONFIG "$POSTKICK" -f "$INI" public qmgr W
    is "$output" ""
    is "$status" 0
}
