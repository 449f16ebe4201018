/* SPDX-License-Identifier: MIT */
/*
 * parse: switches, times and numbers, as main.cf, postkick.ini and the command line have them.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stdint.h>

enum parse_bool { PARSE_NO, PARSE_YES, PARSE_BOOL_ERROR };

/* "yes" or "no", in any case, with nothing around it (postconf(5); measured). */
enum parse_bool parse_bool(const char *text);

/*
 * A time in seconds: decimal digits and an optional unit, one of s m h d w in lower case
 * (postconf(5)), seconds without one. Characters after the unit are ignored, as Postfix 3.7 does
 * (measured: "5sx" is 5 s, "5x" is an error). Leading white space is skipped, as by strtol(3).
 * Returns false, with *seconds unchanged, when text is no time, is negative, or does not fit. For
 * main.cf only.
 */
bool parse_time(const char *text, int *seconds);

/* The same for options and settings of our own, and nothing around it: "5ms" is an error there. */
bool parse_strict_time(const char *text, int *seconds);

/* A decimal number from least to most, digits only. Returns false, with *number unchanged, for
 * anything else. */
bool parse_number(const char *text, int least, int most, int *number);

/* A number of bytes: digits, and K, M or G for so many times 1024. Returns false, with *bytes
 * unchanged, for anything else, and for what does not fit. */
bool parse_size(const char *text, int64_t *bytes);

#endif
