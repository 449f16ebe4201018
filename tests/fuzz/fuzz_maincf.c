/* SPDX-License-Identifier: MIT */
/* Any text as a main.cf: what is kept lies within the text, and reading it again in the form
 * "name = value" gives the same. */
#include "base/text.h"
#include "maincf/maincf.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *value_of(const struct maincf *maincf, const char *line)
{
    return maincf_value(maincf, line, strcspn(line, "=" TEXT_WHITE_SPACE));
}

/* Appends "name = value" for every name at the start of a line of the text. */
static void print_settings(const struct maincf *maincf, const char *text, const char *end,
                           UT_string *out)
{
    for (const char *line = text; line < end; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "=" TEXT_WHITE_SPACE);
        const char *value = value_of(maincf, line);

        if (value != NULL && length > 0)
            utstring_printf(out, "%.*s = %s\n", (int)length, line, value);
    }
}

static void check_warnings(UT_array *warnings)
{
    assert(warnings == NULL || utarray_len(warnings) <= 101);
    for (size_t i = 0; warnings != NULL && i < utarray_len(warnings); i++)
        assert(strlen(strings_item(warnings, i)) <= TEXT_MESSAGE_MAXIMUM);
    if (warnings != NULL)
        utarray_free(warnings);
}

/* The settings as lines of their own. */
static void check_again(const struct maincf *maincf, const char *text, size_t size)
{
    UT_array *warnings = NULL;
    UT_string out, twice;
    char *error = NULL;

    utstring_init(&out);
    utstring_init(&twice);
    print_settings(maincf, text, text + size, &out);
    char *copy = alloc_span(utstring_body(&out), utstring_len(&out));
    struct maincf *again =
        maincf_parse("/x/main.cf", NULL, copy, utstring_len(&out), &warnings, &error);
    assert(error == NULL);
    print_settings(again, text, text + size, &twice);
    assert(strcmp(utstring_body(&out), utstring_body(&twice)) == 0);
    check_warnings(warnings);
    maincf_free(again);
    free(copy);
    utstring_done(&out);
    utstring_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    UT_array *warnings = NULL;
    char *error = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size), *copy = alloc_span(text, size);
    struct maincf *maincf = maincf_parse("/x/main.cf", "/x", copy, size, &warnings, &error);
    assert(error == NULL || strlen(error) <= TEXT_MESSAGE_MAXIMUM);
    for (const char *line = text; line < text + size; line += strcspn(line, "\n") + 1) {
        const char *value = value_of(maincf, line);

        assert(value == NULL || (value >= copy && value + strlen(value) <= copy + size) ||
               strcmp(value, "/x") == 0);
    }
    check_again(maincf, text, size);
    check_warnings(warnings);
    maincf_free(maincf);
    free(copy);
    free(text);
    free(error);
    return 0;
}
