#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The life of the Debian package on a Debian of its own, with real Postfix instances: built,
# installed, used, upgraded, refused to go, removed, purged. $BASE names the tar file of that Debian,
# $BARE that of one without Postfix and what builds packages (make check-package makes both). Each
# test goes on where the one before it ended.

# shellcheck disable=SC2016 # for the shell there, dpkg and main.cf
load ../lib/common
load ../postfix/real

setup_file()
{
    [ "$(id -u)" = 0 ] && [ -r "${BASE:-}" ] || return 0
    export ROOT_DIR=$BATS_FILE_TMPDIR/root
    mkdir "$ROOT_DIR"
    tar -x -C "$ROOT_DIR" -f "$BASE"
    mkdir "$ROOT_DIR/srv/postkick"
    tar -c -C "$ROOT" --exclude='./build*' --exclude=./.git . | tar -x -C "$ROOT_DIR/srv/postkick"
    cp /etc/hosts "$ROOT_DIR/etc/hosts"
    printf '#!/bin/sh\nexit 101\n' >"$ROOT_DIR/usr/sbin/policy-rc.d"
    chmod 755 "$ROOT_DIR/usr/sbin/policy-rc.d"
    # Its process 1 ends what runs there, and with it the mounts.
    exec {fd}< <(exec setpriv --pdeathsig KILL unshare -m -p -n -u --fork --kill-child \
        --mount-proc="$ROOT_DIR/proc" sh -c "
        ip link set lo up && mount -t devpts -o newinstance,ptmxmode=666 devpts '$ROOT_DIR/dev/pts' &&
        exec chroot '$ROOT_DIR' bash -c 'echo ready; sleep infinity & wait'" 3>&-)
    export HOLDER=$!
    read -r _ <&"$fd"
    exec {fd}<&-
    INIT=$(pgrep -P "$HOLDER")
    export INIT
}

teardown_file()
{
    [ -z "${HOLDER:-}" ] || kill -KILL "$HOLDER" || true # unshare blocks SIGTERM
}

setup()
{
    [ -n "${INIT:-}" ] || skip "needs root, and BASE: make check-package"
}

# there COMMAND...: on that Debian.
there()
{
    nsenter -t "$INIT" -m -p -n -u -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive FORCE="${FORCE:-}" "$@" </dev/null 3>&-
}

# build TO VERSION [COMMAND...]: the package there, in surroundings that COMMAND sets up.
build()
{
    local to=$1 version=$2
    shift 2
    there "$@" sh -c "cd /srv/postkick && sed -i '1s/(.*)/($version)/' scripts/debian/changelog &&
        scripts/build-package $to >$to.log 2>&1" || { there tail -n 30 "$to.log" >&2; return 1; }
}

# sum FILE: of a file there.
sum()
{
    there sha256sum "$1" | cut -d ' ' -f 1
}

# postfix_works WHO: the package system is content with what depends on postfix, Postfix's commands
# work in both instances, and /usr/sbin/postkick is "ours" or "postfix's".
postfix_works()
{
    there apt-get -qq check
    is "$(there dpkg --audit)" ""
    is "$(there dpkg-query -W -f '${db:Status-Abbrev}' needs-postfix)" "ii "
    there postfix status
    there postfix reload
    # Postfix's own dies of SIGPIPE now and then although the request arrives.
    there postmulti -x postkick public qmgr I || [ "$1" != ours ]
    case $1 in
    ours) there postkick --version ;;
    *) run ! there postkick --version ;;
    esac
}

# flushed: both instances confirm a flush.
flushed()
{
    is "$(there postkick -j flush | jq -r '"\(.config_directory) \(.service) \(.status)"')" \
        "/etc/postfix qmgr kicked
/etc/postfix pickup kicked
/etc/postfix-a qmgr kicked
/etc/postfix-a pickup kicked"
}

@test "built again from its source package, at another time and place, it is the same bytes" {
    build /srv/one 1.0.0-1
    there env LC_ALL=C TZ=Pacific/Kiritimati DEB_BUILD_OPTIONS="parallel=2 nocheck" sh -c 'umask 077
        mkdir -p /srv/some/other/place && cd /srv/some/other/place &&
        dpkg-source -x /srv/one/postkick_1.0.0-1.dsc && cd postkick-1.0.0 &&
        find . -type f -exec touch {} + && faketime "+400 days" dpkg-buildpackage -us -uc -b' \
        >"$BATS_TEST_TMPDIR/build.log" 2>&1 || { tail -n 30 "$BATS_TEST_TMPDIR/build.log" >&2; return 1; }
    for deb in postkick postkick-dbgsym; do
        is "$(sum /srv/one/${deb}_1.0.0-1_amd64.deb)" "$(sum /srv/some/other/place/${deb}_1.0.0-1_amd64.deb)"
    done
    # The unit tests are run, unless they are not wanted.
    there grep -q -c 'unit tests and 0 files' /srv/one.log
    run ! grep 'unit tests and' "$BATS_TEST_TMPDIR/build.log"
    build /srv/multi 1.0.0-1 env DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES=pkg.postkick.multi
    # A version that ships other settings.
    there sh -c 'echo "; new" >>/srv/postkick/conf/postkick.ini'
    build /srv/two 1.0.1-1 env DEB_BUILD_OPTIONS=nocheck
}

@test "lintian has nothing to say" {
    is "$(there lintian --allow-root --fail-on none /srv/one/postkick_1.0.0-1_amd64.changes 2>&1)" ""
}

@test "two instances, and a package that depends on postfix" {
    there sh -c 'mkdir -p /srv/needs/DEBIAN && cat >/srv/needs/DEBIAN/control <<END
Package: needs-postfix
Version: 1
Architecture: all
Maintainer: The postkick authors <postkick@postkick.invalid>
Depends: postfix
Description: depends on postfix
END
        dpkg-deb -b /srv/needs /srv/needs.deb && dpkg -i /srv/needs.deb'
    there postconf -e 'master_service_disable = inet' 'maillog_file = /var/log/postfix.log' \
        'inet_interfaces = loopback-only' 'inet_protocols = ipv4' 'alias_maps =' 'myhostname = a.example'
    there postmulti -e init
    there sh -c 'touch -d "1 hour ago" /etc/postfix/*.cf'
    there postmulti -I postfix-a -e create
    there postconf -c /etc/postfix-a -e 'maillog_file = /var/log/postfix-a.log' 'alias_maps =' \
        'inet_interfaces = loopback-only' 'inet_protocols = ipv4'
    there postmulti -i postfix-a -e enable
    there sh -c 'touch -d "1 hour ago" /etc/postfix*/*.cf'
    there postfix start
    postfix_works "postfix's"
    sum /usr/sbin/postkick >"$BATS_FILE_TMPDIR/own"
}

@test "built with the profile pkg.postkick.multi, it stands beside Postfix's own" {
    there apt-get -q -y install /srv/multi/postkick_1.0.0-1_amd64.deb
    is "$(there dpkg-divert --list '*postkick*')" ""
    is "$(sum /usr/sbin/postkick)" "$(cat "$BATS_FILE_TMPDIR/own")"
    there postkick-multi flush
    has "$(there /usr/lib/nagios/plugins/check_postkick)" "POSTKICK OK"
    there apt-get -q -y purge postkick
    postfix_works "postfix's"
}

@test "where the administrator has diverted Postfix's own, it says so and is not installed" {
    there dpkg-divert --local --rename --divert /usr/sbin/postkick.mine --add /usr/sbin/postkick
    run there dpkg -i /srv/one/postkick_1.0.0-1_amd64.deb
    is "$status" 1
    has "$output" "postkick: not installed: there is a local diversion of /usr/sbin/postkick
to /usr/sbin/postkick.mine. "
    is "$(there dpkg --audit)" ""
    is "$(there dpkg-divert --list '*postkick*')" "local diversion of /usr/sbin/postkick to /usr/sbin/postkick.mine"
    # what it says to type
    there sh -c "$(sed -n 's/^diversion, type: //p' <<<"$output")"
    is "$(sum /usr/sbin/postkick)" "$(cat "$BATS_FILE_TMPDIR/own")"
}

# With settings that "make install" left, and those of another version at that.
@test "installed, it asks nothing, and takes the place of Postfix's own, which stays" {
    there make -s -C /srv/postkick install
    there sh -c "printf '[postfix]\ntrigger_timeout = 7s\n' >>/etc/postkick.ini"
    sum /etc/postkick.ini >"$BATS_FILE_TMPDIR/settings"
    there sed -i 's/^trigger_timeout .*/trigger_timeout = "1s"/' /etc/postkick-postfix.ini
    there apt-get -q -y install /srv/one/postkick_1.0.0-1_amd64.deb >"$BATS_TEST_TMPDIR/log" 2>&1
    is "$(sum /etc/postkick.ini)" "$(cat "$BATS_FILE_TMPDIR/settings")"
    has "$(cat "$BATS_TEST_TMPDIR/log")" '+trigger_timeout = "10s"'
    has "$(cat "$BATS_TEST_TMPDIR/log")" "[postfix] in /etc/postkick.ini overrides trigger_timeout"
    there make -s -C /srv/postkick uninstall
    is "$(there postkick-settings 2>&1)" \
        "postkick-settings: [postfix] in /etc/postkick.ini overrides trigger_timeout"
    postfix_works ours
    flushed
    is "$(sum /usr/sbin/postkick.postfix)" "$(cat "$BATS_FILE_TMPDIR/own")"
    is "$(there dpkg --verify postkick)" ""
    there test -e /usr/share/man/man1/postkick.postfix.1.gz
    there /usr/lib/nagios/plugins/check_postkick
    there sh -c 'mkdir -p /var/lib/prometheus/node-exporter && postkick-metrics'
    is "$(there grep -c '^postkick_instance_up{.*} 1' /var/lib/prometheus/node-exporter/postkick.prom)" 2
    # The units are there, known to systemd, without a word about them, and not enabled.
    is "$(there sh -c 'SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no \
        postkick-flush.service postkick-metrics.timer 2>&1' | grep postkick || true)" ""
    is "$(there sh -c 'find /etc/systemd -name "postkick*"')" ""
}

# Its own files again, as a new version would bring them, and its own scripts.
@test "a new version of Postfix's package leaves it in place" {
    local ours
    ours=$(sum /usr/sbin/postkick)
    there sh -c 'cd /srv && mkdir -p again/DEBIAN &&
        dpkg-query -L postfix | while read -r file; do
            [ -d "$file" ] || { mkdir -p "again${file%/*}" &&
                cp -a "$(dpkg-divert --truename "$file")" "again$file"; }
        done &&
        cp /var/lib/dpkg/info/postfix.* again/DEBIAN/ && cd again/DEBIAN &&
        for file in postfix.*; do mv "$file" "${file#postfix.}"; done && rm -f list md5sums &&
        dpkg-query -s postfix | grep -v -e ^Status: -e "^ /etc/" -e ^Conffiles: |
            sed "s/^Version: .*/&+again/" >control &&
        dpkg-deb -b /srv/again /srv/again.deb'
    there sed -i 's/^mail_version .*/mail_version = "3.4"/' /etc/postkick-postfix.ini
    there dpkg -i --force-confold /srv/again.deb
    is "$(there postkick-settings)" ""
    has "$(there dpkg-query -W -f '${Version}' postfix)" +again
    is "$(sum /usr/sbin/postkick)" "$ours"
    is "$(sum /usr/sbin/postkick.postfix)" "$(cat "$BATS_FILE_TMPDIR/own")"
    there postfix start || there postfix status
    postfix_works ours
}

@test "an upgrade asks nothing, keeps changed settings and replaces others" {
    there sh -c "printf '[action everything]\nkick = public qmgr FADI\n' >>/etc/postkick.ini"
    sum /etc/postkick.ini >"$BATS_FILE_TMPDIR/settings"
    there dpkg -i /srv/two/postkick_1.0.1-1_amd64.deb
    is "$(there dpkg-query -W -f '${Version}' postkick)" 1.0.1-1
    is "$(sum /etc/postkick.ini)" "$(cat "$BATS_FILE_TMPDIR/settings")"
    there postkick everything
    # as shipped: the older version does not know that it is older
    there cp /usr/share/postkick/postkick.ini /etc/postkick.ini
    there dpkg -i /srv/one/postkick_1.0.0-1_amd64.deb
    is "$(there tail -n 1 /etc/postkick.ini)" "$(tail -n 1 "$ROOT/conf/postkick.ini")"
    there dpkg -i /srv/two/postkick_1.0.1-1_amd64.deb
    is "$(there tail -n 1 /etc/postkick.ini)" "; new"
    is "$(there stat -c '%a %U' /etc/postkick.ini /etc/postkick-postfix.ini)" $'644 root\n644 root'
    there sh -c "printf '[action everything]\nkick = public qmgr FADI\n' >>/etc/postkick.ini"
    postfix_works ours
    flushed
}

@test "its removal is refused while Postfix's commands go through it" {
    there postconf -e 'multi_instance_wrapper = ${command_directory}/postkick -p --'
    there postfix status
    run there apt-get -q -y remove postkick
    [ "$status" != 0 ]
    has "$output" "postconf -e 'multi_instance_wrapper = \${command_directory}/postmulti -p --'"
    postfix_works ours
    FORCE=1 there apt-get -q -y remove postkick
    run ! there postfix status
    there apt-get -q -y install /srv/two/postkick_1.0.1-1_amd64.deb
    there postfix status
    # The line that it says to type.
    there sh -c "postconf -e 'multi_instance_wrapper = \${command_directory}/postmulti -p --'"
}

@test "removed, Postfix has its own program again, and the settings stay" {
    there apt-get -q -y remove postkick
    postfix_works "postfix's"
    is "$(sum /usr/sbin/postkick)" "$(cat "$BATS_FILE_TMPDIR/own")"
    there test -e /usr/share/man/man1/postkick.1.gz
    there grep -q everything /etc/postkick.ini
}

@test "purged, nothing of it is left" {
    there apt-get -q -y install /srv/one/postkick_1.0.0-1_amd64.deb
    there sh -c 'systemctl enable postkick-flush.service postkick-metrics.timer 2>/dev/null'
    there apt-get -q -y purge postkick
    is "$(there dpkg-divert --list 'postkick*' )" ""
    is "$(there find / -xdev -path /srv -prune -o -path /proc -prune -o -name '*postkick*' -print |
        grep -v -x -e /usr/sbin/postkick -e /usr/share/man/man1/postkick.1.gz \
        -e '/var/lib/prometheus/.*' -e '/var/log/apt.*')" ""
    postfix_works "postfix's"
    is "$(sum /usr/sbin/postkick)" "$(cat "$BATS_FILE_TMPDIR/own")"
}

@test "its autopkgtest passes" {
    there postmulti -p stop
    there apt-get -q -y install /srv/one/postkick_1.0.0-1_amd64.deb
    there sh -c 'cd /srv/postkick && scripts/debian/tests/kick' 2>"$BATS_TEST_TMPDIR/log" ||
        { cat "$BATS_TEST_TMPDIR/log" >&2; return 1; }
}

# On a Debian where Postfix comes with it, and where nothing of either may stay. What is ignored is
# a directory that Debian 13's debconf makes for any package.
@test "piuparts finds nothing" {
    local release=${BASE##*/}
    [ -r "${BARE:-}" ] || skip "needs BARE: make check-package"
    cp "$ROOT_DIR/srv/one/postkick_1.0.0-1_amd64.deb" "$BATS_TEST_TMPDIR"
    env -u TMPDIR piuparts --tmpdir="$BATS_TEST_TMPDIR" --distribution="${release%.tar}" \
        --basetgz="$BARE" --no-eatmydata --ignore-regex='/var/cache/debconf/tmp.ci.*' \
        --log-level=info "$BATS_TEST_TMPDIR"/*.deb >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- ||
        { tail -n 40 "$BATS_TEST_TMPDIR/log" >&2; return 1; }
    has "$(cat "$BATS_TEST_TMPDIR/log")" "PASS: All tests."
}
