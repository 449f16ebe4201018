/* SPDX-License-Identifier: MIT */
/*
 * diag: writes diagnostics to standard error, in the form of Postfix's own commands ("postkick:
 * warning: ..."), never to syslog; and results to standard output.
 *
 * A reader that does not read is waited for until the end of the run (limits_of_run) and for a
 * second after that, so that a run can report that its time is over. After a signal, a second is
 * left for all writing together.
 */
#ifndef DIAG_H
#define DIAG_H

#include "base/alloc.h"
#include <stdbool.h>
#include <stddef.h>

/* The longest line, in bytes, with its newline. */
#define DIAG_LINE_MAXIMUM 4096

/* Writes length bytes of text to standard error. A failure cannot be reported and is ignored;
 * after a timeout nothing more is written. */
void diag_write(const char *text, size_t length);

/* Shows a text, safe to print and shorter than a line of the terminal, as the last line on standard
 * error, instead of the one shown before. Whatever is written next takes its place. An empty text
 * only erases that line, if there is one: before anything else writes to the terminal. */
void diag_progress(const char *text, size_t length);

/*
 * Writes one line "NAME: LEVEL: TEXT", with a format as in printf(3); level is "warning", "fatal"
 * (the caller has to end the program with status 1), or NULL for none. Bytes that could disturb a
 * terminal are written as \ooo (see text_printable()), so that one call is one line. A line longer
 * than DIAG_LINE_MAXIMUM is cut and ends with the number of bytes left out.
 */
void diag_line(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes the results in text to standard output. Returns true; or false after a warning with the
 * reason: the program then has to end with status 1. */
bool output_flush(const UT_string *text);

#endif
