/*
 * text: making strings harmless to print.
 */
#ifndef TEXT_H
#define TEXT_H

#include "base/alloc.h"
#include <stdbool.h>

/* What Postfix takes as white space: isspace(3) in the C locale. */
#define TEXT_WHITE_SPACE " \t\n\v\f\r"

/*
 * Appends length bytes of text to out with every control character (C0, DEL, C1) and every byte
 * that is not valid UTF-8 written as a backslash and three octal digits. Printable UTF-8 and the
 * backslash itself stay as they are.
 */
void text_printable(UT_string *out, const char *text, size_t length);

/* Length in bytes of the UTF-8 sequence at text that is valid and complete within length bytes;
 * 0 when it is not, or when length is 0. Overlong forms, surrogates and values above U+10FFFF are
 * invalid. */
size_t text_utf8_length(const char *text, size_t length);

#endif
