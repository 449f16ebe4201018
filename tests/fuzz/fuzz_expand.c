/* A small main.cf; the parameters a to h and text are expanded, with all that they refer to. */
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *look_up(void *context, const char *name, size_t length)
{
    return maincf_value(context, name, length);
}

static void expand(struct maincf *maincf, const char *value)
{
    UT_string out;
    char *error = NULL;

    utstring_init(&out);
    bool done = expand_value(value, look_up, maincf, budget, &out, &error);
    assert(done == (error == NULL));
    assert(utstring_len(&out) <= EXPAND_LENGTH + 1);
    assert(!done || strlen(utstring_body(&out)) == utstring_len(&out));
    free(error);
    utstring_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char names[] = "abcdefgh";
    char *error = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size);
    struct maincf *maincf = maincf_new("/x/main.cf");
    maincf_preset(maincf, "text", text);
    maincf_parse(maincf, text, size, &error);
    for (size_t i = 0; i < strlen(names); i++) {
        const char *value = maincf_value(maincf, &names[i], 1);

        if (value != NULL)
            expand(maincf, value);
    }
    expand(maincf, maincf_value(maincf, "text", strlen("text")));
    maincf_free(maincf);
    free(error);
    free(text);
    return 0;
}
