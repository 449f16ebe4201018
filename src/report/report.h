/*
 * report: writing to standard output.
 */
#ifndef REPORT_H
#define REPORT_H

#include "base/alloc.h"
#include <stdbool.h>

/* Writes out to standard output. Returns true, or false when that fails, which it has reported. */
bool report_flush(const UT_string *out);

#endif
