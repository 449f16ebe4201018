/* SPDX-License-Identifier: MIT */
/* A small main.cf; the parameters a to h and text are expanded, with all that they refer to, within
 * so few steps that there are thousands of texts a second. */
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

static void expand(struct maincf *maincf, struct expand_terms *terms, const char *value)
{
    UT_string out;
    char *error = NULL;

    utstring_init(&out);
    bool done = expand_value(value, look_up, maincf, terms, &out, &error);
    assert(done == (error == NULL));
    assert(!done || terms->steps > 0);
    assert(done || strlen(error) <= TEXT_MESSAGE_MAXIMUM);
    assert(utstring_len(&out) <= STEPS);
    assert(!done || strlen(utstring_body(&out)) == utstring_len(&out));
    free(error);
    utstring_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char names[] = "abcdefgh";
    struct expand_terms terms = {.steps = STEPS};
    char *error = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size), *copy = alloc_span(text, size);
    struct maincf *maincf = maincf_new("/x/main.cf");
    maincf_set(maincf, "text", copy);
    maincf_parse(maincf, text, size, &error);
    expand(maincf, &terms, maincf_value(maincf, "text", strlen("text")));
    for (size_t i = 0; i < strlen(names); i++) {
        const char *value = maincf_value(maincf, &names[i], 1);

        if (value != NULL)
            expand(maincf, &terms, value);
    }
    maincf_free(maincf);
    free(error);
    free(copy);
    free(text);
    return 0;
}
