# SPDX-License-Identifier: MIT
# Hosts on this machine: each has network, process and mount namespaces of its own, sshd and three
# Postfix instances. They are connected by a bridge in one more network namespace, the control host's,
# and are gone with the processes that hold them, which end with the shell that started them. Load with "load fleet", after "load ../lib/common".
#
#   fleet_can fleet_need fleet_open NAME... fleet_ansible fleet_close
#   control COMMAND...       runs in the control host's namespaces; what it leaves behind, such as
#                            connections that ssh keeps, ends with them
#   on NAME COMMAND...       runs on a host, without ssh

FLEET_NETWORK=192.0.2 # for documentation, and nowhere in use

fleet_can()
{
    local need
    [ "$(id -u)" = 0 ] && [ -x /usr/sbin/sshd ] || return 1
    for need in ansible ip clush postmulti jq; do command -v $need >/dev/null || return 1; done
    unshare -m -n -p -u --fork true 2>/dev/null
}

fleet_need()
{
    [ -n "${FLEET_READY:-}" ] || skip "needs root, Postfix, OpenSSH, Ansible, and namespaces"
}

# fleet_open NAME...: those hosts, all made at the same time.
fleet_open()
{
    local name number=0 fd
    export FLEET=$BATS_FILE_TMPDIR/fleet
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
    mkdir -p "$FLEET"
    ssh-keygen -q -t ed25519 -N '' -f "$FLEET/key"
    exec {fd}< <(exec setpriv --pdeathsig KILL unshare -n -p --fork --kill-child bash -c "
        ip link add bridge type bridge && ip link set bridge up &&
        ip address add $FLEET_NETWORK.254/24 dev bridge && ip link set lo up && echo ready && sleep infinity & wait" 3>&-)
    export FLEET_HOLDER=$!
    read -r _ <&"$fd" || return 1
    exec {fd}<&-
    FLEET_CONTROL=$(pgrep -P "$FLEET_HOLDER")
    export FLEET_CONTROL
    for name; do
        number=$((number + 1))
        fleet_host "$name" $number
    done
    for name; do patiently grep -q -s -x ready "$FLEET/$name/said" || return 1; done
    export FLEET_READY=yes
}

# fleet_host NAME NUMBER: begins to make it.
fleet_host()
{
    local dir=$FLEET/$1 pid
    mkdir -p "$dir/host"
    mkfifo "$dir/input"
    POSTKICK=$POSTKICK KEY=$FLEET/key.pub setpriv --pdeathsig KILL \
        unshare -m -n -p -u --fork --kill-child "$ROOT/tests/fleet/host" "$1" "$FLEET_NETWORK.$2" \
        "$dir" <>"$dir/input" >"$dir/said" 2>"$dir/errors" 3>&- &
    echo $! >"$dir/holder"
    disown # the shell does not report its end
    patiently grep -q -s -x connect "$dir/said" || { cat "$dir/errors" >&2; return 1; }
    pid=$(pgrep -P "$(cat "$dir/holder")")
    echo "$pid" >"$dir/pid"
    nsenter -t "$FLEET_CONTROL" -n ip link add "host$2" type veth peer name eth0 netns "$pid"
    control ip link set "host$2" master bridge up
    echo >"$dir/input"
    printf '%s ansible_host=%s.%s\n' "$1" "$FLEET_NETWORK" "$2" >>"$FLEET/inventory"
}

# unshare blocks SIGTERM; with it goes process 1 of the host, and with that all others.
fleet_stop()
{
    kill -KILL "$(cat "$FLEET/$1/holder")" 2>/dev/null || true
}

fleet_close()
{
    local holder
    [ -n "${FLEET:-}" ] || return 0
    for holder in "$FLEET"/*/holder; do fleet_stop "$(basename "${holder%/holder}")"; done
    [ -z "${FLEET_HOLDER:-}" ] || kill -KILL "$FLEET_HOLDER" 2>/dev/null || true
}

control()
{
    nsenter -t "$FLEET_CONTROL" -n -p -- "$@"
}

on()
{
    local pid
    pid=$(cat "$FLEET/$1/pid")
    shift
    nsenter -t "$pid" -m -n -p -u -r -w -- env -u MAIL_CONFIG "$@" 3>&-
}

# fleet_ansible: Ansible's settings, with nothing of this machine's, and the collection, built and
# installed.
fleet_ansible()
{
    export HOME=$FLEET/home ANSIBLE_CONFIG=$FLEET/ansible.cfg
    cat >"$FLEET/ansible.cfg" <<END
[defaults]
inventory = $FLEET/inventory
collections_path = $FLEET/collections
local_tmp = $FLEET/tmp
host_key_checking = false
private_key_file = $FLEET/key
remote_user = root
interpreter_python = /usr/bin/python3
localhost_warning = false
retry_files_enabled = false
timeout = 20
[ssh_connection]
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
control_path = $FLEET/%%C
END
    mkdir -p "$HOME" "$FLEET/collections"
    ansible-galaxy collection build --output-path "$FLEET" "$ROOT/scripts/ansible" >/dev/null
    ansible-galaxy collection install --offline -p "$FLEET/collections" \
        "$FLEET"/postkick-postfix-*.tar.gz >/dev/null
}
