/* SPDX-License-Identifier: MIT */
/*
 * text: making strings harmless to print.
 */
#ifndef TEXT_H
#define TEXT_H

#include "base/alloc.h"
#include <stdbool.h>

/* What Postfix takes as white space: isspace(3) in the C locale. */
#define TEXT_WHITE_SPACE " \t\n\v\f\r"

/* Whether c is one of those. */
static inline bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Appends length bytes of text to out with everything that could disturb a terminal or mislead its
 * reader written as a backslash and three octal digits for each byte: control characters (C0, DEL,
 * C1), bytes that are not valid UTF-8, and characters that reorder text, have no width or break
 * lines (U+202E, U+200B, U+2028 and the like). Other UTF-8 and the backslash itself stay as they
 * are.
 */
void text_printable(UT_string *out, const char *text, size_t length);

/* The same, but appends at most room bytes, whole characters only. Returns how many bytes of text
 * it has taken. */
size_t text_printable_within(UT_string *out, const char *text, size_t length, size_t room);

/* Appends length bytes, and lets out grow in large steps: utstring_bincpy() alone copies a long
 * string again for every few bytes. */
void text_append(UT_string *out, const char *text, size_t length);

/* Length in bytes of the UTF-8 sequence at text that is valid and complete within length bytes;
 * 0 when it is not, or when length is 0. Overlong forms, surrogates and values above U+10FFFF are
 * invalid. */
size_t text_utf8_length(const char *text, size_t length);

/* The most that text_message() makes, in bytes. */
#define TEXT_MESSAGE_MAXIMUM 4096

/*
 * A new string from a format as in printf(3), which the caller frees, for messages that quote what
 * somebody else wrote: what would be longer than TEXT_MESSAGE_MAXIMUM is cut there, and ends in
 * "...". What may be megabytes should be given with a precision of text_quoted().
 */
char *text_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_vmessage(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* For "%.*s" in such a message: as much of so many bytes as can be shown. */
int text_quoted(size_t length);

#endif
