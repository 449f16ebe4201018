#include "postfix/settings.h"
#include "base/ini.h"
#include "base/parse.h"
#include "base/safe_read.h"
#include "base/strings.h"
#include "base/text.h"
#include "postfix/target.h"
#include <limits.h>
#include <string.h>

/* iniparser's time grows with the square of the number of settings. */
#define SETTINGS_MAXIMUM ((size_t)256 * 1024)

static const char built_in_text[] =
#include "postkick_ini.inc"
    ;

struct settings {
    struct ini *file;     /* NULL without a file */
    struct ini *built_in; /* parsed when first needed */
    const char *parameters[PARAMETER_COUNT];
    bool others_write;
    bool strict;
    bool refuse_writable;
    int connections;
    int kick_limit;
    int status_limit;
};

/* NULL when they cannot be had, for want of descriptors perhaps; settings_load() says so. */
static struct ini *built_in(struct settings *settings)
{
    if (settings->built_in == NULL) {
        UT_array *errors;

        utarray_new(errors, &strings_icd);
        settings->built_in =
            ini_parse("built-in settings", built_in_text, sizeof(built_in_text) - 1, errors);
        utarray_free(errors);
    }
    return settings->built_in;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A service or an action is taken whole from where it is, never mixed. */
static bool is_whole(const char *section)
{
    return has_prefix(section, SETTINGS_SERVICE) || has_prefix(section, SETTINGS_ACTION);
}

const char *settings_value(struct settings *settings, const char *section, const char *key)
{
    if (settings->file != NULL) {
        const char *value = ini_value(settings->file, section, key);
        if (value != NULL || (is_whole(section) && ini_has_section(settings->file, section)))
            return value;
    }
    const struct ini *fallback = built_in(settings);
    return fallback == NULL ? NULL : ini_value(fallback, section, key);
}

struct check {
    const char *path;
    struct settings *settings;
    UT_array *errors;
};

static void check_parameter(const struct check *check, const char *key, const char *value)
{
    enum parameter parameter;
    char *error = NULL;

    if (!parameter_find(key, strlen(key), &parameter))
        strings_append(check->errors, "%s: [postfix] %s: unknown parameter", check->path, key);
    else if (!parameter_check(parameter, value, &error))
        strings_append(check->errors, "%s: [postfix] %s", check->path, error);
    free(error);
}

/* The functions that take the value of a setting: what is wrong with it, or NULL. */
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

static const char *mistake_in_own(struct settings *settings, const char *section, const char *key,
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

static void check_setting(const struct check *check, const char *section, const char *key,
                          const char *value)
{
    const char *mistake;

    if (strcmp(section, "postfix") == 0) {
        check_parameter(check, key, value);
        return;
    }
    if (has_prefix(section, SETTINGS_SERVICE))
        mistake = mistake_in_service(key, value);
    else if (has_prefix(section, SETTINGS_ACTION))
        mistake = mistake_in_action(key, value);
    else
        mistake = mistake_in_own(check->settings, section, key, value);
    if (mistake != NULL)
        strings_append(check->errors, "%s: [%s] %s: %s", check->path, section, key, mistake);
}

/* A service or an action has to be complete, a section known. */
static void check_section(const struct check *check, const char *section)
{
    const char *need = NULL;

    if (has_prefix(section, SETTINGS_SERVICE))
        need = "class";
    else if (has_prefix(section, SETTINGS_ACTION))
        need = "kick";
    else if (strcmp(section, "postfix") != 0 && !is_own_section(section))
        strings_append(check->errors, "%s: [%s]: unknown section", check->path, section);
    if (need != NULL && settings_value(check->settings, section, need) == NULL)
        strings_append(check->errors, "%s: [%s]: %s is missing", check->path, section, need);
}

static void check_entry(void *context, const char *section, const char *key, const char *value)
{
    const struct check *check = context;

    if (section[0] == '\0')
        strings_append(check->errors, "%s: %s: setting before the first section", check->path, key);
    else if (key == NULL)
        check_section(check, section);
    else
        check_setting(check, section, key, value);
}

/* Reads and parses the file into settings->file. False: see errors. */
static bool read_file(struct settings *settings, const char *path, bool required, UT_array *errors)
{
    struct safe_read_file file;
    char *error = NULL;
    enum safe_read_result result = safe_read(path, SETTINGS_MAXIMUM, NULL, &file, &error);

    if (result == SAFE_READ_OK) {
        settings->others_write = file.others_write;
        settings->file = ini_parse(path, file.text, file.length, errors);
        safe_read_free(&file);
        return settings->file != NULL;
    }
    if (result == SAFE_READ_ERROR || required)
        strings_append(errors, "%s", error);
    free(error);
    return result == SAFE_READ_MISSING && !required;
}

/* What every run needs, in the form that it is needed in. False: some of it cannot be had. */
static bool take_values(struct settings *settings)
{
    for (size_t i = 0; i < OWN_COUNT; i++) {
        const char *value = settings_value(settings, own_settings[i].section, own_settings[i].key);
        if (value == NULL || own_settings[i].take(settings, value) != NULL)
            return false;
    }
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        settings->parameters[i] =
            settings_value(settings, "postfix", parameter_name((enum parameter)i));
        if (settings->parameters[i] == NULL)
            return false;
    }
    return true;
}

struct settings *settings_load(const char *path, bool required, UT_array *errors)
{
    struct settings *settings = alloc_zeroed(1, sizeof(*settings));
    struct check check = {path, settings, errors};
    size_t before = utarray_len(errors);

    if (read_file(settings, path, required, errors)) {
        if (settings->file != NULL)
            ini_visit(settings->file, check_entry, &check);
        if (utarray_len(errors) == before && take_values(settings))
            return settings;
        if (utarray_len(errors) == before)
            strings_append(errors, "the built-in settings cannot be read");
    }
    settings_free(settings);
    return NULL;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    ini_free(settings->file);
    ini_free(settings->built_in);
    free(settings);
}

bool settings_others_write(const struct settings *settings)
{
    return settings->others_write;
}

const char *settings_parameter(const struct settings *settings, enum parameter parameter)
{
    return settings->parameters[parameter];
}

bool settings_strict(const struct settings *settings)
{
    return settings->strict;
}

int settings_connections(const struct settings *settings)
{
    return settings->connections;
}

int settings_kick_limit(const struct settings *settings)
{
    return settings->kick_limit;
}

int settings_status_limit(const struct settings *settings)
{
    return settings->status_limit;
}

bool settings_refuse_writable(const struct settings *settings)
{
    return settings->refuse_writable;
}

struct section_list {
    const char *prefix;
    UT_array *names;
};

static void collect_section(void *context, const char *section, const char *key, const char *value)
{
    struct section_list *list = context;

    (void)value;
    if (key != NULL || !has_prefix(section, list->prefix))
        return;
    if (!strings_contain(list->names, section + strlen(list->prefix)))
        strings_append(list->names, "%s", section + strlen(list->prefix));
}

UT_array *settings_sections(struct settings *settings, const char *prefix)
{
    struct section_list list = {.prefix = prefix};

    utarray_new(list.names, &strings_icd);
    if (built_in(settings) != NULL)
        ini_visit(settings->built_in, collect_section, &list);
    if (settings->file != NULL)
        ini_visit(settings->file, collect_section, &list);
    return list.names;
}
