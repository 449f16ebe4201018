/* SPDX-License-Identifier: MIT */
/*
 * The reader of main.cf as it was before it was made fast, unchanged but for its names: what the
 * reader has to agree with.
 */
#ifndef OLD_MAINCF_H
#define OLD_MAINCF_H

#include "base/alloc.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

/* Postfix shows this much of an ignored line */
#define SHOWN_LENGTH 30

/* A file of 16 MiB can give cause for millions of warnings; nobody reads them */
#define WARNINGS_MAXIMUM 1000

#define HASH_PRIME 2147483647u

/* Strings point into the file's text, or are kept in struct old_maincf. */
struct old_parameter {
    const char *name; /* not terminated */
    const char *value;
    UT_hash_handle hh;
};

struct old_maincf {
    char *path;
    struct old_parameter *parameters;
    UT_array *warnings; /* NULL until there is one */
    UT_array *kept;     /* copied names and values, NULL until there is one */
    uint32_t hash_key;
};

/* What is left of the file's text, and the number of the last line read. */
struct reader {
    char *at;
    char *end;
    size_t line;
};

/* Comments and empty lines dropped, continuation lines joined, terminated by a NUL. */
struct logical_line {
    char *text;
    size_t length;
    size_t number; /* of its first physical line */
};

static struct old_maincf *old_maincf_new(const char *path)
{
    struct old_maincf *maincf = alloc_zeroed(1, sizeof *maincf);

    maincf->path = alloc_string(path);
    /* Without entropy, early in a system's start, the key is merely not secret */
    if (getrandom(&maincf->hash_key, sizeof maincf->hash_key, GRND_NONBLOCK) < 0)
        maincf->hash_key = 0;
    maincf->hash_key = maincf->hash_key % (HASH_PRIME - 256) + 256;
    return maincf;
}

static void old_maincf_free(struct old_maincf *maincf)
{
    if (maincf == NULL)
        return;
    struct old_parameter *parameter = maincf->parameters;
    HASH_CLEAR(hh, maincf->parameters); /* the table, not the elements */
    while (parameter != NULL) {
        struct old_parameter *next = parameter->hh.next;

        free(parameter);
        parameter = next;
    }
    if (maincf->warnings != NULL)
        utarray_free(maincf->warnings);
    if (maincf->kept != NULL)
        utarray_free(maincf->kept);
    free(maincf->path);
    free(maincf);
}

/* A polynomial with a secret key: nobody can write a file with names that collide. */
static unsigned hash_name(const struct old_maincf *maincf, const char *name, size_t length)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < length; i++)
        hash = (hash * maincf->hash_key + (unsigned char)name[i] + 1) % HASH_PRIME;
    return (unsigned)hash;
}

static struct old_parameter *find(const struct old_maincf *maincf, const char *name, size_t length,
                                  unsigned hash)
{
    struct old_parameter *parameter;

    HASH_FIND_BYHASHVALUE(hh, maincf->parameters, name, length, hash, parameter);
    return parameter;
}

static void add(struct old_parameter **all, const char *name, size_t length, unsigned hash,
                const char *value)
{
    struct old_parameter *parameter = alloc_zeroed(1, sizeof *parameter);

    parameter->name = name;
    parameter->value = value;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *all, parameter->name, length, hash, parameter);
}

/* Returns the parameter's earlier value, or NULL. name and value must stay in place. */
static const char *set(struct old_maincf *maincf, const char *name, size_t length,
                       const char *value)
{
    unsigned hash = hash_name(maincf, name, length);
    struct old_parameter *parameter = find(maincf, name, length, hash);

    if (parameter == NULL) {
        add(&maincf->parameters, name, length, hash, value);
        return NULL;
    }
    const char *earlier = parameter->value;
    parameter->value = value;
    return earlier;
}

static const char *keep(struct old_maincf *maincf, const char *text)
{
    if (maincf->kept == NULL)
        utarray_new(maincf->kept, &strings_icd);
    utarray_push_back(maincf->kept, &text);
    return strings_item(maincf->kept, utarray_len(maincf->kept) - 1);
}

static void old_maincf_preset(struct old_maincf *maincf, const char *name, const char *value)
{
    set(maincf, keep(maincf, name), strlen(name), keep(maincf, value));
}

static void old_maincf_override(struct old_maincf *maincf, const char *name, const char *value)
{
    old_maincf_preset(maincf, name, value);
}

static const char *old_maincf_value(const struct old_maincf *maincf, const char *name,
                                    size_t length)
{
    const struct old_parameter *parameter =
        find(maincf, name, length, hash_name(maincf, name, length));

    return parameter == NULL ? NULL : parameter->value;
}

static const UT_array *old_maincf_warnings(const struct old_maincf *maincf)
{
    return maincf->warnings;
}

/* The array for one more warning, or NULL when there are enough. */
static UT_array *room_for_warning(struct old_maincf *maincf)
{
    if (maincf->warnings == NULL)
        utarray_new(maincf->warnings, &strings_icd);
    if (utarray_len(maincf->warnings) == WARNINGS_MAXIMUM)
        strings_append(maincf->warnings, "%s: further warnings are not shown", maincf->path);
    return utarray_len(maincf->warnings) > WARNINGS_MAXIMUM ? NULL : maincf->warnings;
}

static void warn_ignored(struct old_maincf *maincf, const struct logical_line *line)
{
    UT_array *warnings = room_for_warning(maincf);

    if (warnings != NULL)
        strings_append(warnings, "%s: logical line must not start with whitespace: \"%.*s%s\"",
                       maincf->path, SHOWN_LENGTH, line->text,
                       line->length > SHOWN_LENGTH ? "..." : "");
}

static void warn_overriding(struct old_maincf *maincf, const struct logical_line *line,
                            const char *name, size_t name_length, const char *earlier)
{
    UT_array *warnings = room_for_warning(maincf);

    if (warnings != NULL)
        strings_append(warnings, "%s, line %zu: overriding earlier entry: %.*s=%s", maincf->path,
                       line->number, (int)name_length, name, earlier);
}

/* isspace(3) depends on the locale */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Only spaces, or a comment: such a line neither starts nor ends a logical line. */
static bool has_no_content(const char *line, const char *end)
{
    while (line < end && is_space(*line))
        line++;
    return line == end || *line == '#';
}

static bool next_logical_line(struct reader *reader, struct logical_line *line)
{
    char *write = NULL;

    *line = (struct logical_line){0};
    while (reader->at < reader->end) {
        char *start = reader->at;
        bool continues = is_space(*start) || *start == '#';

        if (write != NULL && !continues)
            break;
        char *end = memchr(start, '\n', (size_t)(reader->end - start));
        reader->at = end == NULL ? reader->end : end + 1;
        reader->line++;
        if (end == NULL)
            end = reader->end;
        if (has_no_content(start, end))
            continue;
        if (write == NULL) {
            line->text = start;
            line->number = reader->line;
            write = end;
        } else {
            memmove(write, start, (size_t)(end - start));
            write += end - start;
        }
    }
    if (write == NULL)
        return false;
    *write = '\0'; /* on a line end already read, or on the NUL after the text */
    line->length = (size_t)(write - line->text);
    return true;
}

static bool set_from_line(struct old_maincf *maincf, const struct logical_line *line, char **error)
{
    const char *name = line->text;
    size_t name_length = strcspn(name, "=" TEXT_WHITE_SPACE);
    char *value = line->text + name_length;
    char *end = line->text + line->length;

    value += strspn(value, TEXT_WHITE_SPACE);
    if (name_length == 0 || *value != '=') {
        *error = alloc_format("%s, line %zu: %s: \"%s\"", maincf->path, line->number,
                              name_length == 0 ? "missing attribute name"
                                               : "missing '=' after attribute name",
                              line->text);
        return false;
    }
    value++;
    value += strspn(value, TEXT_WHITE_SPACE);
    while (end > value && is_space(end[-1]))
        end--;
    *end = '\0';
    const char *earlier = set(maincf, name, name_length, value);
    if (earlier != NULL && strcmp(earlier, value) != 0)
        warn_overriding(maincf, line, name, name_length, earlier);
    return true;
}

static bool old_maincf_parse(struct old_maincf *maincf, char *text, size_t length, char **error)
{
    struct reader reader = {.at = text, .end = text + length};
    struct logical_line line;

    while (next_logical_line(&reader, &line)) {
        if (is_space(line.text[0]))
            warn_ignored(maincf, &line);
        else if (!set_from_line(maincf, &line, error))
            return false;
    }
    return true;
}

#endif
