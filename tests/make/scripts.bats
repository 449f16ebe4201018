#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The scripts that build and test: what they do without apt-get, and what they choose.

load ../lib/common

setup()
{
    cd "$ROOT" || return 1
}

# without COMMAND...: a PATH that has all commands but these.
without()
{
    local command
    mkdir "$BATS_TEST_TMPDIR/bin"
    ln -sf /sbin/* /bin/* /usr/sbin/* /usr/bin/* "$BATS_TEST_TMPDIR/bin"
    for command; do rm "$BATS_TEST_TMPDIR/bin/$command"; done
    echo "$BATS_TEST_TMPDIR/bin"
}

@test "deps: without apt-get, what the compiler finds is there" {
    PATH=$(without apt-get) run scripts/deps build
    is "$status$output" 0
}

@test "deps: without apt-get, what is missing is listed by its use" {
    local path
    path=$(without apt-get valgrind make)
    PATH=$path run scripts/deps test
    is "$status" 1
    is "$output" "missing, for build: building (in Debian: make)
missing, for test: memory errors and leaks (in Debian: valgrind)
deps: there is no apt-get here: install those for build"
    # what only tests need does not stop a build; packages of Debian are not built there
    ln -s /usr/bin/make "$path"
    rm "$path/dh"
    PATH=$path run scripts/deps test
    is "$status" 0
    is "$output" "missing, for test: memory errors and leaks (in Debian: valgrind)"
    # headers
    printf '#!/bin/sh\n! grep -q jansson || exit 1\n' >"$path/some-cc"
    chmod 755 "$path/some-cc"
    PATH=$path CC=some-cc run scripts/deps build
    is "$status" 1
    is "${lines[0]}" "missing, for build: writing JSON (jansson.h) (in Debian: libjansson-dev)"
}

@test "busybox: make install, and what it installs" {
    local busybox=$BATS_TEST_TMPDIR/busybox stage=$BATS_TEST_TMPDIR/stage each
    busybox mv --help 2>&1 | grep -q -- -T || skip "needs busybox with mv -T"
    make_tree -n 2
    # Debian's has no install.
    mkdir "$busybox"
    for each in $(busybox --list); do ln -s "$(command -v busybox)" "$busybox/$each"; done
    for each in bash make jq install; do ln -sf "$(command -v $each)" "$busybox"; done
    printf '#!/bin/sh\nfor name; do echo "$name = 11s"; done | tail -n +2\n' >"$busybox/postconf"
    chmod 755 "$busybox/postconf"
    PATH=$busybox make -s B="$(realpath --relative-to=. "${POSTKICK%/*}")" install DESTDIR="$stage" \
        SBINDIR=/sbin PLUGINS=/sbin EXAMPLES=/sbin SHARE="$stage/share"
    ln -s "$stage/$stage/share" "$stage/share"
    sed -i "s|=/etc/|=$stage/etc/|" "$stage/sbin/postkick-settings"
    export PATH=$busybox POSTKICK
    printf '[ Postfix ]\ntrigger_timeout = 3\n' >>"$stage/etc/postkick.ini"
    run bash "$stage/sbin/postkick-settings" --write
    is "$status" 0
    is "$output" "postkick-settings: [postfix] in $stage/etc/postkick.ini overrides trigger_timeout"
    grep -q '^trigger_timeout = "11s"' "$stage/etc/postkick-postfix.ini"
    sed -i 's/11s/12s/' "$stage/etc/postkick-postfix.ini"
    run bash "$stage/sbin/postkick-settings"
    is "$status" 1
    has "$output" '+trigger_timeout = "11s"'
    run bash "$stage/sbin/check_postkick" -f "$INI"
    has "$output" "POSTKICK CRITICAL - 0 of 2 instances ok; "
    run bash "$stage/sbin/postkick-metrics" -f "$INI" "$stage"
    is "$status$output" 0
    grep -q '^postkick_collector_success 1' "$stage/postkick.prom"
    POSTKICK_SETTINGS=$INI run sh "$stage/sbin/postkick-network-up" eth0 up
    is "$status" 0
    has "$output" "public/qmgr: "
    sh "$stage/share/uninstall-guard" "$stage/sbin/postkick"
}

@test "check: says when nothing matches" {
    run scripts/check nosuch
    is "$status" 1
    has "$output" 'no step and no test file matches "nosuch"; steps: build '
}

@test "make test: its files are there" {
    run make -n test
    has "$output" "bats "
    # shellcheck disable=SC2046 # one word each
    ls $(grep -o 'tests/cli/[a-z]*\.bats' <<<"$output")
}

@test "the demonstration runs without apt-get" {
    PATH=$(without apt-get) B=$(realpath --relative-to=. "${POSTKICK%/*}") run scripts/demo
    is "$status" 0
    has "$output" "What the services received:"
}
