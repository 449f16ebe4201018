/* SPDX-License-Identifier: MIT */
/*
 * ini: reads a settings file with iniparser, and compares the result with the text: what iniparser
 * would lose or change silently is a mistake here.
 */
#ifndef INI_H
#define INI_H

#include "base/alloc.h"
#include <stdbool.h>

struct ini;

/* A line that starts a section, or is a setting. */
struct ini_entry {
    int line;
    const char *section; /* in lower case; empty before the first section */
    const char *key;     /* in lower case; NULL: the line starts the section */
    const char *value;   /* NULL without a key */
};

/*
 * Parses length bytes of text; path names the file in messages. Appends to errors every line that
 * is no section, setting or comment ("PATH, line 3: not a section, a setting or a comment"), and
 * every setting that iniparser does not return as written: it cuts values at ; and #, removes
 * quotes, joins lines that end in a backslash, and keeps the last of several settings of a name.
 * Returns the content, to be freed by ini_free(), or NULL when there are errors.
 */
struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors);

/* Frees it; NULL is allowed. */
void ini_free(struct ini *ini);

/* Returns the value of a key, or NULL if it is not set; section and key are in lower case. The
 * string belongs to ini. */
const char *ini_value(const struct ini *ini, const char *section, const char *key);

/* Whether the file has the section, even an empty one. */
bool ini_has_section(const struct ini *ini, const char *section);

/* Returns entry number index, in the order of the file, or NULL. It belongs to ini. */
const struct ini_entry *ini_entry(const struct ini *ini, size_t index);

#endif
