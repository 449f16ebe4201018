/* SPDX-License-Identifier: MIT */
/*
 * diag: the lines that the program writes for people, on standard error, in the form of
 * Postfix's own commands ("postkick: warning: ..."). Never syslog.
 *
 * Only the program layer writes and exits. Everything below it returns a result and a text.
 * The one exception is alloc_fail(), because no caller can do better.
 */
#ifndef DIAG_H
#define DIAG_H

#include <stddef.h>

/* The longest line, in bytes, with its newline. */
#define DIAG_LINE_MAXIMUM 4096

/* Writes length bytes of text to standard error, as descriptors_write() does; a failure has nowhere
 * to be reported. Once its reader was waited for in vain, nothing more is written. */
void diag_write(const char *text, size_t length);

/*
 * Writes one line "NAME: LEVEL: TEXT", where LEVEL is left out when NULL ("warning" or "fatal"
 * otherwise). Bytes that could disturb a terminal are written as \ooo (see text_printable()), so
 * one call is always one line; one that would be longer than DIAG_LINE_MAXIMUM is cut, and says by
 * how much. Goes out in one write(2) where that is possible; a failure to write has nowhere to be
 * reported and is ignored.
 */
void diag_line(const char *level, const char *text);

/* Writes "NAME: warning: text", with a format as in printf(3). */
void diag_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes "NAME: fatal: text". The caller sees to it that the program ends with status 1. */
void diag_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
