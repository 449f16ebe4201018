/* SPDX-License-Identifier: MIT */
/* Reads settings files with iniparser, and compares what it returns with the text. */
#include "base/ini.h"
#include "base/alloc.h"
#include "base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <iniparser/iniparser.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

#define MALFORMED "not a section, a setting or a comment"

struct ini {
    dictionary *dictionary;
    char *text;        /* what the entries point into */
    UT_array *entries; /* struct ini_entry */
};

/* iniparser reports mistakes to a function without a context: these are set during a call of
 * iniparser_load(). */
static UT_array *reported;
static const char *reported_path;

/* iniparser writes "iniparser: syntax error in FILE (LINE):\n-> TEXT\n" or
 * "iniparser: input line too long in FILE (LINE)\n". */
static int report(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int report(const char *format, ...)
{
    va_list arguments;
    int line, error = errno;

    if (error == ENOMEM)
        alloc_fail(); /* in fopen(3) */
    va_start(arguments, format);
    char *message = alloc_vformat(format, arguments);
    va_end(arguments);
    message[strcspn(message, "\n")] = '\0';
    const char *at = strrchr(message, '(');
    const char *what = strstr(message, "too long") != NULL ? "line too long" : MALFORMED;
    if (at != NULL && sscanf(at, "(%d)", &line) == 1)
        strings_append(reported, "%s, line %d: %s", reported_path, line, what);
    else
        strings_append(reported, "%s: %s", reported_path, message);
    free(message);
    return 0;
}

/* Puts the text into a pipe: iniparser_load() takes a file's name, and nobody can change a pipe
 * meanwhile. Returns the reading end, or -1 with errno. */
static int open_text(const char *text, size_t length)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    bool fits = length <= PIPE_BUF || fcntl(ends[1], F_SETPIPE_SZ, (int)length) >= 0;
    ssize_t written = fits ? write(ends[1], text, length) : -1;
    int error = written >= 0 ? EFBIG : errno;
    close(ends[1]);
    if (written >= 0 && (size_t)written == length)
        return ends[0];
    close(ends[0]);
    errno = error;
    return -1;
}

/* iniparser 4.1 does not check its allocation of a new dictionary, about 3 KiB: this makes sure
 * that there is room. Later shortages show in errno. */
#define DICTIONARY_BYTES ((size_t)16 * 1024)

static dictionary *load(const char *path, const char *text, size_t length, UT_array *errors)
{
    char name[32];
    int fd = open_text(text, length);

    if (fd < 0) {
        if (errno == ENOMEM)
            alloc_fail();
        strings_append(errors, "%s: cannot be parsed: %s", path, strerror(errno));
        return NULL;
    }
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    reported = errors;
    reported_path = path;
    iniparser_set_error_callback(report);
    free(alloc_bytes(DICTIONARY_BYTES));
    errno = 0;
    dictionary *loaded = iniparser_load(name);
    if (errno == ENOMEM)
        alloc_fail();
    iniparser_set_error_callback(NULL);
    reported = NULL;
    reported_path = NULL;
    close(fd);
    return loaded;
}

/* A name as iniparser keeps it: trimmed, in lower case. */
static char *fold(char *name)
{
    for (char *at = name; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return text_trim(name);
}

/* Whether iniparser's value is the whole text; it removes double quotes. */
static bool is_whole(const char *text, const char *value)
{
    size_t length = strlen(text), value_length = strlen(value);

    if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
        return value_length == length - 2 && strncmp(text + 1, value, value_length) == 0;
    return strcmp(text, value) == 0;
}

/* Fills in the entry of a line "[section]". Returns the mistake, a new string, or NULL. */
static char *check_section(const struct ini *ini, char *line, struct ini_entry *entry)
{
    size_t length = strlen(line);

    if (line[length - 1] != ']')
        return alloc_string(MALFORMED);
    line[length - 1] = '\0';
    entry->section = fold(line + 1);
    if (!ini_has_section(ini, entry->section))
        return alloc_format("[%s] is not a valid section name", entry->section);
    return NULL;
}

/* The same for a line "key = value". */
static char *check_setting(const struct ini *ini, char *line, struct ini_entry *entry)
{
    char *equals = strchr(line, '=');

    if (equals == NULL || equals == line)
        return alloc_string(MALFORMED);
    *equals = '\0';
    entry->key = fold(line);
    entry->value = ini_value(ini, entry->section, entry->key);
    const char *text = text_trim(equals + 1);
    if (entry->value == NULL)
        return alloc_format("%s is not read: the line before it ends in a backslash", entry->key);
    if (!is_whole(text, entry->value))
        return alloc_format(
            "%s would be read as \"%s\": set it once, on one line, in double quotes if it "
            "contains ; or #",
            entry->key, entry->value);
    return NULL;
}

/* Compares the dictionary with the text, and cuts the text into entries. */
static void scan(struct ini *ini, const char *path, UT_array *errors)
{
    struct ini_entry entry = {.section = ""};
    char *next = ini->text;

    while (next != NULL) {
        char *line = text_trim(strsep(&next, "\n"));
        char *mistake;

        entry.line++;
        if (line[0] == '\0' || line[0] == ';' || line[0] == '#')
            continue;
        entry.key = entry.value = NULL;
        mistake =
            line[0] == '[' ? check_section(ini, line, &entry) : check_setting(ini, line, &entry);
        if (mistake != NULL)
            strings_append(errors, "%s, line %d: %s", path, entry.line, mistake);
        free(mistake);
        utarray_push_back(ini->entries, &entry);
    }
}

struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors)
{
    /* iniparser skips a last line of one character that has no newline */
    static const char end[] = "\n\n";
    static const UT_icd entry_icd = {sizeof(struct ini_entry), NULL, NULL, NULL};
    struct ini *ini = alloc_zeroed(1, sizeof(*ini));
    size_t before = utarray_len(errors);

    utarray_new(ini->entries, &entry_icd);
    ini->text = alloc_bytes(length + sizeof(end));
    memcpy(ini->text, text, length);
    memcpy(ini->text + length, end, sizeof(end));
    ini->dictionary = load(path, ini->text, length + sizeof(end) - 1, errors);
    if (ini->dictionary != NULL)
        scan(ini, path, errors);
    if (ini->dictionary != NULL && utarray_len(errors) == before)
        return ini;
    ini_free(ini);
    return NULL;
}

void ini_free(struct ini *ini)
{
    if (ini == NULL)
        return;
    if (ini->dictionary != NULL)
        iniparser_freedict(ini->dictionary);
    utarray_free(ini->entries);
    free(ini->text);
    free(ini);
}

const char *ini_value(const struct ini *ini, const char *section, const char *key)
{
    char *name = alloc_format("%s:%s", section, key);
    const char *value = iniparser_getstring(ini->dictionary, name, NULL);

    free(name);
    return value;
}

bool ini_has_section(const struct ini *ini, const char *section)
{
    return iniparser_find_entry(ini->dictionary, section) != 0;
}

const struct ini_entry *ini_entry(const struct ini *ini, size_t index)
{
    return utarray_eltptr(ini->entries, (unsigned)index);
}
