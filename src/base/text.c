/* SPDX-License-Identifier: MIT */
/* Escapes what is not safe to print, checks UTF-8, cuts messages, and parses values. */
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <strings.h>

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

/* Decodes the character of UTF-8 at the start of text. Returns its length in bytes; 0 if it is
 * invalid (overlong, a surrogate, above U+10FFFF) or incomplete, or length is 0. */
static size_t decode(const char *text, size_t length, unsigned long *point)
{
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = length > 0 ? (unsigned char)text[0] : 0xff;
    size_t need = first < 0x80   ? 1
                  : first < 0xc0 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf8 ? 4
                                 : 0;

    if (need == 0 || need > length)
        return 0;
    *point = need == 1 ? first : first & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3f);
    }
    bool is_valid =
        *point >= least[need] && *point <= 0x10ffff && (*point < 0xd800 || *point > 0xdfff);
    return is_valid ? need : 0;
}

/* Whether a character does anything but appear in its place: Unicode's
 * Default_Ignorable_Code_Point, and others that are not seen. */
static bool is_disturbing(unsigned long point)
{
    static const struct {
        unsigned long first, last;
    } ranges[] = {
        {0x00, 0x1f},       {0x7f, 0xa0}, /* C0, DEL, C1, no-break space */
        {0xad, 0xad},                     /* soft hyphen */
        {0x34f, 0x34f},                   /* grapheme joiner */
        {0x61c, 0x61c},                   /* Arabic letter mark */
        {0x115f, 0x1160},                 /* Hangul fillers */
        {0x17b4, 0x17b5},                 /* Khmer vowels that are not shown */
        {0x180b, 0x180f},                 /* Mongolian selectors */
        {0x200b, 0x200f},                 /* zero width, left-to-right mark */
        {0x2028, 0x202e},                 /* line and paragraph separator, embeddings */
        {0x2060, 0x206f},                 /* word joiner, isolates */
        {0x2800, 0x2800},                 /* Braille blank */
        {0x3164, 0x3164},                 /* Hangul filler */
        {0xfe00, 0xfe0f},                 /* variation selectors */
        {0xfeff, 0xfeff},                 /* byte order mark */
        {0xffa0, 0xffa0},                 /* Hangul filler */
        {0xfff0, 0xfffb},                 /* specials: interlinear annotation */
        {0x1bca0, 0x1bca3},               /* shorthand format controls */
        {0x1d173, 0x1d17a},               /* musical format controls */
        {0xe0000, 0xe0fff},               /* tags, variation selectors */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && point >= ranges[i].first; i++)
        if (point <= ranges[i].last)
            return true;
    return false;
}

size_t text_printable(UT_string *out, const char *text, size_t length, size_t room)
{
    static const size_t escaped = sizeof("\\ooo") - 1;
    size_t at = 0;

    while (at < length) {
        unsigned long point;
        size_t step = decode(text + at, length - at, &point);
        bool is_plain = step > 0 && !is_disturbing(point);

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

void text_append(UT_string *out, const char *text, size_t length)
{
    if (out->n - out->i <= length)
        utstring_reserve(out, out->n + length + 1);
    utstring_bincpy(out, text, length);
}

void text_append_valid(UT_string *out, const char *text, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    unsigned long point;
    size_t from = 0, at = 0;

    while (at < length) {
        size_t step = decode(text + at, length - at, &point);

        if (step == 0) {
            text_append(out, text + from, at - from);
            text_append(out, replacement, sizeof(replacement) - 1);
            from = at + 1;
        }
        at += step > 0 ? step : 1;
    }
    if (from < length) /* text may be NULL if it is empty */
        text_append(out, text + from, length - from);
}

/* The longest word that another one is looked for. */
#define WORD_MAXIMUM 40

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Returns how many letters have to be added, removed, changed or swapped with the next one to make
 * one word of the other. Both are at most WORD_MAXIMUM long. */
static size_t count_changes(const char *from, const char *to)
{
    size_t rows[3][WORD_MAXIMUM + 1] = {{0}}, length = strlen(to);

    for (size_t j = 0; j <= length; j++)
        rows[0][j] = j;
    for (size_t i = 1; from[i - 1] != '\0'; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            row[j] =
                least(above[j - 1] + (from[i - 1] != to[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[strlen(from) % 3][length];
}

/* Returns the only word that starts with what was typed, or NULL. */
static const char *find_longer(const char *typed, const UT_array *words)
{
    const char *found = NULL;

    for (size_t i = 0; i < utarray_len(words); i++) {
        const char *word = strings_item(words, i);

        if (strncmp(word, typed, strlen(typed)) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = word;
    }
    return found;
}

const char *text_nearest(const char *typed, const UT_array *words)
{
    size_t length = strlen(typed), fewest = length < 6 ? 2 : length / 3 + 1;
    const char *nearest = length < 3 ? NULL : find_longer(typed, words);

    if (nearest != NULL || length < 2 || length > WORD_MAXIMUM)
        return nearest;
    for (size_t i = 0; i < utarray_len(words); i++) {
        const char *word = strings_item(words, i);
        size_t changes = strlen(word) > WORD_MAXIMUM ? fewest : count_changes(typed, word);

        if (changes < fewest) {
            fewest = changes;
            nearest = word;
        }
    }
    return nearest;
}

char *text_choice(const char *typed, const UT_array *words)
{
    const char *nearest = text_nearest(typed, words);
    char *list = strings_join(words, ", ");
    char *choice = nearest != NULL ? alloc_format("did you mean %s?", nearest)
                                   : alloc_format("specify one of %s", list);

    free(list);
    return choice;
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

enum parse_bool parse_bool(const char *text)
{
    if (strcasecmp(text, "yes") == 0)
        return PARSE_YES;
    if (strcasecmp(text, "no") == 0)
        return PARSE_NO;
    return PARSE_BOOL_ERROR;
}

/* Returns how much a unit is, 1 for the end of the text; or 0 if it is none. */
static int64_t find_unit(enum parse_unit unit, char letter)
{
    static const struct {
        enum parse_unit unit;
        char letter;
        int64_t value;
    } units[] = {
        {PARSE_SECONDS, 's', 1},
        {PARSE_SECONDS, 'm', 60},
        {PARSE_SECONDS, 'h', 60 * 60},
        {PARSE_SECONDS, 'd', 24 * 60 * 60},
        {PARSE_SECONDS, 'w', 7 * 24 * 60 * 60},
        {PARSE_BYTES, 'K', 1 << 10},
        {PARSE_BYTES, 'M', 1 << 20},
        {PARSE_BYTES, 'G', 1 << 30},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].unit == unit && units[i].letter == letter)
            return units[i].value;
    return letter == '\0' ? 1 : 0;
}

bool parse_time(const char *text, int *seconds)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);
    int unit = (int)find_unit(PARSE_SECONDS, *end);
    if (end == text || errno == ERANGE || number < 0 || unit == 0 || number > INT_MAX / unit)
        return false;
    *seconds = (int)number * unit;
    return true;
}

int64_t parse_number(const char *text, enum parse_unit unit, int64_t least, int64_t most)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    int64_t value = find_unit(unit, *end);
    if (errno == ERANGE || value == 0 || (end[0] != '\0' && end[1] != '\0') ||
        number > most / value || number * value < least)
        return -1;
    return number * value;
}
