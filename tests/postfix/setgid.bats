#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The program installed set-gid postdrop, as Postfix installs postqueue: it refuses to run. In a
# mount namespace, because the host's file systems may be mounted nosuid.

bats_require_minimum_version 1.5.0
load on_host

make_host()
{
    host chmod 755 "$HOST"
    host cp "$POSTKICK" "$HOST/plain"
    host cp "$POSTKICK" "$HOST/postkick"
    host chgrp postdrop "$HOST/postkick"
    host chmod 2755 "$HOST/postkick"
}

# nobody COMMAND...: run by nobody, in the namespace.
nobody()
{
    run --separate-stderr host setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

@test "it refuses to run with raised privilege, whatever is asked of it" {
    local arguments
    for arguments in "public qmgr I" "-n flush" "-l" "-s" "-p status" "-x id" "--version" "--help" \
        "-f /etc/shadow flush" "-Z"; do
        # shellcheck disable=SC2086 # words
        nobody "$HOST/postkick" $arguments
        is "$status" 1
        is "$stderr" "postkick: fatal: refusing to run with raised privileges (set-uid, set-gid or capabilities)"
        is "$output" ""
    done
    nobody "$HOST/plain" --version
    is "$status" 0
    is "$stderr" ""
}
