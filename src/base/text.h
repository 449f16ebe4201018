/* SPDX-License-Identifier: MIT */
/*
 * text: text that is safe to print, messages of bounded length, and the values that text stands
 * for.
 */
#ifndef TEXT_H
#define TEXT_H

#include "base/alloc.h"
#include <stdbool.h>
#include <stdint.h>

/* White space for Postfix: isspace(3) in the C locale. */
#define TEXT_WHITE_SPACE " \t\n\v\f\r"

/* Whether c is white space. */
static inline bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Removes white space from both ends of the text, in place; returns text. */
char *text_trim(char *text);

/*
 * Appends length bytes of text to out, but at most room bytes, and no part of a character. Bytes
 * that could disturb a terminal or mislead its reader become a backslash and three octal digits
 * each: control characters (C0, DEL, C1), bytes that are not valid UTF-8, and characters that
 * reorder text, break lines or are invisible (U+202E, U+2028, U+200B and the like). Other UTF-8 and
 * the backslash are unchanged. Returns how many bytes of text it has used.
 */
size_t text_printable(UT_string *out, const char *text, size_t length, size_t room);

/* Appends length bytes, and doubles out when it is full: utstring_bincpy() alone would copy a long
 * string for every few bytes. */
void text_append(UT_string *out, const char *text, size_t length);

/* Appends length bytes of text to out, with U+FFFD for each byte that is not valid UTF-8. */
void text_append_valid(UT_string *out, const char *text, size_t length);

/*
 * Returns the one of the words, strings, that was probably meant by typed: the only one that starts
 * with it, if it has three letters, or the one that differs least, by a letter in three at most
 * (one that is missing, added, another, or swapped with its neighbour). The word belongs to the
 * array. NULL if none is near.
 */
const char *text_nearest(const char *typed, const UT_array *words);

/* Returns a hint for a message, the nearest word or all of them: "did you mean list?", "specify one
 * of list, count"; a new string. */
char *text_choice(const char *typed, const UT_array *words);

/* The longest message, in bytes. */
#define TEXT_MESSAGE_MAXIMUM 4096

/*
 * Cuts a message, from malloc(3), that quotes text from outside: longer than TEXT_MESSAGE_MAXIMUM,
 * it is cut there and ends in "...". Returns it, perhaps at another address. Text that may be
 * megabytes long should be quoted with "%.*s" and text_quoted().
 */
char *text_cut(char *message);

/* Returns the precision for "%.*s" in such a message: length, or the longest that can be shown. */
int text_quoted(size_t length);

/*
 * parse: switches, times and numbers, as main.cf, postkick.ini and the command line have them.
 */

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

enum parse_unit { PARSE_NUMBER, PARSE_SECONDS, PARSE_BYTES };

/* A number of our own options and settings, from least, which is not negative, to most: digits and
 * at most one unit, one of s m h d w for PARSE_SECONDS, or K M G, of 1024 each, for PARSE_BYTES.
 * Nothing may stand around it: "5ms" is an error. Returns it, or -1. */
int64_t parse_number(const char *text, enum parse_unit unit, int64_t least, int64_t most);

#endif
