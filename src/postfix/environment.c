/* SPDX-License-Identifier: MIT */
/* What import_environment sets in our environment. */
#include "postfix/environment.h"
#include "base/alloc.h"
#include "base/strings.h"
#include "base/text.h"
#include <string.h>

/* One element of the list, within it. */
struct element {
    const char *start;
    size_t length;
};

/* Returns the length of the text in braces, including them; 0 if they are not balanced. */
static size_t braces_length(const char *text)
{
    int depth = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '{')
            depth++;
        else if (*at == '}' && --depth == 0)
            return (size_t)(at - text) + 1;
    }
    return 0;
}

static void trim(struct element *element)
{
    while (element->length > 0 && strchr(TEXT_WHITE_SPACE, element->start[0]) != NULL) {
        element->start++;
        element->length--;
    }
    while (element->length > 0 &&
           strchr(TEXT_WHITE_SPACE, element->start[element->length - 1]) != NULL)
        element->length--;
}

/* Takes the next element from the list at *at. Returns false at the end, or with *error set when
 * braces are not closed. */
static bool next_element(const char **at, struct element *element, char **error)
{
    *at += strspn(*at, STRINGS_SEPARATORS);
    if (**at == '\0')
        return false;
    if (**at != '{') {
        *element = (struct element){*at, strcspn(*at, STRINGS_SEPARATORS)};
        *at += element->length;
        return true;
    }
    size_t length = braces_length(*at);
    size_t rest = length == 0 ? strlen(*at) : strcspn(*at + length, STRINGS_SEPARATORS);
    if (rest > 0) {
        if (error != NULL)
            alloc_set_text(error, "import_environment: %s '}' in \"%.*s\"",
                           length == 0 ? "missing" : "syntax error after", (int)(length + rest),
                           *at);
        return false;
    }
    *element = (struct element){*at + 1, length - 2};
    trim(element);
    *at += length;
    return true;
}

bool environment_check(const char *list, char **error)
{
    struct element element;
    char *mistake = NULL;
    int count = 0;

    while (mistake == NULL && next_element(&list, &element, &mistake))
        if (element.length > 0 && element.start[0] == '=')
            alloc_set_text(&mistake, "update_env: missing attribute name in: %.*s",
                           (int)element.length, element.start);
        else if (++count > ENVIRONMENT_MAXIMUM)
            alloc_set_text(&mistake, "import_environment: more than %d elements",
                           ENVIRONMENT_MAXIMUM);
    if (mistake == NULL)
        return true;
    free(*error);
    *error = mistake;
    return false;
}

void environment_import(const char *list)
{
    struct element element;

    while (next_element(&list, &element, NULL)) {
        const char *equals = memchr(element.start, '=', element.length);

        if (equals == NULL || equals == element.start)
            continue;
        struct element name = {element.start, (size_t)(equals - element.start)};
        struct element value = {equals + 1, element.length - name.length - 1};
        trim(&name);
        trim(&value);
        char *name_text = alloc_span(name.start, name.length);
        char *value_text = alloc_span(value.start, value.length);
        if (setenv(name_text, value_text, 1) < 0)
            alloc_fail();
        free(name_text);
        free(value_text);
    }
}
