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
static const struct ini_entry built_in[] = {
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

bool target_class_is_valid(const char *class)
{
    return strcmp(class, "public") == 0 || strcmp(class, "private") == 0;
}

bool target_service_is_valid(const char *service)
{
    return service[0] != '\0' && strcmp(service, ".") != 0 && strcmp(service, "..") != 0 &&
           strchr(service, '/') == NULL;
}

/* Parses "CLASS SERVICE REQUEST", or several with commas between. Returns an array of targets, to
 * be freed by utarray_free(), or NULL if the list is malformed. */
static UT_array *parse_targets(const char *list)
{
    UT_array *targets, *items = strings_split(list, ",");
    bool valid = utarray_len(items) > 0;

    utarray_new(targets, &target_icd);
    for (size_t i = 0; i < utarray_len(items) && valid; i++) {
        UT_array *words = strings_split(strings_item(items, i), TEXT_WHITE_SPACE);

        valid = utarray_len(words) == 3 && target_class_is_valid(strings_item(words, 0)) &&
                target_service_is_valid(strings_item(words, 1));
        if (valid)
            target_append(targets, strings_item(words, 0), strings_item(words, 1),
                          strings_item(words, 2));
        utarray_free(words);
    }
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

/* Returns how many settings there are, the built-in ones and then the file's. */
static size_t entry_count(const struct settings *settings)
{
    return BUILT_IN_COUNT + utarray_len(settings->file->entries);
}

static const struct ini_entry *entry_at(const struct settings *settings, size_t index)
{
    const struct ini_entry *own = (const void *)settings->file->entries->d;

    return index < BUILT_IN_COUNT ? &built_in[index] : &own[index - BUILT_IN_COUNT];
}

/* Returns a value of a service or an action, or NULL if it is unset. A section of the file replaces
 * the built-in one of that name as a whole. */
static const char *find_value(const struct settings *settings, const char *section, const char *key)
{
    bool is_replaced = false;

    for (size_t i = entry_count(settings); i-- > 0 && !(i < BUILT_IN_COUNT && is_replaced);) {
        const struct ini_entry *entry = entry_at(settings, i);

        if (strcmp(entry->section, section) != 0)
            continue;
        if (entry->key != NULL && strcmp(entry->key, key) == 0)
            return entry->value;
        is_replaced = i >= BUILT_IN_COUNT;
    }
    return NULL;
}

/* Each of these returns what is wrong with a value, or NULL; and stores it in a member of struct
 * settings, but those of services and actions, which not every run needs. */
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
    int *number = member;

    *number = (int)parse_number(value, PARSE_NUMBER, 0, INT_MAX);
    return *number >= 0 ? NULL : "must be a number";
}

static const char *set_seconds(void *member, const char *value)
{
    int *seconds = member;

    *seconds = (int)parse_number(value, PARSE_SECONDS, 1, INT_MAX);
    return *seconds > 0 ? NULL : "must be a time of at least 1s, such as 90, 90s, 2m";
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

static const char *set_version(void *member, const char *value)
{
    int first, second;

    *(int *)member = sscanf(value, "%5d.%3d", &first, &second) == 2
                         ? SETTINGS_VERSION(first, second)
                         : SETTINGS_VERSION_UNKNOWN;
    return NULL;
}

static const char *check_class(void *unused, const char *value)
{
    (void)unused;
    return target_class_is_valid(value) ? NULL : "must be public or private";
}

static const char *check_service(void *unused, const char *value)
{
    (void)unused;
    return target_service_is_valid(value) ? NULL : "must be a service name";
}

static const char *check_targets(void *unused, const char *value)
{
    UT_array *targets = parse_targets(value);

    (void)unused;
    if (targets == NULL)
        return "must be \"class service request\", or several with commas between";
    utarray_free(targets);
    return NULL;
}

/* All settings but the parameters in [postfix]. A section that ends in a space stands for all that
 * start with it; they need the first setting. */
static const struct row {
    const char *section;
    const char *key;
    const char *(*set)(void *member, const char *value); /* NULL: any value will do */
    size_t member;
} rows[] = {
    {"kick", "strict", set_strict, offsetof(struct settings, strict)},
    {"kick", "connections", set_number, offsetof(struct settings, connections)},
    {"kick", "limit", set_seconds, offsetof(struct settings, kick_limit)},
    {"status", "limit", set_seconds, offsetof(struct settings, status_limit)},
    {"queues", "limit", set_seconds, offsetof(struct settings, queues_limit)},
    {"trust", "writable", set_writable, offsetof(struct settings, refuse_writable)},
    {"commands", "without_operands", set_text, offsetof(struct settings, commands)},
    {"commands", "with_operands", set_text, offsetof(struct settings, commands_with_operands)},
    {POSTFIX, "mail_version", set_version, offsetof(struct settings, version)},
    {SERVICE, "class", check_class, 0},
    {SERVICE, "name", check_service, 0},
    {SERVICE, "requests", NULL, 0},
    {SERVICE, "modifiers", NULL, 0},
    {ACTION, "kick", check_targets, 0},
    {ACTION, "about", NULL, 0},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static bool is_group(const struct row *row)
{
    return row->section[strlen(row->section) - 1] == ' ';
}

/* Returns the row of a setting; with NULL, the first one of the section; or NULL. */
static const struct row *find_row(const char *section, const char *key)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if ((is_group(&rows[i]) ? has_prefix(section, rows[i].section)
                                : strcmp(section, rows[i].section) == 0) &&
            (key == NULL || strcmp(key, rows[i].key) == 0))
            return &rows[i];
    return NULL;
}

/* Returns the error, a new string, or NULL. */
static char *set(struct settings *settings, const struct ini_entry *entry)
{
    bool is_postfix = strcmp(entry->section, POSTFIX) == 0;
    const struct row *row = find_row(entry->section, entry->key);
    enum parameter parameter;
    const char *mistake = NULL;
    char *error = NULL;

    if (entry->section[0] == '\0')
        return alloc_format("%s: setting before the first section", entry->key);
    if (is_postfix && parameter_find(entry->key, strlen(entry->key), &parameter)) {
        if (parameter_check(parameter, entry->value, &error))
            settings->parameters[parameter] = entry->value;
        else
            alloc_set_text(&error, "[" POSTFIX "] %s", error);
        return error;
    }
    if (row == NULL)
        mistake = is_postfix ? "unknown parameter" : "unknown setting";
    else if (row->set != NULL)
        mistake = row->set((char *)settings + row->member, entry->value);
    return mistake == NULL ? NULL
                           : alloc_format("[%s] %s: %s", entry->section, entry->key, mistake);
}

/* The same for a section: it has to be known, and that of a service or an action complete. */
static char *check_section(const struct settings *settings, const struct ini *ini,
                           const char *section)
{
    const struct row *first = find_row(section, NULL);

    if (first == NULL || (ini == settings->generated && strcmp(section, POSTFIX) != 0))
        return alloc_format("[%s]: unknown section", section);
    if (is_group(first) && find_value(settings, section, first->key) == NULL)
        return alloc_format("[%s]: %s is missing", section, first->key);
    return NULL;
}

static void set_built_in(struct settings *settings)
{
    for (size_t i = 0; i < BUILT_IN_COUNT; i++)
        if (!has_prefix(built_in[i].section, SERVICE) && !has_prefix(built_in[i].section, ACTION))
            free(set(settings, &built_in[i]));
}

static void set_from_file(struct settings *settings, const struct ini *ini, const char *path,
                          UT_array *errors)
{
    const struct ini_entry *entry;

    for (size_t i = 0; (entry = utarray_eltptr(ini->entries, i)) != NULL; i++) {
        char *mistake = entry->key == NULL ? check_section(settings, ini, entry->section)
                                           : set(settings, entry);

        if (mistake != NULL)
            strings_append(errors, "%s, line %d: %s", path, entry->line, mistake);
        free(mistake);
    }
    if (ini->others_write)
        settings->others_write = path;
}

struct settings *settings_load(const char *path, bool required, const char *generated,
                               UT_array *errors)
{
    struct settings *settings = alloc_zeroed(1, sizeof(*settings));
    size_t before = utarray_len(errors);

    set_built_in(settings);
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

/* Returns the section of the service, or NULL. A section whose name is not the service's has that
 * in "name": iniparser folds the names of sections. */
static const char *find_service(const struct settings *settings, const char *service)
{
    for (size_t i = 0; i < entry_count(settings); i++) {
        const struct ini_entry *entry = entry_at(settings, i);

        if (!has_prefix(entry->section, SERVICE) || entry->key == NULL ||
            strcmp(entry->key, "class") != 0)
            continue;
        const char *name = find_value(settings, entry->section, "name");
        if (strcmp(name != NULL ? name : entry->section + strlen(SERVICE), service) == 0)
            return entry->section;
    }
    return NULL;
}

const char *settings_class(const struct settings *settings, const char *service)
{
    const char *section = find_service(settings, service);

    return section == NULL ? NULL : find_value(settings, section, "class");
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

/* Returns the bytes of text that are not in known, each once, a new string. */
static char *bytes_not_in(const char *known, const char *text)
{
    UT_string others;

    utstring_init(&others);
    for (const char *at = text; *at != '\0'; at++)
        if (strchr(known, *at) == NULL && strchr(utstring_body(&others), *at) == NULL)
            utstring_bincpy(&others, at, 1);
    return utstring_body(&others);
}

static bool check_bytes(const char *requests, const char *modifiers, const char *request,
                        UT_array *warnings)
{
    char *unknown = bytes_not_in(requests, request);
    char *starters = bytes_not_in(modifiers, requests);

    if (request[0] == '\0')
        strings_append(warnings, "empty request is ignored: the service acts on %s", requests);
    else if (unknown[0] != '\0')
        strings_append(warnings, "request \"%s\": \"%s\" is ignored: the service acts on %s",
                       request, unknown, requests);
    else if (strpbrk(request, starters) == NULL)
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
    const char *section = find_service(settings, target->service);
    const char *class = section == NULL ? NULL : find_value(settings, section, "class");

    if (length > READ_BYTES)
        strings_append(warnings, "request is %zu bytes long: services read only the first %d",
                       length, READ_BYTES);
    /* a service of that name in the other class is not known */
    if (class == NULL || strcmp(class, target->class) != 0)
        return true;
    const char *requests = find_value(settings, section, "requests");
    const char *modifiers = find_value(settings, section, "modifiers");
    if (requests == NULL || strcmp(requests, "*") == 0)
        return true;
    if (requests[0] == '=')
        return check_exact(requests, target->request, warnings);
    if (requests[0] != '\0')
        return check_bytes(requests, modifiers == NULL ? "" : modifiers, target->request, warnings);
    strings_append(warnings, "the service accepts no requests");
    return false;
}

UT_array *settings_actions(const struct settings *settings)
{
    UT_array *names;

    utarray_new(names, &strings_icd);
    for (size_t i = 0; i < entry_count(settings); i++) {
        const char *section = entry_at(settings, i)->section;

        if (has_prefix(section, ACTION) && !strings_contain(names, section + strlen(ACTION)))
            strings_append(names, "%s", section + strlen(ACTION));
    }
    return names;
}

UT_array *settings_action(const struct settings *settings, const char *name, const char **about)
{
    char *section = alloc_format(ACTION "%s", name);
    const char *kick = find_value(settings, section, "kick");

    if (about != NULL)
        *about = find_value(settings, section, "about");
    free(section);
    return kick == NULL ? NULL : parse_targets(kick);
}
