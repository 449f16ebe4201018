/* SPDX-License-Identifier: MIT */
/*
 * width: how many columns of a terminal a text takes.
 */
#ifndef WIDTH_H
#define WIDTH_H

#include <stddef.h>

/* The columns that length bytes of text take: two for a wide character, none for a combining one.
 * The text is printable: see text_printable(). */
size_t width_columns(const char *text, size_t length);

/* How many of the length bytes of text fit into so many columns, never a part of a character. */
size_t width_fit(const char *text, size_t length, size_t columns);

#endif
