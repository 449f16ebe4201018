# SPDX-License-Identifier: MIT
# Real Postfix instances for tests: load it with "load real", after "load ../lib/common".
#
# In a scratch directory ($REAL; any file of tests):    In a mount namespace of its own:
#   real_can real_need real_open real_close               host_can host_need host_open host_close
#   real_set real_start real_stop                         host_instances host_running
#   real_kick_as real_send real_log real_clear            host_master host COMMAND...
# and for both: patiently, requests.
#
# The default instance of the scratch directory is called "postfix"; its settings are $INI, for kick.

REAL_SECONDS=30 # longer than anything takes that succeeds

# What it takes. In setup_file, where bats cannot skip: real_can || return 0.
real_can()
{
    [ "$(id -u)" = 0 ] && command -v postmulti >/dev/null
}

real_need()
{
    real_can || skip "needs root, and Postfix"
}

# patiently COMMAND...: repeats it until it succeeds; fails after REAL_SECONDS.
patiently()
{
    local attempts
    for ((attempts = REAL_SECONDS * 20; attempts > 0; attempts--)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    echo "did not happen within $REAL_SECONDS s: $*" >&2
    return 1
}

# real_level: the compatibility level, without which Postfix warns: before 3.6, the last is 2.
real_level()
{
    local version
    version=$(postconf -d -h mail_version)
    if printf '%s\n' 3.6 "$version" | sort -C -V; then cut -d. -f1,2 <<<"${version%%-*}"; else echo 2; fi
}

# real_open postfix [NAME...]: instances, enabled but for postfix-off, the first one the default. They
# deliver through $REAL/deliver once $REAL/NAME.works exists, retry by themselves after hours only, and
# their daemons say which requests they read.
real_open()
{
    local name
    export REAL=$BATS_FILE_TMPDIR/real INI=$BATS_FILE_TMPDIR/real/postkick.ini
    # Postfix's daemons and other users have to get there.
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
    mkdir -p "$REAL/etc" "$REAL/spool" "$REAL/lib"
    # shellcheck disable=SC2153 # of common.bash
    cat >"$INI" <<EOF
[postfix]
config_directory = $REAL/etc/postfix
queue_directory = $REAL/spool/postfix
data_directory = $REAL/lib/postfix
$(sed -n 's/^\([a-z_]*\) .*=.*/\1/p' "$ROOT/conf/postfix.ini" |
        grep -v -x -E '(config|queue|data)_directory' | xargs postconf -d)
EOF
    cat >"$REAL/deliver" <<'EOF'
#!/bin/sh
# deliver FILE: what pipe(8) runs; a message is deferred as long as FILE does not exist.
cat >/dev/null
[ -e "$1" ] || exit 75
EOF
    chmod 755 "$REAL" "$REAL"/*/ "$REAL/deliver"
    for name; do real_instance "$name"; done
    [ $# = 1 ] || real_set postfix "multi_instance_directories =$(printf " $REAL/etc/%s" "${@:2}")"
}

real_instance()
{
    local name=$1 etc=$REAL/etc/$1 enable=yes
    [ "$name" != postfix-off ] || enable=no
    mkdir "$etc" "$REAL/spool/$name" "$REAL/lib/$name"
    chown postfix "$REAL/lib/$name"
    # No chroot: a scratch directory has nothing of /etc. No wakeups: only kicks do anything.
    awk '/^#/ { next }
         /^[a-z]/ { $5 = "n"; $6 = "-" }
         $1 == "qmgr" || $1 == "pickup" { $0 = $0 " -v" }
         { print }' "$(postconf -d -h meta_directory)/master.cf.proto" >"$etc/master.cf"
    echo "deliver unix - n n - - pipe user=nobody argv=$REAL/deliver $REAL/$name.works" \
        >>"$etc/master.cf"
    [ "$name" = postfix ] || echo "multi_instance_name = $name" >"$etc/main.cf"
    real_set "$name" "$(cat <<EOF
multi_instance_enable = $enable
compatibility_level = $(real_level)
queue_directory = $REAL/spool/$name
data_directory = $REAL/lib/$name
myhostname = $name.example
mydestination =
alias_maps =
alias_database =
inet_protocols = ipv4
inet_interfaces = loopback-only
master_service_disable = inet
maillog_file = $REAL/$name.log
maillog_file_prefixes = $REAL
default_transport = deliver:
minimal_backoff_time = 4h
maximal_backoff_time = 4h
queue_run_delay = 4h
EOF
    )"
}

# real_set NAME LINE...: adds them to its main.cf. Postfix waits for files that are new.
real_set()
{
    printf '%s\n' "${@:2}" >>"$REAL/etc/$1/main.cf"
    touch -d '1 hour ago' "$REAL/etc/$1"/*.cf
}

# real_pid NAME: of its master, if that is really running in this scratch directory.
real_pid()
{
    local pid
    pid=$(tr -d ' ' <"$REAL/spool/$1/pid/master.pid") 2>/dev/null || return 1
    [ "$(readlink "/proc/$pid/cwd")" = "$REAL/spool/$1" ] && echo "$pid"
}

real_ended()
{
    ! real_pid "$1" >/dev/null
}

# real_daemon NAME DAEMON: process id of one of the instance's daemons.
real_daemon()
{
    pgrep -g "$(real_pid "$1")" -x "$2"
}

# real_start NAME...: side by side, until their trigger servers run and have nothing to do.
real_start()
{
    local name pids=() pid
    for name; do
        postfix -c "$REAL/etc/$name" start >"$REAL/$name.start" 2>&1 </dev/null 3>&- 4>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || { cat "$REAL"/*.start >&2; return 1; }; done
    for name; do
        patiently "$POSTKICK" -q -f "$INI" -c "$REAL/etc/$name" -w public pickup W
        patiently "$POSTKICK" -q -f "$INI" -c "$REAL/etc/$name" public qmgr X
        patiently real_log "$name" 'pickup.*master_notify: status 1'
        patiently real_log "$name" 'request: 88 (X)'
    done
    real_clear "$@"
}

# real_stop NAME...: with all processes, also stopped ones.
real_stop()
{
    local name pid
    for name; do
        pid=$(real_pid "$name") || continue
        kill -CONT -- "-$pid"
        kill -KILL -- "-$pid"
        patiently real_ended "$name"
    done
}

real_close()
{
    local etc
    [ -n "${REAL:-}" ] || return 0
    for etc in "$REAL"/etc/*/; do real_stop "$(basename "$etc")"; done
}

# real_kick_as GROUPS ARGUMENT...: as kick, but by nobody, with these groups, or none: "-".
real_kick_as()
{
    local groups=(--clear-groups)
    [ "$1" = - ] || groups=(--groups "$1")
    shift
    cp "$POSTKICK" "$REAL/postkick"
    chmod 755 "$REAL/postkick"
    run --separate-stderr env -u MAIL_CONFIG -u MAIL_VERBOSE setpriv --reuid nobody \
        --regid nogroup "${groups[@]}" "$REAL/postkick" -f "$INI" "$@"
}

# real_send NAME [SENDER [RECIPIENT [BYTES]]]: a message from outside of the instance's domain.
real_send()
{
    { printf 'Subject: test\n\n' && head -c "${4-4}" /dev/zero | tr '\0' x && echo; } |
        sendmail -C "$REAL/etc/$1" -f "${2-sender@example.com}" "${3-recipient@example.com}"
}

# real_clear NAME...: what the log has from here on.
real_clear()
{
    local name
    for name; do : >"$REAL/$name.log"; done
}

# real_log NAME PATTERN: the log has that.
real_log()
{
    grep -q -e "$2" "$REAL/$1.log"
}

# requests LOG: what qmgr read, as in "FADI FADI I ", if it runs with -v.
requests()
{
    sed -n -e 's/.*qmgr\[[0-9]*\]: request: 0 (.*/ /p' \
        -e 's/.*qmgr\[[0-9]*\]: request: [0-9]* (\(.\)).*/\1/p' "$1" 2>/dev/null | tr -d '\n'
}

# requested LOG REQUESTS: that is what qmgr has read by now.
requested()
{
    [ "$(requests "$1")" = "$2" ]
}

host_can()
{
    real_can && command -v nsenter >/dev/null && unshare -m true 2>/dev/null
}

host_need()
{
    host_can || skip "needs root, Postfix and a mount namespace"
    [ -n "${HOST:-}" ] || skip "needs overlay mounts"
}

# host_open: a mount namespace with /etc and /var of its own, without postkick's settings, and $HOST, a
# directory in memory where programs may be set-gid; not set when the mounts fail. It lasts until
# host_close, or until bats ends.
host_open()
{
    local root=$BATS_FILE_TMPDIR/host fd
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
    mkdir -p "$root"
    exec {fd}< <(exec unshare -m bash -c "
        mount -t tmpfs -o mode=755 tmpfs '$root' || exit
        for each in etc var; do
            mkdir '$root'/\$each '$root'/\$each.work
            mount -t overlay overlay -o lowerdir=/\$each \
                -o upperdir='$root'/\$each,workdir='$root'/\$each.work /\$each || exit
            chmod 755 /\$each
        done
        rm -f /etc/postkick.ini /etc/postkick-postfix.ini
        echo ready
        exec tail --pid=$$ -f /dev/null >/dev/null" 2>/dev/null 3>&-)
    export HOST_PID=$!
    if read -r _ <&"$fd"; then export HOST=$root; fi
    exec {fd}<&-
    # What follows changes /etc and /var: never those of this machine.
    if [ -n "${HOST:-}" ] && ! host test -d "$HOST/etc.work"; then
        echo "the namespace of the tests is not the one that was made" >&2
        unset HOST
        return 1
    fi
}

# host_instances NAME:GROUP...: a default instance, with nothing in it that this machine's has, and
# those, made by postmulti(1); all enabled but postfix-off.
host_instances()
{
    local each name
    # shellcheck disable=SC2016 # for the shell there
    host bash -c 'rm -rf /etc/postfix-* /var/spool/postfix-* /var/lib/postfix-*
        cp "$1/master.cf.proto" /etc/postfix/master.cf
        printf "%s\n" "${@:2}" >/etc/postfix/main.cf' - "$(postconf -d -h meta_directory)" \
        "compatibility_level = $(real_level)" 'alias_maps =' 'master_service_disable = inet' \
        'maillog_file = /var/log/postfix.log' \
        'inet_interfaces = loopback-only' 'inet_protocols = ipv4'
    host "$ROOT/scripts/postkick-settings" --write
    host_aged postmulti -e init
    for each; do
        name=${each%:*}
        host_aged postmulti -I "$name" -G "${each#*:}" -e create
        host postconf -c "/etc/$name" -e "maillog_file = /var/log/$name.log" 'alias_maps =' \
            'inet_interfaces = loopback-only' 'inet_protocols = ipv4'
        [ "$name" = postfix-off ] || host postmulti -i "$name" -e enable
    done
    host_aged true
}

# host_running NAME:GROUP...: the same, running, and all that "make install" installs in a /usr/local
# of its own.
host_running()
{
    mkdir "$BATS_FILE_TMPDIR/local"
    host mount --bind "$BATS_FILE_TMPDIR/local" /usr/local
    # shellcheck disable=SC2153 # of common.bash
    host make -s -C "$ROOT" install
    host cp "$POSTKICK" /usr/local/sbin
    host_instances "$@"
    host postfix start >"$BATS_FILE_TMPDIR/start" 2>&1 3>&- 4>&-
}

# host_master INSTANCE: its process, and the process group of its daemons.
host_master()
{
    host cat "/var/spool/$1/pid/master.pid" | tr -d ' '
}

# host_aged COMMAND...: in the namespace, with files that are not new: Postfix waits for those.
host_aged()
{
    host bash -c 'touch -d "1 hour ago" /etc/postfix*/*.cf; exec "$@"' - "$@"
}

# host COMMAND...: in the namespace. Its root is that of the process there: in a chroot, the root of
# a mount namespace is another.
host()
{
    nsenter -t "$HOST_PID" -m -r -- env -u MAIL_CONFIG -u MAIL_VERBOSE "$@"
}

# host_close: ends what runs there, by what it works in.
host_close()
{
    [ -n "${HOST:-}" ] || return 0
    # shellcheck disable=SC2016 # for the shell there
    host bash -c '
        for file in /var/spool/postfix*/pid/master.pid; do
            pid=$(tr -d " " <"$file") && [ -n "$pid" ] || continue
            [ "$(readlink "/proc/$pid/cwd")" = "${file%/pid/master.pid}" ] || continue
            [ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || continue
            kill -KILL -- "-$pid"
        done' 2>/dev/null || true
    kill "$HOST_PID"
}
