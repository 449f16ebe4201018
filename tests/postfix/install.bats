#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# "make install" and "make uninstall" on a host of its own, in a mount namespace, with what Postfix
# there says.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2016 # for main.cf
load ../lib/common
load real

setup_file()
{
    host_can || return 0
    host_open
    [ -z "${HOST:-}" ] || host_instances postfix-a:some
}

teardown_file()
{
    host_close
}

setup()
{
    host_need
    PREFIX=$HOST/usr
}

# make_there ARGUMENT...: in the namespace, whose /etc is its own; the program is built already.
make_there()
{
    run host make -s -C "$ROOT" PREFIX="$PREFIX" "$@"
}

# wrapped VALUE: multi_instance_wrapper is that.
wrapped()
{
    host postconf -e "multi_instance_wrapper = $1"
}

@test "make uninstall leaves the settings, and nothing else" {
    make_there install
    is "$status" 0
    host test -x "$PREFIX/sbin/postkick"
    host "$PREFIX/sbin/postkick" -l >"$BATS_TEST_TMPDIR/list"
    make_there uninstall
    is "$status" 0
    is "$(host find "$PREFIX" ! -type d)" ""
    host test -s /etc/postkick.ini
}

@test "make uninstall is refused while postfix(1) runs its commands through the program" {
    local line
    make_there install
    for line in "$PREFIX/sbin/postkick -p --" "\${command_directory}/../..$PREFIX/sbin/postkick -p --" \
        "$HOST/link -p --"; do
        host ln -sf "$PREFIX/sbin/postkick" "$HOST/link"
        wrapped "$line"
        host postfix check
        make_there uninstall
        [ "$status" != 0 ]
        has "$output" "postkick: not removed: main.cf has multi_instance_wrapper = "
        host postfix check
        is "$(host ls "$PREFIX/sbin")" "$(printf '%s\n' postkick postkick-metrics postkick-requeue)"
    done
    # what it says to type
    line=$(sed -n 's/^    \(postconf -e .*\)/\1/p' <<<"$output")
    make_there uninstall FORCE=1
    is "$status" 0
    run ! host postfix check
    make_there install
    host bash -c "$line"
    make_there uninstall
    is "$status" 0
    host postfix check
    # somebody else's, and a staging directory's
    wrapped '${command_directory}/postkick -p --'
    make_there uninstall
    is "$status" 0
    wrapped "$PREFIX/sbin/postkick -p --"
    make_there uninstall DESTDIR="$HOST/stage"
    is "$status" 0
}
