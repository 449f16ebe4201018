# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034 # the variables are for the tests
# What these tests use of bats 1.5 and later, for bats 1.2. Loaded by common.bash.

BATS_FILE_TMPDIR=$BATS_RUN_TMPDIR/file/${BATS_TEST_FILENAME##*/}
BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
mkdir -p "$BATS_FILE_TMPDIR"

# run [!|--separate-stderr] COMMAND...: sets status, output, stderr and lines.
run()
{
    local flags=$- fails='' errors=
    case $1 in
    !) fails=yes ;;
    --separate-stderr) errors=$BATS_TEST_TMPDIR/.stderr ;;
    esac
    [ -z "$fails$errors" ] || shift
    set +eET
    status=0
    if [ -n "$errors" ]; then
        output=$("$@" 2>"$errors") || status=$?
        stderr=$(<"$errors")
    else
        output=$("$@" 2>&1) || status=$?
    fi
    local IFS=$'\n'
    set -f
    # shellcheck disable=SC2206 # all but empty ones
    lines=($output) stderr_lines=(${stderr-})
    set +f
    set "-$flags"
    [ -z "$fails" ] || [ "$status" != 0 ]
}

# is_left_out DESCRIPTION: whether POSTKICK_TAGS leaves out the test. See suite() in scripts/check.
is_left_out()
{
    local tags wanted=${POSTKICK_TAGS-}
    tags=$(NAME="@test \"$1\"" awk '
        /^# bats file_tags=/ {file = $3}
        /^# bats test_tags=/ {test = $3}
        /^@test / {if (index($0, ENVIRON["NAME"]) == 1) print file "," test ","; test = ""}
        ' "$BATS_TEST_FILENAME")
    case $wanted in
    !*) [[ $tags =~ [=,](${wanted#!}), ]] ;;
    ?*) ! [[ $tags =~ [=,]($wanted), ]] ;;
    *) return 1 ;;
    esac
}

# In place of the function of bats that begins a test.
bats_test_begin()
{
    BATS_TEST_DESCRIPTION=$1
    BATS_TEST_TMPDIR=$BATS_RUN_TMPDIR/test/$BATS_TEST_NUMBER
    mkdir -p "$BATS_TEST_TMPDIR"
    ! is_left_out "$1" || skip "left out"
    setup
}
