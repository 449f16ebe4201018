#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The whole of a host: instances made by postmulti(1) under /etc and /var, in a mount namespace that
# leaves the real ones alone, and the program with no settings of its own.

load on_host

# All four run.
make_host()
{
    host cp "$POSTKICK" "$HOST/postkick"
    host_instances postfix-{a,b,off}:some
    host sed -i 's/ qmgr$/ qmgr -v/' /etc/postfix{,-a,-b,-off}/master.cf
    host_aged postfix start >"$BATS_FILE_TMPDIR/start" 2>&1 3>&- 4>&-
    host postfix -c /etc/postfix-off start >>"$BATS_FILE_TMPDIR/start" 2>&1 3>&- 4>&-
}

# all_requested REQUESTS OFF: what each enabled instance's qmgr has read since it was started (which
# master follows by a W), and the one that is not enabled.
all_requested()
{
    local name
    for name in postfix postfix-a postfix-b; do
        requested_at_host "$name" "$1" || return 1
    done
    requested_at_host postfix-off "$2"
}

requested_at_host()
{
    [ "$(host cat "/var/log/$1.log" >"$BATS_TEST_TMPDIR/$1.log"; requests "$BATS_TEST_TMPDIR/$1.log")" = "W $2" ]
}

kick_host()
{
    run --separate-stderr host "$HOST/postkick" "$@"
}

@test "kicks reach exactly the default instance and the two that are enabled" {
    patiently all_requested "" ""

    kick_host flush
    is "$status" 0
    is "$output$stderr" ""
    patiently all_requested "FADI " ""

    # it listens all right, and nothing came before this
    kick_host -c /etc/postfix-off public qmgr D
    is "$status" 0
    patiently all_requested "FADI " "D "

    # and with -a all four
    kick_host -a public qmgr A
    is "$status" 0
    patiently all_requested "FADI A " "D A "
}

@test "one instance, by MAIL_CONFIG, as postmulti(1) -x has it: each once, not each each time" {
    run --separate-stderr host env MAIL_CONFIG=/etc/postfix "$HOST/postkick" -v public qmgr I
    is "$status" 0
    is "${stderr% after*}" 'postkick: public/qmgr: request "I" read'
    run --separate-stderr host postmulti -x "$HOST/postkick" -v public qmgr I
    is "$status" 0
    is "$(printf '%s\n' "$stderr" | grep -c 'read after')" 4
}

# lists_alike [OPTION...]: -l and postmulti -l have the same bytes on standard output.
lists_alike()
{
    host postmulti "$@" -l >"$BATS_TEST_TMPDIR/theirs" || host tail -n 1 /var/log/postfix.log >&2
    host "$HOST/postkick" "$@" -l >"$BATS_TEST_TMPDIR/ours"
    [ -s "$BATS_TEST_TMPDIR/theirs" ]
    diff -u "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
}

@test "-l is what postmulti -l prints, for these four" {
    lists_alike
    is "$(wc -l <"$BATS_TEST_TMPDIR/ours")" 4
    lists_alike -i -
    lists_alike -i postfix-a
    lists_alike -i b
    lists_alike -i /etc/postfix-off
    lists_alike -g some
    lists_alike -R
    lists_alike -R -g some
    lists_alike -a
}

# layout [DIRECTORY=LINE...]...: lays out the instances' main.cf, and compares what is listed. A
# directory may be named several times; main.cf gets each LINE.
layout()
{
    local status=0
    lay_out "$@"
    lists_alike || status=1
    lists_alike -R || status=1
    take_away
    return $status
}

lay_out()
{
    local each
    host bash -c 'rm -rf /etc/layout && cp -a /etc/postfix /etc/layout
        sed -i /^multi_instance/d /etc/layout/main.cf
        mount --bind /etc/layout /etc/postfix'
    for each; do
        # postmulti(1) wants different queue and data directories
        host bash -c 'mkdir -p "$1" && [ -e "$1/main.cf" ] || {
                cp /etc/postfix/master.cf "$1"
                echo "queue_directory = /srv$1" >"$1/main.cf"
                echo "data_directory = /opt$1" >>"$1/main.cf"
            }
            printf "%s\n" "$2" >>"$1/main.cf"' - "${each%%=*}" "${each#*=}"
    done
    host bash -c 'touch -d "1 hour ago" /etc/{postfix,other*}/main.cf' 2>/dev/null || true
}

take_away()
{
    host umount /etc/postfix
    host bash -c 'rm -rf /etc/layout /srv/layout* /etc/other*'
}

# conflicts COUNT [DIRECTORY=LINE...]...: with two more instances and these lines, postmulti(1)
# refuses to list anything, and gives the first of COUNT conflicts as the reason; or, with 0, it lists
# the instances.
conflicts()
{
    local count=$1 theirs
    shift
    lay_out /etc/postfix="multi_instance_directories = /etc/other1 /etc/other2" \
        /etc/other1="multi_instance_name = one" /etc/other2="multi_instance_name = two" "$@"
    # to a terminal; elsewhere it would be in the log only
    theirs=$(host script -q -e -c "postmulti -l" /dev/null </dev/null | tr -d '\r' |
        sed -n 's/^postmulti: fatal: //p')
    run --separate-stderr host "$HOST/postkick" -l
    take_away
    is "$status" 0
    if [ "$count" = 0 ]; then
        is "$theirs$stderr" ""
        return
    fi
    is "$(printf '%s\n' "$stderr" | wc -l)" "$count"
    is "$(printf '%s\n' "$stderr" | head -n 1)" \
        "postkick: warning: $theirs: postmulti(1) refuses every instance"
}

@test "what postmulti refuses every command for is a conflict, in its words; nothing else is" {
    conflicts 0 /etc/other1=
    # the same value of two instances
    conflicts 1 /etc/other2="multi_instance_name = one"
    conflicts 1 /etc/other2="queue_directory = /srv/etc/other1"
    conflicts 1 /etc/other2="data_directory = /opt/etc/other1"
    conflicts 2 /etc/other2="queue_directory = /srv/etc/other1" \
        /etc/other2="data_directory = /opt/etc/other1"
    conflicts 1 /etc/other1="queue_directory = /var/spool/postfix"
    conflicts 1 /etc/other1="data_directory = /var/lib/postfix"
    # of different parameters
    conflicts 1 /etc/other2="data_directory = /srv/etc/other1"
    conflicts 1 /etc/other2="queue_directory = /srv/etc/other2" \
        /etc/other2="data_directory = /srv/etc/other2"
    conflicts 1 /etc/other2="queue_directory = /etc/other1"
    conflicts 1 /etc/other2="multi_instance_name = /etc/other1"
    # with what all share
    conflicts 1 /etc/other1="data_directory = /usr/sbin"
    conflicts 1 /etc/postfix="shlib_directory = /etc/other1"
    conflicts 1 /etc/postfix="daemon_directory = /srv" /etc/other1="queue_directory = /srv"
    conflicts 0 /etc/postfix="shlib_directory = no"
    conflicts 1 /etc/postfix="shlib_directory = /nonexistent"
    conflicts 1 /etc/postfix="shlib_directory = /etc/passwd"
    # compared as text
    conflicts 0 /etc/other2="queue_directory = /srv//etc/other1"
    conflicts 0 /etc/other2="multi_instance_group = one"
    conflicts 0 /etc/other1="multi_instance_name =" /etc/other2="multi_instance_name ="
    conflicts 0 /etc/postfix="multi_instance_directories = /etc/other1 /etc/other1"
    # others' shared directories are not looked at, and neither are lists of others
    conflicts 0 /etc/other1="shlib_directory = /nonexistent"
    conflicts 0 /etc/other1="multi_instance_directories = /etc/other2"
}

@test "-l -j has each member that postmulti -l -j of Postfix 3.11 prints, byte for byte" {
    host postmulti -l -j >"$BATS_TEST_TMPDIR/theirs" 2>/dev/null ||
        ! printf '%s\n' 3.11 "$(postconf -d -h mail_version)" | sort -C -V
    host "$HOST/postkick" -l -j >"$BATS_TEST_TMPDIR/ours"
    if [ -s "$BATS_TEST_TMPDIR/theirs" ]; then
        # but for the blanks between members, and their group, which is the first character only
        diff "$BATS_TEST_TMPDIR/theirs" <(sed -e 's/, "queue_directory":.*/}/' -e 's/", "/","/g' \
            -e 's/\("group": ".\)[^"]*/\1/' "$BATS_TEST_TMPDIR/ours")
    fi
}

@test "-l is what postmulti -l prints, for a single-instance host" {
    layout
    has "$(cat "$BATS_TEST_TMPDIR/ours")" " y "
    layout /etc/postfix="multi_instance_enable = no"
    layout /etc/postfix="multi_instance_enable = yes" /etc/postfix="multi_instance_name = only" \
        /etc/postfix="multi_instance_group = one"
    layout /etc/postfix="multi_instance_directories = "
    layout /etc/postfix="multi_instance_directories = ,, , "
}

@test "-l is what postmulti -l prints, whatever the names and groups" {
    layout /etc/postfix="multi_instance_directories = /etc/other1 /etc/other2, /etc/other3
	/etc/other4" \
        /etc/other1="multi_instance_name = postfix-a-name-that-is-longer-than-its-column" \
        /etc/other1="multi_instance_group = group-that-is-longer-than-its-column" \
        /etc/other1="multi_instance_enable = YES" \
        /etc/other2="multi_instance_name = exactly-15-long" \
        /etc/other2="multi_instance_group = sixteen-in-all-x" \
        /etc/other3="multi_instance_group = no-name-here" \
        /etc/other4="multi_instance_name = with blanks and \$multi_instance_group" \
        /etc/other4="multi_instance_group = \${multi_instance_enable?{g}}" \
        /etc/other4="multi_instance_enable = no"
    is "$(wc -l <"$BATS_TEST_TMPDIR/ours")" 5
}

@test "-l is what postmulti -l prints, when the default instance is named or not enabled" {
    layout /etc/postfix="multi_instance_directories = /etc/other1" \
        /etc/postfix="multi_instance_enable = no" \
        /etc/postfix="multi_instance_name = postfix-default" \
        /etc/postfix="multi_instance_group = main" \
        /etc/other1="multi_instance_enable = yes"
    layout /etc/postfix="multi_instance_directories = /etc/other1" \
        /etc/other1="#"
}

@test "-l is what postmulti -l prints, for names with blanks about them" {
    layout /etc/postfix="multi_instance_directories = /etc/other1 /etc/other2" \
        /etc/postfix="multi_instance_name = \${x?{a}: d}" \
        /etc/postfix="multi_instance_group = \${x:{e  f }}" \
        /etc/other1="multi_instance_name = \${x?{a}: b}" \
        /etc/other1="multi_instance_group = \${x:{ g  	h }}" \
        /etc/other2="multi_instance_name = \${x: }"
}

@test "-l is what postmulti -l prints, for directories as they are listed" {
    layout /etc/postfix="multi_instance_directories = /etc/other1 /etc/other2 /etc/other1" \
        /etc/other1="multi_instance_name = twice" /etc/other2="multi_instance_name = once"
    is "$(wc -l <"$BATS_TEST_TMPDIR/ours")" 4
    layout /etc/postfix="multi_instance_directories = /etc/other1/ /etc//other2 /etc/./other3" \
        /etc/other1="multi_instance_name = slash" /etc/other2="multi_instance_name = two" \
        /etc/other3="multi_instance_name = dot"
    layout /etc/postfix="multi_instance_directories = \$other /etc/other2" \
        /etc/postfix="other = /etc/other1, /etc/other3" \
        /etc/other1="config_directory = /etc/elsewhere" /etc/other2="multi_instance_name = two" \
        /etc/other3="multi_instance_name = three"
}

@test "-l is what postmulti -l prints, for names that refer to Postfix's own parameters" {
    layout /etc/postfix="multi_instance_directories = /etc/other1 /etc/other2" \
        /etc/other1="multi_instance_name = x-\$myhostname" \
        /etc/other1="multi_instance_group = \$mail_name \$smtp_bind_address" \
        /etc/other2="multi_instance_name = \$mydomain" /etc/other2="mydomain = example.com"
}
