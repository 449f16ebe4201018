#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# "make install" and "make uninstall" on a host of its own, in a mount namespace, with what Postfix
# there says. make/make.bats has what needs no Postfix.

# shellcheck disable=SC2016 # for main.cf
load on_host

make_host()
{
    host_instances postfix-a:some
    compiled
}

setup()
{
    host_need
    PREFIX=$HOST/usr
}

# make_there ARGUMENT...: in the namespace, whose /etc is its own; the program is built already.
make_there()
{
    run host env PATH="$HOST/bin:$PATH" make -s -C "$ROOT" PREFIX="$PREFIX" "$@"
}

# wrapped VALUE: multi_instance_wrapper is that.
wrapped()
{
    host postconf -e "multi_instance_wrapper = $1"
}

# compiled NAME=VALUE...: what "postconf -d" says on this host from now on; nothing: what it says with
# Postfix 3.7 to 3.10.
compiled()
{
    local setting script='s| XDG_RUNTIME_DIR$||;'
    for setting; do script+="s|^${setting%%=*} =.*|${setting%%=*} = ${setting#*=}|;"; done
    host mkdir -p "$HOST/bin"
    printf "#!/bin/sh\\n/usr/sbin/postconf \"\$@\" | sed '%s'\\n" "$script" >"$BATS_FILE_TMPDIR/postconf"
    chmod 755 "$BATS_FILE_TMPDIR/postconf"
    host cp "$BATS_FILE_TMPDIR/postconf" "$HOST/bin/postconf"
}

# settings ARGUMENT...: the installed postkick-settings.
settings()
{
    host test -x "$PREFIX/sbin/postkick-settings" || make_there install
    run --separate-stderr host env PATH="$HOST/bin:/usr/sbin:/usr/bin:/bin" \
        "$PREFIX/sbin/postkick-settings" "$@"
}

@test "the settings are installed as they are shipped, and kept once they are changed" {
    host rm -f /etc/postkick.ini /etc/postkick-postfix.ini
    compiled trigger_timeout=11s
    make_there install
    is "$status$output" 0
    is "$(host cat /etc/postkick.ini)" "$(cat "$ROOT/conf/postkick.ini")"
    is "$(host stat -c '%a %U' /etc/postkick.ini /etc/postkick-postfix.ini)" $'644 root\n644 root'
    host grep -q '^trigger_timeout = "11s"$' /etc/postkick-postfix.ini
    # as if both were of an earlier version
    host sh -c "echo '; old' | tee /etc/postkick.ini >'$PREFIX/share/postkick/postkick.ini'"
    make_there install
    is "$status$output" 0
    is "$(host cat /etc/postkick.ini)" "$(cat "$ROOT/conf/postkick.ini")"
    host sh -c 'printf "[postfix]\ntrigger_timeout = 20s\n" >/etc/postkick.ini'
    make_there install
    is "$status" 0
    is "$output" "/etc/postkick.ini stays as it is
postkick-settings: [postfix] in /etc/postkick.ini overrides trigger_timeout"
    is "$(host cat /etc/postkick.ini)" $'[postfix]\ntrigger_timeout = 20s'
    # and without Postfix
    host rm /etc/postkick.ini /etc/postkick-postfix.ini
    host mkdir -p "$HOST/nothing"
    host sh -c "for each in /usr/bin/* /bin/*; do ln -sf \$each '$HOST/nothing'; done; rm -f '$HOST/nothing/postconf'"
    run host env PATH="$HOST/nothing" make -s -C "$ROOT" PREFIX="$PREFIX" install
    is "$status$output" 0
    run ! host test -e /etc/postkick-postfix.ini
}

@test "postkick-settings shows what an upgrade of Postfix changed, and writes it when asked" {
    host rm -f /etc/postkick-postfix.ini
    compiled
    settings
    is "$status" 1
    is "$stderr" "postkick-settings: fatal: /etc/postkick-postfix.ini: no such file: --write makes it"
    settings -w
    is "$status$output$stderr" 0
    # all of "postconf -d" that is built in
    is "$(host sed -n 's/^\([a-z_]*\) = "\(.*\)"$/\1 = \2/p' /etc/postkick-postfix.ini | sort)" \
        "$(sed -n 's/^\([a-z_]*\) .*=.*/\1/p' "$ROOT/conf/postfix.ini" |
            host xargs "$HOST/bin/postconf" -d | sed 's/= *$/= /' | sort)"
    settings
    is "$status$output$stderr" 0

    compiled 'import_environment=TZ, LANG=C;#' queue_service_name=queue
    settings
    is "$status" 1
    is "$(grep '^[-+]' <<<"$output")" "\
--- /etc/postkick-postfix.ini
+++ postconf -d
-$(host grep '^import_environment' /etc/postkick-postfix.ini)
-queue_service_name = \"qmgr\"
+import_environment = \"TZ, LANG=C;#\"
+queue_service_name = \"queue\""
    host grep -q '^queue_service_name = "qmgr"$' /etc/postkick-postfix.ini
    shown=$output
    settings --write
    is "$status" 0
    is "$output" "$shown"
    is "$(host sh -c 'ls /etc/postkick-postfix.ini*')" /etc/postkick-postfix.ini
    # The program uses them, with other settings also.
    host touch "$HOST/other.ini"
    is "$(host "$PREFIX/sbin/postkick" -f "$HOST/other.ini" -n -j deferred | jq -r .service | head -n 1)" queue
}

@test "postkick-settings leaves the file as it is when something fails" {
    compiled
    settings -w
    host sh -c "printf '#!/bin/sh\nexit 1\n' >'$HOST/bin/postconf'"
    settings --write
    is "$status" 1
    has "$stderr" "postconf -d failed"
    settings --nosuch
    is "$status" 1
    has "$stderr" "usage: "
    compiled
    settings
    is "$status" 0
    # a disk that is full
    host mkdir -p "$HOST/small"
    host mount -t tmpfs -o size=4k,mode=755 tmpfs "$HOST/small"
    host sh -c "sed 's|^generated=.*|generated=$HOST/small/ini|' '$PREFIX/sbin/postkick-settings' >'$HOST/settings' && chmod 755 '$HOST/settings'
        echo '; old' >'$HOST/small/ini'"
    run host env PATH="$HOST/bin:/usr/sbin:/usr/bin:/bin" "$HOST/settings" --write
    is "$status" 1
    has "$output" "cannot write $HOST/small/ini"
    is "$(host sh -c "cat '$HOST'/small/*")" "; old"
}

@test "make uninstall is refused while postfix(1) runs its commands through the program" {
    local line
    make_there install
    host "$PREFIX/sbin/postkick" -l >"$BATS_TEST_TMPDIR/list"
    wrapped "\${command_directory}/../..$PREFIX/sbin/postkick -p --"
    make_there uninstall
    [ "$status" != 0 ]
    has "$output" "postkick: not removed: main.cf has multi_instance_wrapper = "
    host postfix check
    # what it says to type
    line=$(sed -n 's/^    \(postconf -e .*\)/\1/p' <<<"$output")
    make_there uninstall FORCE=1
    is "$status" 0
    run ! host postfix check
    make_there install
    host bash -c "$line"
    make_there uninstall
    is "$status$output" "0/etc/postkick.ini stays"
    host postfix check
    # the settings stay, and nothing else
    is "$(host find "$PREFIX" ! -type d)" ""
    host test -s /etc/postkick.ini
    run ! host test -e /etc/postkick-postfix.ini
    # a staging directory has no Postfix
    wrapped "$PREFIX/sbin/postkick -p --"
    make_there uninstall DESTDIR="$HOST/stage"
    is "$status" 0
}
