/* SPDX-License-Identifier: MIT */
/* A small main.cf; the parameters a to h, and the whole text, are expanded, with all that they
 * refer to, within so few steps that there are thousands of texts a second. */
#include "base/text.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 20000 /* some hundred references */

static const char *look_up(void *context, const char *name, size_t length)
{
    return maincf_value(context, name, length);
}

static void check(struct expand *expand, const char *value)
{
    UT_string out;

    utstring_init(&out);
    bool done = expand_value(expand, value, &out);
    assert(done == (expand->error == NULL));
    assert(!done || expand->steps > 0);
    assert(done || strlen(expand->error) <= TEXT_MESSAGE_MAXIMUM);
    assert(utstring_len(&out) <= STEPS);
    assert(!done || strlen(utstring_body(&out)) == utstring_len(&out));
    free(expand->error);
    expand->error = NULL;
    utstring_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"config_directory", "a", "b", "c", "d", "e", "f", "g", "h"};
    char *error = NULL;
    UT_array *warnings = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size), *copy = alloc_span(text, size);
    struct maincf *maincf = maincf_parse("/x/main.cf", copy, text, size, &warnings, &error);
    struct expand expand = {.lookup = look_up, .context = maincf, .steps = STEPS};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = maincf_value(maincf, names[i], strlen(names[i]));

        if (value != NULL)
            check(&expand, value);
    }
    maincf_free(maincf);
    if (warnings != NULL)
        utarray_free(warnings);
    free(error);
    free(copy);
    free(text);
    return 0;
}
