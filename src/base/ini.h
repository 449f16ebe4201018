/* SPDX-License-Identifier: MIT */
/*
 * ini: reads a settings file with iniparser, and compares the result with the text: a setting that
 * iniparser would lose or change silently is an error.
 */
#ifndef INI_H
#define INI_H

#include "base/alloc.h"
#include "base/path.h"
#include <stdbool.h>

/* A line that starts a section, or is a setting. */
struct ini_entry {
    int line;
    const char *section; /* in lower case; empty before the first section */
    const char *key;     /* in lower case; NULL: the line starts the section */
    const char *value;   /* NULL without a key */
};

struct ini {
    bool others_write; /* users other than root can write the file */

    /* private */
    struct path_file file; /* the entries point into its text */
    UT_array *entries;     /* struct ini_entry */
};

/*
 * Reads the file at path, as path_read() does. A file that does not exist is empty, unless it is
 * required. Appends to errors why the file cannot be read; every line that is no section, setting
 * or comment ("PATH, line 3: not a section, a setting or a comment"), or that iniparser would join
 * with the next one; and, if there is none of these, every setting that iniparser does not return
 * as written: it cuts values at ; and #, removes quotes, and keeps the last of several values.
 * Returns the content, to be freed by ini_free(), or NULL when there are errors.
 */
struct ini *ini_load(const char *path, bool required, UT_array *errors);

/* Returns entry number index, in the order of the file, or NULL after the last; NULL, for ini, has
 * none. It belongs to ini. */
const struct ini_entry *ini_entry(const struct ini *ini, size_t index);

/* Frees it; NULL is allowed. */
void ini_free(struct ini *ini);

#endif
