/* SPDX-License-Identifier: MIT */
/* A postkick.ini: whatever it says, it is refused with a reason, or every value of it can be used.
 */
#include "base/alloc.h"
#include "postfix/settings.h"
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Uses all that the program uses. */
static void use(struct settings *settings)
{
    UT_array *warnings, *actions = settings_actions(settings);

    utarray_new(warnings, &strings_icd);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        char *error = NULL;
        const char *value = settings->parameters[i];
        assert(value != NULL && parameter_check((enum parameter)i, value, &error));
        free(error);
    }
    assert(settings->connections >= 0);
    for (size_t i = 0; i < utarray_len(actions); i++) {
        UT_array *targets = settings_action(settings, strings_item(actions, i), NULL);
        assert(targets != NULL && utarray_len(targets) > 0);
        for (size_t j = 0; j < utarray_len(targets); j++)
            settings_check(settings, utarray_eltptr(targets, j), warnings);
        utarray_free(targets);
    }
    utarray_free(warnings);
    utarray_free(actions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char path[32];
    UT_array *errors;

    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    utarray_new(errors, &strings_icd);
    struct settings *settings = settings_load(path, true, "/nonexistent", errors);
    assert((settings == NULL) == (utarray_len(errors) > 0));
    if (settings != NULL)
        use(settings);
    settings_free(settings);
    utarray_free(errors);
    close(fd);
    return 0;
}
