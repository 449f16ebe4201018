/* SPDX-License-Identifier: MIT */
/*
 * ini: a settings file read by iniparser, and held against its text: what iniparser would lose or
 * change in silence is a mistake here.
 */
#ifndef INI_H
#define INI_H

#include "base/alloc.h"
#include <stdbool.h>

struct ini;

/* A line of the file that is a section or a setting. */
struct ini_entry {
    int line;
    const char *section; /* in lower case; empty before the first section */
    const char *key;     /* in lower case; NULL: the line that begins the section */
    const char *value;   /* NULL without a key */
};

/*
 * Parses length bytes of text; path names the file in messages. Every line that is no section, no
 * setting and no comment is appended to errors ("PATH, line 3: not a section, a setting or a
 * comment"), and every setting whose value is not read as it stands there: iniparser cuts values at
 * ; and #, takes quotes off, joins lines that end in a backslash, forgets all but the last setting
 * of a name, and what it has no memory for.
 * Returns the content, to be freed by ini_free(), or NULL when there are errors.
 */
struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors);

/* Frees it; NULL is allowed. */
void ini_free(struct ini *ini);

/* The value of a key, or NULL if it is not set. section and key in lower case: iniparser folds
 * both. The string belongs to ini. */
const char *ini_value(const struct ini *ini, const char *section, const char *key);

/* True when the file has the section, even an empty one. */
bool ini_has_section(const struct ini *ini, const char *section);

/* The entry number index of the file, in its order, or NULL after the last. It belongs to ini. */
const struct ini_entry *ini_entry(const struct ini *ini, size_t index);

#endif
