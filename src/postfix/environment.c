/* SPDX-License-Identifier: MIT */
/* What import_environment sets in our environment. */
#include "postfix/environment.h"
#include "base/strings.h"
#include "base/text.h"
#include "maincf/span.h"
#include <string.h>

static struct span trim(struct span span)
{
    while (span.at < span.end && text_is_space(*span.at))
        span.at++;
    while (span.at < span.end && text_is_space(span.end[-1]))
        span.end--;
    return span;
}

/* Takes the next element from the list at *at. Returns false at the end, or when braces are not
 * closed, with *error set unless error is NULL. */
static bool next_element(const char **at, struct span *element, char **error)
{
    const char *start = *at + strspn(*at, STRINGS_SEPARATORS);

    *at = start + strcspn(start, STRINGS_SEPARATORS);
    *element = trim((struct span){start, *at});
    if (*start != '{')
        return *start != '\0';
    *at = start + strlen(start);
    const char *close = span_find_close((struct span){start, *at});
    if (close != NULL)
        *at = close + 1 + strcspn(close + 1, STRINGS_SEPARATORS);
    if (close != NULL && *at == close + 1) {
        *element = trim((struct span){start + 1, close});
        return true;
    }
    if (error != NULL)
        alloc_set_text(error, "import_environment: %s '}' in \"%.*s\"",
                       close == NULL ? "missing" : "syntax error after", (int)(*at - start), start);
    return false;
}

bool environment_check(const char *list, char **error)
{
    struct span element;
    char *mistake = NULL;
    int count = 0;

    while (mistake == NULL && next_element(&list, &element, &mistake))
        if (span_starts_with(element, '='))
            alloc_set_text(&mistake, "update_env: missing attribute name in: %.*s",
                           span_length(element), element.at);
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
    struct span element;

    while (next_element(&list, &element, NULL)) {
        char *name = alloc_span(element.at, (size_t)span_length(element));
        char *equals = strchr(name, '=');

        if (equals != NULL && equals != name) {
            *equals = '\0';
            if (setenv(text_trim(name), text_trim(equals + 1), 1) < 0)
                alloc_fail();
        }
        free(name);
    }
}
