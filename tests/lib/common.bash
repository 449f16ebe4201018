# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034 # the variables are for the tests
# Shared by all bats files: load it with "load ../lib/common". What a test may change from outside:
#   POSTKICK   the program under test (default: build/postkick)
#   TOOLS      where the test programs are (default: build/lib)

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
POSTKICK=${POSTKICK:-$ROOT/build/postkick}
TOOLS=${TOOLS:-$ROOT/build/lib}

if declare -F bats_require_minimum_version >/dev/null; then
    bats_require_minimum_version 1.5.0
elif declare -F bats_test_begin >/dev/null; then
    # shellcheck source=tests/lib/old_bats.bash
    source "$ROOT/tests/lib/old_bats.bash"
fi

# make_tree [OPTION...]: an instance tree in $TREE, with $INI, $SPEC (for the listener) and $LOG.
make_tree()
{
    TREE=${TREE:-$BATS_TEST_TMPDIR/tree}
    "$ROOT/tests/lib/make-instances" "$@" "$TREE"
    INI=$TREE/postkick.ini
    # What this machine's Postfix was built with, in the generated file, is not to matter.
    grep -v -e '_directory ' -e '^[;[]' "$ROOT/conf/postfix.ini" >>"$INI"
    SPEC=$TREE/listener.spec
    LOG=$TREE/log
    DEFAULT=$TREE/etc/postfix
    SPOOL=$TREE/spool/postfix
}

# behave BEHAVIOUR PATH [N]: what the listener does at the endpoint, instead of what it did so far.
behave()
{
    grep -v -F " $2" "$SPEC" | grep . >"$SPEC.new" || true
    printf '%s\n' "$*" >>"$SPEC.new"
    mv "$SPEC.new" "$SPEC"
}

# start_listener: serves $SPEC and logs to $LOG, until stop_listener or the end of the test.
start_listener()
{
    : >"$LOG"
    exec 4< <(exec "$TOOLS/listener" -l "$LOG" "$SPEC" 2>"$LOG.errors" 3>&-)
    LISTENER=$!
    read -r _ <&4 || { cat "$LOG.errors" >&2; return 1; }
    exec 4<&-
}

# end VARIABLE: the process whose number it holds, if any.
end()
{
    if [ -n "${!1-}" ]; then
        kill "${!1}" 2>/dev/null || true
        while kill -0 "${!1}" 2>/dev/null; do sleep 0.02; done
        unset "$1"
    fi
}

stop_listener()
{
    end LISTENER
}

# hold_locks QUEUE_DIRECTORY...: as if a master ran there, until release_locks or the test's end.
hold_locks()
{
    exec 5< <(exec python3 -c '
import ctypes, fcntl, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
held = [open(queue + "/pid/master.pid", "w") for queue in sys.argv[1:]]
for file in held:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("%32d" % os.getpid(), file=file, flush=True)
print("ready", flush=True)
signal.pause()' "$@" 3>&-)
    LOCKER=$!
    read -r _ <&5
    exec 5<&-
}

release_locks()
{
    end LOCKER
}

# kick ARGUMENT...: the program with the tree's settings, as bats' run does it, streams apart.
kick()
{
    run --separate-stderr env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "$@"
}

# on_terminal [OPTION...] -- ARGUMENT...: as kick, on a terminal of its own, by lib/on-terminal, which
# has the options.
on_terminal()
{
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    run --separate-stderr "$ROOT/tests/lib/on-terminal" "${options[@]}" \
        env -u MAIL_CONFIG -u MAIL_VERBOSE "$POSTKICK" -f "$INI" "${@:2}"
}

# received PATH BYTES: the listener got exactly these bytes there, as many times as given (once).
received()
{
    local count
    count=$(grep -c -x -F "$1"$'\t'"$2" "$LOG" || true)
    [ "$count" = "${3:-1}" ] || {
        echo "expected $1 to receive $2 ${3:-1} times; the log has:" >&2
        cat "$LOG" >&2
        return 1
    }
}

is_sanitized()
{
    nm -D "$POSTKICK" | grep -q __asan_init
}

# rows KEY...: those members of each JSON object in $output, with | between, and without $TREE.
# shellcheck disable=SC2154 # bats sets output
rows()
{
    python3 -c '
import json, sys
tree = sys.argv[1]
for line in sys.stdin:
    row = json.loads(line)
    print("|".join(str(row[key]).replace(tree, "") for key in sys.argv[2:]))
' "${TREE:-}" "$@" <<<"$output"
}

# stopped: what is known of an instance that does not run: n, or - in a process namespace, where
# /proc/locks does not show all.
stopped()
{
    if [ "$(stat -L -c %i /proc/self/ns/pid)" = $((0xEFFFFFFC)) ]; then echo n; else echo -; fi
}

# stopped_reason: why it cannot be kicked.
stopped_reason()
{
    if [ "$(stopped)" = n ]; then
        echo "not running"
    else
        echo "no process is listening on the socket, and the process of pid/master.pid is gone: start the instance"
    fi
}

# is TEXT EXPECTED: a comparison that shows both.
is()
{
    [ "$1" = "$2" ] || {
        printf 'expected: %s\n     got: %s\n' "$2" "$1" >&2
        return 1
    }
}

# has TEXT PART: TEXT contains PART.
has()
{
    case "$1" in
    *"$2"*) ;;
    *)
        printf 'expected to contain: %s\n                got: %s\n' "$2" "$1" >&2
        return 1
        ;;
    esac
}
