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
    char *whole = fixture_fill(text);
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    struct settings *settings =
        settings_load(fixture_file("postkick.ini", whole), true, NULL, errors);
    fixture_assert_lines(errors, "");
    utarray_free(errors);
    free(whole);
    return settings;
}

#endif
