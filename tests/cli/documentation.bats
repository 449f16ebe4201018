#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written for people agrees with the program: manual pages, README.md, --help, completion.

load ../lib/common

setup()
{
    cd "$ROOT" || return 1
    MAN=man/postkick.1
    MESSAGES=man/postkick-messages.1
    SETTINGS=man/postkick.ini.5
}

# shipped_settings: what is built in.
shipped_settings()
{
    sed 's/^;\([[a-z]\)/\1/' conf/postkick.ini conf/postfix.ini
}

# shipped_help: --help with the settings that are shipped, not those of this host.
shipped_help()
{
    "$POSTKICK" -f conf/postkick.ini --help
}

# help_options: "c --config-directory ARG" of every option in --help, without ARG where it takes none,
# and without a letter where it has none.
help_options()
{
    shipped_help | sed -n 's/^ *\(-\([a-zA-Z]\), \)\{0,1\}--\([a-z-]*\)\( [A-Z][A-Z]*\)\{0,1\} .*/\2 --\3\4/p' |
        sed 's/ [A-Z]*$/ ARG/' | sort
}

# man_options PAGE...: the same from manual pages.
man_options()
{
    cat "$@" | sed -n 's/^\.It \(Fl \([a-zA-Z]\)\( Ar .*\)\{0,1\} , \)\{0,1\}Fl -\([a-z-]*\)\( Ar .*\)\{0,1\}$/\2 --\4\5/p' |
        sed 's/ Ar .*/ ARG/' | sort
}

# complete_words WORD...: what the completion offers after postkick for the last word, one a line.
complete_words()
{
    PATH=$(dirname "$POSTKICK"):$PATH bash --norc -c '
        . scripts/postkick.bash-completion
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _postkick
        [ "${#COMPREPLY[@]}" = 0 ] || printf "%s\n" "${COMPREPLY[@]}" | LC_ALL=C sort -u' - "$POSTKICK" "$@"
}

# letters: those of standard input, each once.
letters()
{
    grep -o '[A-Za-z]' | LC_ALL=C sort -u | tr -d '\n'
}

# synopsis PAGE: the letters of the options there.
synopsis()
{
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$1" | grep -o 'Fl [A-Za-z]*' | cut -c 4- | letters
}

@test "options: the manual pages and the completion have those of --help, with the same arguments" {
    local options
    options=$(help_options)
    [ "$(wc -l <<<"$options")" -ge 30 ]
    is "$(man_options $MAN $MESSAGES)" "$options"
    is "$(synopsis $MAN)" "$(cut -c 1 <<<"$options" | letters)"
    is "$(shipped_help | sed -n '/^Usage/,/^$/p' | grep -o '[[ ]-[a-zA-Z]\{1,\}' | letters)" "$(synopsis $MAN)"
    is "$(bash --norc -c '. scripts/postkick.bash-completion; echo "$_postkick_table"' |
        awk 'NF {print ($1 == "-" ? "" : $1) " --" $2 ($3 == "-" ? "" : " ARG")}' | sort)" \
        "$(grep -v -e help -e version <<<"$options")"
    has "$(complete_words --)" --help
}

@test "completion: a mode is offered the options that it takes, and no other" {
    local mode letter argument offered
    local -A operands=([k]="public qmgr I" [l]="" [M]="list" [p]=status [Q]="" [s]="" [x]=true)
    for mode in k l M p Q s x; do
        case $mode in
        k) offered=$(complete_words -) ;;
        *) offered=$(complete_words "-$mode" -) ;;
        esac
        while read -r letter _ argument; do
            [[ $letter != [lMpQsx] ]] || continue
            # shellcheck disable=SC2046,SC2086 # words
            run "$POSTKICK" -f /nonexistent $([ $mode = k ] || echo "-$mode") "-$letter" \
                ${argument:+1} ${operands[$mode]}
            is "-$mode -$letter: $(grep -c "cannot be used" <<<"$output")" \
                "-$mode -$letter: $(grep -q -x -- "-$letter" <<<"$offered"; echo $?)"
        done < <(help_options | grep '^[A-Za-z]')
    done
}

@test "actions: --help, the settings and the manual page have the same" {
    local actions
    actions=$(shipped_settings | sed -n 's/^\[action \(.*\)\]/\1/p')
    is "$(shipped_help | sed -n '/^Actions/,$s/^  \([a-z]*\) .*/\1/p')" "$actions"
    is "$(sed -n '/^\.Sh ACTIONS/,/^\.Sh STATUS/s/^\.It Cm //p' $MAN)" "$actions"
}

@test "completion: the commands of -p are those of the settings" {
    is "$(complete_words -p "")" "$(shipped_settings |
        sed -n 's/^with\(out\)*_operands *= //p' | tr ' ' '\n' | LC_ALL=C sort)"
}

@test "settings: postkick.ini(5) describes every key, and no other" {
    # A section "[service anvil]" is one of "Sections [service NAME]".
    local ini page
    ini=$({
        shipped_settings | awk '/^\[/ {gsub(/[][]/, ""); section = $1}
             /^[a-z_]+ *=/ {print section, $1}'
        echo service name
    } | sort -u)
    page=$(awk '/^\.Ss Section/ {gsub(/[][]/, ""); section = $3}
                /^\.Sh FILES/ {section = ""}
                /^\.It Va/ && section != "" {
                    for (i = 3; i <= NF; i++) if ($i != ",") print section, $i
                }' $SETTINGS | sort -u)
    is "$page" "$ini"
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

@test "scripts: the manual pages, the usages and the scripts have the same options, with the program's letters" {
    local script word taken version
    version=$("$POSTKICK" --version | cut -d ' ' -f 2)
    for script in check_postkick postkick-metrics postkick-settings postkick-network-up; do
        for word in -V --version; do is "$("scripts/$script" $word)" "$script $version"; done
        for word in -h --help; do
            run "scripts/$script" $word
            has "$output" "usage: $script "
            has "$output" "[-hV"
        done
    done
    for script in check_postkick postkick-metrics; do
        taken=$(sed -n 's/.* -o +\([A-Za-z:]*\) .*/\1/p' scripts/$script | letters)
        is "$(man_options man/$script.8 | cut -c 1 | letters)" "$taken"
        is "$(synopsis man/$script.8)" "$taken"
        is "$(scripts/$script --help 2>&1 | grep -o '[[ ]-[a-zA-Z]\{1,\}' | letters)" "$taken"
        is "$(man_options man/$script.8 | sed 's/.*--\([a-z-]*\).*/\1/' | sort)" \
            "$(sed -n '/getopt -n/,/|| *$/p' scripts/$script | grep -o -e '-l [^ ]*' | cut -c 4- |
                tr ',' '\n' | tr -d : | grep . | sort)"
        # -c and -w are the guidelines' in the check
        is "$(man_options man/$script.8 | grep '^[A-Za-z]' | grep -v -e '^[hVC] ' -e warning -e critical |
            grep -v -x -F "$(help_options)")" ""
    done
}

@test "manual pages: what they refer to is there, and postkick(1) refers to all of them" {
    local page word
    for page in man/*.[1-8]; do
        while read -r word; do
            grep -q -x "\.S[hs] $word" "$page" || { echo "$page: no section: $word"; return 1; }
        done < <(sed -n 's/^\.Sx //p' "$page" | sed 's/ [.,;:]$//' | sort -u)
        while read -r word; do
            [ -e "man/$word" ] || { echo "$page: no page: $word"; return 1; }
        done < <(sed -n 's/^\.Xr \(postkick[a-z.-]*\|check_postkick\) \([1-8]\).*/\1.\2/p' "$page" | sort -u)
        [ "$page" = $MAN ] || grep -q "^\.Xr $(basename "${page%.*}") ${page##*.}" <(sed -n '/^\.Sh SEE ALSO/,$p' $MAN) ||
            { echo "not in SEE ALSO: $page"; return 1; }
    done
}

@test "manual pages: DIAGNOSTICS has every reason that the program gives" {
    # Of each text, the longest part without a figure or name.
    python3 - <<'PYTHON'
import re
import subprocess

pages = "".join(subprocess.check_output(f"mandoc -T ascii -O width=500 man/{page} | col -bx", shell=True, text=True)
                for page in ("postkick.1", "postkick-commands.1", "postkick-messages.1"))
pages, count = " ".join(pages.split()), 0
for source in ("postfix/kick", "postfix/status", "postfix/queue", "postfix/message", "postfix/jobs",
               "base/process", "command/jobs"):
    text = re.sub(r'"\s*\n\s*"', "", open(f"src/{source}.c", encoding="ascii").read())
    for call in re.findall(r"alloc_(?:string|format)\(([^;]*);", text):
        for literal in re.findall(r'"([^"]*)"', call):
            part = max(re.split(r"%[-.*0-9]*(?:z?u|[sdcf])", literal), key=len).strip(" :,")
            if " " in part:
                count += 1
                assert part in pages, f"src/{source}.c: not in the manual: {literal}"
assert count > 50, count
PYTHON
}

@test "manual pages: sudoers(5) accepts the lines for it" {
    PATH=$PATH:/usr/sbin:/sbin
    command -v visudo >/dev/null || skip "needs visudo"
    sed -n 's/^\([%a-z]* ALL *= *(root)\)/\1/p' man/*.[1-8] >"$BATS_TEST_TMPDIR/sudoers"
    is "$(grep -c NOPASSWD "$BATS_TEST_TMPDIR/sudoers")" "$(cat man/*.[1-8] | grep -c NOPASSWD)"
    [ "$(grep -c NOPASSWD "$BATS_TEST_TMPDIR/sudoers")" -ge 3 ]
    visudo -c -s -f "$BATS_TEST_TMPDIR/sudoers"
}

@test "JSON: the manual page describes every member that the schema has, and no other" {
    is "$(sed -n '/^\.Sh MEMBERS/,/^\.Sh FILES/s/^\.It Va//p' man/postkick-json.5 | tr -s ', ' '\n' | grep . | sort -u)" \
        "$(python3 -c 'import json
kinds = json.load(open("conf/postkick.schema.json"))["$defs"].values()
print(*sorted({name for kind in kinds for name in kind.get("properties", {})}), sep="\n")')"
}

@test "the version is that of the change log" {
    is "$("$POSTKICK" --version)" "postkick $(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -n 1)"
}

@test "documents: every file that they name is there, every module and folder of tests is named" {
    local document word count=0
    for document in *.md tests/README.md; do
        while read -r word; do
            count=$((count + 1))
            compgen -G "$word*" || compgen -G "src/$word*" || compgen -G "tests/$word*" ||
                compgen -G "tests/*/$word" || { echo "$document: no file: $word" >&2; return 1; }
        done < <(grep -o '`[a-zA-Z.][A-Za-z0-9_./-]*`\|([a-zA-Z/]*[.]md)\|^    scripts/[a-z]*' $document |
            tr -d '`() ' | grep '/\|[.]\(bash\|bats\|c\|h\|md\|py\)$' | grep -v '^build' | sort -u)
    done >/dev/null
    [ "$count" -ge 50 ]
    for word in src/*.c src/*/*.[ch]; do
        word=${word#src/} word=${word%.[ch]}
        grep -q "^| \`$word\` |" ARCHITECTURE.md || { echo "no row: $word"; return 1; }
    done
    for word in tests/*/; do
        word=$(basename "$word")
        grep -q "\`$word[\`/]" tests/README.md || { echo "not named: $word"; return 1; }
    done
    while read -r word; do
        grep -q "^$word:" Makefile ./*/*.mk || { echo "no target: $word"; return 1; }
    done < <(grep -o '`make [a-z]*`\|^    make [a-z]*' README.md | tr -d '`' | awk 'NF > 1 {print $2}')
}

@test "completion: what is offered after what" {
    local words expected
    make_tree -n 4
    start_listener
    mkfifo "$SPOOL/public/second"
    printf '[action mine]\nkick = public qmgr D\nabout = x\n' >>"$INI"
    while IFS='|' read -r words expected; do
        is "$words: $(eval "complete_words $words" | paste -s -d ' ')" "$words: $expected"
    done <<END
-f $INI ''|deferred flush incoming mine pickup private public
--settings = $INI mi|mine
-f $INI public q|qmgr
-f $INI public ''|flush pickup qmgr
-f $INI public se|second
-f $INI private ''|tlsmgr
-f $INI public pickup ''|W
-f $INI public qmgr A|
-f $INI flush 0002|0002
-f $INI flush 0002 $DEFAULT-0003|$DEFAULT-0003
-f $INI -s 0002|0002
-f $INI -g ''|inbound outbound submission
-f $INI -ng in|inbound
-f $INI --group = in|inbound
-f $INI -i 0002|0002
-f $INI -i postfix-0|postfix-0001 postfix-0002 postfix-0003
-f $INI -i $DEFAULT-0003|$DEFAULT-0003
-f $INI -c $DEFAULT-|$DEFAULT-0001 $DEFAULT-0002 $DEFAULT-0003
--dry|--dry-run
-M re|release requeue
-f $INI -M requeue 00|0001/ 0002/ 0003/
-f $INI -M requeue postfix-0003/4F2A1B3C5D ALL 0001|0001/
-M hold A|
-M --queue de|deferred
--by = dom|domain
--sender x -M li|list
-p rel|reload
-np stop ''|
-x basenam|basename
-l fl|
-t ''|
public -|
-f conf/postkick.i|conf/postkick.ini
-c con|conf
END
    is "$(complete_words -f "$INI" public qmgr '' | cut -c 1 | letters)" ADFIW
    # An environment that means one instance does not hide the others.
    is "$(MAIL_CONFIG=$DEFAULT-0001 complete_words -f "$INI" -g in)" inbound
    # Options that those so far exclude are not offered, nor is what takes them
    is "$(complete_words -wq - | letters)" "$(complete_words --wait - | letters)"
    is "$(complete_words -wq - | grep -c -x -e '-[lMpQsxPR]')" 0
    is "$(complete_words -R -l - | grep -c -x -e '-[nwkMpQsx]')" 0
    stop_listener
}

@test "completion: in zsh, with what the manual says" {
    local keys expected line home=$BATS_TEST_TMPDIR/home
    command -v zsh >/dev/null || skip "needs zsh"
    make_tree -n 4
    mkdir "$home"
    {
        sed -n '/^\.Xr zsh 1/,/^\.Ed/{/^[^.]/p}' $MAN | sed -e 1d -e 's,/usr.*,scripts/postkick.bash-completion,'
        echo 'PS1="ready> "; leave() { print -r -- "$BUFFER" >"$ZDOTDIR/line"; exit; }; zle -N leave; bindkey "^X" leave'
    } >"$home/.zshrc"
    while IFS='|' read -r keys expected; do
        run env ZDOTDIR="$home" PATH="$(dirname "$POSTKICK"):$PATH" "$ROOT/tests/lib/on-terminal" \
            -k "ready> =postkick -f $INI $keys\t\030" zsh -d -i
        read -r line <"$home/line"
        is "$line" "postkick -f $INI $expected"
    done <<'END'
-p rel|-p reload
-g outb|-g outbound
-M requeue 00|-M requeue 000
END
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
