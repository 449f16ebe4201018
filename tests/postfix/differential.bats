#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Generated main.cf files, as Postfix and postkick read them: see differential.py. DIFFERENTIAL says
# how many.

load ../lib/common

@test "generated main.cf files have the values and the errors that Postfix gives them" {
    command -v postconf >/dev/null || skip "needs Postfix"
    local report=$BATS_TEST_TMPDIR/report status=0
    # Most of the time Postfix's programs sleep, before they end with an error.
    "$BATS_TEST_DIRNAME/differential.py" --postkick "$POSTKICK" --count "${DIFFERENTIAL:-500}" \
        --jobs 16 >"$report" 2>&1 || status=$?
    tail -n 1 "$report" | sed 's/^/# result: generated main.cf: /' >&3
    head -n 100 "$report" >&2
    return $status
}
