#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written for people agrees with the program: manual pages, README.md, --help, completion.

bats_require_minimum_version 1.5.0

setup()
{
    load ../lib/common
    cd "$ROOT" || return 1
    MAN=man/postkick.1
    SETTINGS=man/postkick.ini.5
}

# sorted: the words of standard input, each once, one per line.
sorted()
{
    tr -s ' \t' '\n' | grep . | sort -u
}

# shipped_help: --help with the settings that are shipped, not those of this host.
shipped_help()
{
    "$POSTKICK" -f conf/postkick.ini --help
}

# help_options: "-c --config-directory ARG" of every option in --help, ARG where it takes one.
help_options()
{
    shipped_help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\)\( [A-Z][A-Z=]*\)\{0,1\}\( .*\)*$/\1 \2\3/p' |
        sed 's/ [A-Z=]*$/ ARG/' | sort
}

# man_options: the same from the OPTIONS of the manual page.
man_options()
{
    sed -n '/^\.Sh OPTIONS/,/^\.Sh WHICH/s/^\.It Fl \([a-zA-Z]\)\( Ar .*\)\{0,1\} , Fl -\([a-z-]*\)\( Ar .*\)\{0,1\}$/-\1 --\3\4/p' \
        $MAN | sed 's/ Ar .*/ ARG/' | sort
}

# synopsis_letters: those of the manual page's synopsis.
synopsis_letters()
{
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' $MAN | grep -o 'Fl [a-zA-Z]*' | cut -c 4- |
        grep -o . | sort -u
}

# members WHICH: the JSON members in the manual page: of every row, of requests, of commands.
members()
{
    sed -n '/^\.Sh JSON/,/^\.Sh ENVIRONMENT/p' $MAN |
        awk -v which="$1" '
            /^Requests have/ {part = "requests"}
            /^Status$/ {part = "status"}
            /^Commands$/ {part = "commands"}
            /^\.It Va/ && (part == "" || part == which) {
                gsub(/^\.It Va|,/, ""); for (i = 1; i <= NF; i++) print $i
            }' | sort -u
}

# json_members: the members of the first object on standard input.
json_members()
{
    python3 -c 'import json, sys; print(*sorted(json.loads(sys.stdin.readline())), sep="\n")'
}

# lacks TEXT PART: TEXT does not contain PART.
lacks()
{
    case "$1" in
    *"$2"*)
        printf 'expected not to contain: %s\n                    got: %s\n' "$2" "$1" >&2
        return 1
        ;;
    esac
}

# complete_words WORD...: what the completion offers for the last word, one per line.
complete_words()
{
    bash --norc -c '
        . scripts/postkick.bash-completion
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _postkick
        [ "${#COMPREPLY[@]}" = 0 ] || printf "%s\n" "${COMPREPLY[@]}" | sort -u' - \
        "$POSTKICK" "$@"
}

# readme_commands: the indented command lines of README.md, without the prompt.
readme_commands()
{
    sed -n -e 's/^    # //p' -e 's/^    \(\(make\|scripts\|postkick\)[ /].*\)/\1/p' README.md
}

@test "the manual pages have no mistakes of form" {
    local page
    for page in man/*.[1-8]; do
        run mandoc -T lint -W warning "$page"
        is "$output" ""
        is "$status" 0
    done
}

@test "options: the manual page describes those of --help, with the same arguments" {
    local options
    options=$(help_options)
    is "$(wc -l <<<"$options")" 18
    is "$(man_options)" "$options"
    is "$(sed -n 's/^\.It Fl -\([a-z]*\)$/\1/p' $MAN | sort | tr '\n' ' ')" "help version "
}

@test "options: the synopses name every letter and no others" {
    local letters
    letters=$(help_options | cut -c 2 | sort -u)
    is "$(synopsis_letters)" "$letters"
    is "$(shipped_help | sed -n '/^Usage/,/^$/p' | grep -o '[[ ]-[a-zA-Z]\{1,\}' |
        tr -d '[ -' | grep -o . | sort -u)" "$letters"
}

@test "options: the program takes every one that is described, and no other letter" {
    local letter options
    options=$(help_options)
    for letter in {a..z} {A..Z}; do
        run "$POSTKICK" -f conf/postkick.ini "-$letter" 1
        if grep -q "^-$letter " <<<"$options"; then
            lacks "$output" "invalid option"
        elif [ "$letter" = e ]; then
            has "$output" "use postmulti(1)"
        else
            has "$output" "invalid option"
        fi
    done
    while read -r _ letter _; do
        run "$POSTKICK" -f conf/postkick.ini "$letter"
        lacks "$output" "invalid option"
    done <<<"$options"
}

@test "completion: the options are those of --help, with the same arguments" {
    is "$(bash --norc -c '. scripts/postkick.bash-completion
        awk "NF {print \"-\" \$1, \"--\" \$2 (\$3 == \"-\" ? \"\" : \" ARG\")}" <<<"$_postkick_table"' |
        sort)" "$(help_options)"
    has "$(complete_words --)" --help
}

# argument_of LETTER ARG: one that the option takes, if it takes one.
argument_of()
{
    case $1:$2 in
    *:) ;;
    *) echo 1 ;;
    esac
}

@test "completion: a mode is offered the options that it takes, and no other" {
    local mode letter argument offered
    local -A operands=([k]="public qmgr I" [l]="" [p]=status [s]="" [x]=true)
    for mode in k l p s x; do
        case $mode in
        k) offered=$(complete_words -) ;;
        *) offered=$(complete_words "-$mode" -) ;;
        esac
        while read -r letter _ argument; do
            [[ $letter != -[lpsx] ]] || continue
            # shellcheck disable=SC2046,SC2086 # words
            run "$POSTKICK" -f /nonexistent $([ $mode = k ] || echo "-$mode") "$letter" \
                $(argument_of "$letter" "$argument") ${operands[$mode]}
            if grep -q -x -- "$letter" <<<"$offered"; then
                lacks "$output" "cannot be used"
            else
                has "$output" "cannot be used"
            fi
        done < <(help_options)
    done
}

# letters_after WORD...: the letters of the options that are offered after these.
letters_after()
{
    complete_words "$@" - | grep -x -e '-[a-zA-Z]' | LC_ALL=C sort | tr -d '\n-'
}

@test "completion: nothing is offered that the options so far exclude" {
    is "$(letters_after -wq)" acfgijnqtvw
    is "$(letters_after --wait)" acfgijnqtvw
    is "$(letters_after -t 5 -w --group a)" acfgijnqtvw
    is "$(letters_after -E)" EPRacfgijlnqstvx
    is "$(letters_after -P 2)" EPRacfgijnpqtvx
    is "$(letters_after -R -l)" ERacfgijlqv
    is "$(letters_after -E -s)" Ecfgijqstv
}

@test "the text of --help fits a terminal of 80 columns" {
    is "$(shipped_help | awk 'length > 80')" ""
}

@test "actions: --help, the settings and the manual page have the same" {
    local actions
    actions=$(sed -n 's/^\[action \(.*\)\]/\1/p' conf/postkick.ini)
    is "$(shipped_help | sed -n '/^Actions/,$s/^  \([a-z]*\) .*/\1/p')" "$actions"
    is "$(sed -n '/^\.Sh ACTIONS/,/^\.Sh RUNNING/s/^\.It Cm //p' $MAN)" "$actions"
}

@test "settings: postkick.ini(5) describes every key of postkick.ini, and no other" {
    # A section "[service anvil]" is one of "Sections [service NAME]".
    local ini page
    ini=$({
        awk '/^\[/ {gsub(/[][]/, ""); section = $1}
             /^[a-z_]+ *=/ {print section, $1}' conf/postkick.ini
        echo service name
    } | sort -u)
    page=$(awk '/^\.Ss Section/ {gsub(/[][]/, ""); section = $3}
                /^\.Sh FILES/ {section = ""}
                /^\.It Va/ && section != "" {
                    for (i = 3; i <= NF; i++) if ($i != ",") print section, $i
                }' $SETTINGS | sort -u)
    is "$page" "$ini"
}

@test "settings: every key that is described is taken" {
    printf '[service x]\nname = X\nclass = public\nrequests = AB\nmodifiers = B\n' >"$BATS_TEST_TMPDIR/ini"
    printf '[action x]\nkick = public X A\nabout = x\n' >>"$BATS_TEST_TMPDIR/ini"
    sed -n '/^\[postfix\]/,/^; Actions/p' conf/postkick.ini >>"$BATS_TEST_TMPDIR/ini"
    run "$POSTKICK" -f "$BATS_TEST_TMPDIR/ini" --help
    is "$status" 0
    has "$output" "  x                           x"
}

@test "settings: the limits of the file are those that are described" {
    has "$(tr '\n' ' ' <$SETTINGS)" "at most 1022 characters, and the file at most 256 KiB"
    local ini=$BATS_TEST_TMPDIR/ini
    use() { run "$POSTKICK" -f "$ini" -c /nosuch flush; }
    printf '[action x]\nkick = public qmgr D\nabout = %1014s\n' y >"$ini"
    use
    is "$output" "postkick: fatal: open /nosuch/main.cf: No such file or directory"
    printf '[action x]\nkick = public qmgr D\nabout = %1015s\n' y >"$ini"
    use
    has "$output" "line 3: line too long"
    { printf '%262143s\n' "" | tr ' ' '\n'; } >"$ini"
    use
    is "$output" "postkick: fatal: open /nosuch/main.cf: No such file or directory"
    echo >>"$ini"
    use
    has "$output" "larger than 262144 bytes"
}

@test "settings: the examples of postkick.ini(5) and README.md are taken, and do what they say" {
    make_tree -n 1
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAGNOSTICS/{/^[^.]/p}' $SETTINGS |
        sed -n '/^\[/,/^$/p;/=/p' | awk '/^\[/ || /=/' | uniq >>"$INI"
    kick -n retry
    has "$output" '"FAD" to '
    kick -n public qmgr-B x
    has "$stderr" 'the service acts on ADFIW'
}

# reasons: what the program says of a failed request or command, up to what differs each time.
reasons()
{
    {
        cat src/postfix/explain.c
        sed -n '/^static char \*describe_/,/^}/p' src/postfix/jobs.c
        sed -n '/^char \*selection_reason/,/^}/p' src/postfix/selection.c
        sed -n '/^static const char \*find_reason/,/^}/p' src/report/status.c
    } | grep -o '\(alloc_string\|alloc_format\|explain_nobody\|return\|?\|:\) *(\{0,1\}[^"]*"\([^"\\]\|\\.\)*"' |
        sed -e 's/^[^"]*"//' -e 's/"$//' -e 's/\\"/"/g' -e 's/ *%.*//' | grep .... | sort -u
}

@test "reasons: the manual page has every one" {
    local page reason count=0
    page=$(mandoc -T ascii -O width=500 $MAN | col -bx)
    while IFS= read -r reason; do
        has "$page" "$reason"
        count=$((count + 1))
    done < <(reasons)
    [ "$count" -ge 30 ]
}

@test "JSON: the members are those that the manual page describes" {
    make_tree -n 2
    start_listener
    kick -l -j
    is "$(json_members <<<"$output")" "$(members none)"
    kick -j public qmgr I
    is "$(json_members <<<"$output")" "$(members requests)"
    kick -x -j true
    is "$(json_members <<<"$output")" "$(members commands)"
    stop_listener
}

@test "postkick-requeue: the manual page, the usage and the script have the same options" {
    local taken usage
    taken=$(sed -n 's/^while getopts \([a-z:]*\) option.*/\1/p' scripts/postkick-requeue |
        grep -o '[a-z]' | sort)
    usage=$(scripts/postkick-requeue -Z 2>&1 | grep -o '[[ ]-[a-z]\{1,\}' | tr -d '[ -' |
        grep -o . | sort || true)
    [ -n "$taken" ]
    is "$usage" "$taken"
    is "$(sed -n 's/^\.It Fl \([a-z]\).*/\1/p' man/postkick-requeue.1 | sort)" "$taken"
    is "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' man/postkick-requeue.1 | grep -o 'Fl [a-z]*' |
        cut -c 4- | grep -o . | sort)" "$taken"
}

@test "postkick-settings: the manual page, the usage, the script and the completion have the same options" {
    local taken
    taken=$(sed -n '/case $1 in/,/esac/s/^    \(-[^*]*\)) .*/\1/p' scripts/postkick-settings |
        tr -s ' |' '\n\n' | grep -v -x -e -- | LC_ALL=C sort)
    is "$(tr '\n' ' ' <<<"$taken")" "--help --write -f -w "
    is "$(sed -n '/^\.It Fl/{s/Ar.*//;s/^\.It//;s/ *,//;s/ Fl /-/gp}' man/postkick-settings.8 |
        sed 's/\([a-z]\)-/\1 -/' | tr ' ' '\n' | grep . | LC_ALL=C sort)" "$taken"
    is "$(scripts/postkick-settings --help)" "usage: postkick-settings [--write] [-f settings_file] [parameter ...]"
    settings_words()
    {
        bash --norc -c '
            . scripts/postkick.bash-completion
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _postkick_settings
            printf "%s\n" "${COMPREPLY[@]}" | LC_ALL=C sort -u' - postkick-settings "$@"
    }
    is "$(settings_words - | tr '\n' ' ')" "--help --write -f "
    is "$(settings_words -f conf/postkick.ini trigger)" trigger_timeout
    is "$(settings_words -f conf/postkick.i)" conf/postkick.ini
}

@test "the version is that of the change log" {
    is "$("$POSTKICK" --version)" "postkick $(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -n 1)"
}

@test "README.md: every make target and every file is there" {
    local word
    while read -r word; do
        grep -q "^$word:" Makefile || { echo "no target: $word"; return 1; }
    done < <(grep -o '`make [a-z]*`\|^    make [a-z]*' README.md | tr -d '`' | awk 'NF > 1 {print $2}')
    while read -r word; do
        [ -e "$word" ] || { echo "no file: $word"; return 1; }
    done < <(grep -o '\(^    \|`\|(\)\(scripts\|tests\|src\|man\|conf\|\.ci\)\(/[a-z./-]*\)*' README.md |
        tr -d '(` ' | sort -u)
}

@test "ARCHITECTURE.md: every file is there, and every module is named" {
    local word count=0
    while read -r word; do
        count=$((count + 1))
        [ -e "$word" ] || [ -e "src/$word" ] || [ -e "src/$word.c" ] || [ -e "src/$word.h" ] ||
            { echo "no file: $word"; return 1; }
    done < <(grep -o '`[a-z][a-z_./]*`\|([a-zA-Z/]*[.]md)' ARCHITECTURE.md | tr -d '`()' |
        grep '/\|[.]\(c\|md\)$' | sort -u)
    [ "$count" -ge 40 ]
    for word in src/*.c src/*/*.[ch]; do
        word=${word#src/} word=${word%.[ch]}
        grep -q "\`$word\`" ARCHITECTURE.md || { echo "not named: $word"; return 1; }
    done
}

@test "tests/README.md: every file is there, and every folder is named" {
    local word count=0
    while read -r word; do
        count=$((count + 1))
        [ -e "$word" ] || [ -e "tests/$word" ] || compgen -G "tests/*/$word" ||
            { echo "no file: $word"; return 1; }
    done < <(grep -o '`[a-z][a-z_./-]*`\|\(scripts\|tests\)/[a-z_./-]*' tests/README.md | tr -d '`' |
        grep '/\|[.]\(bash\|bats\|c\|h\|py\)$' | grep -v '^build' | sort -u)
    [ "$count" -ge 10 ]
    for word in tests/*/; do
        word=${word#tests/}
        grep -q "\`${word%/}[\`/]" tests/README.md || { echo "not named: ${word%/}"; return 1; }
    done
}

@test "README.md: scripts/check takes as long as it says itself, and 200 lines are not exceeded" {
    local minutes
    minutes=$(sed -n 's|^    scripts/check *# \([0-9]*\) min: .*|\1|p' README.md)
    has "$(cat scripts/check)" "takes about $minutes minutes"
    [ "$(wc -l <README.md)" -le 200 ]
}

@test "README.md: every command that is shown is one of ours, with options that exist" {
    local line letter options count=0
    options=$(help_options)
    while read -r line; do
        # shellcheck disable=SC2086 # words
        set -- ${line#* }
        count=$((count + 1))
        while [[ ${1-} == -? || ${1-} == -[a-zA-Z]* ]]; do
            while read -r letter; do
                grep -q "^-$letter " <<<"$options" || { echo "$line: -$letter"; return 1; }
                if grep -q "^-$letter .* ARG" <<<"$options"; then shift; fi
            done < <(grep -o '[a-zA-Z]' <<<"$1")
            shift
        done
    done < <(readme_commands | grep '^postkick -[a-zA-Z]')
    [ "$count" -ge 8 ]
}

@test "scripts/deps: what the Debian package is built with is installed for it" {
    local package count=0
    while IFS= read -r package; do
        scripts/deps list | grep -q -E "^(build|deb) ${package%-compat} " ||
            { echo "$package"; return 1; }
        count=$((count + 1))
    done < <(sed -n '/^Build-Depends:/,/^[A-Z]/p' scripts/debian/control | grep -o -E '[a-z][a-z0-9-]+(-dev|-compat)')
    is "$count" 4
}

@test "completion: classes, actions, services and requests" {
    make_tree -n 1
    start_listener
    is "$(complete_words -f "$INI" '' | tr '\n' ' ')" \
        "deferred flush incoming pickup private public "
    is "$(complete_words -f "$INI" public q)" qmgr
    mkfifo "$SPOOL/public/second"
    is "$(complete_words -f "$INI" public '' | tr '\n' ' ')" "flush pickup qmgr "
    is "$(complete_words -f "$INI" public se)" second
    is "$(complete_words -f "$INI" private '')" tlsmgr
    is "$(complete_words -f "$INI" public qmgr '' | cut -c 1 | tr -d '\n')" ADFIW
    is "$(complete_words -f "$INI" public pickup '')" W
    is "$(complete_words -f "$INI" public qmgr A)" ""
    is "$(complete_words -f "$INI" flush '')" ""
    printf '[action mine]\nkick = public qmgr D\nabout = x\n' >>"$INI"
    is "$(complete_words "--settings" = "$INI" mi)" mine
    stop_listener
}

@test "completion: groups, instances and directories" {
    make_tree -n 4
    is "$(complete_words -f "$INI" -g '' | tr '\n' ' ')" "inbound outbound submission "
    is "$(complete_words -f "$INI" -ng in)" inbound
    is "$(complete_words -f "$INI" --group = in)" inbound
    is "$(complete_words -f "$INI" -i 0002)" 0002
    is "$(complete_words -f "$INI" -i postfix-0 | tr '\n' ' ')" \
        "postfix-0001 postfix-0002 postfix-0003 "
    is "$(complete_words -f "$INI" -i "$TREE/etc/postfix-0003")" "$TREE/etc/postfix-0003"
    is "$(complete_words -f "$INI" -c "$DEFAULT-" | wc -l)" 3
    # An environment that means one instance does not hide the others.
    is "$(MAIL_CONFIG=$DEFAULT-0001 complete_words -f "$INI" -g in)" inbound
}

@test "completion: modes, arguments and what comes after the operands" {
    has "$(complete_words --dry)" --dry-run
    is "$(complete_words -p rel)" reload
    is "$(complete_words -np stop '')" ""
    has "$(complete_words -x basenam)" basename
    is "$(complete_words -l fl)" ""
    is "$(complete_words -t '')" ""
    is "$(complete_words public -)" ""
    is "$(complete_words -f "$ROOT/conf/postkick.i")" "$ROOT/conf/postkick.ini"
    is "$(complete_words -c "$ROOT/con")" "$ROOT/conf"
}

@test "completion: postkick-requeue has its options, instances and groups" {
    make_tree -n 2
    requeue_words()
    {
        PATH=$(dirname "$POSTKICK"):$PATH bash --norc -c '
            . scripts/postkick.bash-completion
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _postkick_requeue
            printf "%s\n" "${COMPREPLY[@]}" | sort -u' - postkick-requeue "$@"
    }
    is "$(requeue_words -f "$INI" -i 0001)" 0001
    is "$(requeue_words '')" ALL
    is "$(requeue_words - | grep -o '^-[a-z]$' | tr -d '\n-')" \
        "$(sed -n 's/^while getopts \([a-z:]*\) option.*/\1/p' scripts/postkick-requeue |
            grep -o '[a-z]' | sort | tr -d '\n')"
}

@test "completion: nothing that stands in a main.cf is run" {
    make_tree -n 2
    # shellcheck disable=SC2016 # as text
    printf 'multi_instance_group = x$$(touch${IFS}%s)\n' "$BATS_TEST_TMPDIR/ran" \
        >>"$DEFAULT-0001/main.cf"
    has "$(complete_words -f "$INI" -g x)" 'x\$\(touch'
    has "$(complete_words -f "$INI" -g '')" 'x\$\(touch'
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}
