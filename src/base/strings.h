/* SPDX-License-Identifier: MIT */
/*
 * strings: lists of strings: arrays of uthash (UT_array) that own their elements.
 */
#ifndef STRINGS_H
#define STRINGS_H

#include "base/alloc.h"
#include <stdbool.h>

/* The separators of lists in main.cf (Postfix: CHARS_COMMA_SP). */
#define STRINGS_SEPARATORS ", \t\r\n"

/* The element type for utarray_new(array, &strings_icd): utarray_push_back(array, &string) copies
 * the string, and the array frees it. */
extern const UT_icd strings_icd;

/* Appends a new formatted string to such an array. */
void strings_append(UT_array *strings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns element number index, which belongs to the array. */
const char *strings_item(const UT_array *strings, size_t index);

/* Returns the elements of a list between any of the separators, a new array for utarray_free().
 * Empty elements are left out. */
UT_array *strings_split(const char *list, const char *separators);

/* Whether an element equals text. */
bool strings_contain(const UT_array *strings, const char *text);

#endif
