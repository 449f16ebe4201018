#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Ansible collection, and clush, against three hosts with three Postfix instances each.

load ../lib/common
load ../postfix/real
load fleet

setup_file()
{
    fleet_can || return 0
    fleet_open one two three
    fleet_ansible
}

teardown_file()
{
    fleet_close
}

setup()
{
    local name
    fleet_need
    for name in one two three; do
        on $name bash -c 'for log in /var/log/postfix*.log; do : >$log; done'
    done
}

# module NAME [ARGUMENTS [OPTION...]]: on all hosts; what each returned is in $RESULTS/HOST.
module()
{
    local name=$1 arguments=${2:-}
    shift $(($# < 2 ? $# : 2))
    RESULTS=$BATS_TEST_TMPDIR/results
    rm -rf "$RESULTS"
    run control ansible all -m "postkick.postfix.$name" -a "$arguments" --tree "$RESULTS" "$@"
}

# result HOST FILTER: of what it returned, by jq.
result()
{
    jq -r "$2" "$RESULTS/$1"
}

# read_by HOST REQUESTS: what the queue managers of its instances have read by now, in order.
read_by()
{
    local name
    for name in postfix postfix-a postfix-b; do
        on "$1" cat /var/log/$name.log >"$BATS_TEST_TMPDIR/log"
        requested "$BATS_TEST_TMPDIR/log" "$2" || return 1
    done
}

# For the tests that are left out, ansible-test would install packages from outside of Debian. The one
# that compares the documentation of modules with their arguments runs by itself, with Debian's; it
# wants a licence that a collection of one's own need not have.
@test "ansible-lint and ansible-test find nothing" {
    local collection=$BATS_TEST_TMPDIR/ansible_collections/postkick/postfix needing
    mkdir -p "${collection%/*}"
    cp -rL "$ROOT/scripts/ansible" "$collection"
    cd "$collection"
    # It would look for the project's root in the directories above.
    git init -q .
    ANSIBLE_COLLECTIONS_PATH=$BATS_TEST_TMPDIR run ansible-lint --offline --strict --nocolor -q
    is "$output" ""
    is "$status" 0
    for needing in ansible-doc import pep8 pylint runtime-metadata validate-modules yamllint; do
        set -- "$@" --skip-test "$needing"
    done
    PATH=/usr/sbin:/usr/bin:/sbin:/bin run ansible-test sanity --color no "$@"
    is "$status" 0
    run ! grep -i -e error: -e fatal: <<<"$output"
    ANSIBLE_COLLECTIONS_PATH=$BATS_TEST_TMPDIR PYTHONPATH=$BATS_TEST_TMPDIR run /usr/bin/python3 \
        /usr/lib/python3/dist-packages/ansible_test/_util/controller/sanity/validate-modules/validate.py \
        --arg-spec --collection ansible_collections/postkick/postfix plugins/modules/*.py
    is "$(grep -v missing-gplv3-license <<<"$output")" ""
}

@test "the collection has its licence, its changes and its tests, which pass" {
    cd "$FLEET/collections/ansible_collections/postkick/postfix"
    is "$(<LICENSE)" "$(<"$ROOT/LICENSE")"
    grep -q "^## $(jq -r .collection_info.version MANIFEST.json)$" CHANGELOG.md
    is "$(jq '.collection_info | map_values(. // "" | length > 0) | [.repository, .documentation, .issues] | all' \
        MANIFEST.json)" true
    run /usr/bin/python3 -m unittest discover tests/unit/plugins/modules
    is "$status" 0
    has "$output" "Ran 4 tests"
}

@test "ansible-doc has the documentation of the modules" {
    run ansible-doc -t module postkick.postfix.postkick postkick.postfix.postkick_messages \
        postkick.postfix.postkick_info postkick.postfix.postkick_instance
    is "$status" 0
    run ! grep -i warning <<<"$output"
}

@test "all well: every instance of every host is kicked" {
    local name
    module postkick action=flush
    is "$status" 0
    for name in one two three; do
        is "$(result $name '[.changed, .msg] | @tsv')" $'true\t6 of 6 requests read'
        is "$(result $name '.instances | map(.config_directory + " " + .service + " " + .status)[]')" \
            "/etc/postfix qmgr kicked
/etc/postfix pickup kicked
/etc/postfix-a qmgr kicked
/etc/postfix-a pickup kicked
/etc/postfix-b qmgr kicked
/etc/postfix-b pickup kicked"
        patiently read_by $name "FADI "
    done
}

@test "options are those of the program; a second run kicks again" {
    module postkick 'class=public service=qmgr request=D group=customers wait=true timeout=20s'
    is "$(result two '.msg')" "2 of 2 requests read"
    module postkick 'class=public service=qmgr request=D instance=a,-'
    is "$(result two '[.changed, .msg] | @tsv')" $'true\t2 of 2 requests read'
    module postkick 'action=pickup config_directory=/etc/postfix-b'
    is "$(result two '.msg')" "1 of 1 requests read"
    for _ in 1 2; do
        module postkick 'action=pickup'
        is "$(result two '[.changed, .msg] | @tsv')" $'true\t3 of 3 requests read'
    done
    # no option of the program's, and its error in one line
    module postkick 'action=--help'
    has "$(result one '.msg')" "postkick: fatal: "
}

@test "check mode sends nothing, and reports the obstacles" {
    module postkick 'action=flush' --check
    is "$status" 0
    is "$(result one '[.changed, .msg] | @tsv')" $'true\t6 of 6 requests would be sent'
    is "$(result one '.instances | map(.status) | unique[]')" planned
    read_by one ""
    module postkick 'class=public service=nosuch request=X' --check
    [ "$status" != 0 ]
    has "$output" "one | FAILED! =>"
    is "$(result one .changed)" false
    has "$(result one .msg)" "no such service"
}

# mail HOST INSTANCE SENDER: a message in the queue there.
mail()
{
    on "$1" postconf -c "/etc/$2" -e authorized_submit_users=static:anyone
    on "$1" bash -c "echo text | sendmail -C /etc/$2 -f $3 recipient@example.invalid"
    on "$1" postkick -q -c "/etc/$2" pickup
    patiently on "$1" bash -c "postkick -M -j -c /etc/$2 --sender $3 list | grep -v -q maildrop"
}

@test "messages are counted in check mode, and acted on in whichever instance they are" {
    local id
    mail one postfix news@spam.example
    mail one postfix-a news@spam.example
    mail two postfix-a boss@example.com
    module postkick_messages 'verb=delete sender=*@spam.example' --check
    is "$status" 0
    is "$(result one '[.changed, .msg] | @tsv')" $'true\tdelete: 2 messages'
    is "$(result two '[.changed, .msg] | @tsv')" $'false\tdelete: 0 messages'
    module postkick_messages 'verb=delete sender=*@spam.example'
    is "$(result one '[.changed, .msg] | @tsv')" $'true\tdelete: 2 messages'
    is "$(result one '.instances | map("\(.name) \(.done) \(.status)")[]')" "- 1 ok
postfix-a 1 ok
postfix-b 0 ok"
    module postkick_messages 'verb=delete sender=*@spam.example'
    is "$(result one .changed)" false
    id=$(on two postkick -M -j list | jq -r .queue_id)
    module postkick_messages "verb=hold ids=a/$id" --limit two
    is "$(result two '[.changed, .msg] | @tsv')" $'true\thold: 1 messages'
    # twice is once; what is not there is a failure, with its name
    module postkick_messages "verb=hold ids=$id" --limit two
    is "$(result two .changed)" false
    module postkick_messages "verb=hold ids=4TzQ5d0Kx1z9rW"
    [ "$status" != 0 ]
    is "$(result one .msg)" "hold: 0 messages; postkick: warning: 4TzQ5d0Kx1z9rW: no such message"
    module postkick_messages verb=hold
    has "$(result one .msg)" "hold: which messages?"
    on two postkick -M --yes -q delete ALL
}

@test "info: instances and queues; nothing is changed" {
    module postkick_info
    is "$status" 0
    is "$(result one '[.changed, .ok, .version, .ansible_facts] | @tsv')" \
        "$(printf 'false\ttrue\t%s\t' "$("$POSTKICK" --version | cut -d ' ' -f 2)")"
    is "$(result one '.instances | map(.state) | join(" ")')" "ok ok ok"
    is "$(result one '.instances | map(.queues.deferred.messages) | join(" ")')" "0 0 0"
    is "$(result one '.instances | map(.free_bytes > 0) | join(" ")')" "true true true"
    module postkick_info 'status=false enabled=true instance=postfix-*'
    is "$(result one '.instances | map(.name) | join(" ")')" "postfix-a postfix-b"
}

@test "one instance hangs: that host fails with the reason, the others are served" {
    local hung
    hung=$(on two bash -c 'pgrep -o -x qmgr')
    on two kill -STOP "$hung"
    module postkick 'action=flush timeout=3s'
    on two kill -CONT "$hung"
    [ "$status" != 0 ]
    is "$(result one .msg)" "6 of 6 requests read"
    has "$output" "two | FAILED! =>"
    is "$(result two .changed)" true
    has "$(result two .msg)" "5 of 6 requests read; /etc/postfix"
    has "$(result two .msg)" "not read within"
    is "$(result two '.instances | map(select(.status == "unconfirmed")) | length')" 1
}

@test "one main.cf is invalid: that instance fails, its neighbours are served" {
    on three sed -i '$adamaged' /etc/postfix-a/main.cf
    module postkick action=flush
    [ "$status" != 0 ]
    has "$(result three .msg)" "4 of 6 requests read; /etc/postfix-a: public/qmgr: "
    has "$(result three .msg)" "missing '=' after attribute name"
    is "$(result one .msg)" "6 of 6 requests read"
    playbook fleet_report
    [ "$status" != 0 ]
    has "$output" '"two: 3 of 3 instances ok",'
    has "$output" '"three: 2 of 3 instances ok",'
    has "$output" '"three: /etc/postfix-a: '
    on three sed -i '/^damaged$/d' /etc/postfix-a/main.cf
}

@test "instances are reloaded, and restarted one after the other" {
    local before
    before=$(on one cat /var/spool/postfix-a/pid/master.pid)
    module postkick_instance state=reloaded
    is "$status" 0
    is "$(result one '[.changed, .msg] | @tsv')" $'true\t3 of 3 instances reloaded'
    is "$(on one cat /var/spool/postfix-a/pid/master.pid)" "$before"
    module postkick_instance 'state=restarted instance=a' --limit one
    is "$(result one '[.changed, .msg] | @tsv')" $'true\t1 of 1 instances restarted'
    [ "$(on one cat /var/spool/postfix-a/pid/master.pid)" != "$before" ]
    on one postkick -q -s
}

playbook()
{
    run control ansible-playbook "postkick.postfix.$1" "${@:2}"
}

@test "the playbooks: a rolling flush, a report, and deferred mail after a change of maps" {
    playbook rolling_flush
    is "$status" 0
    is "$(grep -c '^PLAY \[' <<<"$output")" 3
    is "$(grep -c 'changed=1 ' <<<"$output")" 3
    playbook fleet_report
    is "$status" 0
    has "$output" '"one: 3 of 3 instances ok",'
    on two bash -c 'echo "example.com error:no" >/etc/postfix/transport'
    playbook requeue_after_maps -e '{"target": "two", "maps": ["/etc/postfix/transport"], "rewrite": true}'
    is "$status" 0
    on two test -e /etc/postfix/transport.db
    patiently read_by two "FADI  W FAD " # W is from its start again at the reload
}

@test "a rolling flush stops at the first host where an instance fails" {
    on one sed -i '$adamaged' /etc/postfix-a/main.cf
    playbook rolling_flush
    on one sed -i '/^damaged$/d' /etc/postfix-a/main.cf
    [ "$status" != 0 ]
    has "$output" "missing '=' after attribute name"
    is "$(grep -c '^PLAY \[' <<<"$output")" 1
    sleep 0.5
    read_by two ""
    read_by three ""
}

# readme WORD: the line of the collection's README.md that begins with it, where the hosts are called
# "mail".
readme()
{
    sed -n "s/^    \($1 .*\)/\1/p" "$ROOT/scripts/ansible/README.md" | head -n 1
}

@test "the README of the collection: one line with clush, one with ansible" {
    local name config=$HOME/.config/clustershell
    mkdir -p "$config"
    printf '[Main]\ndefault: here\n[here]\nmap: echo %s\n' "$FLEET_NETWORK.[1-3]" >"$config/groups.conf"
    printf '[Main]\nssh_options: %s\n' "-i $FLEET/key -o StrictHostKeyChecking=no \
-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR" >"$config/clush.conf"
    has "$(readme clush)" "postkick flush"
    run control bash -c "$(readme clush)"
    is "$output" ""
    is "$status" 0
    for name in one two three; do patiently read_by $name "FADI "; done
    on two bash -c 'postfix -c /etc/postfix-a stop >/run/stop 2>&1'
    run control bash -c "$(readme clush)"
    is "$status" 1
    has "$output" "$FLEET_NETWORK.2: postkick: warning: /etc/postfix-a: "
    on two bash -c 'postfix -c /etc/postfix-a start >/run/start 2>&1 </dev/null'
    printf '[mail]\none\ntwo\nthree\n' >>"$FLEET/inventory"
    run control bash -c "$(readme ansible)"
    is "$status" 0
    is "$(grep -c ' | CHANGED ' <<<"$output")" 3
}

@test "one host is down: it is unreachable, the others are served" {
    fleet_stop three
    module postkick 'action=flush' -T 3
    [ "$status" != 0 ]
    is "$(result one .msg)" "6 of 6 requests read"
    is "$(result two .msg)" "6 of 6 requests read"
    is "$(result three .unreachable)" true
    playbook fleet_report -T 3
    [ "$status" != 0 ]
    has "$output" '"one: 3 of 3 instances ok",'
    has "$output" '"three: Failed to connect'
}
