/* SPDX-License-Identifier: MIT */
/* Reads postkick.ini: built-in values, what the file changes, and every mistake in it. */
#include "postfix/settings.h"
#include "base/ini.h"
#include "base/parse.h"
#include "base/safe_read.h"
#include "base/strings.h"
#include "postfix/built_in.h"
#include "postfix/target.h"
#include <limits.h>
#include <string.h>

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
    return parse_time(value, limit) && *limit >= 1
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
    {"kick", "strict", take_strict},      {"kick", "connections", take_connections},
    {"kick", "limit", take_kick_limit},   {"status", "limit", take_status_limit},
    {"trust", "writable", take_writable},
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
    enum safe_read_result result = safe_read(path, SETTINGS_MAXIMUM, NULL, &file, &error);

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
