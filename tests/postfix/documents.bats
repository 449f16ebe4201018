#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every command in README.md and the manual pages does what they say, as it stands there: on a host
# with three real instances, in a mount namespace.

load on_host

make_host()
{
    local each
    host_running postfix-in:inbound postfix-out:outbound
    for each in /etc/postfix /etc/postfix-in /etc/postfix-out; do
        host postconf -c "$each" -e "fast_flush_domains = example.com" # for postqueue -s
    done
}

no_process()
{
    ! pgrep -g "$1" >/dev/null
}

# type_in COMMAND: as an administrator's shell runs it where there is a list of queue IDs; streams
# together.
type_in()
{
    : >"$BATS_TEST_TMPDIR/queueidlist"
    run host env PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "cd '$BATS_TEST_TMPDIR'; $1" </dev/null 3>&- 4>&-
}

# readme_commands: those of README.md: after the prompt, in the column "Now", behind what they are
# examples of, and in crontab lines.
readme_commands()
{
    sed -n -e 's/^    # //p' \
        -e 's/^| `.*` | `\(.*\)` |$/\1/p' \
        -e 's/^    postkick .*   *\(postkick [a-z-].*\)$/\1/p' \
        -e 's/^    [0-9*]* \* \* \* \*  root  //p' "$ROOT/README.md" | sed 's/\\|/|/g'
}

# manual_commands PAGE: the examples in its EXAMPLES and HOW DO I.
manual_commands()
{
    mandoc -T ascii -O width=500 "$ROOT/man/$1" | col -bx |
        sed -n -e '/^HOW DO I/,/^OPTIONS/s/^ \{8,\}//p' -e '/^EXAMPLES/,/^[A-Z]/s/^ *//p' |
        sed -e ':a' -e '/|$/{N;s/\n */ /;ba' -e '}' |
        sed -n -e 's/^0 \* \* \* \* root //' -e 's/^# //' -e '/^\(\/usr\/local\/sbin\/\)\{0,1\}postkick[ -]/p'
}

@test "every command is run and succeeds" {
    local command count=0
    while IFS= read -r command; do
        type_in "$command"
        count=$((count + 1))
        # no such messages in these queues, of which postqueue(1) says nothing
        if [[ $command == *-M*4TzQ* ]]; then
            has "$output" "no such message"
            continue
        fi
        echo "$command: $status: $output"
        is "$status" 0
    done < <(readme_commands; manual_commands postkick.1; manual_commands postkick-json.5
        manual_commands postkick-commands.1; manual_commands postkick-messages.1
        manual_commands postkick-settings.8)
    [ "$count" -ge 40 ]
}

@test "what the manual shows as output is what is printed" {
    local command expected count=0 group
    group=$(host_master postfix-out)
    host postfix -c /etc/postfix-out stop >"$BATS_TEST_TMPDIR/stop" 2>&1
    patiently no_process "$group" # its daemons outlive it for a moment
    while IFS= read -r line; do
        case $line in
        '# '*) command=${line#\# } expected='' ;;
        '')
            [ -n "$command" ] || continue
            type_in "$command"
            is "$output"$'\n' "${expected//not running/$(stopped_reason)}"
            count=$((count + 1)) command=''
            ;;
        *) expected+=$line$'\n' ;;
        esac
    done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAG/p' "$ROOT/man/postkick.1" |
        awk '/^\.Bd/ {show = 1; next} /^\.Ed/ {show = 0; print ""} show')
    is "$count" 2
    # the times differ
    type_in "PATH=/usr/local/lib/nagios/plugins:\$PATH; $(mandoc -T ascii -O width=500 \
        "$ROOT/man/check_postkick.8" | col -bx | sed -n 's/^ *\$ //p')"
    is "$status" 2
    has "$(mandoc -T ascii -O width=500 "$ROOT/man/check_postkick.8" | col -bx |
        sed 's/^ *//; s/=[0-9.]*s;/=s;/g')" "$(sed -e 's/=[0-9.]*s;/=s;/g' -e "s/$(stopped_reason)/not running/" <<<"$output")"
    host postfix -c /etc/postfix-out start >"$BATS_TEST_TMPDIR/start" 2>&1 3>&- 4>&-
}

# in_picture: the text of the picture in README.md, without times and process IDs.
in_picture()
{
    sed -n 's/<text[^>]*>\(.*\)<\/text>/\1/p' "$ROOT/man/terminal.svg" |
        sed -e 's/&gt;/>/g' -e 's/&lt;/</g' -e 's/&amp;/\&/g' -e 's/[0-9.]*ms */TIME /' -e 's/process [0-9]*/process N/'
}

@test "the picture in README.md shows what is printed" {
    local hung command
    hung=$(pgrep -g "$(host_master postfix-in)" -x qmgr)
    kill -STOP "$hung"
    in_picture | sed -n 's/^\$ //p' | while IFS= read -r command; do
        echo "\$ $command"
        host env PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/bin script -qec "$command" /dev/null \
            </dev/null || true
    done >"$BATS_TEST_TMPDIR/printed"
    kill -CONT "$hung"
    # A column is as wide as the times are long.
    is "$(sed -E -e 's/.*\x1b\[K//' -e 's/\r$//' -e 's/[0-9.]+ms */TIME /' -e 's/process [0-9]+/process N/' -e 's/ {2,}/  /g' \
        "$BATS_TEST_TMPDIR/printed")" "$(in_picture | sed -E 's/ {2,}/  /g')"
}
