/* SPDX-License-Identifier: MIT */
/* Parses switches, times and numbers. */
#include "base/parse.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

enum parse_bool parse_bool(const char *text)
{
    if (strcasecmp(text, "yes") == 0)
        return PARSE_YES;
    if (strcasecmp(text, "no") == 0)
        return PARSE_NO;
    return PARSE_BOOL_ERROR;
}

/* Returns 0 for a unit that is none. */
static int unit_seconds(char unit)
{
    static const char units[] = "smhdw"; /* its NUL is for a time without a unit */
    static const int seconds[] = {1, 60, 60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60, 1};
    const char *found = strchr(units, unit);

    return found == NULL ? 0 : seconds[found - units];
}

bool parse_time(const char *text, int *seconds)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);
    int unit = unit_seconds(*end);
    if (end == text || errno == ERANGE || number < 0 || unit == 0 || number > INT_MAX / unit)
        return false;
    *seconds = (int)number * unit;
    return true;
}

bool parse_strict_time(const char *text, int *seconds)
{
    size_t digits = strspn(text, DIGITS);

    return digits > 0 && (text[digits] == '\0' || text[digits + 1] == '\0') &&
           parse_time(text, seconds);
}

bool parse_number(const char *text, int least, int most, int *number)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, DIGITS)] != '\0')
        return false;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno == ERANGE || value < least || value > most)
        return false;
    *number = (int)value;
    return true;
}

bool parse_size(const char *text, int64_t *bytes)
{
    static const char units[] = "KMG";
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] == '\0' ? NULL : strchr(units, text[digits]);
    int shift = unit == NULL ? 0 : (int)(unit - units + 1) * 10;

    if (digits == 0 || text[digits + (unit == NULL ? 0 : 1)] != '\0')
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno == ERANGE || value > INT64_MAX >> shift)
        return false;
    *bytes = (int64_t)value << shift;
    return true;
}
