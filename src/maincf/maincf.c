/* SPDX-License-Identifier: MIT */
/* Keeps the settings of a main.cf in a hash table of names and values within its text. */
#include "maincf/maincf.h"
#include "base/text.h"
#include <stdint.h>
#include <string.h>

ALLOC_TABLES_ARE_KEPT

/* Bytes that are compared at once: compilers make one instruction of each operation on a vector */
typedef unsigned char vector __attribute__((vector_size(16)));

/* How many of the bytes of comments are looked at together: at most 255 lines end in them */
#define BLOCK_VECTORS 8
#define BLOCK_LENGTH (BLOCK_VECTORS * sizeof(vector))

/* White space within a line */
#define LINE_SPACE " \t\v\f\r"

/* Bytes of an ignored line that Postfix shows */
#define SHOWN_LENGTH 30

/* A file of 2 MiB could cause hundreds of thousands of warnings */
#define WARNINGS_MAXIMUM 100

/* Strings point into the file's text, or belong to whoever has set them. */
struct setting {
    const char *name; /* not terminated */
    const char *value;
    UT_hash_handle hh;
};

/* Different names in a main.cf: Postfix has a thousand. So many are read in 10 ms (measured), and
 * memory is not in proportion to the size of the file. */
#define SETTINGS_MAXIMUM 16384

/* A main.cf has a dozen settings, seldom a hundred: memory for so many is allocated at once. */
#define FIRST_SETTINGS 64

struct maincf {
    struct setting *settings; /* the table; in the order in which they were set */
    size_t used;              /* of first */
    struct setting first[FIRST_SETTINGS];
};

/* The text of a file, how far it is read, and what is wrong with it. */
struct reader {
    const char *path;
    char *at;
    char *end;   /* a NUL */
    size_t line; /* the number of the last line read */
    UT_array **warnings;
    char **error;

    /* the logical line: without comments and empty lines, with continuation lines joined */
    char *text; /* within the file's text, which is changed for it: it ends with a NUL */
    size_t length;
    size_t number; /* of its first physical line */
};

void maincf_free(struct maincf *maincf)
{
    if (maincf == NULL)
        return;
    struct setting *more =
        maincf->used < FIRST_SETTINGS ? NULL : maincf->first[FIRST_SETTINGS - 1].hh.next;
    HASH_CLEAR(hh, maincf->settings); /* the table, not the elements */
    while (more != NULL) {
        struct setting *next = more->hh.next;

        free(more);
        more = next;
    }
    free(maincf);
}

static struct setting *find(const struct maincf *maincf, const char *name, size_t length,
                            unsigned hash)
{
    struct setting *setting;

    HASH_FIND_BYHASHVALUE(hh, maincf->settings, name, length, hash, setting);
    return setting;
}

/* Returns the parameter's earlier value, or NULL. */
static const char *set(struct maincf *maincf, const char *name, size_t length, const char *value)
{
    unsigned hash = alloc_hash(name, length);
    struct setting *setting = find(maincf, name, length, hash);

    if (setting == NULL) {
        setting = maincf->used < FIRST_SETTINGS ? &maincf->first[maincf->used++]
                                                : alloc_bytes(sizeof(*setting));
        setting->name = name;
        setting->value = value;
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, maincf->settings, setting->name, length, hash, setting);
        return NULL;
    }
    const char *earlier = setting->value;
    setting->value = value;
    return earlier;
}

const char *maincf_value(const struct maincf *maincf, const char *name, size_t length)
{
    const struct setting *setting = find(maincf, name, length, alloc_hash(name, length));

    return setting == NULL ? NULL : setting->value;
}

/* Takes a line. Returns its end: its newline, or the end of the text. */
static char *take_line(struct reader *reader)
{
    char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

    reader->at = end == NULL ? reader->end : end + 1;
    reader->line++;
    return end == NULL ? reader->end : end;
}

/* Skips a block of comments: false when a line starts in it that is neither empty nor starts with
 * #. Adds how many lines end in it. Without branches: in a vector, true is 0xff, that is, -1. */
static bool skip_block(const char *block, size_t *lines)
{
    vector here, next, found = {0}, ends = {0};
    uint64_t found_words[2], end_words[2];

#ifndef __clang__ /* which unrolls it anyway, and knows the pragma only since 12 */
#pragma GCC unroll 8
#endif
    for (size_t i = 0; i < BLOCK_VECTORS; i++) {
        memcpy(&here, block + i * sizeof(vector), sizeof(vector));
        memcpy(&next, block + i * sizeof(vector) + 1, sizeof(vector));
        vector end = (vector)(here == '\n');

        found |= end & ~(vector)((next == '#') | (next == '\n'));
        ends -= end;
    }
    memcpy(found_words, &found, sizeof(found));
    memcpy(end_words, &ends, sizeof(ends));
    if ((found_words[0] | found_words[1]) != 0)
        return false;
    /* the sum of the bytes */
    *lines += (size_t)((end_words[0] + end_words[1]) * 0x0101010101010101 >> 56);
    return true;
}

/* Skips lines that are empty or start with #, as the present one does: most of a main.cf. One by
 * one, they would cost a tenth of a run in 1,000 instances (measured). */
static void skip_plain_comments(struct reader *reader)
{
    while ((size_t)(reader->end - reader->at) > BLOCK_LENGTH &&
           skip_block(reader->at, &reader->line))
        reader->at += BLOCK_LENGTH;
    do
        (void)take_line(reader);
    while (*reader->at == '#' || *reader->at == '\n');
}

/* Skips comments and empty lines, which neither start nor end a logical line. Returns false at the
 * end of the text. */
static bool skip_to_content(struct reader *reader)
{
    for (;;) {
        const char *at = reader->at;

        if (*at == '#' || *at == '\n') {
            skip_plain_comments(reader);
            continue;
        }
        if (text_is_space(*at))
            at += strspn(at, LINE_SPACE);
        if (*at != '#' && *at != '\n')
            return at < reader->end;
        (void)take_line(reader);
    }
}

/* Takes the next logical line. Returns false at the end of the text. */
static bool take_logical_line(struct reader *reader)
{
    if (!skip_to_content(reader))
        return false;
    reader->text = reader->at;
    char *write = take_line(reader);
    reader->number = reader->line;
    while (skip_to_content(reader) && text_is_space(*reader->at)) {
        char *start = reader->at;
        const char *end = take_line(reader);

        memmove(write, start, (size_t)(end - start));
        write += end - start;
    }
    *write = '\0'; /* over a newline that was read, or the NUL after the text */
    reader->length = (size_t)(write - reader->text);
    return true;
}

/* Adds a warning, up to a maximum, and then one that there are more; none after an error. */
__attribute__((format(printf, 2, 3))) static void warn(const struct reader *reader,
                                                       const char *format, ...)
{
    va_list arguments;

    if (*reader->error != NULL)
        return;
    if (*reader->warnings == NULL)
        utarray_new(*reader->warnings, &strings_icd);
    size_t count = utarray_len(*reader->warnings);
    if (count > WARNINGS_MAXIMUM)
        return;
    va_start(arguments, format);
    char *text = count < WARNINGS_MAXIMUM
                     ? text_cut(alloc_vformat(format, arguments))
                     : alloc_format("%s: further warnings are not shown", reader->path);
    va_end(arguments);
    utarray_push_back(*reader->warnings, &text);
    free(text);
}

/* Sets what a line says. After the first error of the file nothing is reported. */
static void set_from_line(struct maincf *maincf, const struct reader *reader)
{
    const char *name = reader->text;
    size_t name_length = strcspn(name, "=" TEXT_WHITE_SPACE);
    char *value = reader->text + name_length;
    char *end = reader->text + reader->length;

    while (text_is_space(*value))
        value++;
    if (name_length == 0 || *value != '=') {
        if (*reader->error == NULL)
            *reader->error = text_cut(alloc_format(
                "%s, line %zu: %s: \"%.*s\"", reader->path, reader->number,
                name_length == 0 ? "missing attribute name" : "missing '=' after attribute name",
                TEXT_MESSAGE_MAXIMUM, reader->text));
        return;
    }
    do
        value++;
    while (text_is_space(*value));
    while (end > value && text_is_space(end[-1]))
        end--;
    *end = '\0';
    const char *earlier = set(maincf, name, name_length, value);
    if (*reader->error == NULL && HASH_COUNT(maincf->settings) > SETTINGS_MAXIMUM)
        *reader->error = alloc_format("%s, line %zu: more than %d parameters", reader->path,
                                      reader->number, SETTINGS_MAXIMUM);
    if (earlier != NULL && strcmp(earlier, value) != 0)
        warn(reader, "%s, line %zu: overriding earlier entry: %.*s=%.*s", reader->path,
             reader->number, text_quoted(name_length), name, TEXT_MESSAGE_MAXIMUM, earlier);
}

struct maincf *maincf_parse(const char *path, const char *config_directory, char *text,
                            size_t length, UT_array **warnings, char **error)
{
    static const char directory[] = "config_directory";
    struct reader reader = {
        .path = path, .at = text, .end = text + length, .warnings = warnings, .error = error};
    struct maincf *maincf = alloc_bytes(sizeof(*maincf));

    maincf->settings = NULL;
    maincf->used = 0;
    if (config_directory != NULL)
        (void)set(maincf, directory, strlen(directory), config_directory);
    while (HASH_COUNT(maincf->settings) <= SETTINGS_MAXIMUM && take_logical_line(&reader)) {
        if (!text_is_space(reader.text[0]))
            set_from_line(maincf, &reader);
        else
            warn(&reader, "%s: logical line must not start with whitespace: \"%.*s%s\"", path,
                 SHOWN_LENGTH, reader.text, reader.length > SHOWN_LENGTH ? "..." : "");
    }
    return maincf;
}
