/* SPDX-License-Identifier: MIT */
/*
 * output: what the program is run for, on standard output.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "base/alloc.h"
#include <stdbool.h>

/*
 * Writes the text to standard output, as descriptors_write() does. Returns true, or false after a
 * warning that names the reason: the program then ends with status 1.
 */
bool output_flush(const UT_string *text);

#endif
