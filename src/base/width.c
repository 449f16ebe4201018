/* SPDX-License-Identifier: MIT */
/* Widths on a terminal, by the C library's tables, independent of the caller's locale. */
#include "base/width.h"
#include "base/alloc.h"
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

/* Returns the bytes of the character at text, with its columns in *columns. */
static size_t step(const char *text, size_t length, size_t *columns)
{
    mbstate_t state;
    wchar_t character;

    memset(&state, 0, sizeof(state));
    size_t bytes = mbrtowc(&character, text, length, &state);
    *columns = 1;
    if (bytes == 0 || bytes > length) /* NUL or invalid: one byte, one column */
        return 1;
    int width = wcwidth(character);
    if (width >= 0)
        *columns = (size_t)width;
    return bytes;
}

/* Returns the bytes that fit into limit columns, with their columns in *columns. */
static size_t measure(const char *text, size_t length, size_t limit, size_t *columns)
{
    size_t at = 0;

    if (is_ascii(text, length))
        return *columns = length < limit ? length : limit;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    if (utf8 == (locale_t)0 && errno == ENOMEM)
        alloc_fail();
    *columns = 0;
    while (at < length) {
        size_t wide, bytes = step(text + at, length - at, &wide);

        if (*columns + wide > limit)
            break;
        *columns += wide;
        at += bytes;
    }
    if (utf8 != (locale_t)0) {
        (void)uselocale(before);
        freelocale(utf8);
    }
    return at;
}

size_t width_columns(const char *text, size_t length)
{
    size_t columns;

    (void)measure(text, length, SIZE_MAX, &columns);
    return columns;
}

size_t width_fit(const char *text, size_t length, size_t columns)
{
    return measure(text, length, columns, &columns);
}
