/* SPDX-License-Identifier: MIT */
/*
 * width: columns that text takes on a terminal.
 */
#ifndef WIDTH_H
#define WIDTH_H

#include <stddef.h>

/* Returns the columns of length bytes of text: two for a wide character, none for a combining one.
 * The text has to be printable: see text_printable(). */
size_t width_columns(const char *text, size_t length);

/* Returns how many of the length bytes of text fit into that many columns; never a part of a
 * character. */
size_t width_fit(const char *text, size_t length, size_t columns);

#endif
