/* SPDX-License-Identifier: MIT */
/* Compares the names of -i with an instance. */
#include "postfix/match.h"
#include "base/strings.h"
#include <fnmatch.h>
#include <string.h>

size_t match_directory_length(const char *directory)
{
    size_t length = strlen(directory);

    while (length > 1 && directory[length - 1] == '/')
        length--;
    return length;
}

/* The text itself, or a pattern as in fnmatch(3). */
static bool matches(const char *wanted, const char *text, int flags)
{
    return strcmp(wanted, text) == 0 || fnmatch(wanted, text, flags) == 0;
}

static bool matches_directory(const char *wanted, const char *directory)
{
    char *pattern = alloc_span(wanted, match_directory_length(wanted));
    char *name = alloc_span(directory, match_directory_length(directory));
    bool result = matches(pattern, name, FNM_PATHNAME);

    free(pattern);
    free(name);
    return result;
}

bool match_name(const struct instance *instance, const char *wanted)
{
    static const char prefix[] = "postfix-";
    const char *name = instance->values[PARAMETER_MULTI_INSTANCE_NAME];

    if (strcmp(wanted, "-") == 0)
        return instance->is_default;
    if (wanted[0] == '/')
        return matches_directory(wanted, instance->config_directory);
    if (name == NULL || wanted[0] == '\0')
        return false;
    return matches(wanted, name, 0) || (strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
                                        matches(wanted, name + sizeof(prefix) - 1, 0));
}

bool match_group(const struct instance *instance, const char *wanted)
{
    const char *group = instance->values[PARAMETER_MULTI_INSTANCE_GROUP];

    return group == NULL || strcmp(group, wanted) == 0;
}

static bool is_pattern(const char *wanted)
{
    return strpbrk(wanted, "*?[\\") != NULL;
}

bool match_has_pattern(const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++) {
        const char *name = strings_item(names, i);

        if (name[0] != '/' && is_pattern(name))
            return true;
    }
    return false;
}

bool match_exactly(const struct instance *instance, const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++) {
        const char *name = strings_item(names, i);

        if (!is_pattern(name) && match_name(instance, name))
            return true;
    }
    return false;
}

bool match_any(const struct instance *instance, const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++)
        if (match_name(instance, strings_item(names, i)))
            return true;
    return false;
}
