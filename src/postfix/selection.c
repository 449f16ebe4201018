/* SPDX-License-Identifier: MIT */
/* Chooses among the instances of a host, and marks what is to be served. */
#include "postfix/selection.h"
#include "base/path.h"
#include "base/text.h"
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

/* The most instances that one message names. */
#define NAMED_MAXIMUM 5

/* Names are also known without it. */
static const char prefix[] = "postfix-";

/* The length in bytes of a directory's name without the slashes at its end, which do not count. */
static size_t directory_length(const char *directory)
{
    size_t length = strlen(directory);

    while (length > 1 && directory[length - 1] == '/')
        length--;
    return length;
}

bool selection_is_same(const struct instance *one, const struct instance *other)
{
    size_t length = directory_length(one->config_directory);

    return length == directory_length(other->config_directory) &&
           strncmp(one->config_directory, other->config_directory, length) == 0;
}

/* The text itself, or a pattern as in fnmatch(3). */
static bool matches(const char *wanted, const char *text, int flags)
{
    return strcmp(wanted, text) == 0 || fnmatch(wanted, text, flags) == 0;
}

static bool matches_directory(const char *wanted, const char *directory)
{
    char *pattern = alloc_span(wanted, directory_length(wanted));
    char *name = alloc_span(directory, directory_length(directory));
    bool result = matches(pattern, name, FNM_PATHNAME);

    free(pattern);
    free(name);
    return result;
}

bool selection_matches(const struct instance *instance, const char *wanted)
{
    const char *name = instance->values[PARAMETER_MULTI_INSTANCE_NAME];

    if (strcmp(wanted, "-") == 0)
        return instance->is_default;
    if (wanted[0] == '/')
        return matches_directory(wanted, instance->config_directory);
    if (name == NULL || wanted[0] == '\0')
        return false;
    return matches(wanted, name, 0) || (strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
                                        matches(wanted, name + sizeof(prefix) - 1, 0));
}

static bool is_pattern(const char *wanted)
{
    return strpbrk(wanted, "*?[\\") != NULL;
}

/* The most names that are compared with a word that was not found. */
#define COMPARED_MAXIMUM 1000

/* Returns the first different values that the instances have of a parameter, without the empty one:
 * an array of strings. */
static UT_array *list_values(const struct host *host, enum parameter parameter)
{
    UT_array *values;

    utarray_new(values, &strings_icd);
    for (size_t i = 0; i < host->count && i < COMPARED_MAXIMUM; i++) {
        const char *value = instance_value(&host->instances[i], parameter);

        if (value[0] != '\0' && !strings_contain(values, value))
            strings_append(values, "%s", value);
    }
    return values;
}

/* Returns what was probably meant by a name that matches nothing, as the end of a message: a new
 * string, which may be empty. */
static char *suggest_instance(const struct host *host, const char *name)
{
    UT_array *names = list_values(host, PARAMETER_MULTI_INSTANCE_NAME);
    size_t count = utarray_len(names);

    for (size_t i = 0; i < count; i++)
        if (strncmp(strings_item(names, i), prefix, sizeof(prefix) - 1) == 0)
            strings_append(names, "%s", strings_item(names, i) + sizeof(prefix) - 1);
    const char *nearest = text_nearest(name, names);
    char *suggestion = strcmp(name, "postfix") == 0
                           ? alloc_string(" (the default instance is -i -)")
                       : strcasecmp(name, "all") == 0
                           ? alloc_string(" (without a name, all instances are selected)")
                       : strchr(name, ',') != NULL ? alloc_string(" (repeat -i for several)")
                       : nearest != NULL           ? alloc_format(": did you mean %s?", nearest)
                                                   : alloc_string("");
    utarray_free(names);
    return suggestion;
}

static bool is_nameless(const struct instance *instance)
{
    return instance->values[PARAMETER_MULTI_INSTANCE_NAME] == NULL;
}

static void warn_unmatched(struct selection *selection, const char *name)
{
    bool all_known = true;
    char *suggestion =
        selection->unmatched++ == 0 ? suggest_instance(&selection->host, name) : alloc_string("");

    for (size_t i = 0; i < selection->host.count; i++)
        all_known = all_known && !is_nameless(&selection->host.instances[i]);
    strings_append(selection->warnings, "no instance %smatches %s%s",
                   all_known ? "" : "with a known name ", name, suggestion);
    free(suggestion);
}

/* Marks the instances that a name means; also those whose names are unknown, where it means none,
 * or is a pattern for names. Returns false with the host's error set when it is no pattern but
 * means several, so that a command could reach one that was not meant. One directory that is listed
 * twice is one instance. */
static bool match_name(struct selection *selection, const char *name)
{
    bool is_for_names = name[0] != '/', is_exact = !is_pattern(name);
    const struct instance *first = NULL;

    for (size_t i = 0; i < selection->host.count; i++) {
        struct selection_member *member = &selection->members[i];
        const struct instance *instance = member->instance;

        if (!selection_matches(instance, name))
            continue;
        if (first == NULL)
            first = instance;
        if (selection->criteria.acts && is_for_names && is_exact &&
            !selection_is_same(first, instance)) {
            selection->host.error =
                alloc_format("-i %s matches %s and %s: name the directory", name,
                             first->config_directory, instance->config_directory);
            return false;
        }
        member->is_matched = true;
        member->is_named = member->is_named || is_exact;
    }
    if (first == NULL)
        warn_unmatched(selection, name);
    for (size_t i = 0; i < selection->host.count && (first == NULL || (is_for_names && !is_exact));
         i++)
        if (is_nameless(selection->members[i].instance))
            selection->members[i].is_matched = true;
    return true;
}

/* Returns false with the host's error set when a group has no members. One whose group is not known
 * may be in any. */
static bool check_group(struct selection *selection, const char *wanted)
{
    for (size_t i = 0; i < selection->host.count; i++) {
        const char *group = selection->host.instances[i].values[PARAMETER_MULTI_INSTANCE_GROUP];

        if (group == NULL || strcmp(group, wanted) == 0)
            return true;
    }
    UT_array *known = list_values(&selection->host, PARAMETER_MULTI_INSTANCE_GROUP);
    char *list = strings_join(known, ", ");
    selection->host.error =
        alloc_format("no instance is in group %s: %s%s", wanted,
                     utarray_len(known) == 0 ? "none is in any" : "the groups are ", list);
    free(list);
    utarray_free(known);
    return false;
}

static bool is_chosen(const struct selection *selection, const struct selection_member *member)
{
    const struct selection_criteria *criteria = &selection->criteria;
    const struct instance *instance = member->instance;
    const char *group = instance->values[PARAMETER_MULTI_INSTANCE_GROUP];

    if (criteria->enabled_only && instance->enabled == INSTANCE_DISABLED && !selection->is_single)
        return false;
    return member->is_matched && (utarray_len(criteria->groups) == 0 || group == NULL ||
                                  strings_contain(criteria->groups, group));
}

/* Does what the policy says of an instance that users other than root can write. */
static void check_trust(struct selection *selection, struct instance *instance,
                        enum selection_trust policy)
{
    if (selection->criteria.trust != policy || geteuid() != 0)
        return;
    char *path = instance_find_writable(instance->config_directory);
    if (path != NULL && policy == SELECTION_WARNS)
        strings_append(selection->warnings, "%s: %s can be written by users other than root",
                       instance->config_directory, path);
    else if (path != NULL && instance->error == NULL)
        instance->error = alloc_format("refused: %s can be written by users other than root", path);
    free(path);
}

/* Returns false with the host's error set when the criteria contradict the host. */
static bool choose(struct selection *selection)
{
    const struct selection_criteria *criteria = &selection->criteria;
    size_t count = selection->host.count;

    for (size_t i = 0; i < utarray_len(criteria->groups); i++)
        if (!check_group(selection, strings_item(criteria->groups, i)))
            return false;
    selection->members = alloc_zeroed(count, sizeof(*selection->members));
    for (size_t i = 0; i < count; i++) {
        size_t at = criteria->reverse ? count - 1 - i : i;

        selection->members[i].instance = &selection->host.instances[at];
        selection->members[i].is_named = selection->is_single;
        selection->members[i].is_matched = utarray_len(criteria->names) == 0;
    }
    for (size_t i = 0; i < utarray_len(criteria->names); i++)
        if (!match_name(selection, strings_item(criteria->names, i)))
            return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_chosen(selection, &selection->members[i]))
            continue;
        check_trust(selection, selection->members[i].instance, SELECTION_WARNS);
        selection->members[selection->member_count++] = selection->members[i];
    }
    return true;
}

/* Sets *directory to the one that -c or MAIL_CONFIG forces, or NULL. Returns false on an error. */
static bool find_forced(struct selection *selection, const char **directory)
{
    const struct selection_criteria *criteria = &selection->criteria;
    const char *home = criteria->settings->parameters[PARAMETER_CONFIG_DIRECTORY];
    const char *typed = criteria->config_directory, *mail_config = criteria->mail_config;
    struct path_file file = {.text = NULL};
    char *error = NULL;

    /* postfix(1) exports MAIL_CONFIG, for the default instance too, before it runs a multi-instance
     * manager: that does not force one instance. */
    if ((criteria->purpose & (PARAMETER_FOR_KICK | PARAMETER_FOR_QUEUES | PARAMETER_FOR_STATUS)) ==
            0 &&
        mail_config != NULL && typed == NULL) {
        if (strcmp(mail_config, home) != 0)
            selection->host.error =
                alloc_format("MAIL_CONFIG=%s is not the default instance %s: unset it, or use -c",
                             mail_config, home);
        mail_config = NULL;
    }
    *directory = typed != NULL ? typed : mail_config;
    /* Postfix's own message, which follows, would not say that -c accepts no names */
    if (typed != NULL && strchr(typed, '/') == NULL &&
        path_read(typed, strlen(typed), 0, &file, &error) == PATH_MISSING)
        strings_append(selection->warnings,
                       "-c %s: no such directory: an instance is selected by its name with -i %s",
                       typed, typed);
    free(file.text);
    free(error);
    if (*directory != NULL &&
        (utarray_len(criteria->groups) > 0 || utarray_len(criteria->names) > 0))
        selection->host.error = alloc_format(
            "-g, -i and names of instances cannot be used with %s, which selects one instance",
            typed != NULL ? "-c" : "MAIL_CONFIG in the environment");
    return selection->host.error == NULL;
}

/* Returns false with the host's error set: nothing matches, or nothing of that is enabled. */
static bool refuse(struct selection *selection)
{
    size_t count = selection->member_count;
    UT_string text;

    utstring_init(&text);
    utstring_printf(&text, "No matching instances");
    for (size_t i = 0; i < count && i < NAMED_MAXIMUM; i++) {
        const struct instance *instance = selection->members[i].instance;
        const char *name = instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME);

        utstring_printf(&text, "%s%s", i == 0 ? ": " : ", ",
                        name[0] != '\0' ? name : instance->config_directory);
    }
    if (count > 0)
        utstring_printf(&text, "%s %s not enabled: use %s",
                        count > NAMED_MAXIMUM ? " and others" : "", count == 1 ? "is" : "are",
                        selection->criteria.purpose == PARAMETER_FOR_KICK ? "-a or -c" : "-c");
    selection->host.error = utstring_body(&text);
    return false;
}

bool selection_make(struct selection *selection, const struct selection_criteria *criteria)
{
    const char *forced = NULL;

    *selection = (struct selection){.criteria = *criteria};
    utarray_new(selection->warnings, &strings_icd);
    if (!find_forced(selection, &forced) || !host_load(&selection->host, criteria->settings,
                                                       criteria->purpose, criteria->limits, forced))
        return false;
    selection->is_single = selection->host.is_single;
    return choose(selection) && (selection->member_count > 0 || refuse(selection));
}

/* Returns the earlier member with the same directory, apart from slashes at its end; or NULL, and
 * adds this one to the table. */
static const struct selection_member *find_earlier(struct selection_member **table,
                                                   struct selection_member *own)
{
    const char *directory = own->instance->config_directory;
    size_t length = directory_length(directory);
    unsigned hash = alloc_hash(directory, length);
    struct selection_member *found;

    HASH_FIND_BYHASHVALUE(hh, *table, directory, length, hash, found);
    if (found == NULL)
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, *table, directory, length, hash, own);
    return found;
}

bool selection_mark(struct selection *selection, bool all)
{
    struct selection_member *table = NULL;
    bool any_enabled = false;

    for (size_t i = 0; i < selection->member_count; i++) {
        struct selection_member *member = &selection->members[i];
        const struct selection_member *earlier = find_earlier(&table, member);
        struct instance *instance = member->instance;

        member->state = SELECTION_DISABLED;
        if (instance->enabled == INSTANCE_DISABLED && !all && !selection->is_single)
            continue;
        any_enabled = true;
        check_trust(selection, instance, SELECTION_REFUSES);
        member->state = instance->error != NULL ? SELECTION_FAILED
                        : earlier != NULL       ? SELECTION_DUPLICATE
                                                : SELECTION_SERVE;
        member->duplicate_of = member->state == SELECTION_DUPLICATE ? earlier : NULL;
    }
    HASH_CLEAR(hh, table);
    return any_enabled || refuse(selection);
}

char *selection_reason(const struct selection_member *member)
{
    if (member->state == SELECTION_FAILED)
        return instance_failure(member->instance);
    if (member->state == SELECTION_SERVE)
        return NULL;
    return alloc_string(member->state == SELECTION_DISABLED ? "not enabled" : "listed twice");
}

const struct instance *selection_lone_failure(const struct selection *selection)
{
    const struct instance *instance = selection->members[0].instance;

    return selection->is_single && instance->error != NULL ? instance : NULL;
}

void selection_find_running(struct selection *selection, struct master_locks *locks)
{
    struct master_locks own = {.limits = selection->criteria.limits};

    for (size_t i = 0; i < selection->member_count; i++)
        host_find_running(&selection->host, selection->members[i].instance,
                          locks == NULL ? &own : locks);
    master_locks_free(&own);
}

void selection_free(struct selection *selection)
{
    host_free(&selection->host);
    free(selection->members);
    if (selection->warnings != NULL)
        utarray_free(selection->warnings);
    *selection = (struct selection){0};
}
