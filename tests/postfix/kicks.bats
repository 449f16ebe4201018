#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Kicks of real Postfix instances in a scratch directory, beside Postfix's own postkick.

ENABLED=(postfix postfix-in postfix-out)
INSTANCES=("${ENABLED[@]}" postfix-off)
load on_scratch

setup()
{
    real_need
    real_clear "${INSTANCES[@]}"
}

# ended_well TIMES COMMAND...: how many of that many runs.
ended_well()
{
    local i good=0
    for ((i = 0; i < $1; i++)); do
        if "${@:2}" >/dev/null 2>&1; then good=$((good + 1)); fi
    done
    echo "$good"
}

requested_times()
{
    [ "$(requests "$REAL/$1.log" | grep -o "$2" | wc -l)" = "$3" ]
}

@test "1,000 kicks of an idle qmgr, and 100 flushes of all at once: all end well and were read" {
    local etc=$REAL/etc/postfix-in name ours
    ours=$(ended_well 1000 "$POSTKICK" -f "$INI" -c "$etc" public qmgr I)
    echo "# result: public qmgr I: $ours of 1000 kicks ended well," \
        "$(ended_well 100 postkick -c "$etc" public qmgr I) of 100 by Postfix's own postkick" >&3
    is "$ours" 1000
    # Postfix's own too, whatever their exit status
    patiently requested_times postfix-in I 1100
    real_clear postfix-in
    is "$(ended_well 100 "$POSTKICK" -f "$INI" flush)" 100
    for name in "${ENABLED[@]}"; do patiently requested_times "$name" "FADI " 100; done
    is "$(requests "$REAL/postfix-off.log")" ""
}

@test "flush sends what postqueue -f sends" {
    # Postfix's own sends the NUL in a second write, for which the service may not wait.
    flushed() { real_log postfix "request: 0 (" && real_log postfix "pickup.*trigger arrived"; }
    local theirs attempt
    for ((attempt = 0; attempt < 60; attempt++)); do
        real_clear postfix
        postqueue -c "$REAL/etc/postfix" -f || true
        sleep 0.3
        if flushed; then break; fi
    done
    flushed
    theirs=$(requests "$REAL/postfix.log")
    real_clear postfix
    kick -w flush
    is "$status" 0
    patiently real_log postfix "pickup.*trigger arrived"
    patiently requested "$REAL/postfix.log" "$theirs"
    [ -n "$theirs" ]
}

@test "flush delivers a deferred message in every enabled instance, deferred only what is due" {
    local name
    for name in "${INSTANCES[@]}"; do
        defer "$name"
        : >"$REAL/$name.works"
    done
    real_clear "${INSTANCES[@]}"
    # the retry time is hours away
    kick deferred
    is "$status$output$stderr" 0
    for name in "${ENABLED[@]}"; do
        patiently real_log "$name" "done deferred queue scan"
        holds "$name" deferred 1
    done
    kick flush
    is "$status$output$stderr" 0
    for name in "${ENABLED[@]}"; do patiently delivered "$name" 1; done
    # a request that is sure to come after, had there been one before
    kick -c "$REAL/etc/postfix-off" public qmgr D
    is "$status" 0
    patiently requested "$REAL/postfix-off.log" "D "
    holds postfix-off deferred 1
    kick -a flush
    is "$status" 0
    patiently delivered postfix-off 1
}

@test "who is in group postdrop may kick" {
    real_kick_as - -i in public qmgr I
    is "$status" 1
    has "$stderr" "/public belongs to postfix:postdrop, mode 0710"
    real_clear postfix-in
    real_kick_as postdrop -i in public qmgr I
    is "$status$stderr" 0
    patiently requested "$REAL/postfix-in.log" "I "
    # Anybody may see what runs.
    real_kick_as - -l -j -i in
    is "$(rows running)" y
}

@test "MAIL_CONFIG means one instance, even the default one, as postmulti(1) -x exports it" {
    run --separate-stderr env MAIL_CONFIG="$REAL/etc/postfix" "$POSTKICK" -f "$INI" -v public qmgr I
    is "$status" 0
    is "${stderr% after*}" 'postkick: public/qmgr: request "I" read'
}
