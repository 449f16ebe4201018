#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The instances of a whole host beside postmulti(1), in a mount namespace that leaves the real ones
# alone, and the program with no settings of its own.

load on_host

make_host()
{
    host cp "$POSTKICK" "$HOST/postkick"
    host_instances postfix-{a,b,off}:some
    host cp /etc/postfix/main.cf /var/made.cf
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
    local options
    for options in -a "-i -" "-i postfix-a" "-i b" "-i /etc/postfix-off" "-g some" -R "-R -g some" ""; do
        # shellcheck disable=SC2086 # words
        lists_alike $options
    done
    is "$(wc -l <"$BATS_TEST_TMPDIR/ours")" 4
}

@test "-l -j has each member that postmulti -l -j of Postfix 3.11 prints, byte for byte" {
    printf '%s\n' 3.11 "$(postconf -d -h mail_version)" | sort -C -V || skip "needs Postfix 3.11"
    host postmulti -l -j >"$BATS_TEST_TMPDIR/theirs"
    host "$HOST/postkick" -l -j >"$BATS_TEST_TMPDIR/ours"
    # but for the blanks between members, and their group, which is the first character only
    diff "$BATS_TEST_TMPDIR/theirs" <(sed -e 's/, "queue_directory":.*/}/' -e 's/", "/","/g' \
        -e 's/\("group": ".\)[^"]*/\1/' "$BATS_TEST_TMPDIR/ours")
}

# lay_out COLUMN...: instances of which each column, "DIRECTORY: LINE", adds a line to main.cf: the
# default one, "postfix", and others.
lay_out()
{
    # shellcheck disable=SC2016 # for the shell there
    host bash -c '
        shopt -s nullglob
        rm -rf /etc/other*
        sed /^multi_instance/d /var/made.cf >/etc/postfix/main.cf
        for column; do
            directory=/etc/${column%%: *}
            # postmulti(1) wants different queue and data directories
            [ -d "$directory" ] || { mkdir "$directory" && cp /etc/postfix/master.cf "$directory" &&
                printf "%s\n" "queue_directory = /srv$directory" "data_directory = /opt$directory" \
                    >"$directory/main.cf"; }
            printf "%b\n" "${column#*: }" >>"$directory/main.cf"
        done
        touch -d "1 hour ago" /etc/{postfix,other*}/main.cf' - "$@" </dev/null
}

# layouts WHAT [COLUMN...]: for each row of a table on standard input, lays out the COLUMNs and those of the
# row, and calls WHAT with the first one. They have | between, or stand in indented lines after it.
layouts()
{
    local row columns
    while IFS= read -r row; do
        IFS='|' read -r -a columns <<<"$row"
        lay_out "${@:2}" "${columns[@]:1}"
        "$1" "${columns[0]}" </dev/null || { echo "in: $row" >&2; return 1; }
    done < <(grep -v '^#' | sed ':a;N;$!ba;s/\n \+/|/g;s/ *| */|/g')
}

# are_listed COUNT: that many, as postmulti(1) does.
are_listed()
{
    lists_alike && is "$(wc -l <"$BATS_TEST_TMPDIR/ours")" "$1"
}

@test "-l is what postmulti -l prints, whatever main.cf files have" {
    layouts are_listed <<'END'
1
1 | postfix: multi_instance_enable = no
1 | postfix: multi_instance_enable = yes\nmulti_instance_name = only\nmulti_instance_group = one
1 | postfix: multi_instance_directories =
1 | postfix: multi_instance_directories = ,, ,
5 | postfix: multi_instance_directories = /etc/other1 /etc/other2, /etc/other3\n\t/etc/other4
    other1: multi_instance_name = postfix-a-name-that-is-longer-than-its-column
    other1: multi_instance_group = group-that-is-longer-than-its-column
    other1: multi_instance_enable = YES
    other2: multi_instance_name = exactly-15-long
    other2: multi_instance_group = sixteen-in-all-x
    other3: multi_instance_group = no-name-here
    other4: multi_instance_name = with blanks and $multi_instance_group
    other4: multi_instance_group = ${multi_instance_enable?{g}}
    other4: multi_instance_enable = no
2 | postfix: multi_instance_directories = /etc/other1\nmulti_instance_enable = no
    postfix: multi_instance_name = postfix-default\nmulti_instance_group = main
    other1: multi_instance_enable = yes
2 | postfix: multi_instance_directories = /etc/other1 | other1: #
# blanks about names
3 | postfix: multi_instance_directories = /etc/other1 /etc/other2
    postfix: multi_instance_name = ${x?{a}: d}\nmulti_instance_group = ${x:{e  f }}
    other1: multi_instance_name = ${x?{a}: b}\nmulti_instance_group = ${x:{ g  \th }}
    other2: multi_instance_name = ${x: }
# directories as they are listed
4 | postfix: multi_instance_directories = /etc/other1 /etc/other2 /etc/other1
    other1: multi_instance_name = twice | other2: multi_instance_name = once
4 | postfix: multi_instance_directories = /etc/other1/ /etc//other2 /etc/./other3
    other1: multi_instance_name = slash | other2: multi_instance_name = two
    other3: multi_instance_name = dot
4 | postfix: multi_instance_directories = $other /etc/other2\nother = /etc/other1, /etc/other3
    other1: config_directory = /etc/elsewhere | other2: multi_instance_name = two
    other3: multi_instance_name = three
# Postfix's own parameters
3 | postfix: multi_instance_directories = /etc/other1 /etc/other2
    other1: multi_instance_name = x-$myhostname
    other1: multi_instance_group = $mail_name $smtp_bind_address
    other2: multi_instance_name = $mydomain\nmydomain = example.com
END
}

# conflict COUNT: postmulti(1) refuses to list anything, and gives the first of COUNT conflicts as the
# reason; or, with 0, it lists the instances.
conflict()
{
    local theirs
    # to a terminal; elsewhere it would be in the log only
    theirs=$(host script -q -e -c "postmulti -l" /dev/null | tr -d '\r' |
        sed -n 's/^postmulti: fatal: //p')
    run --separate-stderr host "$HOST/postkick" -l
    is "$status" 0 && is "$(grep -c . <<<"$stderr")" "$1" || return
    is "$(head -n 1 <<<"$stderr")" "${theirs:+postkick: warning: $theirs: postmulti(1) refuses every instance}"
}

@test "what postmulti refuses every command for is a conflict, in its words; nothing else is" {
    layouts conflict "postfix: multi_instance_directories = /etc/other1 /etc/other2" \
        "other1: multi_instance_name = one" "other2: multi_instance_name = two" <<'END'
0
# the same value of two instances
1 | other2: multi_instance_name = one
1 | other2: queue_directory = /srv/etc/other1
1 | other2: data_directory = /opt/etc/other1
2 | other2: queue_directory = /srv/etc/other1\ndata_directory = /opt/etc/other1
1 | other1: queue_directory = /var/spool/postfix
1 | other1: data_directory = /var/lib/postfix
# of different parameters
1 | other2: data_directory = /srv/etc/other1
1 | other2: queue_directory = /srv/etc/other2\ndata_directory = /srv/etc/other2
1 | other2: queue_directory = /etc/other1
1 | other2: multi_instance_name = /etc/other1
# with what all share
1 | other1: data_directory = /usr/sbin
1 | postfix: shlib_directory = /etc/other1
1 | postfix: daemon_directory = /srv | other1: queue_directory = /srv
0 | postfix: shlib_directory = no
1 | postfix: shlib_directory = /nonexistent
1 | postfix: shlib_directory = /etc/passwd
# compared as text
0 | other2: queue_directory = /srv//etc/other1
0 | other2: multi_instance_group = one
0 | other1: multi_instance_name = | other2: multi_instance_name =
0 | postfix: multi_instance_directories = /etc/other1 /etc/other1
# others' shared directories are not looked at, and neither are lists of others
0 | other1: shlib_directory = /nonexistent
0 | other1: multi_instance_directories = /etc/other2
END
}
