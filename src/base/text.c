#include "base/text.h"
#include <string.h>

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

/* C1 controls are U+0080 to U+009F, in UTF-8 the bytes C2 80 to C2 9F. */
static bool is_control(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (length == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7f;
    return length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

void text_printable(UT_string *out, const char *text, size_t length)
{
    utstring_reserve(out, length + 1); /* most of it is a byte for a byte */
    for (size_t at = 0; at < length;) {
        size_t step = text_utf8_length(text + at, length - at);

        if (step > 0 && !is_control(text + at, step)) {
            utstring_bincpy(out, text + at, step);
            at += step;
            continue;
        }
        for (size_t end = at + (step > 0 ? step : 1); at < end; at++)
            utstring_printf(out, "\\%03o", (unsigned)(unsigned char)text[at]);
    }
}

char *text_vmessage(const char *format, va_list arguments)
{
    static const char cut[] = "...";
    char *text = alloc_vformat(format, arguments);

    if (strlen(text) > TEXT_MESSAGE_MAXIMUM)
        memcpy(text + TEXT_MESSAGE_MAXIMUM + 1 - sizeof(cut), cut, sizeof(cut));
    return text;
}

char *text_message(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = text_vmessage(format, arguments);
    va_end(arguments);
    return text;
}

int text_quoted(size_t length)
{
    return length < TEXT_MESSAGE_MAXIMUM ? (int)length : TEXT_MESSAGE_MAXIMUM;
}
