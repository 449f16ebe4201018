/* SPDX-License-Identifier: MIT */
/* Reads the settings: what is compiled in, what the files change, and every error in them. */
#include "postfix/settings.h"
#include "base/ini.h"
#include "base/text.h"
#include <limits.h>
#include <string.h>

#define SERVICE "service "
#define ACTION "action "
#define POSTFIX "postfix"

/* Bytes of a request that a trigger server of Postfix reads (measured; it reads once). */
#define READ_BYTES 1024

/* The settings of conf/postkick.ini and conf/postfix.ini, names in lower case. */
static const struct {
    const char *section;
    const char *key;
    const char *value;
} built_in[] = {
#include "built_in.inc"
};
#define BUILT_IN_COUNT (sizeof(built_in) / sizeof(built_in[0]))

static void free_target(void *element)
{
    struct target *target = element;

    free(target->class);
    free(target->service);
    free(target->request);
}

const UT_icd target_icd = {sizeof(struct target), NULL, NULL, free_target};

void target_append(UT_array *targets, const char *class, const char *service, const char *request)
{
    struct target target = {alloc_string(class), alloc_string(service), alloc_string(request)};

    utarray_push_back(targets, &target);
}

const struct target *target_item(const UT_array *targets, size_t index)
{
    const struct target *items = (const struct target *)(const void *)targets->d;

    return &items[index];
}

bool target_class_is_valid(const char *class)
{
    return strcmp(class, "public") == 0 || strcmp(class, "private") == 0;
}

bool target_service_is_valid(const char *service)
{
    return service[0] != '\0' && strcmp(service, ".") != 0 && strcmp(service, "..") != 0 &&
           strchr(service, '/') == NULL;
}

/* Appends the target that item describes. Returns false if it is malformed. */
static bool append_parsed(UT_array *targets, const char *item)
{
    UT_array *words = strings_split(item, TEXT_WHITE_SPACE);
    bool valid = utarray_len(words) == 3 && target_class_is_valid(strings_item(words, 0)) &&
                 target_service_is_valid(strings_item(words, 1));

    if (valid)
        target_append(targets, strings_item(words, 0), strings_item(words, 1),
                      strings_item(words, 2));
    utarray_free(words);
    return valid;
}

/* Parses "CLASS SERVICE REQUEST", or several with commas between. Returns an array of targets, to
 * be freed by utarray_free(), or NULL if the list is malformed. */
static UT_array *parse_targets(const char *list)
{
    UT_array *targets, *items = strings_split(list, ",");
    bool valid = utarray_len(items) > 0;

    utarray_new(targets, &target_icd);
    for (size_t i = 0; i < utarray_len(items) && valid; i++)
        valid = append_parsed(targets, strings_item(items, i));
    utarray_free(items);
    if (valid)
        return targets;
    utarray_free(targets);
    return NULL;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Returns a value of a service or an action, or NULL if it is unset. A section of the file replaces
 * the built-in one of that name as a whole. */
static const char *find_value(const struct settings *settings, const char *section, const char *key)
{
    const struct ini_entry *entry;
    bool is_replaced = false;

    for (size_t i = 0; (entry = ini_entry(settings->file, i)) != NULL; i++) {
        if (strcmp(entry->section, section) != 0)
            continue;
        is_replaced = true;
        if (entry->key != NULL && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    for (size_t i = 0; i < BUILT_IN_COUNT && !is_replaced; i++)
        if (strcmp(built_in[i].section, section) == 0 && strcmp(built_in[i].key, key) == 0)
            return built_in[i].value;
    return NULL;
}

/* Each of these stores a value in a member of struct settings, and returns what is wrong with it,
 * or NULL. */
static const char *set_strict(void *member, const char *value)
{
    enum parse_bool strict = parse_bool(value);

    *(enum settings_strict *)member = value[0] == '\0'      ? SETTINGS_STRICT_UNSET
                                      : strict == PARSE_YES ? SETTINGS_STRICT_YES
                                                            : SETTINGS_STRICT_NO;
    return value[0] != '\0' && strict == PARSE_BOOL_ERROR ? "must be yes or no" : NULL;
}

static const char *set_number(void *member, const char *value)
{
    return parse_number(value, 0, INT_MAX, member) ? NULL : "must be a number";
}

static const char *set_seconds(void *member, const char *value)
{
    return parse_strict_time(value, member) && *(int *)member >= 1
               ? NULL
               : "must be a time of at least 1s, such as 90, 90s, 2m";
}

static const char *set_writable(void *member, const char *value)
{
    bool refuses = strcmp(value, "refuse") == 0;

    *(bool *)member = refuses;
    return refuses || strcmp(value, "warn") == 0 ? NULL : "must be warn or refuse";
}

static const char *set_text(void *member, const char *value)
{
    *(const char **)member = value;
    return NULL;
}

/* All settings but those of services and actions, and the parameters in [postfix]. */
static const struct {
    const char *section;
    const char *key;
    const char *(*set)(void *member, const char *value);
    size_t member;
} own_settings[] = {
    {"kick", "strict", set_strict, offsetof(struct settings, strict)},
    {"kick", "connections", set_number, offsetof(struct settings, connections)},
    {"kick", "limit", set_seconds, offsetof(struct settings, kick_limit)},
    {"status", "limit", set_seconds, offsetof(struct settings, status_limit)},
    {"queues", "limit", set_seconds, offsetof(struct settings, queues_limit)},
    {"trust", "writable", set_writable, offsetof(struct settings, refuse_writable)},
    {"commands", "without_operands", set_text, offsetof(struct settings, commands)},
    {"commands", "with_operands", set_text, offsetof(struct settings, commands_with_operands)},
    {POSTFIX, "mail_version", set_text, offsetof(struct settings, mail_version)},
};
#define OWN_COUNT (sizeof(own_settings) / sizeof(own_settings[0]))

static bool is_own_section(const char *section)
{
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(own_settings[i].section, section) == 0)
            return true;
    return false;
}

/* The following four return the error, a new string, or NULL. */
static char *set_parameter(struct settings *settings, enum parameter parameter, const char *value)
{
    char *error = NULL, *mistake;

    if (parameter_check(parameter, value, &error)) {
        settings->parameters[parameter] = value;
        return NULL;
    }
    mistake = alloc_format("[" POSTFIX "] %s", error);
    free(error);
    return mistake;
}

/* A setting that is none of a service or an action. */
static char *set(struct settings *settings, const char *section, const char *key, const char *value)
{
    bool is_postfix = strcmp(section, POSTFIX) == 0;
    const char *mistake = is_postfix ? "unknown parameter" : "unknown setting";
    enum parameter parameter;

    if (section[0] == '\0')
        return alloc_format("%s: setting before the first section", key);
    if (is_postfix && parameter_find(key, strlen(key), &parameter))
        return set_parameter(settings, parameter, value);
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strcmp(own_settings[i].section, section) == 0 && strcmp(own_settings[i].key, key) == 0)
            mistake = own_settings[i].set((char *)settings + own_settings[i].member, value);
    return mistake == NULL ? NULL : alloc_format("[%s] %s: %s", section, key, mistake);
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
    UT_array *targets = parse_targets(value);
    if (targets == NULL)
        return "must be \"class service request\", or several with commas between";
    utarray_free(targets);
    return NULL;
}

/* Stores a setting if every run needs it; others are only checked. */
static char *check_setting(struct settings *settings, const struct ini_entry *entry)
{
    const char *mistake;

    if (has_prefix(entry->section, SERVICE))
        mistake = mistake_in_service(entry->key, entry->value);
    else if (has_prefix(entry->section, ACTION))
        mistake = mistake_in_action(entry->key, entry->value);
    else
        return set(settings, entry->section, entry->key, entry->value);
    return mistake == NULL ? NULL
                           : alloc_format("[%s] %s: %s", entry->section, entry->key, mistake);
}

/* A section has to be known, and that of a service or an action complete. */
static char *check_section(const struct settings *settings, const struct ini *ini,
                           const char *section)
{
    const char *need = NULL;

    if (has_prefix(section, SERVICE))
        need = "class";
    else if (has_prefix(section, ACTION))
        need = "kick";
    if (ini == settings->generated ? strcmp(section, POSTFIX) != 0
                                   : need == NULL && !is_own_section(section))
        return alloc_format("[%s]: unknown section", section);
    if (need != NULL && find_value(settings, section, need) == NULL)
        return alloc_format("[%s]: %s is missing", section, need);
    return NULL;
}

static void set_built_in(struct settings *settings)
{
    for (size_t i = 0; i < BUILT_IN_COUNT; i++)
        if (!has_prefix(built_in[i].section, SERVICE) && !has_prefix(built_in[i].section, ACTION))
            free(set(settings, built_in[i].section, built_in[i].key, built_in[i].value));
}

static void set_from_file(struct settings *settings, const struct ini *ini, const char *path,
                          UT_array *errors)
{
    const struct ini_entry *entry;

    for (size_t i = 0; (entry = ini_entry(ini, i)) != NULL; i++) {
        char *mistake = entry->key == NULL ? check_section(settings, ini, entry->section)
                                           : check_setting(settings, entry);

        if (mistake != NULL)
            strings_append(errors, "%s, line %d: %s", path, entry->line, mistake);
        free(mistake);
    }
    if (ini != NULL && ini->others_write)
        settings->others_write = path;
}

struct settings *settings_load(const char *path, bool required, const char *generated,
                               UT_array *errors)
{
    struct settings *settings = alloc_zeroed(1, sizeof(*settings));
    size_t before = utarray_len(errors);

    set_built_in(settings);
    if (generated != NULL)
        settings->generated = ini_load(generated, false, errors);
    set_from_file(settings, settings->generated, generated, errors);
    settings->file = ini_load(path, required, errors);
    set_from_file(settings, settings->file, path, errors);
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
    ini_free(settings->generated);
    free(settings);
}

static void add_section(UT_array *names, const char *section, const char *prefix)
{
    if (has_prefix(section, prefix) && !strings_contain(names, section + strlen(prefix)))
        strings_append(names, "%s", section + strlen(prefix));
}

/* Returns the names of all sections that start with prefix, without it, each once, the built-in
 * ones and the file's: an array of strings to be freed by utarray_free(). */
static UT_array *list_sections(const struct settings *settings, const char *prefix)
{
    const struct ini_entry *entry;
    UT_array *names;

    utarray_new(names, &strings_icd);
    for (size_t i = 0; i < BUILT_IN_COUNT; i++)
        add_section(names, built_in[i].section, prefix);
    for (size_t i = 0; (entry = ini_entry(settings->file, i)) != NULL; i++)
        add_section(names, entry->section, prefix);
    return names;
}

/* Whether the section is about the service; a section that is missing is not. */
static bool is_about(const struct settings *settings, const char *section, const char *service)
{
    if (find_value(settings, section, "class") == NULL)
        return false;
    const char *name = find_value(settings, section, "name");
    return strcmp(name != NULL ? name : section + strlen(SERVICE), service) == 0;
}

static bool has_capitals(const char *name)
{
    return name[strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/* iniparser folds section names: a service whose name has capitals has it in "name". Returns the
 * section of the service, which the caller frees, or NULL. */
static char *service_section(const struct settings *settings, const char *service)
{
    char *found = alloc_format(SERVICE "%s", service);

    if (!has_capitals(service) && is_about(settings, found, service))
        return found;
    free(found);
    found = NULL;
    UT_array *words = list_sections(settings, SERVICE);
    for (size_t i = 0; i < utarray_len(words) && found == NULL; i++) {
        char *section = alloc_format(SERVICE "%s", strings_item(words, i));

        if (is_about(settings, section, service))
            found = section;
        else
            free(section);
    }
    utarray_free(words);
    return found;
}

bool settings_is_older(const struct settings *settings, int first, int second)
{
    int own_first, own_second;

    return sscanf(settings->mail_version, "%d.%d", &own_first, &own_second) == 2 &&
           (own_first < first || (own_first == first && own_second < second));
}

const char *settings_class(const struct settings *settings, const char *service)
{
    char *section = service_section(settings, service);
    const char *class = section == NULL ? NULL : find_value(settings, section, "class");

    free(section);
    return class;
}

/* "= X": the service acts on exactly X. */
static bool check_exact(const char *requests, const char *request, UT_array *warnings)
{
    const char *exact = requests + 1 + strspn(requests + 1, TEXT_WHITE_SPACE);

    if (strcmp(request, exact) == 0)
        return true;
    strings_append(warnings, "request \"%s\" is ignored: the service acts on \"%s\" only", request,
                   exact);
    return false;
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

static bool check_bytes(const char *requests, const char *modifiers, const char *request,
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
    return strpbrk(request, requests) != NULL;
}

bool settings_check(const struct settings *settings, const struct target *target,
                    UT_array *warnings)
{
    size_t length = strlen(target->request);
    char *section = service_section(settings, target->service);

    if (length > READ_BYTES)
        strings_append(warnings, "request is %zu bytes long: services read only the first %d",
                       length, READ_BYTES);
    if (section == NULL || strcmp(find_value(settings, section, "class"), target->class) != 0) {
        free(section); /* a service of that name in the other class is not known */
        return true;
    }
    bool acts = true;
    const char *requests = find_value(settings, section, "requests");
    const char *modifiers = find_value(settings, section, "modifiers");
    if (requests == NULL || strcmp(requests, "*") == 0)
        ; /* any request */
    else if (requests[0] == '=')
        acts = check_exact(requests, target->request, warnings);
    else if (requests[0] != '\0')
        acts = check_bytes(requests, modifiers == NULL ? "" : modifiers, target->request, warnings);
    else
        acts = false;
    if (requests != NULL && requests[0] == '\0')
        strings_append(warnings, "the service accepts no requests");
    free(section);
    return acts;
}

UT_array *settings_actions(const struct settings *settings)
{
    return list_sections(settings, ACTION);
}

UT_array *settings_action(const struct settings *settings, const char *name)
{
    char *section = alloc_format(ACTION "%s", name);
    const char *kick = find_value(settings, section, "kick");

    free(section);
    return kick == NULL ? NULL : parse_targets(kick);
}

UT_array *settings_commands(const struct settings *settings, bool with_operands)
{
    return strings_split(with_operands ? settings->commands_with_operands : settings->commands,
                         PARAMETER_SEPARATORS);
}

const char *settings_about(const struct settings *settings, const char *action)
{
    char *section = alloc_format(ACTION "%s", action);
    const char *about = find_value(settings, section, "about");

    free(section);
    return about == NULL ? "" : about;
}
