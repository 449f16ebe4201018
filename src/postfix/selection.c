#include "postfix/selection.h"
#include "base/safe_read.h"
#include "base/strings.h"
#include "base/text.h"
#include "maincf/maincf.h"
#include "postfix/programs.h"
#include <string.h>

/* A table of uthash hangs on its first element, which gcc's analyzer takes for a leak. clang knows
 * no such option. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

static const char *default_directory(const struct settings *settings)
{
    return settings_parameter(settings, PARAMETER_CONFIG_DIRECTORY);
}

static bool fail(struct selection *selection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct selection *selection, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    selection->error = alloc_vformat(format, arguments);
    va_end(arguments);
    return false;
}

/* An element of the parameter's value as it is written in main.cf: the rule for set-gid programs is
 * about literal text. */
static bool lists_literally(const struct maincf *maincf, enum parameter parameter,
                            const char *directory)
{
    const char *name = parameter_name(parameter);
    const char *value = maincf_value(maincf, name, strlen(name));

    if (value == NULL)
        return false;
    UT_array *elements = strings_split(value, STRINGS_SEPARATORS);
    bool listed = strings_contain(elements, directory);
    utarray_free(elements);
    return listed;
}

/* Under raised privilege: the default directory, or one that the default main.cf lists, and that
 * is the same wherever the caller happens to be: "$name" may be listed too. */
static bool may_use_directory(struct selection *selection, const struct settings *settings,
                              const char *directory)
{
    struct safe_read_file file;
    struct budget budget = budget_start(BUDGET_INSTANCE, NULL);

    if (strcmp(directory, default_directory(settings)) == 0)
        return true;
    char *path = alloc_format("%s/main.cf", default_directory(settings));
    bool listed = false;
    if (safe_read(path, SAFE_READ_MAXIMUM, &budget, &file, &selection->error) == SAFE_READ_OK) {
        struct maincf *maincf = maincf_new(path);
        if (maincf_parse(maincf, file.text, file.length, &budget, &selection->error) &&
            directory[0] == '/')
            listed = lists_literally(maincf, PARAMETER_ALTERNATE_CONFIG_DIRECTORIES, directory) ||
                     lists_literally(maincf, PARAMETER_MULTI_INSTANCE_DIRECTORIES, directory);
        maincf_free(maincf);
        safe_read_free(&file);
        if (!listed && selection->error == NULL)
            alloc_set_text(&selection->error,
                           "unauthorized configuration directory name: %s: specify "
                           "\"alternate_config_directories = %s\" in %s",
                           directory, directory, path);
    }
    free(path);
    return listed;
}

/* Moves the default instance's failure to the selection: nothing can be done without it. */
static bool fail_like(struct selection *selection, struct instance *instance)
{
    selection->error = instance->error;
    selection->notice = instance->notice;
    instance->error = instance->notice = NULL;
    return false;
}

static bool load_forced(struct selection *selection, const struct instance_source *source,
                        const char *directory)
{
    struct programs *programs = source->context;
    bool is_default = strcmp(directory, default_directory(source->settings)) == 0;

    selection->is_forced = selection->is_single = true;
    selection->instances = alloc_zeroed(1, sizeof(*selection->instances));
    selection->count = 1;
    if (is_default)
        programs->default_instance = &selection->instances[0];
    instance_load(&selection->instances[0], directory, is_default, source);
    return true;
}

static void load_listed(struct selection *selection, const struct instance_source *home_source,
                        const UT_array *directories)
{
    struct instance_source source = *home_source;
    bool keep[PARAMETER_COUNT];

    memcpy(keep, home_source->keep, sizeof(keep));
    keep[PARAMETER_MULTI_INSTANCE_DIRECTORIES] = keep[PARAMETER_IMPORT_ENVIRONMENT] = false;
    source.keep = keep;
    for (size_t i = 0; i < utarray_len(directories); i++) {
        const char *directory = strings_item(directories, i);
        struct instance *instance = &selection->instances[selection->count++];

        if (directory[0] == '/')
            instance_load(instance, directory, false, &source);
        else
            instance_load_failed(
                instance, directory,
                alloc_format("multi_instance_directories: not an absolute path: %s", directory));
    }
}

static bool load_host(struct selection *selection, const struct instance_source *source)
{
    struct programs *programs = source->context;
    struct instance *first = alloc_zeroed(1, sizeof(*first));

    selection->instances = first;
    selection->count = 1;
    programs->default_instance = first;
    instance_load(first, default_directory(source->settings), true, source);
    if (first->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES] == NULL)
        return fail_like(selection, first);
    UT_array *directories =
        strings_split(first->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES], STRINGS_SEPARATORS);
    size_t listed = utarray_len(directories);
    if (listed >= SELECTION_MAXIMUM) {
        utarray_free(directories);
        return fail(selection, "multi_instance_directories: more than %d instances",
                    SELECTION_MAXIMUM);
    }
    selection->is_single = listed == 0;
    selection->instances = alloc_resize(first, (listed + 1) * sizeof(*first));
    programs->default_instance = &selection->instances[0];
    if (selection->is_single && selection->instances[0].enabled == INSTANCE_DISABLED)
        selection->instances[0].enabled = INSTANCE_ENABLED; /* the only one is always meant */
    load_listed(selection, source, directories);
    utarray_free(directories);
    return true;
}

/* Whether -i NAME means the instance; as postmulti(1), section INSTANCE SELECTION. */
static bool is_named(const struct instance *instance, const char *wanted)
{
    static const char prefix[] = "postfix-";
    const char *name = instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME);

    if (strcmp(wanted, "-") == 0)
        return instance->is_default;
    if (wanted[0] == '/')
        return strcmp(instance->config_directory, wanted) == 0;
    if (wanted[0] == '\0')
        return false;
    return strcmp(name, wanted) == 0 || (strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
                                         strcmp(name + sizeof(prefix) - 1, wanted) == 0);
}

static bool is_any_named(const struct instance *instance, const UT_array *names)
{
    for (size_t i = 0; i < utarray_len(names); i++)
        if (is_named(instance, strings_item(names, i)))
            return true;
    return false;
}

static bool any_is_named(const struct selection *selection, const char *wanted)
{
    for (size_t i = 0; i < selection->count; i++)
        if (is_named(&selection->instances[i], wanted))
            return true;
    return false;
}

static void find_unmatched(struct selection *selection, const UT_array *names)
{
    utarray_new(selection->unmatched, &strings_icd);
    for (size_t i = 0; i < utarray_len(names); i++)
        if (!any_is_named(selection, strings_item(names, i)))
            strings_append(selection->unmatched, "%s", strings_item(names, i));
}

/* Name and group can be told, whatever else may be wrong with the instance. */
static bool is_known(const struct instance *instance)
{
    return instance->values[PARAMETER_MULTI_INSTANCE_NAME] != NULL &&
           instance->values[PARAMETER_MULTI_INSTANCE_GROUP] != NULL;
}

/* Whether the instance is asked for. One whose name and group cannot be told may be any that was
 * asked for and not found otherwise. */
static bool is_chosen(const struct selection *selection, const struct instance *instance,
                      const struct selection_criteria *criteria)
{
    bool by_name = utarray_len(criteria->names) == 0 || is_any_named(instance, criteria->names);
    const char *group = instance_value(instance, PARAMETER_MULTI_INSTANCE_GROUP);

    if (!by_name)
        return !is_known(instance) && utarray_len(selection->unmatched) > 0;
    return utarray_len(criteria->groups) == 0 || !is_known(instance) ||
           strings_contain(criteria->groups, group);
}

static void choose(struct selection *selection, const struct selection_criteria *criteria)
{
    find_unmatched(selection, criteria->names);
    selection->members = alloc_zeroed(selection->count, sizeof(*selection->members));
    for (size_t i = 0; i < selection->count; i++) {
        size_t at = criteria->reverse ? selection->count - 1 - i : i;
        struct instance *instance = &selection->instances[at];

        if (is_chosen(selection, instance, criteria))
            selection->members[selection->member_count++].instance = instance;
    }
}

/* The directory that -c or MAIL_CONFIG forces, in *directory, or NULL there. False: error. */
static bool find_forced(struct selection *selection, const struct selection_criteria *criteria,
                        const struct settings *settings, const char **directory)
{
    const char *mail_config = criteria->mail_config;

    /* postfix(1) exports MAIL_CONFIG, for the default instance too, before it runs a multi-instance
     * manager: that does not force one instance. */
    if (criteria->is_manager && mail_config != NULL && criteria->config_directory == NULL) {
        if (strcmp(mail_config, default_directory(settings)) != 0)
            return fail(selection,
                        "MAIL_CONFIG=%s is not the default instance %s: unset it, or use -c",
                        mail_config, default_directory(settings));
        mail_config = NULL;
    }
    *directory = criteria->config_directory != NULL ? criteria->config_directory : mail_config;
    if (*directory != NULL &&
        (utarray_len(criteria->groups) > 0 || utarray_len(criteria->names) > 0))
        return fail(selection, "-g and -i choose among several instances: not with %s",
                    criteria->config_directory != NULL ? "-c" : "MAIL_CONFIG in the environment");
    return true;
}

bool selection_make(struct selection *selection, const struct selection_criteria *criteria,
                    const struct settings *settings)
{
    struct programs programs = {.settings = settings};
    bool keep[PARAMETER_COUNT];
    const char *forced = NULL;
    bool made;

    *selection = (struct selection){0};
    if (!find_forced(selection, criteria, settings, &forced))
        return false;
    if (criteria->is_privileged && forced != NULL &&
        !may_use_directory(selection, settings, forced))
        return false;
    memcpy(keep, criteria->keep, sizeof(keep));
    keep[PARAMETER_MULTI_INSTANCE_NAME] = keep[PARAMETER_MULTI_INSTANCE_GROUP] = true;
    keep[PARAMETER_QUEUE_DIRECTORY] = keep[PARAMETER_COMMAND_DIRECTORY] = true;
    keep[PARAMETER_MULTI_INSTANCE_DIRECTORIES] = keep[PARAMETER_IMPORT_ENVIRONMENT] = true;
    struct instance_source source = {.settings = settings,
                                     .overrides = criteria->overrides,
                                     .keep = keep,
                                     .check_all = criteria->check_all,
                                     .limits = criteria->limits,
                                     .may_run = !criteria->is_privileged,
                                     .command_directory = programs_command_directory,
                                     .context = &programs};
    made = forced != NULL ? load_forced(selection, &source, forced) : load_host(selection, &source);
    if (made)
        choose(selection, criteria);
    programs_free(&programs);
    return made;
}

/* A configuration or queue directory that was met before. */
struct met {
    struct {
        dev_t device;
        ino_t inode;
    } key;
    const struct instance *instance;
    UT_hash_handle hh;
};

/* The instance with the same queue directory that came before, or NULL; then this one is met. */
static const struct instance *find_twin(struct met **all, struct met *own,
                                        const struct instance *instance)
{
    struct met *found;

    memset(own, 0, sizeof(*own));
    own->key.device = instance->queue_device;
    own->key.inode = instance->queue_inode;
    own->instance = instance;
    HASH_FIND(hh, *all, &own->key, sizeof(own->key), found);
    if (found != NULL)
        return found->instance;
    HASH_ADD(hh, *all, key, sizeof(own->key), own);
    return NULL;
}

static enum selection_state judge(const struct selection *selection, struct instance *instance,
                                  bool all, bool need_queue)
{
    bool serve_disabled = all || selection->is_single;

    if (instance->enabled == INSTANCE_DISABLED && instance->has_identity && !serve_disabled)
        return SELECTION_DISABLED;
    if (instance->error == NULL)
        instance_find_queue(instance, need_queue);
    return instance->error == NULL ? SELECTION_SERVE : SELECTION_FAILED;
}

void selection_mark(struct selection *selection, bool all, bool need_queue)
{
    struct met *all_met = NULL, *met = alloc_zeroed(selection->member_count, sizeof(*met));

    for (size_t i = 0; i < selection->member_count; i++) {
        struct selection_member *member = &selection->members[i];

        member->state = judge(selection, member->instance, all, need_queue);
        if (member->state != SELECTION_SERVE || !member->instance->has_queue)
            continue;
        member->duplicate_of = find_twin(&all_met, &met[i], member->instance);
        if (member->duplicate_of != NULL)
            member->state = SELECTION_DUPLICATE;
    }
    HASH_CLEAR(hh, all_met);
    free(met);
}

void selection_find_running(struct selection *selection, struct master_locks *locks)
{
    for (size_t i = 0; i < selection->member_count; i++)
        instance_find_running(selection->members[i].instance, locks);
}

const struct instance *selection_home(const struct selection *selection)
{
    return &selection->instances[0];
}

void selection_free(struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++)
        instance_free(&selection->instances[i]);
    free(selection->instances);
    free(selection->members);
    if (selection->unmatched != NULL)
        utarray_free(selection->unmatched);
    free(selection->error);
    free(selection->notice);
    *selection = (struct selection){0};
}
