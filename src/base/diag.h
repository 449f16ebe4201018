/* SPDX-License-Identifier: MIT */
/*
 * diag: diagnostics on standard error, in the form of Postfix's own commands ("postkick: warning:
 * ..."). Never syslog.
 *
 * Only the program layer writes and exits; everything below returns a result and a text. The one
 * exception is alloc_fail(), because no caller can do better.
 */
#ifndef DIAG_H
#define DIAG_H

#include "base/alloc.h"
#include <stdbool.h>
#include <stddef.h>

/* The longest line, in bytes, with its newline. */
#define DIAG_LINE_MAXIMUM 4096

/* Writes length bytes of text to standard error, as descriptors_write() does. A failure cannot be
 * reported, and is ignored; after a timeout nothing more is written. */
void diag_write(const char *text, size_t length);

/*
 * Writes one line "NAME: LEVEL: TEXT", with a format as in printf(3); level is "warning", "fatal"
 * (the caller has to end the program with status 1), or NULL for none. Bytes that could disturb a
 * terminal are written as \ooo (see text_printable()), so that one call is one line. A line longer
 * than DIAG_LINE_MAXIMUM is cut, and ends with the number of bytes left out.
 */
void diag_line(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * output: standard output, which carries the results.
 */

/*
 * Writes the text to standard output, as descriptors_write() does. Returns true; or false after a
 * warning with the reason, and the program has to end with status 1.
 */
bool output_flush(const UT_string *text);

#endif
