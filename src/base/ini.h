/* SPDX-License-Identifier: MIT */
/*
 * ini: reads a settings file with iniparser, and compares the result with the text: a setting that
 * iniparser would lose or change silently is an error.
 */
#ifndef INI_H
#define INI_H

#include "base/alloc.h"
#include <stdbool.h>

/* A line that starts a section, or is a setting. */
struct ini_entry {
    int line;
    const char *section; /* in lower case; empty before the first section */
    const char *key;     /* in lower case; NULL: the line starts the section */
    const char *value;   /* NULL without a key */
};

struct ini {
    UT_array *entries; /* struct ini_entry, in the order of the file */
    bool others_write; /* users other than root can write the file */
    char *text;        /* the entries point into it */
};

/*
 * Reads the file at path, as path_read() does. A file that does not exist is empty, unless it is
 * required. Appends to errors why the file cannot be read; every line that is no section, setting
 * or comment ("PATH, line 3: not a section, a setting or a comment"), or that iniparser would join
 * with the next one; and, if there is none of these, every setting that iniparser does not return
 * as written: it cuts values at ; and #, removes quotes, and keeps the last of several values.
 * Returns the content, to be freed by ini_free(), without entries when there are errors.
 */
struct ini *ini_load(const char *path, bool required, UT_array *errors);

/* Frees it; NULL is allowed. */
void ini_free(struct ini *ini);

#endif
