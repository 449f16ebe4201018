/* SPDX-License-Identifier: MIT */
/*
 * built_in: the values that postkick.ini is delivered with, which are part of the program: the
 * build makes a table of conf/postkick.ini. Names are in lower case.
 */
#ifndef BUILT_IN_H
#define BUILT_IN_H

#include <stdbool.h>
#include <stddef.h>

struct built_in {
    const char *section;
    const char *key;
    const char *value;
};

/* Setting number index, in the order of the file, or NULL after the last. */
const struct built_in *built_in_item(size_t index);

/* The value of a setting, or NULL if there is none such. */
const char *built_in_value(const char *section, const char *key);

/*
 * Overwrites with blanks each section of a settings file that says what the built-in one says, line
 * for line: most of most files, and iniparser takes a quarter of a kick's time for it. A section
 * that is there twice is left as it is. text ends with a NUL.
 * Returns true when nothing but comments is left.
 */
bool built_in_leave_out(char *text);

#endif
