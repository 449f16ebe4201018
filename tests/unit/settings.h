/* SPDX-License-Identifier: MIT */
/*
 * settings: postkick.ini for tests of what reads it. Includes the fixture.
 */
#ifndef TEST_SETTINGS_H
#define TEST_SETTINGS_H

#include "fixture.h"
#include "postfix/settings.h"

/* Returns the settings that the text of a postkick.ini makes, with no mistake in it; @ is the
 * directory of the test. To be freed by settings_free(). */
FIXTURE_UNUSED static struct settings *settings_of(const char *text)
{
    UT_string whole;
    UT_array *errors;

    utstring_init(&whole);
    for (const char *at = text; *at != '\0'; at++)
        utstring_printf(&whole, *at == '@' ? "%s" : "%.1s", *at == '@' ? fixture_root : at);
    utarray_new(errors, &strings_icd);
    struct settings *settings = settings_load(
        fixture_bytes("postkick.ini", utstring_body(&whole), utstring_len(&whole)), true, errors);
    fixture_assert_lines(errors, "");
    utarray_free(errors);
    utstring_done(&whole);
    return settings;
}

#endif
