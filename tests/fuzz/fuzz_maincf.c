/* Any text as a main.cf: nothing but a result or an error, and what is set can be looked up. */
#include "base/strings.h"
#include "maincf/maincf.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *error = NULL;

    if (memchr(data, '\0', size) != NULL)
        return 0;
    char *text = alloc_span((const char *)data, size);
    struct maincf *maincf = maincf_new("/x/main.cf");
    maincf_preset(maincf, "config_directory", "/x");
    bool done = maincf_parse(maincf, text, size, &error);
    assert(done == (error == NULL));
    assert(maincf_value(maincf, "config_directory", strlen("config_directory")) != NULL);
    const char *value = maincf_value(maincf, "a", 1);
    assert(value == NULL || (value >= text && value + strlen(value) <= text + size));
    const UT_array *warnings = maincf_warnings(maincf);
    for (size_t i = 0; warnings != NULL && i < utarray_len(warnings); i++)
        assert(strncmp(strings_item(warnings, i), "/x/main.cf", strlen("/x/main.cf")) == 0);
    maincf_override(maincf, "a", "b");
    assert(strcmp(maincf_value(maincf, "a", 1), "b") == 0);
    maincf_free(maincf);
    free(error);
    free(text);
    return 0;
}
