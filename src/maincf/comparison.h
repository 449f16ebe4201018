/* SPDX-License-Identifier: MIT */
/*
 * comparison: the comparisons of main.cf values, ${{left} operator {right} ? ...} (postconf(5),
 * "The general format of the main.cf file"), with operands that are expanded already.
 */
#ifndef COMPARISON_H
#define COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

enum comparison_operator {
    COMPARISON_EQUAL,
    COMPARISON_NOT_EQUAL,
    COMPARISON_LESS,
    COMPARISON_LESS_EQUAL,
    COMPARISON_GREATER_EQUAL,
    COMPARISON_GREATER,
};

/* Finds the operator that text (length bytes, none of them NUL) starts with. Returns its length, or
 * 0 when Postfix knows no such operator. */
size_t comparison_find_operator(const char *text, size_t length, enum comparison_operator *found);

/*
 * Compares left with right: as numbers if both consist of digits only, otherwise as strings, byte
 * by byte. Returns false with *error, a new string that the caller frees, if a number does not fit.
 */
bool comparison_holds(const char *left, enum comparison_operator operation, const char *right,
                      bool *result, char **error);

/*
 * Compares left with right as compatibility levels: major, major.minor or major.minor.patch
 * (postconf(5), compatibility_level). Returns false with *error like comparison_holds().
 */
bool comparison_levels_hold(const char *left, enum comparison_operator operation, const char *right,
                            bool *result, char **error);

#endif
