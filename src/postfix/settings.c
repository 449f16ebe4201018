/* SPDX-License-Identifier: MIT */
/* Reads postkick.ini: built-in values, what the file changes, and every mistake in it. */
#include "postfix/settings.h"
#include "base/alloc.h"
#include "base/ini.h"
#include "base/parse.h"
#include "base/safe_read.h"
#include "base/text.h"
#include "postfix/target.h"
#include <limits.h>
#include <string.h>
#include <strings.h>

static const struct built_in table[] = {
#include "built_in.inc"
};
#define TABLE_LENGTH (sizeof(table) / sizeof(table[0]))

const struct built_in *built_in_item(size_t index)
{
    return index < TABLE_LENGTH ? &table[index] : NULL;
}

const char *built_in_value(const char *section, const char *key)
{
    for (size_t i = 0; i < TABLE_LENGTH; i++)
        if (strcmp(table[i].section, section) == 0 && strcmp(table[i].key, key) == 0)
            return table[i].value;
    return NULL;
}

/* What a file has of a built-in section, by the number of that section's first setting. */
struct found {
    char *start; /* its first line */
    char *end;   /* after its last one */
    int times;   /* how often the file has it */
    bool is_same;
};

static bool starts_section(size_t row)
{
    return row == 0 || strcmp(table[row].section, table[row - 1].section) != 0;
}

/* Returns the number of the first setting of the section that a line starts, or TABLE_LENGTH. The
 * search starts where the last one ended: most files have the same order. */
static size_t find_section(const char *line, size_t length, size_t from)
{
    const char *name = line + 1, *end = memrchr(line, ']', length);

    if (end == NULL)
        return TABLE_LENGTH;
    name += strspn(name, " \t");
    while (end > name && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        size_t row = (from + i) % TABLE_LENGTH;
        const char *section = table[row].section;

        if (starts_section(row) && strncasecmp(section, name, (size_t)(end - name)) == 0 &&
            section[end - name] == '\0')
            return row;
    }
    return TABLE_LENGTH;
}

/* Whether a line equals a setting of the table. */
static bool is_row(const char *line, size_t length, const struct built_in *row)
{
    size_t key_length = strlen(row->key), value_length = strlen(row->value);
    const char *end = line + length, *at = line + key_length;

    if (length <= key_length || strncmp(line, row->key, key_length) != 0)
        return false;
    at += strspn(at, " \t");
    if (*at != '=')
        return false;
    at++;
    at += strspn(at, " \t");
    return (size_t)(end - at) == value_length && memcmp(at, row->value, value_length) == 0;
}

/* Returns the line's first character that is not blank, if only its newline or NUL. */
static char *skip_blanks(char *line)
{
    return line + strspn(line, " \t\v\f\r");
}

/* Returns the start of the next line, or the end of the text. */
static char *next_line(char *line)
{
    line += strcspn(line, "\n");
    return *line == '\n' ? line + 1 : line;
}

static bool is_comment(const char *line)
{
    return *line == '\0' || *line == '\n' || *line == ';' || *line == '#';
}

/* Compares the lines of a section with the table from row. Sets *end to the line that starts the
 * next section, or to the end of the text. */
static bool is_same_section(char *line, size_t row, char **end)
{
    const char *section = table[row].section;
    bool same = true;

    for (; *line != '\0' && *skip_blanks(line) != '['; line = next_line(line)) {
        if (is_comment(skip_blanks(line)))
            continue;
        same = same && row < TABLE_LENGTH && strcmp(table[row].section, section) == 0 &&
               is_row(line, strcspn(line, "\n"), &table[row]);
        row++;
    }
    *end = line;
    return same && (row == TABLE_LENGTH || strcmp(table[row].section, section) != 0);
}

/* Finds the sections of the table in the text. */
static void find_sections(char *text, struct found *found)
{
    size_t row = 0;

    for (char *line = text, *end; *line != '\0'; line = end) {
        const char *start = skip_blanks(line);
        size_t length = strcspn(start, "\n");
        size_t next = *start == '[' ? find_section(start, length, row) : TABLE_LENGTH;

        end = next_line(line);
        if (next == TABLE_LENGTH)
            continue;
        row = next;
        found[row].start = line;
        found[row].times++;
        found[row].is_same = is_same_section(end, row, &end) && start[length - 1] == ']';
        found[row].end = end;
    }
}

bool built_in_leave_out(char *text)
{
    struct found found[TABLE_LENGTH] = {{0}};
    char *line = text;

    find_sections(text, found);
    for (size_t i = 0; i < TABLE_LENGTH; i++)
        for (char *at = found[i].start;
             found[i].times == 1 && found[i].is_same && at < found[i].end; at++)
            if (*at != '\n')
                *at = ' ';
    while (*line != '\0' && is_comment(skip_blanks(line)))
        line = next_line(line);
    return *line == '\0';
}

/* iniparser's time grows with the square of the number of settings. */
#define SETTINGS_MAXIMUM ((size_t)256 * 1024)

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The section of a service or an action is never mixed with the built-in one. */
static bool is_whole(const char *section)
{
    return has_prefix(section, SETTINGS_SERVICE) || has_prefix(section, SETTINGS_ACTION);
}

const char *settings_value(const struct settings *settings, const char *section, const char *key)
{
    if (settings->file != NULL) {
        const char *value = ini_value(settings->file, section, key);
        if (value != NULL || (is_whole(section) && ini_has_section(settings->file, section)))
            return value;
    }
    return built_in_value(section, key);
}

/* Each of these takes the value of a setting, and returns what is wrong with it, or NULL. */
static const char *take_strict(struct settings *settings, const char *value)
{
    enum parse_bool strict = parse_bool(value);

    settings->strict = strict == PARSE_YES;
    return strict == PARSE_BOOL_ERROR ? "must be yes or no" : NULL;
}

static const char *take_connections(struct settings *settings, const char *value)
{
    return parse_number(value, 0, INT_MAX, &settings->connections) ? NULL : "must be a number";
}

static const char *take_limit(const char *value, int *limit)
{
    return parse_strict_time(value, limit) && *limit >= 1
               ? NULL
               : "must be a time of at least 1s, such as 90, 90s, 2m";
}

static const char *take_kick_limit(struct settings *settings, const char *value)
{
    return take_limit(value, &settings->kick_limit);
}

static const char *take_status_limit(struct settings *settings, const char *value)
{
    return take_limit(value, &settings->status_limit);
}

static const char *take_queues_limit(struct settings *settings, const char *value)
{
    return take_limit(value, &settings->queues_limit);
}

static const char *take_writable(struct settings *settings, const char *value)
{
    settings->refuse_writable = strcmp(value, "refuse") == 0;
    return settings->refuse_writable || strcmp(value, "warn") == 0 ? NULL
                                                                   : "must be warn or refuse";
}

/* The settings of the program itself. */
static const struct {
    const char *section;
    const char *key;
    const char *(*take)(struct settings *settings, const char *value);
} own_settings[] = {
    {"kick", "strict", take_strict},        {"kick", "connections", take_connections},
    {"kick", "limit", take_kick_limit},     {"status", "limit", take_status_limit},
    {"queues", "limit", take_queues_limit}, {"trust", "writable", take_writable},
};
#define OWN_COUNT (sizeof(own_settings) / sizeof(own_settings[0]))

static bool is_own_section(const char *section)
{
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(own_settings[i].section, section) == 0)
            return true;
    return false;
}

static const char *take_own(struct settings *settings, const char *section, const char *key,
                            const char *value)
{
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(own_settings[i].section, section) == 0 && strcmp(own_settings[i].key, key) == 0)
            return own_settings[i].take(settings, value);
    return "unknown setting";
}

static const char *mistake_in_service(const char *key, const char *value)
{
    if (strcmp(key, "class") == 0)
        return target_class_is_valid(value) ? NULL : "must be public or private";
    if (strcmp(key, "name") == 0)
        return target_service_is_valid(value) ? NULL : "must be a service name";
    if (strcmp(key, "requests") == 0 || strcmp(key, "modifiers") == 0)
        return NULL;
    return "unknown setting";
}

static const char *mistake_in_action(const char *key, const char *value)
{
    if (strcmp(key, "about") == 0)
        return NULL;
    if (strcmp(key, "kick") != 0)
        return "unknown setting";
    UT_array *targets = target_parse(value);
    if (targets == NULL)
        return "must be \"class service request\", or several with commas between";
    utarray_free(targets);
    return NULL;
}

/* Takes a setting of [postfix]. Returns the mistake, a new string, or NULL. */
static char *take_parameter(struct settings *settings, const char *key, const char *value)
{
    enum parameter parameter;
    char *error = NULL, *mistake;

    if (!parameter_find(key, strlen(key), &parameter))
        return alloc_format("[postfix] %s: unknown parameter", key);
    if (parameter_check(parameter, value, &error)) {
        settings->parameters[parameter] = value;
        return NULL;
    }
    mistake = alloc_format("[postfix] %s", error);
    free(error);
    return mistake;
}

/* Checks a setting, and takes its value if every run needs it. Returns as take_parameter(). */
static char *take_setting(struct settings *settings, const char *section, const char *key,
                          const char *value)
{
    const char *mistake;

    if (section[0] == '\0')
        return alloc_format("%s: setting before the first section", key);
    if (strcmp(section, "postfix") == 0)
        return take_parameter(settings, key, value);
    if (has_prefix(section, SETTINGS_SERVICE))
        mistake = mistake_in_service(key, value);
    else if (has_prefix(section, SETTINGS_ACTION))
        mistake = mistake_in_action(key, value);
    else
        mistake = take_own(settings, section, key, value);
    return mistake == NULL ? NULL : alloc_format("[%s] %s: %s", section, key, mistake);
}

/* A section has to be known, and that of a service or an action complete. As take_parameter(). */
static char *check_section(const struct settings *settings, const char *section)
{
    const char *need = NULL;

    if (has_prefix(section, SETTINGS_SERVICE))
        need = "class";
    else if (has_prefix(section, SETTINGS_ACTION))
        need = "kick";
    else if (strcmp(section, "postfix") != 0 && !is_own_section(section))
        return alloc_format("[%s]: unknown section", section);
    if (need != NULL && settings_value(settings, section, need) == NULL)
        return alloc_format("[%s]: %s is missing", section, need);
    return NULL;
}

static void take_built_in(struct settings *settings)
{
    const struct built_in *item;

    for (size_t i = 0; (item = built_in_item(i)) != NULL; i++)
        if (!is_whole(item->section))
            free(take_setting(settings, item->section, item->key, item->value));
}

static void take_file(struct settings *settings, const char *path, UT_array *errors)
{
    const struct ini_entry *entry;

    for (size_t i = 0; (entry = ini_entry(settings->file, i)) != NULL; i++) {
        char *mistake = entry->key == NULL
                            ? check_section(settings, entry->section)
                            : take_setting(settings, entry->section, entry->key, entry->value);

        if (mistake != NULL)
            strings_append(errors, "%s, line %d: %s", path, entry->line, mistake);
        free(mistake);
    }
}

/* Reads and parses the file into settings->file, unless everything in it is built in. */
static void read_file(struct settings *settings, const char *path, bool required, UT_array *errors)
{
    struct safe_read_file file;
    char *error = NULL;
    enum safe_read_result result = safe_read(path, SETTINGS_MAXIMUM, &file, &error);

    if (result == SAFE_READ_OK) {
        settings->others_write = file.others_write;
        if (!built_in_leave_out(file.text))
            settings->file = ini_parse(path, file.text, file.length, errors);
        safe_read_free(&file);
        return;
    }
    if (result == SAFE_READ_ERROR || required)
        strings_append(errors, "%s", error);
    free(error);
}

struct settings *settings_load(const char *path, bool required, UT_array *errors)
{
    struct settings *settings = alloc_zeroed(1, sizeof(*settings));
    size_t before = utarray_len(errors);

    take_built_in(settings);
    read_file(settings, path, required, errors);
    if (settings->file != NULL)
        take_file(settings, path, errors);
    if (utarray_len(errors) == before)
        return settings;
    settings_free(settings);
    return NULL;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    ini_free(settings->file);
    free(settings);
}

const char *settings_parameter(const struct settings *settings, enum parameter parameter)
{
    return settings->parameters[parameter];
}

static void add_section(UT_array *names, const char *section, const char *prefix)
{
    if (has_prefix(section, prefix) && !strings_contain(names, section + strlen(prefix)))
        strings_append(names, "%s", section + strlen(prefix));
}

UT_array *settings_sections(const struct settings *settings, const char *prefix)
{
    const struct built_in *item;
    const struct ini_entry *entry;
    UT_array *names;

    utarray_new(names, &strings_icd);
    for (size_t i = 0; (item = built_in_item(i)) != NULL; i++)
        add_section(names, item->section, prefix);
    for (size_t i = 0; settings->file != NULL && (entry = ini_entry(settings->file, i)) != NULL;
         i++)
        add_section(names, entry->section, prefix);
    return names;
}

/* Whether the section is about the service; a section that is missing is not. */
static bool is_about(const struct settings *settings, const char *section, const char *service)
{
    if (settings_value(settings, section, "class") == NULL)
        return false;
    const char *name = settings_value(settings, section, "name");
    return strcmp(name != NULL ? name : section + strlen(SETTINGS_SERVICE), service) == 0;
}

static bool has_capitals(const char *name)
{
    return name[strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/* iniparser folds section names: a service whose name has capitals has it in "name". Returns the
 * section of the service, which the caller frees, or NULL. */
static char *service_section(const struct settings *settings, const char *service)
{
    char *found = alloc_format(SETTINGS_SERVICE "%s", service);

    if (!has_capitals(service) && is_about(settings, found, service))
        return found;
    free(found);
    found = NULL;
    UT_array *words = settings_sections(settings, SETTINGS_SERVICE);
    for (size_t i = 0; i < utarray_len(words) && found == NULL; i++) {
        char *section = alloc_format(SETTINGS_SERVICE "%s", strings_item(words, i));

        if (is_about(settings, section, service))
            found = section;
        else
            free(section);
    }
    utarray_free(words);
    return found;
}

const char *catalogue_class(const struct settings *settings, const char *service)
{
    char *section = service_section(settings, service);
    const char *class = section == NULL ? NULL : settings_value(settings, section, "class");

    free(section);
    return class;
}

/* "= X": the service acts on exactly X. */
static void check_exact(const char *requests, const char *request, UT_array *warnings)
{
    const char *exact = requests + 1 + strspn(requests + 1, TEXT_WHITE_SPACE);

    if (strcmp(request, exact) != 0)
        strings_append(warnings, "request \"%s\" is ignored: the service acts on \"%s\" only",
                       request, exact);
}

/* Returns the bytes of request that are not in known, each once, a new string. */
static char *unknown_bytes(const char *request, const char *known)
{
    UT_string unknown;

    utstring_init(&unknown);
    for (const char *at = request; *at != '\0'; at++)
        if (strchr(known, *at) == NULL && strchr(utstring_body(&unknown), *at) == NULL)
            utstring_bincpy(&unknown, at, 1);
    return utstring_body(&unknown);
}

static bool any_other_than(const char *request, const char *requests, const char *modifiers)
{
    for (const char *at = request; *at != '\0'; at++)
        if (strchr(requests, *at) != NULL && strchr(modifiers, *at) == NULL)
            return true;
    return false;
}

static void check_bytes(const char *requests, const char *modifiers, const char *request,
                        UT_array *warnings)
{
    char *unknown = unknown_bytes(request, requests);
    char *starters = unknown_bytes(requests, modifiers);

    if (request[0] == '\0')
        strings_append(warnings, "empty request is ignored: the service acts on %s", requests);
    else if (unknown[0] != '\0')
        strings_append(warnings, "request \"%s\": \"%s\" is ignored: the service acts on %s",
                       request, unknown, requests);
    else if (!any_other_than(request, requests, modifiers))
        strings_append(warnings, "request \"%s\" starts nothing on its own: add one of %s", request,
                       starters);
    free(unknown);
    free(starters);
}

void catalogue_check(const struct settings *settings, const struct target *target,
                     UT_array *warnings)
{
    size_t length = strlen(target->request);
    char *section = service_section(settings, target->service);

    if (length > CATALOGUE_READ_BYTES)
        strings_append(warnings, "request is %zu bytes long: services read only the first %d",
                       length, CATALOGUE_READ_BYTES);
    if (section == NULL || strcmp(settings_value(settings, section, "class"), target->class) != 0) {
        free(section); /* a service of that name in the other class is not known */
        return;
    }
    const char *requests = settings_value(settings, section, "requests");
    const char *modifiers = settings_value(settings, section, "modifiers");
    if (requests == NULL || strcmp(requests, "*") == 0)
        ; /* any request */
    else if (requests[0] == '\0')
        strings_append(warnings, "the service accepts no requests");
    else if (requests[0] == '=')
        check_exact(requests, target->request, warnings);
    else
        check_bytes(requests, modifiers == NULL ? "" : modifiers, target->request, warnings);
    free(section);
}

UT_array *catalogue_action(const struct settings *settings, const char *name)
{
    char *section = alloc_format(SETTINGS_ACTION "%s", name);
    const char *kick = settings_value(settings, section, "kick");

    free(section);
    return kick == NULL ? NULL : target_parse(kick);
}

const char *catalogue_about(const struct settings *settings, const char *action)
{
    char *section = alloc_format(SETTINGS_ACTION "%s", action);
    const char *about = settings_value(settings, section, "about");

    free(section);
    return about == NULL ? "" : about;
}
