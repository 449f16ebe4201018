/*
 * condition: the comparisons of main.cf values, ${{left} operator {right} ? ...} (postconf(5), "The
 * general format of the main.cf file"). Compares strings; who expands them is expand.h's business.
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

/* Number of bytes at the start of text (length bytes) that Postfix takes as an operator, whether
 * it knows that operator or not. */
size_t comparison_operator_length(const char *text, size_t length);

/* Finds the operator that text (length bytes) is. Returns false when there is no such operator. */
bool comparison_find_operator(const char *text, size_t length, enum comparison_operator *found);

/*
 * Compares left with right: as numbers when both consist of digits only, otherwise as strings, in
 * the order of their bytes. Returns false with *error a new string, which the caller frees, when a
 * number does not fit.
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
