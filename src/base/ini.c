/* SPDX-License-Identifier: MIT */
/* Reads settings files with iniparser, and compares what it returns with the text. */
#include "base/ini.h"
#include "base/descriptors.h"
#include "base/path.h"
#include "base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In a folder in Debian, and everywhere since 4.2; Fedora and openSUSE had it beside the others. */
#if __has_include(<iniparser/iniparser.h>)
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif

ALLOC_TABLES_ARE_KEPT

/* iniparser's time grows with the square of the number of settings. */
#define FILE_MAXIMUM ((size_t)256 * 1024)

/* What fits into a pipe as the kernel makes it, even for a user with too many of them. pipe(7) */
#define PIPE_SIZE ((size_t)8192)

/* In bytes, without the newline: iniparser reads lines into a buffer of 1024 bytes. So long can
 * "section:key" be, too. */
#define LINE_MAXIMUM 1022

#define TOO_LONG "line too long"
#define MALFORMED "not a section, a setting or a comment"

/* A name as iniparser keeps it: trimmed, in lower case. */
static char *fold(char *name)
{
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return text_trim(name);
}

/* Removes double quotes around the value, as iniparser does. */
static char *unquote(char *value)
{
    size_t length = strlen(value);

    if (length < 2 || value[0] != '"' || value[length - 1] != '"')
        return value;
    value[length - 1] = '\0';
    return value + 1;
}

/* Fills in the entry of a line "[section]". Returns the error, or NULL. */
static const char *parse_section(char *line, struct ini_entry *entry)
{
    char *end = strchr(line, ']');

    if (end == NULL || end[1] != '\0')
        return MALFORMED;
    *end = '\0';
    entry->section = fold(line + 1);
    return entry->section[0] == '\0' ? MALFORMED : NULL;
}

/* The same for a line "key = value". */
static const char *parse_setting(char *line, struct ini_entry *entry)
{
    char *equals = strchr(line, '=');

    if (equals == NULL || equals == line)
        return MALFORMED;
    *equals = '\0';
    entry->key = fold(line);
    entry->value = unquote(text_trim(equals + 1));
    return strlen(entry->section) + strlen(entry->key) < LINE_MAXIMUM ? NULL : TOO_LONG;
}

/* Cuts the text into entries. */
static void parse(struct ini *ini, const char *path, UT_array *errors)
{
    struct ini_entry entry = {.section = ""};
    char *next = ini->text;

    while (next != NULL) {
        char *line = strsep(&next, "\n");
        size_t length = strlen(line);
        const char *mistake = NULL;

        entry.line++;
        entry.key = entry.value = NULL;
        line = text_trim(line);
        if (length > LINE_MAXIMUM)
            mistake = TOO_LONG;
        else if (line[0] == '\0')
            continue;
        else if (line[strlen(line) - 1] == '\\')
            mistake = "ends in a backslash, which would join it with the next line";
        else if (line[0] == ';' || line[0] == '#')
            continue;
        else
            mistake = line[0] == '[' ? parse_section(line, &entry) : parse_setting(line, &entry);
        if (mistake != NULL)
            strings_append(errors, "%s, line %d: %s", path, entry.line, mistake);
        utarray_push_back(ini->entries, &entry);
    }
}

/* iniparser's messages are not shown: there is a check for all that they are about. */
static int ignore_message(const char *format, ...)
{
    (void)format;
    return 0;
}

/* Loads the text that was read, which iniparser accepts in a file only: in a pipe, because where no
 * file may be written (RLIMIT_FSIZE) nothing in memory may be, either. Returns NULL with errno: 0
 * if the text is invalid. */
static dictionary *load(const char *text, size_t length)
{
    int ends[2] = {-1, -1}, error = pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    dictionary *loaded = NULL;

    iniparser_set_error_callback(ignore_message);
    if (error == 0 && length > PIPE_SIZE)
        error = fcntl(ends[1], F_SETPIPE_SZ, (int)FILE_MAXIMUM);
    if (error >= 0 && write(ends[1], text, length) == (ssize_t)length) {
        descriptors_close(&ends[1]);
        errno = 0;
        loaded = iniparser_load(descriptors_path(ends[0]).text);
    }
    error = errno;
    if (error == ENOMEM)
        alloc_fail();
    descriptors_close(&ends[0]);
    descriptors_close(&ends[1]);
    errno = error;
    return loaded;
}

/* Compares the entries with what iniparser has loaded. */
static void compare(const struct ini *ini, dictionary *loaded, const char *path, UT_array *errors)
{
    char name[LINE_MAXIMUM + 1];

    for (size_t i = 0; i < utarray_len(ini->entries); i++) {
        const struct ini_entry *entry = utarray_eltptr(ini->entries, i);

        if (entry->key == NULL)
            continue;
        (void)stpcpy(stpcpy(stpcpy(name, entry->section), ":"), entry->key); /* fits: parsed */
        const char *value = iniparser_getstring(loaded, name, NULL);
        if (value == NULL) /* without memory iniparser skips a line, and may reset errno later */
            alloc_fail();
        else if (strcmp(value, entry->value) != 0)
            strings_append(errors,
                           "%s, line %d: %s would be read as \"%s\": set it once, and in double "
                           "quotes if it contains ; or #",
                           path, entry->line, entry->key, value);
    }
}

struct ini *ini_load(const char *path, bool required, UT_array *errors)
{
    static const UT_icd entry_icd = {sizeof(struct ini_entry), NULL, NULL, NULL};
    struct ini *ini = alloc_zeroed(1, sizeof(*ini));
    size_t before = utarray_len(errors);
    struct path_file file;
    char *error = NULL;

    utarray_new(ini->entries, &entry_icd);
    enum path_result result = path_read(path, strlen(path), FILE_MAXIMUM, &file, &error);
    if (result == PATH_OK) {
        dictionary *loaded = load(file.text, file.length);
        int failure = errno;

        ini->text = file.text;
        ini->others_write = file.others_write;
        parse(ini, path, errors);
        if (utarray_len(errors) == before && loaded == NULL)
            strings_append(errors, "%s: cannot be parsed: %s", path,
                           failure == 0 ? "invalid for iniparser" : strerror(failure));
        else if (utarray_len(errors) == before)
            compare(ini, loaded, path, errors);
        iniparser_freedict(loaded);
    } else if (result == PATH_ERROR || required) {
        strings_append(errors, "%s", error);
    }
    free(error);
    if (utarray_len(errors) != before)
        utarray_clear(ini->entries);
    return ini;
}

void ini_free(struct ini *ini)
{
    if (ini == NULL)
        return;
    utarray_free(ini->entries);
    free(ini->text);
    free(ini);
}
