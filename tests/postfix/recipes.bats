#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The recipe for the network, with real mail in real instances: two that are enabled, and "off", that
# is not.

load on_scratch

make_instances()
{
    real_instance postfix
    real_instance postfix-a
    real_instance postfix-off "multi_instance_enable = no"
    real_start postfix postfix-a postfix-off
}

setup()
{
    real_need
    export POSTKICK
    no_mail postfix postfix-a postfix-off
}

@test "the network hook flushes every enabled instance, and never fails" {
    local hook="$ROOT/scripts/postkick-network-up"
    defer postfix
    defer postfix-a
    defer postfix-off
    export POSTKICK_SETTINGS=$INI
    touch "$REAL/postfix.works" "$REAL/postfix-a.works" "$REAL/postfix-off.works"
    # not for these
    run env IFACE=lo MODE=start PHASE=post-up "$hook"
    is "$status$output" 0
    run env IFACE=eth0 MODE=stop "$hook"
    is "$status$output" 0
    run env -u IFACE "$hook" eth0 pre-up
    is "$status$output" 0
    sleep 1
    queued_are postfix 1
    # ifupdown
    run env IFACE=eth0 MODE=start PHASE=post-up MAIL_CONFIG="$REAL/etc/postfix-off" "$hook"
    is "$status$output" 0
    patiently delivered postfix 1
    patiently delivered postfix-a 1
    queued_are postfix-off 1
    # NetworkManager
    rm "$REAL/postfix-a.works"
    defer postfix-a
    touch "$REAL/postfix-a.works"
    run env -u IFACE -u MODE "$hook" eth0 up
    is "$status$output" 0
    patiently delivered postfix-a 2
    rm "$REAL/postfix-a.works"
    defer postfix-a
    touch "$REAL/postfix-a.works"
    run env -u IFACE -u MODE CONNECTIVITY_STATE=NONE "$hook" eth0 connectivity-change
    sleep 0.5
    queued_are postfix-a 1
    run env -u IFACE -u MODE CONNECTIVITY_STATE=FULL "$hook" eth0 connectivity-change
    is "$status$output" 0
    patiently delivered postfix-a 3
    # where nothing works, that is logged
    run env POSTKICK_SETTINGS=/nonexistent IFACE=eth0 "$hook"
    is "$status" 0
    has "$output" "postkick: fatal: open /nonexistent"
    run env POSTKICK=/usr/sbin/postkick IFACE=eth0 "$hook"
    is "$status" 0
    has "$output" "/usr/sbin/postkick is missing, or is not the postkick that flushes all instances"
}
