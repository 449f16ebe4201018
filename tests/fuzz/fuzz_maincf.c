/* SPDX-License-Identifier: MIT */
/* Any text as a main.cf: read as the old reader reads it, and with a budget that ends on the way.
 */
#include "base/text.h"
#include "maincf/maincf.h"
#include "old_maincf.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const char *text, const char *other)
{
    return text == NULL || other == NULL ? text == other : strcmp(text, other) == 0;
}

/* A message of the new reader may be cut. */
static bool is_same_message(const char *text, const char *old)
{
    if (text == NULL || old == NULL || strlen(old) <= TEXT_MESSAGE_MAXIMUM)
        return is_same(text, old);
    return strlen(text) == TEXT_MESSAGE_MAXIMUM &&
           strncmp(text, old, TEXT_MESSAGE_MAXIMUM - strlen("...")) == 0;
}

static void compare_warnings(UT_array *warnings, const UT_array *old)
{
    size_t count = warnings == NULL ? 0 : utarray_len(warnings);
    size_t old_count = old == NULL ? 0 : utarray_len(old);

    assert(count == old_count || (count == 101 && old_count > 100));
    for (size_t i = 0; i < count && i < 100; i++)
        assert(is_same_message(strings_item(warnings, i), strings_item(old, i)));
    if (warnings != NULL)
        utarray_free(warnings);
}

/* All that the old reader set, and nothing at the start of a line that it did not set. */
static void compare_settings(const struct maincf *maincf, const struct old_maincf *old,
                             const char *text)
{
    for (struct old_parameter *each = old->parameters; each != NULL; each = each->hh.next)
        assert(is_same(maincf_value(maincf, each->name, each->hh.keylen), each->value));
    while (text != NULL) {
        size_t length = strcspn(text, "=" TEXT_WHITE_SPACE);

        assert(is_same(maincf_value(maincf, text, length), old_maincf_value(old, text, length)));
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
}

static void check_old_and_new(const char *text, size_t size)
{
    struct budget budget = budget_start(SIZE_MAX, NULL);
    struct maincf *maincf = maincf_new("/x/main.cf");
    struct old_maincf *old = old_maincf_new("/x/main.cf");
    char *copy = alloc_span(text, size), *old_copy = alloc_span(text, size);
    char *error = NULL, *old_error = NULL;

    maincf_set(maincf, "config_directory", "/x");
    old_maincf_preset(old, "config_directory", "/x");
    bool done = maincf_parse(maincf, copy, size, &budget, &error);
    assert(done == old_maincf_parse(old, old_copy, size, &old_error));
    assert(done == (error == NULL) && is_same_message(error, old_error));
    maincf_set(maincf, "a", "b");
    old_maincf_override(old, "a", "b");
    compare_settings(maincf, old, text);
    compare_warnings(maincf_take_warnings(maincf), old_maincf_warnings(old));
    maincf_free(maincf);
    old_maincf_free(old);
    free(copy);
    free(old_copy);
    free(error);
    free(old_error);
}

static void check_budget(const char *text, size_t size)
{
    struct budget budget = budget_start(10 * size, NULL);
    struct maincf *maincf = maincf_new("/x/main.cf");
    char *copy = alloc_span(text, size), *error = NULL;

    bool done = maincf_parse(maincf, copy, size, &budget, &error);
    assert(done == (error == NULL));
    assert(!done || budget.state == BUDGET_LEFT);
    const char *value = maincf_value(maincf, "a", 1);
    assert(value == NULL || (value >= copy && value + strlen(value) <= copy + size));
    maincf_free(maincf);
    free(copy);
    free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size);
    check_old_and_new(text, size);
    check_budget(text, size);
    free(text);
    return 0;
}
