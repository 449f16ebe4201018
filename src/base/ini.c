/* SPDX-License-Identifier: MIT */
/* Reads settings files with iniparser, and compares what it returns with the text. */
#include "base/ini.h"
#include "base/descriptors.h"
#include "base/text.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In a folder in Debian, and everywhere since 4.2; Fedora and openSUSE had it beside the others. */
#if __has_include(<iniparser/iniparser.h>)
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif

ALLOC_TABLES_ARE_KEPT

/* iniparser's time grows with the square of the number of settings. */
#define FILE_MAXIMUM ((size_t)256 * 1024)

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

/* Cuts the text into entries. Returns whether any of them is a setting. */
static bool parse(struct ini *ini, const char *path, UT_array *errors)
{
    struct ini_entry entry = {.section = ""};
    char *next = ini->file.text;
    bool any = false;

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
        any = any || entry.key != NULL;
        utarray_push_back(ini->entries, &entry);
    }
    return any;
}

/* iniparser's messages are not shown: there is a check for all that they are about. */
static int ignore_message(const char *format, ...)
{
    (void)format;
    return 0;
}

/* Loads the file that was checked and read, whatever has its name now. */
static dictionary *load(const struct ini *ini, const char *path, UT_array *errors)
{
    struct stat status;

    iniparser_set_error_callback(ignore_message);
    errno = 0;
    dictionary *loaded = iniparser_load(descriptors_path(ini->file.fd).text);
    int error = errno;
    if (error == ENOMEM)
        alloc_fail();
    if (loaded == NULL)
        strings_append(errors, "%s: cannot be parsed: %s", path,
                       error == 0 ? "invalid for iniparser" : strerror(error));
    else if (fstat(ini->file.fd, &status) < 0 || (size_t)status.st_size != ini->file.length)
        strings_append(errors, "read %s: file changed while it was read", path);
    return loaded;
}

/* Compares the entries with what iniparser loads. */
static void compare(const struct ini *ini, const char *path, UT_array *errors)
{
    char name[LINE_MAXIMUM + 1];
    const struct ini_entry *entry;
    size_t before = utarray_len(errors);
    dictionary *loaded = load(ini, path, errors);

    if (utarray_len(errors) != before) {
        iniparser_freedict(loaded);
        return;
    }
    for (size_t i = 0; (entry = ini_entry(ini, i)) != NULL; i++) {
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
    iniparser_freedict(loaded);
}

struct ini *ini_load(const char *path, bool required, UT_array *errors)
{
    static const UT_icd entry_icd = {sizeof(struct ini_entry), NULL, NULL, NULL};
    struct ini *ini = alloc_zeroed(1, sizeof(*ini));
    size_t before = utarray_len(errors);
    char *error = NULL;

    utarray_new(ini->entries, &entry_icd);
    enum path_result result = path_read(path, strlen(path), FILE_MAXIMUM, &ini->file, &error);
    if (result == PATH_OK) {
        ini->others_write = ini->file.others_write;
        if (parse(ini, path, errors) && utarray_len(errors) == before)
            compare(ini, path, errors);
        descriptors_close(&ini->file.fd);
    } else if (result == PATH_ERROR || required) {
        strings_append(errors, "%s", error);
    }
    free(error);
    if (utarray_len(errors) == before)
        return ini;
    ini_free(ini);
    return NULL;
}

const struct ini_entry *ini_entry(const struct ini *ini, size_t index)
{
    return ini == NULL ? NULL : utarray_eltptr(ini->entries, (unsigned)index);
}

void ini_free(struct ini *ini)
{
    if (ini == NULL)
        return;
    utarray_free(ini->entries);
    path_file_free(&ini->file);
    free(ini);
}
