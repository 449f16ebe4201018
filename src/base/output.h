/* SPDX-License-Identifier: MIT */
/*
 * output: standard output, which carries the results.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "base/alloc.h"
#include <stdbool.h>

/*
 * Writes the text to standard output, as descriptors_write() does. Returns true; or false after a
 * warning with the reason, and the program has to end with status 1.
 */
bool output_flush(const UT_string *text);

#endif
