/*
 * ini: a settings file read by iniparser, without iniparser's silent failures.
 */
#ifndef INI_H
#define INI_H

#include "base/alloc.h"
#include <stdbool.h>

struct ini;

/*
 * Parses length bytes of text; path names the file in messages. Every mistake in the syntax is
 * appended to errors ("PATH, line 3: not a section, a setting or a comment").
 * Returns the content, to be freed by ini_free(), or NULL when there are errors.
 */
struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors);

/* Frees it; NULL is allowed. */
void ini_free(struct ini *ini);

/* The value of a key, or NULL if it is not set. section and key in lower case: iniparser folds
 * both. The string belongs to ini. */
const char *ini_value(const struct ini *ini, const char *section, const char *key);

/* True when the file has the section, be it empty. */
bool ini_has_section(const struct ini *ini, const char *section);

/* Calls visit for every section (key and value NULL) and every setting, in the file's order. */
void ini_visit(const struct ini *ini,
               void (*visit)(void *context, const char *section, const char *key,
                             const char *value),
               void *context);

#endif
