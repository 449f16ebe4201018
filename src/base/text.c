/* SPDX-License-Identifier: MIT */
/* Escapes what is not safe to print, checks UTF-8, and cuts messages. */
#include "base/text.h"
#include <stdint.h>

char *text_trim(char *text)
{
    const char *start = text + strspn(text, TEXT_WHITE_SPACE);
    size_t length = strlen(start);

    while (length > 0 && text_is_space(start[length - 1]))
        length--;
    if (start > text)
        memmove(text, start, length);
    text[length] = '\0';
    return text;
}

size_t text_utf8_length(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t need;
    unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */

    if (length == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf) {
        need = 2;
    } else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        need = 3;
        if (bytes[0] == 0xe0)
            low = 0xa0; /* overlong */
        if (bytes[0] == 0xed)
            high = 0x9f; /* surrogates */
    } else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        need = 4;
        if (bytes[0] == 0xf0)
            low = 0x90; /* overlong */
        if (bytes[0] == 0xf4)
            high = 0x8f; /* above U+10FFFF */
    } else {
        return 0;
    }
    if (length < need || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return 0;
    return need;
}

const char *text_skip(const char *text, size_t columns)
{
    for (; columns > 0 && *text != '\0'; columns--)
        do
            text++;
        while ((*text & 0xc0) == 0x80); /* in the middle of a character */
    return text;
}

/* The code point of a valid UTF-8 sequence of length bytes. */
static unsigned long code_point(const char *text, size_t length)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned long point = (unsigned char)text[0] & lead_bits[length];

    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    return point;
}

/* Whether a character does anything but appear in its place. */
static bool is_disturbing(const char *text, size_t length)
{
    static const struct {
        unsigned long first, last;
    } ranges[] = {
        {0x00, 0x1f},       {0x7f, 0x9f}, /* C0, DEL, C1 */
        {0xad, 0xad},                     /* soft hyphen */
        {0x61c, 0x61c},                   /* Arabic letter mark */
        {0x180e, 0x180e},                 /* Mongolian vowel separator */
        {0x200b, 0x200f},                 /* zero width, left-to-right mark */
        {0x2028, 0x202e},                 /* line and paragraph separator, embeddings */
        {0x2060, 0x206f},                 /* word joiner, isolates */
        {0xfeff, 0xfeff},                 /* byte order mark */
        {0xfff9, 0xfffb},                 /* interlinear annotation */
        {0xe0000, 0xe007f},               /* tags */
    };
    unsigned long point = code_point(text, length);

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && point >= ranges[i].first; i++)
        if (point <= ranges[i].last)
            return true;
    return false;
}

size_t text_printable_within(UT_string *out, const char *text, size_t length, size_t room)
{
    static const size_t escaped = sizeof("\\ooo") - 1;
    size_t at = 0;

    while (at < length) {
        size_t step = text_utf8_length(text + at, length - at);
        bool is_plain = step > 0 && !is_disturbing(text + at, step);

        step = step > 0 ? step : 1;
        size_t need = is_plain ? step : step * escaped;
        if (need > room)
            break;
        if (is_plain)
            text_append(out, text + at, step);
        for (size_t i = at; !is_plain && i < at + step; i++)
            utstring_printf(out, "\\%03o", (unsigned)(unsigned char)text[i]);
        at += step;
        room -= need;
    }
    return at;
}

void text_printable(UT_string *out, const char *text, size_t length)
{
    (void)text_printable_within(out, text, length, SIZE_MAX);
}

void text_append(UT_string *out, const char *text, size_t length)
{
    if (out->n - out->i <= length)
        utstring_reserve(out, out->n + length + 1);
    utstring_bincpy(out, text, length);
}

void text_append_valid(UT_string *out, const char *text, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t step;

    for (size_t at = 0; at<length; at += step> 0 ? step : 1) {
        step = text_utf8_length(text + at, length - at);
        if (step > 0)
            text_append(out, text + at, step);
        else
            text_append(out, replacement, sizeof(replacement) - 1);
    }
}

char *text_cut(char *message)
{
    static const char cut[] = "...";
    size_t length = strlen(message);

    if (length <= TEXT_MESSAGE_MAXIMUM)
        return message;
    memcpy(message + TEXT_MESSAGE_MAXIMUM + 1 - sizeof(cut), cut, sizeof(cut));
    return alloc_resize(message, TEXT_MESSAGE_MAXIMUM + 1);
}

int text_quoted(size_t length)
{
    return length < TEXT_MESSAGE_MAXIMUM ? (int)length : TEXT_MESSAGE_MAXIMUM;
}
