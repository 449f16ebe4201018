#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# "make install" and "make uninstall" on a host of its own, in a mount namespace, with what Postfix
# there says.

bats_require_minimum_version 1.5.0
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

# ini: the installed settings file.
ini()
{
    host cat /etc/postkick.ini
}

# edit EXPRESSION: of sed, on the installed settings file.
edit()
{
    host sed -i "$1" /etc/postkick.ini
}

@test "the manual pages name the places where things were installed" {
    make_there install
    is "$status" 0
    run host grep -r -h -o -E ' /usr/(local/sbin/postkick |local/share|lib/nagios)[^ ]*' "$PREFIX/share/man"
    is "$output" ""
    host grep -q "multi_instance_wrapper = $PREFIX/sbin/postkick -p --" \
        "$PREFIX/share/man/man1/postkick.1"
    host test -f "$(host sed -n 's/^.It Pa \(.*postkick.ini\)$/\1/p' \
        "$PREFIX/share/man/man8/postkick-settings.8" | tail -n 1)"
    host test -x "$(host sed -n 's/^.Pa \(.*examples.*\) \.$/\1/p' \
        "$PREFIX/share/man/man8/postkick-network-up.8")"
    # another program: it knows where its settings are
    run make -s -C "$ROOT" install DESTDIR="$BATS_TEST_TMPDIR" SYSCONFDIR=/opt/etc \
        B="$BATS_TEST_TMPDIR/build" CFLAGS="-O0 -U_FORTIFY_SOURCE"
    is "$status" 0
    run grep -r -h -o ' /etc/postkick.ini' "$BATS_TEST_TMPDIR/usr/local/share/man"
    is "$output" ""
}

@test "the settings are installed with what Postfix says, and stay when installed again" {
    host rm -f /etc/postkick.ini
    compiled
    make_there install
    is "$status$output" 0
    is "$(ini)" "$(cat "$ROOT/conf/postkick.ini")"
    is "$(host stat -c %a /etc/postkick.ini)" 644
    edit 's/^strict.*/strict = yes/'
    make_there install
    has "$output" "/etc/postkick.ini stays as it is"
    has "$(ini)" "strict = yes"
    host rm /etc/postkick.ini
    compiled trigger_timeout=11s
    make_there install
    is "$status$output" 0
    has "$(ini)" "; postconf -d: 11s
trigger_timeout              = 11s"
    # and without Postfix
    host rm /etc/postkick.ini
    host mkdir -p "$HOST/nothing"
    host sh -c "for each in /usr/bin/* /bin/*; do ln -sf \$each '$HOST/nothing'; done; rm -f '$HOST/nothing/postconf'"
    run host env PATH="$HOST/nothing" make -s -C "$ROOT" PREFIX="$PREFIX" install
    is "$status$output" 0
    is "$(ini)" "$(cat "$ROOT/conf/postkick.ini")"
}

@test "the completion is found by the name of each command" {
    make_there install
    for name in postkick postkick-requeue postkick-settings; do
        # shellcheck disable=SC2016 # for the shell there
        host bash --norc -c '. "$1/share/bash-completion/completions/$2" && complete -p "$2"' - "$PREFIX" "$name"
    done
}

@test "postkick-settings shows what an upgrade of Postfix changed, and writes it when asked" {
    local before
    host cp "$ROOT/conf/postkick.ini" /etc/postkick.ini
    host chown nobody /etc/postkick.ini
    host chmod 640 /etc/postkick.ini
    compiled
    settings
    is "$status$output$stderr" 0
    edit '/^queue_service_name/d; s/^trigger_timeout.*/; ours is slow\n  Trigger_Timeout=20s/; s/^strict.*/strict = yes/'
    settings
    is "$status" 0
    is "$output" ""
    is "$stderr" "postkick-settings: trigger_timeout = 20s is your own and stays; for Postfix's value, 10s, run: postkick-settings --write trigger_timeout"

    compiled 'import_environment=TZ, LANG=C;#' queue_service_name=queue trigger_timeout=11s
    before=$(ini)
    settings
    is "$status" 1
    is "$(grep '^[-+]' <<<"$output")" "\
--- /etc/postkick.ini
+++ /etc/postkick.ini, from postconf -d
-import_environment           = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME
+; postconf -d: TZ, LANG=C;#
+import_environment           = \"TZ, LANG=C;#\"
+; postconf -d: queue
+queue_service_name           = queue"
    has "$stderr" "trigger_timeout = 20s is your own and stays; for Postfix's value, 11s, run:"
    is "$(ini)" "$before"

    settings --write
    is "$status" 0
    is "$(host stat -c '%a %U' /etc/postkick.ini)" "640 nobody"
    is "$(host sh -c 'ls -A /etc/postkick.ini*')" /etc/postkick.ini
    has "$(ini)" "; ours is slow
  Trigger_Timeout=20s"
    has "$(ini)" "strict = yes"
    is "$(host "$PREFIX/sbin/postkick" -n -j flush | jq -r 'select(.class == "public") | .service' | head -n 1)" queue
    settings
    is "$status$output" 0

    # the next upgrade: what was written is not the user's own, and goes when it is as delivered
    compiled queue_service_name=other
    settings -w trigger_timeout
    is "$status$stderr" 0
    has "$(ini)" "; ours is slow
  Trigger_Timeout= 10s"
    has "$(ini)" "; postconf -d: other
queue_service_name           = other"
    is "$(ini | grep -c 'postconf -d:')" 1
    # changed by the user since
    edit 's/= other$/= mine/'
    compiled
    settings --write
    is "$status" 0
    has "$stderr" "queue_service_name = mine is your own"
    settings --write queue_service_name
    is "$(ini | grep -v -i -e trigger -e queue_service -e ours -e strict)" \
        "$(grep -v -e trigger -e queue_service -e strict "$ROOT/conf/postkick.ini")"
}

@test "postkick-settings follows no link, and leaves the file as it is when something fails" {
    local before
    compiled trigger_timeout=11s
    host cp "$ROOT/conf/postkick.ini" "$HOST/target.ini"
    host ln -sf "$HOST/target.ini" "$HOST/link.ini"
    settings --write -f "$HOST/link.ini"
    is "$status" 1
    has "$stderr" "is a symbolic link"
    settings --write -f "$HOST/nosuch.ini"
    is "$status" 1
    has "$stderr" "nosuch.ini: no such file"
    settings --write -f "$HOST/target.ini" nosuch
    is "$status" 1
    has "$stderr" "nosuch is not in the [postfix] section"
    settings --write -f
    is "$status" 1
    settings --nosuch
    is "$status" 1
    host sh -c "printf '#!/bin/sh\nexit 1\n' >'$HOST/bin/postconf'"
    settings --write -f "$HOST/target.ini"
    is "$status" 1
    has "$stderr" "postconf -d failed"
    compiled trigger_timeout=11s
    # a disk that is full
    host mkdir -p "$HOST/small"
    host mount -t tmpfs -o size=8k,mode=755 tmpfs "$HOST/small"
    host cp "$ROOT/conf/postkick.ini" "$HOST/small/ini"
    settings --write -f "$HOST/small/ini"
    is "$status" 1
    is "$(host ls "$HOST/small")" ini
    is "$(host cat "$HOST/small/ini" "$HOST/target.ini")" "$(cat "$ROOT/conf/postkick.ini" "$ROOT/conf/postkick.ini")"
    # a directory where others could put a link in place of the new file
    host chmod 757 "$HOST/small"
    settings --write -f "$HOST/small/ini"
    is "$status" 1
    has "$stderr" "small/ini: other users can write to its directory; nothing was written"
    host sh -c "chmod 755 '$HOST/small' && chown 65534 '$HOST/small'"
    settings --write -f "$HOST/small/ini"
    has "$stderr" "small/ini: other users can write to its directory; nothing was written"
    # an editor that saves the file meanwhile
    host sh -c "printf '#!/bin/sh\necho \"; saved\" >>$HOST/target.ini\necho trigger_timeout = 12s\n' >'$HOST/bin/postconf'"
    settings --write -f "$HOST/target.ini"
    is "$status" 1
    has "$stderr" "target.ini was changed meanwhile; nothing was written"
    is "$(host cat "$HOST/target.ini")" "$(cat "$ROOT/conf/postkick.ini")"$'\n; saved'
    is "$(host sh -c "ls '$HOST'/target.ini*")" "$HOST/target.ini"
    compiled trigger_timeout=11s
    # a file without the section
    host sh -c "printf '[kick]\nstrict = no' >'$HOST/target.ini'"
    settings --write -f "$HOST/target.ini"
    is "$(host cat "$HOST/target.ini")" "[kick]
strict = no

[postfix]
; postconf -d: 11s
trigger_timeout              = 11s"
}

@test "the network hook says in syslog what failed" {
    make_there install
    # a /dev with a log of its own
    host sh -c "mkdir '$HOST/dev' '$HOST/dev.work' && mount -t overlay overlay \
        -o lowerdir=/dev,upperdir='$HOST/dev',workdir='$HOST/dev.work' /dev" || skip "needs overlay mounts"
    exec {fd}< <(exec nsenter -t "$HOST_PID" -m python3 -c '
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
print("ready", flush=True)
log.settimeout(30)
print(log.recv(4096).decode(), flush=True)' 3>&-)
    read -r _ <&"$fd"
    run host env POSTKICK="$PREFIX/sbin/postkick" \
        "$PREFIX/share/doc/postkick/examples/postkick-network-up" eth0 up
    is "$status" 0
    read -r line <&"$fd"
    exec {fd}<&-
    has "$line" "<20>" # mail, warning
    has "$line" "postkick-network-up: postkick: warning: /etc/postfix: public/qmgr: "
}

@test "make uninstall leaves the settings, and nothing else" {
    make_there install
    is "$status" 0
    host test -x "$PREFIX/sbin/postkick"
    host "$PREFIX/sbin/postkick" -l >"$BATS_TEST_TMPDIR/list"
    make_there uninstall
    is "$status" 0
    has "$output" "/etc/postkick.ini stays"
    is "$(host find "$PREFIX" ! -type d)" ""
    host test -s /etc/postkick.ini
}

@test "make uninstall is refused while postfix(1) runs its commands through the program" {
    local line
    make_there install
    for line in "$PREFIX/sbin/postkick -p --" "\${command_directory}/../..$PREFIX/sbin/postkick -p --" \
        "$HOST/link -p --" "nice $PREFIX/sbin/postkick -p --"; do
        host ln -sf "$PREFIX/sbin/postkick" "$HOST/link"
        wrapped "$line"
        host postfix check
        make_there uninstall
        [ "$status" != 0 ]
        has "$output" "postkick: not removed: main.cf has multi_instance_wrapper = "
        host postfix check
        is "$(host ls "$PREFIX/sbin")" "$(printf '%s\n' postkick postkick-metrics postkick-requeue postkick-settings)"
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
