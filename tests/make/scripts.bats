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

@test "the network hook flushes all instances when a network is up, and never fails" {
    local ran environment arguments program=$BATS_TEST_TMPDIR/program
    printf '#!/bin/sh\n[ "$1" != --version ] || exec echo "postkick 1"\necho "${MAIL_CONFIG-all} $*" >>"$0.ran"\n' >"$program"
    chmod 755 "$program"
    while IFS='|' read -r ran environment arguments; do
        : >"$program.ran"
        # shellcheck disable=SC2086 # words
        run env -u IFACE -u MODE POSTKICK="$program" $environment scripts/postkick-network-up $arguments
        is "$environment $arguments: $status$output$(<"$program.ran")" "$environment $arguments: 0$ran"
    done <<END
|IFACE=lo MODE=start PHASE=post-up|
|IFACE=eth0 MODE=stop|
||eth0 pre-up
|CONNECTIVITY_STATE=NONE|eth0 connectivity-change
all -t 30 flush|IFACE=eth0 MODE=start PHASE=post-up MAIL_CONFIG=/etc/postfix-off|
all -t 30 flush|POSTKICK_SETTINGS=|eth0 up
all -t 5 -f /x flush|POSTKICK_SETTINGS=/x POSTKICK_TIMEOUT=5|eth0 vpn-up
all -t 30 flush|CONNECTIVITY_STATE=FULL|eth0 connectivity-change
/nosuch is missing, or is not the postkick that flushes all instances|POSTKICK=/nosuch IFACE=eth0|
END
}

@test "uninstall-guard: sees the program behind others, and in a main.cf that is damaged" {
    local program=$BATS_TEST_TMPDIR/sbin/postkick line
    mkdir "$BATS_TEST_TMPDIR/sbin" "$BATS_TEST_TMPDIR/bin"
    cat >"$BATS_TEST_TMPDIR/bin/postconf" <<END
#!/bin/sh
[ "\$*" != "-d -h config_directory" ] || exec echo "$BATS_TEST_TMPDIR"
grep -q '^damaged' "$BATS_TEST_TMPDIR/main.cf" && exit 1
sed -n 's/^multi_instance_wrapper = *//p' "$BATS_TEST_TMPDIR/main.cf"
END
    printf '#!/bin/sh\n' | tee "$program" >"$BATS_TEST_TMPDIR/sbin/other"
    chmod 755 "$BATS_TEST_TMPDIR"/*/*
    ln -s "$program" "$BATS_TEST_TMPDIR/bin/linked"
    export PATH=$BATS_TEST_TMPDIR/bin:$PATH
    while read -r line; do
        printf 'x = multi_instance_wrapper\nmulti_instance_wrapper = %s\n' "$line" >"$BATS_TEST_TMPDIR/main.cf"
        run scripts/uninstall-guard "$program"
        is "$line: $status" "$line: 1"
        has "$output" "postkick: not removed: main.cf has multi_instance_wrapper = "
        FORCE=1 run scripts/uninstall-guard "$program"
        is "$line: $status$output" "$line: 0"
        echo "damaged" >>"$BATS_TEST_TMPDIR/main.cf"
        run scripts/uninstall-guard "$program"
        is "damaged, $line: $status" "damaged, $line: 1"
    done <<END
$program -p --
env -i TZ=UTC $program -p --
ionice -c 3 nice -n 5 linked -p --
END
    printf 'multi_instance_wrapper = ${command_directory}/postkick -p --\ndamaged\n' >"$BATS_TEST_TMPDIR/main.cf"
    run scripts/uninstall-guard "$program"
    is "$status" 1
    for line in '' "# $program" "multi_instance_wrapper = $BATS_TEST_TMPDIR/sbin/other -p --" \
        "multi_instance_wrapper =" "multi_instance_wrapper = * nosuch"; do
        echo "$line" >"$BATS_TEST_TMPDIR/main.cf"
        run scripts/uninstall-guard "$program"
        is "$line: $status$output" "$line: 0"
        echo damaged >>"$BATS_TEST_TMPDIR/main.cf"
        run scripts/uninstall-guard "$program"
        is "$line: $status" "$line: 0"
    done
}

# In an empty root, whose Postfix is two files.
@test "package: a diversion of somebody else stops the installation, and leaves everything as it was" {
    local own=/usr/sbin/postkick manual=/usr/share/man/man1/postkick.1.gz each before
    command -v dpkg-divert >/dev/null || skip "needs dpkg"
    export DPKG_ROOT=$BATS_TEST_TMPDIR/root
    mkdir -p "$DPKG_ROOT"/{var/lib/dpkg,usr/sbin,usr/share/man/man1}
    touch "$DPKG_ROOT/var/lib/dpkg/status" "$DPKG_ROOT"{$own,$manual}
    printf '%s\n' /there /there.theirs : >"$DPKG_ROOT/var/lib/dpkg/diversions"
    [ "$(dpkg-divert --list)" = "local diversion of /there to /there.theirs" ] || skip "needs a dpkg that knows DPKG_ROOT"
    for each in preinst postrm; do
        sed -e '/DEBHELPER/d' -e 's/#NAME#/postkick/' "scripts/debian/$each" >"$BATS_TEST_TMPDIR/$each"
    done
    for each in $own $manual; do
        for who in --local "--package other"; do
            # shellcheck disable=SC2086 # words
            dpkg-divert $who --rename --divert "$each.theirs" --add "$each"
            before=$(dpkg-divert --list; find "$DPKG_ROOT/usr" | sort)
            run sh "$BATS_TEST_TMPDIR/preinst" install
            is "$status" 1
            has "$output" "postkick: not installed: there is a "
            has "$output" "To remove the other
diversion, type: dpkg-divert $who --rename --remove $each"
            sh "$BATS_TEST_TMPDIR/postrm" abort-install
            is "$(dpkg-divert --list; find "$DPKG_ROOT/usr" | sort)" "$before"
            # shellcheck disable=SC2086 # words
            dpkg-divert $who --rename --remove "$each"
        done
    done
    sh "$BATS_TEST_TMPDIR/preinst" install
    is "$(dpkg-divert --listpackage $own)" postkick
    sh "$BATS_TEST_TMPDIR/postrm" remove
    is "$(dpkg-divert --list | wc -l)" 1
    is "$(cd "$DPKG_ROOT" && find usr -type f | sort)" "$(printf '%s\n' "${own#/}" "${manual#/}")"
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
