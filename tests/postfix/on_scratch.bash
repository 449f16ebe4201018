# SPDX-License-Identifier: MIT
# Tests with real instances in a scratch directory, INSTANCES: load it with "load on_scratch" after that.
# A file of tests may define configure, which is called before they are started; a setup of its own calls
# real_need. Mail is deferred until $REAL/NAME.works exists, and nothing is retried by itself.

load ../lib/common
load real

setup_file()
{
    real_can || return 0
    real_open "${INSTANCES[@]}"
    configure
    real_start "${INSTANCES[@]}"
}

configure()
{
    :
}

teardown_file()
{
    real_close
}

setup()
{
    real_need
}

# queued NAME [QUEUE]: the queue IDs of what is deferred there, or in that queue.
queued()
{
    (cd "$REAL/spool/$1/${2:-deferred}" && find . -type f -printf '%f\n' | LC_ALL=C sort)
}

# holds NAME QUEUE COUNT: so many complete messages are there.
holds()
{
    [ "$(find "$REAL/spool/$1/$2" -type f -perm -700 | wc -l)" = "$3" ]
}

# defer NAME [N]: that many messages are sent and deferred there.
defer()
{
    local i
    for ((i = 0; i < ${2:-1}; i++)); do real_send "$1"; done
    "$POSTKICK" -f "$INI" -c "$REAL/etc/$1" pickup
    patiently holds "$1" deferred "${2:-1}"
}

# delivered NAME N: so many messages, each under a new queue id.
delivered()
{
    [ "$(grep -c 'pipe.*status=sent' "$REAL/$1.log")" = "$2" ]
}

# no_mail NAME...: deletes all mail there, has new mail deferred, and clears the log.
no_mail()
{
    local name
    for name; do
        postsuper -c "$REAL/etc/$name" -d ALL 2>/dev/null
        rm -f "$REAL/$name.works"
    done
    real_clear "$@"
}
