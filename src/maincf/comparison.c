/* SPDX-License-Identifier: MIT */
/* Compares numbers, strings and compatibility levels as Postfix does. */
#include "maincf/comparison.h"
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

/* A compatibility level is one number to Postfix: the minor number and the patch level have ten
 * bits each, the major number all the others (measured). */
#define LEVEL_BITS 10
#define LEVEL_PARTS 3

static const struct {
    const char *text;
    enum comparison_operator operation;
} operators[] = {
    {"==", COMPARISON_EQUAL},      {"!=", COMPARISON_NOT_EQUAL},     {"<", COMPARISON_LESS},
    {"<=", COMPARISON_LESS_EQUAL}, {">=", COMPARISON_GREATER_EQUAL}, {">", COMPARISON_GREATER},
};

size_t comparison_find_operator(const char *text, size_t length, enum comparison_operator *found)
{
    size_t count = 0;

    /* an operator has two of them at most; with a third it is none */
    while (count < length && count < 3 && strchr("<>!=?+-*/~&|%", text[count]) != NULL)
        count++;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strlen(operators[i].text) == count && memcmp(operators[i].text, text, count) == 0) {
            *found = operators[i].operation;
            return count;
        }
    }
    return 0;
}

/* difference: less than, equal to or greater than 0, as strcmp(3) returns it. */
static bool holds(int difference, enum comparison_operator operation)
{
    switch (operation) {
    case COMPARISON_EQUAL:
        return difference == 0;
    case COMPARISON_NOT_EQUAL:
        return difference != 0;
    case COMPARISON_LESS:
        return difference < 0;
    case COMPARISON_LESS_EQUAL:
        return difference <= 0;
    case COMPARISON_GREATER_EQUAL:
        return difference >= 0;
    case COMPARISON_GREATER:
        return difference > 0;
    }
    return false;
}

static int order(long left, long right)
{
    return (left > right) - (left < right);
}

static bool all_digits(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool parse_digits(const char *text, long *number, char **error)
{
    errno = 0;
    *number = strtol(text, NULL, 10);
    if (errno == 0)
        return true;
    *error =
        text_cut(alloc_format("mac_exp_eval: bad conversion: %.*s", TEXT_MESSAGE_MAXIMUM, text));
    return false;
}

bool comparison_holds(const char *left, enum comparison_operator operation, const char *right,
                      bool *result, char **error)
{
    long left_number, right_number;

    if (!all_digits(left) || !all_digits(right)) {
        *result = holds(strcmp(left, right), operation);
        return true;
    }
    if (!parse_digits(left, &left_number, error) || !parse_digits(right, &right_number, error))
        return false;
    *result = holds(order(left_number, right_number), operation);
    return true;
}

/* Each part is parsed by strtol(3), so that "+3. 6" is a level, too (measured). */
static bool parse_level(const char *text, long *level, char **error)
{
    const char *at = text;
    long parts[LEVEL_PARTS] = {0};

    for (size_t i = 0; i < LEVEL_PARTS; i++) {
        char *end;
        long most = i == 0 ? LONG_MAX >> (LEVEL_BITS * (LEVEL_PARTS - 1)) : (1L << LEVEL_BITS) - 1;

        errno = 0;
        parts[i] = strtol(at, &end, 10);
        if (end == at || errno != 0 || parts[i] < 0 || parts[i] > most)
            break;
        if (*end == '\0') {
            *level = (parts[0] << (2 * LEVEL_BITS)) | (parts[1] << LEVEL_BITS) | parts[2];
            return true;
        }
        if (*end != '.')
            break;
        at = end + 1;
    }
    *error = text_cut(
        alloc_format("malformed compatibility level syntax: \"%.*s\"", TEXT_MESSAGE_MAXIMUM, text));
    return false;
}

bool comparison_levels_hold(const char *left, enum comparison_operator operation, const char *right,
                            bool *result, char **error)
{
    long left_level, right_level;

    if (!parse_level(left, &left_level, error) || !parse_level(right, &right_level, error))
        return false;
    *result = holds(order(left_level, right_level), operation);
    return true;
}
