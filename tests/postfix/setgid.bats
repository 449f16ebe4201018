#!/usr/bin/env bats
# The program installed set-gid postdrop and run by nobody: what it may be used for, and what not.
# In a mount namespace, because the default main.cf is then the one that is compiled in.

bats_require_minimum_version 1.5.0
load ../lib/common
load real

setup_file()
{
    host_can || return 0
    host_open
    [ -n "${HOST:-}" ] || return 0
    local name queue
    host rm -f /etc/postkick.ini
    host cp "$POSTKICK" "$HOST/plain"
    host cp "$POSTKICK" "$HOST/postkick"
    host chgrp postdrop "$HOST/postkick"
    host chmod 2755 "$HOST/postkick"
    for name in postfix member alternate expanded unlisted; do
        queue=/var/spool/$name
        host mkdir -p /etc/$name $queue/public $queue/private $queue/pid
        host chown postfix:postdrop $queue/public
        host chmod 2710 $queue/public
        host bash -c "printf '%s\n' 'queue_directory = $queue' 'multi_instance_enable = yes' \
            'multi_instance_name = $name' >/etc/$name/main.cf"
        echo "read $queue/public/qmgr"
    done >"$BATS_FILE_TMPDIR/spec"
    host bash -c "cat >>/etc/postfix/main.cf; mkdir /etc/programs" <<EOF
multi_instance_directories = /etc/member
alternate_config_directories = /etc/alternate, \$other
other = /etc/expanded
command_directory = $HOST/programs
EOF
    # A postconf that tells on us
    host mkdir "$HOST/programs"
    host bash -c "printf '#!/bin/sh\n: >$HOST/ran; exec /usr/sbin/postconf \"\$@\"\n' \
        >$HOST/programs/postconf; chmod 755 $HOST/programs/postconf; chmod 1777 $HOST"
    start_in_host
}

# The stand-in for their services, in the namespace; anybody who gets to the sockets may use them.
start_in_host()
{
    export LOG=$BATS_FILE_TMPDIR/log
    : >"$LOG"
    host "$TOOLS/listener" -p "$HOST_PID" -l "$LOG" "$BATS_FILE_TMPDIR/spec" \
        >"$BATS_FILE_TMPDIR/ready" 2>&1 </dev/null 3>&- 4>&- &
    patiently grep -q ready "$BATS_FILE_TMPDIR/ready"
    host bash -c 'chmod 666 /var/spool/*/public/qmgr'
}

teardown_file()
{
    host_close
}

setup()
{
    host_need
    : >"$LOG"
}

# nobody COMMAND...: run by nobody, in the namespace.
nobody()
{
    run --separate-stderr host setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

# refused PART ARGUMENT...: nothing is done, and standard error has PART.
refused()
{
    local part=$1
    shift
    nobody "$HOST/postkick" "$@"
    is "$status" 1
    has "$stderr" "$part"
    is "$output" ""
    is "$(cat "$LOG")" ""
}

@test "nobody may kick what is listed, with the group's rights" {
    nobody "$HOST/plain" public qmgr I
    is "$status" 1
    has "$stderr" "/etc/postfix: public/qmgr: permission denied"
    is "$(cat "$LOG")" ""

    nobody "$HOST/postkick" public qmgr I
    is "$status" 0
    is "$stderr" ""
    received /var/spool/postfix/public/qmgr 'I\000'
    received /var/spool/member/public/qmgr 'I\000'
    is "$(wc -l <"$LOG")" 2

    nobody "$HOST/postkick" -c /etc/alternate public qmgr I
    is "$status" 0
    received /var/spool/alternate/public/qmgr 'I\000'
    nobody "$HOST/postkick" -c /etc/member public qmgr D
    is "$status" 0
    received /var/spool/member/public/qmgr 'D\000'
    nobody "$HOST/postkick" -c /etc/postfix public qmgr D
    is "$status" 0
    received /var/spool/postfix/public/qmgr 'D\000'
    nobody env MAIL_CONFIG=/etc/alternate "$HOST/postkick" public qmgr D
    is "$status" 0
    received /var/spool/alternate/public/qmgr 'D\000'
    is "$(wc -l <"$LOG")" 6

    nobody "$HOST/postkick" -l
    is "$status" 0
    is "${#lines[@]}" 2
}

@test "nobody may use no other configuration directory" {
    local directory
    for directory in /etc/unlisted /etc/expanded '$other' /etc/alternate/ /etc/../etc/alternate \
        alternate . ""; do
        refused "fatal: unauthorized configuration directory name: $directory" \
            -c "$directory" public qmgr I
        nobody env MAIL_CONFIG="$directory" "$HOST/postkick" public qmgr I
        is "$status" 1
        has "$stderr" "fatal: unauthorized configuration directory name: $directory"
    done
    refused "fatal: unauthorized" -n -c /etc/unlisted public qmgr I
    refused "fatal: unauthorized" -l -c /etc/unlisted
    is "$(cat "$LOG")" ""
    # root may
    run --separate-stderr host "$HOST/plain" -c /etc/unlisted public qmgr I
    is "$status" 0
}

@test "nobody may bring no settings, values or programs" {
    host bash -c "printf '[postfix]\nconfig_directory = /etc/unlisted\n' >$HOST/own.ini"
    refused "under raised privilege" -f "$HOST/own.ini" public qmgr I
    refused "under raised privilege" --settings="$HOST/own.ini" -l
    refused "under raised privilege" -o queue_directory=/var/spool/unlisted public qmgr I
    refused "under raised privilege" -p status
    refused "under raised privilege" -x id
    refused "under raised privilege" -x -n id
    # all of which root may
    run --separate-stderr host "$HOST/plain" -f "$HOST/own.ini" -l
    is "$status" 0
    has "$output" unlisted
}

@test "no program is run for nobody" {
    host bash -c 'cp /etc/member/main.cf /etc/member/kept
        echo "multi_instance_name = x-\$myhostname" >>/etc/member/main.cf
        touch -d "1 hour ago" /etc/member/main.cf'
    nobody "$HOST/postkick" public qmgr I
    is "$status" 1
    has "$stderr" "/etc/member: main.cf refers to parameters that postconf(1) is not asked for under raised privilege"
    received /var/spool/postfix/public/qmgr 'I\000'
    is "$(wc -l <"$LOG")" 1
    run host test -e "$HOST/ran"
    is "$status" 1
    # Otherwise it is run, from the default main.cf's command_directory.
    run --separate-stderr host "$HOST/plain" -q public qmgr I
    is "$status" 0
    host test -e "$HOST/ran"
    host cp /etc/member/kept /etc/member/main.cf
}

@test "the environment is not trusted" {
    command -v "${CC:-cc}" >/dev/null || skip "needs a C compiler"
    echo '#include <unistd.h>
        __attribute__((constructor)) static void say(void) { (void)!write(2, "preloaded\n", 10); }' \
        >"$BATS_TEST_TMPDIR/say.c"
    "${CC:-cc}" -shared -fPIC -o "$BATS_TEST_TMPDIR/say.so" "$BATS_TEST_TMPDIR/say.c"
    host cp "$BATS_TEST_TMPDIR/say.so" "$HOST/say.so"
    nobody env LD_PRELOAD="$HOST/say.so" "$HOST/plain" --version
    has "$stderr" preloaded
    run --separate-stderr host setpriv --reuid nobody --regid nogroup --clear-groups \
        sh -c "LD_PRELOAD=$HOST/say.so exec $HOST/postkick -v public qmgr I"
    is "$status" 0
    case "$stderr" in *preloaded*) false ;; esac
    received /var/spool/member/public/qmgr 'I\000'

    # What Postfix and we know of counts for nothing, but MAIL_CONFIG and MAIL_VERBOSE.
    nobody env -i config_directory=/etc/unlisted MAIL_DEBUG=1 command_directory=/tmp PATH=/nowhere \
        queue_directory=/var/spool/unlisted HOME=/etc/unlisted MAIL_VERBOSE=1 \
        "$HOST/postkick" public qmgr A
    is "$status" 0
    has "$stderr" '/etc/member: public/qmgr: request "A" read'
    received /var/spool/postfix/public/qmgr 'A\000'
    received /var/spool/member/public/qmgr 'A\000'
    is "$(wc -l <"$LOG")" 4
}
