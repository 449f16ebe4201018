#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whole command lines, as commands/NAME has them: "follow" in cli.bash.

load cli

# The instances home (the default one), on (in group g), and off, which is not enabled. None runs.
setup()
{
    TREE=$BATS_TEST_TMPDIR/tree
    INI=$TREE/postkick.ini SPEC=$TREE/listener.spec LOG=$TREE/log
    mkdir -p "$TREE"/bin "$TREE"/{home,on,off}/q/{public,private,pid}
    : >"$SPEC"
    # All of [postfix]: what this machine's Postfix was built with does not matter.
    sed "s|^config_directory .*|config_directory = $TREE/home|" "$ROOT/conf/postfix.ini" >"$INI"
    main_cf home "multi_instance_directories = $TREE/on $TREE/off" multi_instance_enable=yes \
        "command_directory = $TREE/bin"
    main_cf on multi_instance_name=on multi_instance_group=g multi_instance_enable=yes
    main_cf off multi_instance_name=off
    for name in home on off; do
        main_cf $name "queue_directory = $TREE/$name/q" "data_directory = $TREE/$name/d"
    done
    cd "$TREE"
}

# main_cf INSTANCE LINE...: more lines in its main.cf.
main_cf()
{
    printf '%s\n' "${@:2}" >>"$TREE/$1/main.cf"
}

# settings LINE...: more lines in postkick.ini.
settings()
{
    printf '%s\n' "$@" >>"$INI"
}

# queued FILE SIZE AGE: a queue file of a message that arrived so many seconds ago.
queued()
{
    local size arrival
    printf -v size '%15d %15d %15d %15d %15d %15d' "$2" 600 1 0 "$2" 0
    arrival="$(($(date +%s) - $3)) 5"
    mkdir -p "$(dirname "$1")"
    printf 'C\x5f%sT\x0c%s' "$size" "$arrival" >"$1"
    truncate -s $(($2 + 1000)) "$1"
    chmod 700 "$1"
}

# without_free: standard input, without how much of this machine's disk is free.
without_free()
{
    sed -E 's/ [ 0-9]{3}%/   N%/'
}

# mail INSTANCE QUEUE ID AGE SIZE SENDER RECIPIENT: a message that is listed there.
mail()
{
    printf '{"queue_name": "%s", "queue_id": "%s", "arrival_time": %s, "message_size": %s, ' \
        "$2" "$3" $(($(date +%s) - $4)) "$5" >>"$1/queue"
    printf '"forced_expire": false, "sender": "%s", "recipients": [{"address": "%s", ' "$6" "$7" >>"$1/queue"
    printf '"delay_reason": "refused"}, {"address": "second@two.example"}]}\n' >>"$1/queue"
}

# make_mail: a postqueue and a postsuper for it, which takes out what it finds.
make_mail()
{
    program postqueue '[ "$*" = -j ] && cat "$MAIL_CONFIG/queue"'
    program postsuper 'cd "$MAIL_CONFIG" || exit
        case $1 in -h) done="Placed on hold" ;; -H) done="Released from hold" ;; -r) done=Requeued ;;
        -d) done=Deleted ;; -e) done=Force-expired ;; esac
        before=$(wc -l <queue)
        grep -v -F -f - queue >left
        mv left queue
        echo "postsuper: $done: $((before - $(wc -l <queue))) messages" >&2'
}

@test "-l" { follow list; }
@test "requests and actions" { follow kick; }
@test "what services do" { follow services; }
@test "-s" { follow status; }
@test "-p" { follow postfix; }
@test "-x" { follow execute; }
@test "--tag" { follow tag; }
# bats test_tags=native
@test "-p restart" { follow restart; }
@test "-M" { follow messages; }
@test "-Q" { follow queues; }
@test "who else can write" {
    [ $EUID = 0 ] || skip "not root"
    follow trust
}
@test "-n" { follow dryrun; }
@test "postkick.ini" { follow settings; }
@test "what people type" { follow typing; }
