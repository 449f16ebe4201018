/* SPDX-License-Identifier: MIT */
/*
 * settings: postkick.ini for tests of what reads it. Includes the fixture.
 */
#ifndef TEST_SETTINGS_H
#define TEST_SETTINGS_H

#include "fixture.h"
#include "postfix/settings.h"

static struct settings *settings;

TEARDOWN(free_settings)
{
    settings_free(settings);
    settings = NULL;
}

/* Makes the settings those of the texts of postkick.ini and of the generated file, which is left
 * out if generated is NULL; none if there are errors, whose lines are compared. @ is the directory
 * of the test. */
FIXTURE_UNUSED static void use_both(const char *generated, const char *text, const char *expected)
{
    const char *path =
        generated == NULL ? fixture_path("none") : fixture_file("generated.ini", generated);
    char *whole = fixture_fill(text), *lines = fixture_fill(expected);
    UT_array *errors;

    free_settings();
    utarray_new(errors, &strings_icd);
    settings = settings_load(fixture_file("postkick.ini", whole), true, path, errors);
    fixture_assert_lines(errors, lines);
    assert_int_equal(settings == NULL, expected[0] != '\0');
    utarray_free(errors);
    free(lines);
    free(whole);
}

/* The same for a postkick.ini with no mistake in it. */
FIXTURE_UNUSED static void use_settings(const char *text)
{
    use_both(NULL, text, "");
}

#endif
