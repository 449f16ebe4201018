#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the Makefile does: building and installing. Most tests build a program of one line.

load ../lib/common

setup()
{
    unset CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS MAKELEVEL
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE"/{src/base,tests/unit/base,tests/lib,tests/preload}
    cp -r "$ROOT"/{Makefile,CHANGELOG.md,conf,man,scripts} "$TREE"
    cp "$ROOT/tests/tests.mk" "$TREE/tests"
    printf '#include <stdio.h>\nint main(void) { return puts(POSTKICK_SETTINGS); }\n' |
        tee "$TREE"/{src/main,tests/lib/listener,tests/preload/inject}.c >"$TREE/tests/unit/base/test_one.c"
    echo 'extern int one; int one = 1;' >"$TREE/src/base/one.c"
    STAGE=$BATS_TEST_TMPDIR/stage
}

# make_it ARGUMENT...: in the small tree.
make_it()
{
    run make -C "$TREE" --no-print-directory "$@"
    [ "$status" = 0 ] || printf '%s\n' "$output" >&2
}

# compiler TEXT...: one that refuses commands with one of these in them, and remembers its commands.
compiler()
{
    local text
    {
        echo '#!/bin/sh'
        # shellcheck disable=SC2016 # for the shell there
        printf 'echo "$*" >>%s/commands\n' "$BATS_TEST_TMPDIR"
        # shellcheck disable=SC2016 # for the shell there
        for text; do printf 'case $* in *%s*) exit 1 ;; esac\n' "$text"; done
        # shellcheck disable=SC2016 # for the shell there
        echo 'exec gcc "$@"'
    } >"$BATS_TEST_TMPDIR/cc"
    chmod 755 "$BATS_TEST_TMPDIR/cc"
    echo "$BATS_TEST_TMPDIR/cc"
}

@test "the environment's compiler and flags are used, after ours" {
    CC=$(compiler) CPPFLAGS=-DUSER=1 CFLAGS=-O1 LDFLAGS=-Wl,-O1 make_it
    is "$(grep -c -e ' -c -o build' <<<"$output")" 2
    [[ $(grep -e ' -c -o build/main.o' <<<"$output") == \
        "$BATS_TEST_TMPDIR/cc "*-Wall*-fstack-protector*" -DUSER=1 -O1 "* ]]
    [[ $(grep -e ' -o build/postkick' <<<"$output") == *-z,now*" -Wl,-O1 "* ]]
    # the command line overrides the environment
    CFLAGS=-O1 make_it CFLAGS=-O3
    has "$output" " -O3 "
    [[ $output != *" -O1 "* ]]
}

@test "the hardening is what the compiler has, and what the user does not decide" {
    local cc
    make_it
    [[ $output =~ -D_FORTIFY_SOURCE=[23] ]]
    has "$output" -fstack-protector-strong
    cc=$(compiler -fstack-clash SOURCE=3)
    make_it CC="$cc"
    has "$output" "-D_FORTIFY_SOURCE=2 -fstack-protector-strong "
    [[ $output != *-fstack-clash* && $output != *SOURCE=3* ]]
    # it is asked once
    : >"$BATS_TEST_TMPDIR/commands"
    make_it -B CC="$cc" build/main.o
    is "$(wc -l <"$BATS_TEST_TMPDIR/commands")" 1
    # redefined without a warning
    make_it CFLAGS=-O0 CPPFLAGS=-D_FORTIFY_SOURCE=1
    [[ $output != *warning* && $output != *SOURCE=[23]* ]]
    # one that fails for another reason is asked again
    run make -s -C "$TREE" CC="$(compiler -c)"
    is "$status" 2
    compiler
    make_it CC="$cc"
    has "$output" -fstack-protector-strong
}

@test "the program is hardened" {
    is "$(readelf -h "$POSTKICK" | sed -n 's/^ *Type: *\([A-Z]*\).*/\1/p')" DYN
    has "$(readelf -d "$POSTKICK")" NOW
    has "$(readelf -l "$POSTKICK")" GNU_RELRO
    has "$(readelf -s "$POSTKICK")" __stack_chk_fail
    [[ $(readelf -W --dyn-syms "$POSTKICK") =~ _chk@ ]]
}

@test "nothing is made again of what is built, and what flags change is" {
    make_it all tools unit
    make_it -q all tools unit
    is "$status" 0
    make_it -s -n all tools unit
    is "$output" ""
    make_it LDFLAGS=-Wl,-O1
    is "$(grep -c -e ' -o ' <<<"$output")" 1
    has "$output" " -o build/postkick "
    make_it CFLAGS=-O1
    is "$(grep -c -e ' -c -o ' <<<"$output")" 2
}

@test "what is installed is what was built, whatever the flags were" {
    CC=$(compiler) make_it CFLAGS=-O1 SYSCONFDIR=/opt/etc
    make_it install DESTDIR="$STAGE"
    is "$status" 0
    [[ $output != *" -o build/"* ]]
    is "$(find "$STAGE/opt" -type f)" "$STAGE/opt/etc/postkick.ini"
    run ! grep -r -h -o '[ =]/etc/postkick[-a-z]*.ini' "$STAGE"
    # but for a change of the source
    echo >>"$TREE/src/main.c"
    make_it install DESTDIR="$STAGE"
    is "$(grep -c -e '/cc .*-O1.* -c -o build' <<<"$output")" 1
}

@test "directories of distributions, and no trace of DESTDIR" {
    make_it install DESTDIR="$STAGE" PREFIX=/usr LIBDIR=/usr/lib64 UNITDIR=/usr/lib/systemd/system \
        SBINDIR=/usr/libexec/postkick
    is "$status" 0
    [ -x "$STAGE/usr/lib64/nagios/plugins/check_postkick" ]
    [ -f "$STAGE/usr/lib/systemd/system/postkick-flush.service" ]
    run ! grep -r -F "$STAGE" "$STAGE"
    run ! grep -r -e /usr/local -e =/usr/sbin/ -e ' /usr/lib/nagios' "$STAGE"/usr/{lib/systemd,share/man}
    # the manual pages name the files
    grep -q "multi_instance_wrapper = /usr/libexec/postkick/postkick -p --" "$STAGE/usr/share/man/man1/postkick.1"
    [ -f "$STAGE$(sed -n 's/^.It Pa \(.*postfix.ini\)$/\1/p' "$STAGE/usr/share/man/man8/postkick-settings.8" | tail -n 1)" ]
    [ -x "$STAGE$(sed -n 's/^.Pa \(.*examples.*\) \.$/\1/p' "$STAGE/usr/share/man/man8/postkick-network-up.8")" ]
    make_it uninstall DESTDIR="$STAGE" PREFIX=/usr LIBDIR=/usr/lib64 UNITDIR=/usr/lib/systemd/system \
        SBINDIR=/usr/libexec/postkick
    is "$(find "$STAGE" ! -type d)" "$STAGE/etc/postkick.ini"
}

@test "the scripts run the program that they were installed with" {
    local file
    make_it install DESTDIR="$STAGE" PREFIX=/usr SBINDIR=/opt/sbin NAME=postkick-multi
    # shellcheck disable=SC2016 # that text
    run ! grep -r -n ':-postkick}' "$STAGE"
    for file in lib/nagios/plugins/check_postkick share/doc/postkick/examples/postkick-network-up; do
        grep -q '{POSTKICK:-/opt/sbin/postkick-multi}' "$STAGE/usr/$file"
    done
    grep -q '^ExecStart=/opt/sbin/postkick-multi ' "$STAGE/usr/lib/systemd/system/postkick-flush.service"
    is "$(sed -n '/^.Sh DESCRIPTION/{n;n;p;}' "$STAGE/usr/share/man/man1/postkick-multi.1")" ".Nm postkick-multi ;"
    # the completion is found by the name of each command
    for file in postkick-multi postkick-settings; do
        # shellcheck disable=SC2016 # for the shell there
        bash --norc -c '. "$1/$2" && complete -p "$2"' - "$STAGE/usr/share/bash-completion/completions" $file
    done
}

@test "another program and manual page of that name stay" {
    local file
    for file in usr/local/sbin/postkick usr/local/share/man/man1/postkick.1; do
        install -D -m 755 /bin/true "$STAGE/$file"
        for target in install uninstall; do
            make_it $target DESTDIR="$STAGE" 2>/dev/null
            is "$status" 2
            has "$output" "$STAGE/$file is not this project's, but Postfix's perhaps, and stays:"
            is "$(find "$STAGE" ! -type d)" "$STAGE/$file"
        done
        make_it install DESTDIR="$STAGE" SBINDIR=/opt/sbin MANDIR=/opt/man
        is "$status" 0
        make_it install DESTDIR="$STAGE" NAME=postkick-multi
        is "$status" 0
        cmp /bin/true "$STAGE/$file"
        rm -r "$STAGE"
    done
}

@test "compile_commands.json has a command for each file" {
    make_it compile_commands.json
    is "$(jq -r '.[].file' "$TREE/compile_commands.json" | sort)" "$(cd "$TREE" && find src tests -name '*.c' | sort)"
    cd "$TREE"
    jq -r '.[].command + " -fsyntax-only"' compile_commands.json | sh -e
}

@test "make help names the targets, and each exists" {
    local word count=0
    make_it help
    while read -r word; do
        grep -q "^${word%,}:" "$ROOT"/Makefile "$ROOT"/*/*.mk || { echo "no target: $word"; return 1; }
        count=$((count + 1))
    done < <(sed -n 's/^make \([a-z]\)/\1/p' <<<"$output" | sed -e 's/  .*//' -e 's/:.*//' | tr ' ' '\n')
    [ "$count" -ge 12 ]
}
