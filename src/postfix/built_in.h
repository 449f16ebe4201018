/* SPDX-License-Identifier: MIT */
/*
 * built_in: the built-in settings: the build makes a table of conf/postkick.ini. Names are in lower
 * case.
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

/* Returns setting number index, in the order of the file, or NULL after the last. */
const struct built_in *built_in_item(size_t index);

/* Returns the value of a setting, or NULL if unknown. */
const char *built_in_value(const char *section, const char *key);

/*
 * Overwrites with blanks each section of a settings file that equals the built-in one, line by
 * line: most files have little else, and parsing it takes iniparser a quarter of a kick's time. A
 * section that occurs twice is left unchanged. text ends with a NUL. Returns true when nothing but
 * comments is left.
 */
bool built_in_leave_out(char *text);

#endif
