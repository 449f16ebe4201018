/*
 * condition: the comparisons of main.cf values, ${{left} operator {right} ? ...} (postconf(5), "The
 * general format of the main.cf file"). Compares strings; who expands them is expand.h's business.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include <stdbool.h>
#include <stddef.h>

enum condition_operator {
    CONDITION_EQUAL,
    CONDITION_NOT_EQUAL,
    CONDITION_LESS,
    CONDITION_LESS_EQUAL,
    CONDITION_GREATER_EQUAL,
    CONDITION_GREATER,
};

/* Number of bytes at the start of text (length bytes) that Postfix takes as an operator, whether
 * it knows that operator or not. */
size_t condition_operator_length(const char *text, size_t length);

/* Finds the operator that text (length bytes) is. Returns false when there is no such operator. */
bool condition_find_operator(const char *text, size_t length, enum condition_operator *found);

/*
 * Compares left with right: as numbers when both consist of digits only, otherwise as strings, in
 * the order of their bytes. Returns false with *error a new string, which the caller frees, when a
 * number does not fit.
 */
bool condition_compare(const char *left, enum condition_operator operation, const char *right,
                       bool *result, char **error);

/*
 * Compares left with right as compatibility levels: major, major.minor or major.minor.patch
 * (postconf(5), compatibility_level). Returns false with *error like condition_compare().
 */
bool condition_compare_levels(const char *left, enum condition_operator operation,
                              const char *right, bool *result, char **error);

#endif
