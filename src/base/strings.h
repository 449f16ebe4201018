/* SPDX-License-Identifier: MIT */
/*
 * strings: lists of strings, which they own: uthash's UT_array.
 */
#ifndef STRINGS_H
#define STRINGS_H

#include "base/alloc.h"
#include <stdbool.h>

/* What separates the elements of a list in main.cf (Postfix: CHARS_COMMA_SP). */
#define STRINGS_SEPARATORS ", \t\r\n"

/* A UT_array element type of strings that the array copies and frees: utarray_push_back(array,
 * &string). The array is made by utarray_new(array, &strings_icd). */
extern const UT_icd strings_icd;

/* Appends a new formatted string to such an array. */
void strings_append(UT_array *strings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Element number index of an array of strings. The array keeps the string. */
const char *strings_item(const UT_array *strings, size_t index);

/* A new array (utarray_free()) of the elements of a list separated by any of separators; empty
 * elements do not count. */
UT_array *strings_split(const char *list, const char *separators);

/* True when one element of the array of strings equals text. */
bool strings_contain(const UT_array *strings, const char *text);

#endif
