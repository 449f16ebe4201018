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
    static const char prefix[] = "postfix-";
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

/* One whose group is not known may be in any. */
static bool is_in_group(const struct instance *instance, const char *wanted)
{
    const char *group = instance->values[PARAMETER_MULTI_INSTANCE_GROUP];

    return group == NULL || strcmp(group, wanted) == 0;
}

static bool is_pattern(const char *wanted)
{
    return strpbrk(wanted, "*?[\\") != NULL;
}

static bool matches_any(const struct instance *instance, const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++)
        if (selection_matches(instance, strings_item(names, i)))
            return true;
    return false;
}

/* Whether one of the names is a pattern for names, which may also mean an instance whose name is
 * not known. */
static bool have_pattern(const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++)
        if (strings_item(names, i)[0] != '/' && is_pattern(strings_item(names, i)))
            return true;
    return false;
}

static bool any_instance(const struct host *host, const char *wanted,
                         bool (*means)(const struct instance *, const char *))
{
    for (size_t i = 0; i < host->count; i++)
        if (means(&host->instances[i], wanted))
            return true;
    return false;
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
    static const char prefix[] = "postfix-";
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

/* For any_instance(). */
static bool is_nameless(const struct instance *instance, const char *unused)
{
    (void)unused;
    return instance->values[PARAMETER_MULTI_INSTANCE_NAME] == NULL;
}

static void find_unmatched_names(struct selection *selection)
{
    const UT_array *names = selection->criteria.names;
    bool all_known = !any_instance(&selection->host, NULL, is_nameless);

    for (size_t i = 0; i < utarray_len(names); i++) {
        const char *name = strings_item(names, i);

        if (any_instance(&selection->host, name, selection_matches))
            continue;
        char *suggestion = utarray_len(selection->unmatched) == 0
                               ? suggest_instance(&selection->host, name)
                               : alloc_string("");
        strings_append(selection->unmatched, "%s", name);
        strings_append(selection->warnings, "no instance %smatches %s%s",
                       all_known ? "" : "with a known name ", name, suggestion);
        free(suggestion);
    }
}

/* Returns false with the host's error set when a group has no members. */
static bool check_groups(struct selection *selection)
{
    const UT_array *groups = selection->criteria.groups;

    for (size_t i = 0; i < utarray_len(groups); i++) {
        const char *group = strings_item(groups, i);

        if (any_instance(&selection->host, group, is_in_group))
            continue;
        UT_array *known = list_values(&selection->host, PARAMETER_MULTI_INSTANCE_GROUP);
        char *list = strings_join(known, ", ");
        selection->host.error =
            utarray_len(known) == 0
                ? alloc_format("no instance is in group %s: none is in any", group)
                : alloc_format("no instance is in group %s: the groups are %s", group, list);
        free(list);
        utarray_free(known);
        return false;
    }
    return true;
}

/* Whether the criteria choose the instance. One whose name is unknown may be any that was given
 * with -i and not found, and any that a pattern means; one whose group is unknown, in any group. */
static bool is_chosen(const struct selection *selection, const struct instance *instance)
{
    const struct selection_criteria *criteria = &selection->criteria;
    bool by_name = utarray_len(criteria->names) == 0 || matches_any(instance, criteria->names);
    bool by_guess = is_nameless(instance, NULL) &&
                    (utarray_len(selection->unmatched) > 0 || have_pattern(criteria->names));
    const char *group = instance->values[PARAMETER_MULTI_INSTANCE_GROUP];

    if (criteria->enabled_only && instance->enabled == INSTANCE_DISABLED && !selection->is_single)
        return false;
    return (by_name || by_guess) && (utarray_len(criteria->groups) == 0 || group == NULL ||
                                     strings_contain(criteria->groups, group));
}

/* Returns the path that others can write, a new string; or NULL. */
static char *find_writable(const struct selection *selection, const struct instance *instance,
                           enum selection_trust trust)
{
    if (selection->criteria.trust != trust || geteuid() != 0)
        return NULL;
    return instance_find_writable(instance->config_directory);
}

static void warn_if_writable(struct selection *selection, const struct instance *instance)
{
    char *path = find_writable(selection, instance, SELECTION_WARNS);

    if (path != NULL)
        strings_append(selection->warnings, "%s: %s can be written by users other than root",
                       instance->config_directory, path);
    free(path);
}

static void refuse_if_writable(const struct selection *selection, struct instance *instance)
{
    char *path = find_writable(selection, instance, SELECTION_REFUSES);

    if (path != NULL && instance->error == NULL)
        instance->error = alloc_format("refused: %s can be written by users other than root", path);
    free(path);
}

static void choose(struct selection *selection)
{
    struct host *host = &selection->host;

    find_unmatched_names(selection);
    selection->members = alloc_zeroed(host->count, sizeof(*selection->members));
    for (size_t i = 0; i < host->count; i++) {
        size_t at = selection->criteria.reverse ? host->count - 1 - i : i;
        struct instance *instance = &host->instances[at];

        if (!is_chosen(selection, instance))
            continue;
        warn_if_writable(selection, instance);
        selection->members[selection->member_count++].instance = instance;
    }
}

/* Postfix's own message, which follows, would not say that -c accepts no names. */
static void warn_of_name(struct selection *selection, const char *directory)
{
    struct path_file file;
    char *error = NULL;

    if (strchr(directory, '/') != NULL)
        return;
    if (path_read(directory, strlen(directory), 0, &file, &error) == PATH_MISSING)
        strings_append(selection->warnings,
                       "-c %s: no such directory: an instance is selected by its name with -i %s",
                       directory, directory);
    path_file_free(&file);
    free(error);
}

/* Sets *directory to the one that -c or MAIL_CONFIG forces, or NULL. Returns false on an error. */
static bool find_forced(struct selection *selection, const char **directory)
{
    const struct selection_criteria *criteria = &selection->criteria;
    const char *home = criteria->settings->parameters[PARAMETER_CONFIG_DIRECTORY];
    const char *mail_config = criteria->mail_config;

    /* postfix(1) exports MAIL_CONFIG, for the default instance too, before it runs a multi-instance
     * manager: that does not force one instance. */
    if ((criteria->purpose & (PARAMETER_FOR_KICK | PARAMETER_FOR_QUEUES | PARAMETER_FOR_STATUS)) ==
            0 &&
        mail_config != NULL && criteria->config_directory == NULL) {
        if (strcmp(mail_config, home) != 0)
            selection->host.error =
                alloc_format("MAIL_CONFIG=%s is not the default instance %s: unset it, or use -c",
                             mail_config, home);
        mail_config = NULL;
    }
    *directory = criteria->config_directory != NULL ? criteria->config_directory : mail_config;
    if (criteria->config_directory != NULL)
        warn_of_name(selection, criteria->config_directory);
    if (*directory != NULL &&
        (utarray_len(criteria->groups) > 0 || utarray_len(criteria->names) > 0))
        selection->host.error = alloc_format(
            "-g, -i and names of instances cannot be used with %s, which selects one instance",
            criteria->config_directory != NULL ? "-c" : "MAIL_CONFIG in the environment");
    return selection->host.error == NULL;
}

/* Returns another instance that the name means, in another directory than the first one; or NULL.
 */
static const struct instance *find_second(const struct host *host, const char *name,
                                          const struct instance **first)
{
    *first = NULL;
    for (size_t i = 0; i < host->count; i++) {
        const struct instance *instance = &host->instances[i];

        if (!selection_matches(instance, name))
            continue;
        if (*first == NULL)
            *first = instance;
        else if (!selection_is_same(*first, instance))
            return instance;
    }
    return NULL;
}

/* Returns false with the host's error set when a name that is no pattern means several instances,
 * so that a command could reach one that was not meant. One directory that is listed twice is one
 * instance. */
static bool check_names(struct selection *selection)
{
    const UT_array *names = selection->criteria.names;

    for (size_t i = 0; i < utarray_len(names) && selection->member_count > 0; i++) {
        const char *name = strings_item(names, i);
        const struct instance *first, *second;

        if (name[0] == '/' || is_pattern(name))
            continue;
        second = find_second(&selection->host, name, &first);
        if (second == NULL)
            continue;
        selection->host.error = alloc_format("-i %s matches %s and %s: name the directory", name,
                                             first->config_directory, second->config_directory);
        return false;
    }
    return true;
}

bool selection_make(struct selection *selection, const struct selection_criteria *criteria)
{
    const char *forced = NULL;

    *selection = (struct selection){.criteria = *criteria};
    utarray_new(selection->unmatched, &strings_icd);
    utarray_new(selection->warnings, &strings_icd);
    if (!find_forced(selection, &forced) || !host_load(&selection->host, criteria->settings,
                                                       criteria->purpose, criteria->limits, forced))
        return false;
    selection->is_single = selection->host.is_single;
    if (!check_groups(selection))
        return false;
    choose(selection);
    return !criteria->acts || check_names(selection);
}

/* A configuration directory in the list. */
struct listed {
    const struct selection_member *member;
    UT_hash_handle hh;
};

/* Returns the earlier member with the same directory, apart from slashes at its end; or NULL, and
 * adds this one to the table. */
static const struct selection_member *find_earlier(struct listed **all, struct listed *own,
                                                   const struct selection_member *member)
{
    const char *directory = member->instance->config_directory;
    size_t length = directory_length(directory);
    struct listed *found;
    unsigned hash;

    HASH_VALUE(directory, length, hash);
    HASH_FIND_BYHASHVALUE(hh, *all, directory, length, hash, found);
    if (found != NULL)
        return found->member;
    own->member = member;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, *all, directory, length, hash, own);
    return NULL;
}

static enum selection_state mark(const struct selection *selection, struct instance *instance,
                                 bool all)
{
    bool serve_disabled = all || selection->is_single;

    if (instance->enabled == INSTANCE_DISABLED && !serve_disabled)
        return SELECTION_DISABLED;
    refuse_if_writable(selection, instance);
    return instance->error == NULL ? SELECTION_SERVE : SELECTION_FAILED;
}

void selection_mark(struct selection *selection, bool all)
{
    struct listed *table = NULL, *listed = alloc_zeroed(selection->member_count, sizeof(*listed));

    for (size_t i = 0; i < selection->member_count; i++) {
        struct selection_member *member = &selection->members[i];
        const struct selection_member *earlier = find_earlier(&table, &listed[i], member);

        member->state = mark(selection, member->instance, all);
        if (member->state != SELECTION_SERVE || earlier == NULL)
            continue;
        member->duplicate_of = earlier;
        member->state = SELECTION_DUPLICATE;
    }
    HASH_CLEAR(hh, table);
    free(listed);
}

/* Appends the names of the first members that are not enabled. */
static void append_names(const struct selection *selection, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;
        const char *name = instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME);

        if (i == NAMED_MAXIMUM) {
            utstring_printf(out, " and others");
            return;
        }
        utstring_printf(out, "%s%s", i == 0 ? "" : ", ",
                        name[0] != '\0' ? name : instance->config_directory);
    }
}

char *selection_refusal(const struct selection *selection)
{
    UT_string names;

    for (size_t i = 0; i < selection->member_count; i++)
        if (selection->members[i].state != SELECTION_DISABLED)
            return NULL;
    if (selection->member_count == 0)
        return alloc_string("No matching instances");
    utstring_init(&names);
    append_names(selection, &names);
    char *refusal =
        alloc_format("No matching instances: %s %s not enabled: %s", utstring_body(&names),
                     selection->member_count == 1 ? "is" : "are",
                     selection->criteria.purpose == PARAMETER_FOR_KICK ? "use -a or -c" : "use -c");
    utstring_done(&names);
    return refusal;
}

bool selection_is_named(const struct selection *selection, const struct instance *instance)
{
    const UT_array *names = selection->criteria.names;

    for (size_t i = 0; i < utarray_len(names); i++)
        if (!is_pattern(strings_item(names, i)) &&
            selection_matches(instance, strings_item(names, i)))
            return true;
    return selection->is_single;
}

char *selection_reason(const struct selection_member *member)
{
    switch (member->state) {
    case SELECTION_SERVE:
        return NULL;
    case SELECTION_FAILED:
        return instance_failure(member->instance);
    case SELECTION_DISABLED:
        return alloc_string("not enabled");
    case SELECTION_DUPLICATE:
        break;
    }
    return alloc_string("listed twice");
}

const struct instance *selection_lone_failure(const struct selection *selection)
{
    if (!selection->is_single || selection->member_count == 0 ||
        selection->members[0].instance->error == NULL)
        return NULL;
    return selection->members[0].instance;
}

void selection_find_running(struct selection *selection, struct master_locks *locks)
{
    struct master_locks *own = locks == NULL ? master_locks_new(selection->criteria.limits) : NULL;

    for (size_t i = 0; i < selection->member_count; i++)
        host_find_running(&selection->host, selection->members[i].instance,
                          locks == NULL ? own : locks);
    master_locks_free(own);
}

void selection_free(struct selection *selection)
{
    host_free(&selection->host);
    free(selection->members);
    if (selection->unmatched != NULL)
        utarray_free(selection->unmatched);
    if (selection->warnings != NULL)
        utarray_free(selection->warnings);
    *selection = (struct selection){0};
}
