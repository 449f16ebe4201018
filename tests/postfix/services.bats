#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What postkick.ini says of the services in a stock master.cf, held against what real ones log when
# they are kicked.

INSTANCES=(postfix)
load on_scratch

configure()
{
    local name
    # Those that are comments in the stock master.cf
    printf '%s\n' 'smtpd pass - - n - - smtpd' 'dnsblog unix - - n - 0 dnsblog' \
        'tlsproxy unix - - n - 0 tlsproxy' >>"$REAL/etc/postfix/master.cf"
    # Those that Debian 12 (Postfix 3.7) has there, and Debian 13 (3.10) only as comments
    for name in maildrop uucp ifmail bsmtp scalemail-backend mailman; do
        grep -q "^$name " "$REAL/etc/postfix/master.cf" ||
            echo "$name unix - n n - - pipe user=nobody argv=/bin/true"
    done >>"$REAL/etc/postfix/master.cf"
    real_set postfix "virtual_mailbox_base = /"
}

# known_services: "CLASS SERVICE REQUESTS" for every service of the shipped settings.
known_services()
{
    sed -n -e 's/^;//' -e '/^\[service /,$p' "$ROOT/conf/postkick.ini" |
        awk '/^\[/ { gsub(/[][]/, ""); service = $2 }
             $1 == "class" { class = $3 }
             $1 == "requests" { sub(/[^=]*= */, ""); print class, service, $0 }'
}

# kick_and_watch CLASS SERVICE REQUEST WARNING PATTERN: it is read, with that warning or none, and the log
# has the pattern soon.
kick_and_watch()
{
    real_clear postfix
    kick "${@:1:3}"
    is "$status$stderr" "0${4:+postkick: warning: $1/$2: $4}"
    patiently real_log postfix "$5"
}

@test "every service of the stock master.cf of any release is known, of the class that it has there" {
    awk '$2 ~ /^(unix|pass|unix-dgram)$/ && $1 != "deliver" {
        print $3 == "n" ? "public" : "private", $1
    }' "$REAL/etc/postfix/master.cf" | sort >"$BATS_TEST_TMPDIR/stock"
    known_services | cut -d' ' -f1,2 | sort >"$BATS_TEST_TMPDIR/known"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/stock")" -gt 20 ]
    diff -u "$BATS_TEST_TMPDIR/stock" "$BATS_TEST_TMPDIR/known"
}

@test "services that take no requests complain of one, or never read it" {
    local class service requests pattern none="the service accepts no requests" count=0
    while read -r class service requests; do
        pattern="unexpected attribute refresh from $service socket"
        [ -z "$requests" ] || continue
        case $service in
        postlog | showq | smtpd) continue ;; # see below
        anvil) pattern="premature end-of-input on anvil socket" ;;
        tlsproxy) pattern="unexpected attribute refresh from plaintext" ;;
        esac
        kick_and_watch "$class" "$service" refresh "$none" "$pattern"
        count=$((count + 1))
    done < <(known_services)
    [ "$count" -ge 25 ]

    for service in private/smtpd public/showq; do
        kick "${service%/*}" "${service#*/}" W
        is "$status" 1
        is "$stderr" "postkick: warning: $service: $none
postkick: warning: $service: closed before the request was read"
    done
    patiently real_log postfix "pass_accept_attr: cannot receive file descriptor"
    kick -j public postlog W
    is "$status" 1
    has "$output" '"reason": "a datagram socket accepts no requests"'
}

@test "flush and tlsmgr greet, act on exactly W, and complain of all else" {
    local class service
    while read -r class service; do
        real_clear postfix
        kick -w "$class" "$service" W
        is "$status$stderr" 0
        run ! real_log postfix "unexpected attribute W from"
        kick_and_watch "$class" "$service" WW 'request "WW" is ignored: the service acts on "W" only' \
            "unexpected attribute WW from $service socket"
    done <<<$'public flush\nprivate tlsmgr'
}

@test "qmgr ignores every byte but its own, and pickup none" {
    local byte
    for byte in D I W; do kick_and_watch public qmgr $byte "" "request: [0-9]* ($byte)"; done
    for byte in A F; do
        kick_and_watch public qmgr $byte "request \"$byte\" starts nothing on its own: add one of DIW" \
            "request: [0-9]* ($byte)"
    done
    for byte in a i w w1 B X '?'; do
        kick_and_watch public qmgr "$byte" "request \"$byte\": \"$byte\" is ignored: the service acts on ADFIW" \
            "request ignored"
        run ! real_log postfix "start .* queue scan"
    done
    for byte in W x ''; do kick_and_watch public pickup "$byte" "" "pickup.*trigger arrived"; done
}

@test "A alone starts nothing, and modifies the scan that comes next" {
    real_send postfix
    patiently real_log postfix "qmgr_job_free"
    : >"$REAL/postfix.works"
    kick -q public qmgr A
    kick_and_watch public qmgr I "" "done incoming queue scan"
    run ! real_log postfix "start deferred queue scan"
    kick_and_watch public qmgr D "" "status=sent"
}
