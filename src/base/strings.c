/* SPDX-License-Identifier: MIT */
/* Lists of strings: uthash arrays that own their elements. */
#include "base/strings.h"
#include <string.h>

static void string_copy(void *to, const void *from)
{
    const char *const *source = from;
    char **target = to;

    *target = *source == NULL ? NULL : alloc_string(*source);
}

static void string_free(void *element)
{
    char **string = element;

    free(*string);
}

const UT_icd strings_icd = {sizeof(char *), NULL, string_copy, string_free};

void strings_append(UT_array *strings, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    utarray_push_back(strings, &text);
    free(text);
}

const char *strings_item(const UT_array *strings, size_t index)
{
    const char *const *items = (const char *const *)(const void *)strings->d;

    return items[index];
}

UT_array *strings_split(const char *list, const char *separators)
{
    UT_array *elements;

    utarray_new(elements, &strings_icd);
    for (const char *at = list + strspn(list, separators); *at != '\0';) {
        size_t length = strcspn(at, separators);
        char *element = alloc_span(at, length);

        utarray_push_back(elements, &element);
        free(element);
        at += length;
        at += strspn(at, separators);
    }
    return elements;
}

bool strings_contain(const UT_array *strings, const char *text)
{
    for (size_t i = 0; i < utarray_len(strings); i++)
        if (strcmp(strings_item(strings, i), text) == 0)
            return true;
    return false;
}
