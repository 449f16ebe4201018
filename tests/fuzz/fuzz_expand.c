/* SPDX-License-Identifier: MIT */
/* A small main.cf; the parameters a to h and text are expanded, with all that they refer to, within
 * a budget that is small enough for thousands of texts a second. */
#include "base/text.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNITS 40000 /* a hundred references */

static const char *look_up(void *context, const char *name, size_t length)
{
    return maincf_value(context, name, length);
}

static void expand(struct maincf *maincf, struct budget *budget, const char *value)
{
    UT_string out;
    char *error = NULL;

    utstring_init(&out);
    bool done = expand_value(value, look_up, maincf, budget, &out, &error);
    assert(done == (error == NULL));
    assert(!done || budget->state == BUDGET_LEFT || value[0] == '\0');
    assert(done || strlen(error) <= TEXT_MESSAGE_MAXIMUM);
    assert(utstring_len(&out) <= UNITS);
    assert(!done || strlen(utstring_body(&out)) == utstring_len(&out));
    free(error);
    utstring_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char names[] = "abcdefgh";
    struct budget reading = budget_start(SIZE_MAX, NULL), budget = budget_start(UNITS, NULL);
    char *error = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size);
    struct maincf *maincf = maincf_new("/x/main.cf");
    maincf_set(maincf, "text", text);
    maincf_parse(maincf, text, size, &reading, &error);
    expand(maincf, &budget, maincf_value(maincf, "text", strlen("text")));
    for (size_t i = 0; i < strlen(names); i++) {
        const char *value = maincf_value(maincf, &names[i], 1);

        if (value != NULL)
            expand(maincf, &budget, value);
    }
    maincf_free(maincf);
    free(error);
    free(text);
    return 0;
}
