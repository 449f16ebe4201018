/* SPDX-License-Identifier: MIT */
/* Loads the instances of a host. */
#include "postfix/host.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

ALLOC_TABLES_ARE_KEPT

/* For instance_load(): asks postconf(1) when the first instance needs it. */
static const struct postconf *ask(void *context)
{
    struct host *host = context;

    if (host->postconf == NULL) {
        signals_catch();
        host->postconf =
            postconf_ask(host_find_directory(host, PARAMETER_COMMAND_DIRECTORY), host->limits);
    }
    return host->postconf;
}

/* The program's own instance: the forced one, or the default one. */
static struct instance *home(struct host *host)
{
    return &host->instances[0];
}

/* Loads one, unless it has failed before it is read. */
static void load_other(struct host *host, struct instance *instance, const char *directory)
{
    char *error = NULL;

    if (limits_reached(host->limits))
        error = alloc_format("not read: %s", limits_reason());
    else if (directory[0] != '/')
        error = alloc_format("multi_instance_directories: not an absolute path: %s", directory);
    if (error == NULL)
        instance_load(instance, directory, &host->source);
    else
        *instance = (struct instance){.config_directory = alloc_string(directory), .error = error};
}

/* Loads the instances that the default one lists. */
static bool load_others(struct host *host)
{
    const char *list = home(host)->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES];

    if (list == NULL) {
        host->error = home(host)->error; /* without it, no instance is known */
        host->notice = home(host)->notice;
        home(host)->error = home(host)->notice = NULL;
        return false;
    }
    UT_array *directories = strings_split(list, PARAMETER_SEPARATORS);
    size_t listed = utarray_len(directories);
    if (listed < HOST_MAXIMUM) {
        host->instances = alloc_resize(host->instances, (listed + 1) * sizeof(*host->instances));
        host->is_single = listed == 0;
        for (size_t i = 0; i < listed; i++)
            load_other(host, &host->instances[host->count++], strings_item(directories, i));
    } else {
        host->error =
            alloc_format("multi_instance_directories: more than %d instances", HOST_MAXIMUM);
    }
    utarray_free(directories);
    /* the only instance of a host counts as enabled */
    if (host->is_single && home(host)->enabled == INSTANCE_DISABLED)
        home(host)->enabled = INSTANCE_ENABLED;
    return host->error == NULL;
}

bool host_load(struct host *host, const struct settings *settings, enum parameter_purpose purpose,
               const struct limits *limits, const char *forced)
{
    const char *directory = settings->parameters[PARAMETER_CONFIG_DIRECTORY];

    *host =
        (struct host){.source = {settings, purpose, .is_home = true, .ask = ask, .context = host},
                      .limits = limits,
                      .is_single = forced != NULL,
                      .instances = alloc_zeroed(1, sizeof(*host->instances))};
    instance_load(home(host), forced != NULL ? forced : directory, &host->source);
    host->count = 1;
    host->source.is_home = false;
    return forced != NULL || load_others(host);
}

/* A value, and the parameter that has it. */
struct claim {
    const char *value;
    struct instance *instance;
    enum parameter parameter;
    UT_hash_handle hh;
};

static void append_conflict(UT_array **conflicts, const char *text)
{
    if (*conflicts == NULL)
        utarray_new(*conflicts, &strings_icd);
    strings_append(*conflicts, "%s", text);
}

/* Adds a conflict to the host, and to one or two instances. Takes ownership of text. */
static void add_conflict(struct host *host, struct instance *instance, struct instance *other,
                         char *text)
{
    append_conflict(&host->conflicts, text);
    append_conflict(&instance->conflicts, text);
    if (other != instance)
        append_conflict(&other->conflicts, text);
    free(text);
}

/* Claims a value. If another parameter has it already, that is a conflict: postmulti(1) names both
 * by configuration directory and parameter, and takes the same pair for one. */
static void claim_value(struct host *host, struct claim **claims, struct claim *own)
{
    struct claim *owner;

    if (own->value[0] == '\0')
        return;
    HASH_FIND_STR(*claims, own->value, owner);
    if (owner == NULL)
        HASH_ADD_KEYPTR(hh, *claims, own->value, strlen(own->value), own);
    else if (owner->parameter != own->parameter ||
             strcmp(owner->instance->config_directory, own->instance->config_directory) != 0)
        add_conflict(host, own->instance, owner->instance,
                     alloc_format("instance %s, %s=%s conflicts with instance %s, %s=%s",
                                  own->instance->config_directory, parameter_name(own->parameter),
                                  own->value, owner->instance->config_directory,
                                  parameter_name(owner->parameter), own->value));
}

/* Whether a directory that all instances share can be claimed; what is wrong with it is a conflict.
 * postmulti(1) looks at absolute ones only: "no" is a value of shlib_directory. */
static bool check_shared(struct host *host, const struct claim *own)
{
    const char *name = parameter_name(own->parameter);
    struct stat status = {.st_mode = S_IFDIR};

    if (own->value[0] != '/')
        return false;
    int error = stat(own->value, &status) < 0 ? errno : 0;
    char *text =
        error == ENOENT || error == ENOTDIR
            ? alloc_format("%s = '%s': directory not found: %s", name, own->value, strerror(error))
        : !S_ISDIR(status.st_mode) ? alloc_format("%s = '%s' is not a directory", name, own->value)
                                   : NULL; /* root may see what we may not */
    if (text != NULL)
        add_conflict(host, own->instance, own->instance, text);
    return text == NULL;
}

void host_find_conflicts(struct host *host)
{
    /* the first ones are those that all instances share */
    static const enum parameter claimed[] = {
        PARAMETER_COMMAND_DIRECTORY,   PARAMETER_DAEMON_DIRECTORY, PARAMETER_SHLIB_DIRECTORY,
        PARAMETER_MULTI_INSTANCE_NAME, PARAMETER_CONFIG_DIRECTORY, PARAMETER_QUEUE_DIRECTORY,
        PARAMETER_DATA_DIRECTORY};
    const size_t shared = 3, each = sizeof(claimed) / sizeof(claimed[0]);
    struct claim *table = NULL, *claims;

    if (!home(host)->is_default) /* another one is forced: nothing is known of the others */
        return;
    claims = alloc_zeroed(each * host->count, sizeof(*claims));
    for (size_t i = 0; i < each * host->count; i++) {
        struct instance *instance = &host->instances[i / each];
        enum parameter parameter = claimed[i % each];

        claims[i] = (struct claim){parameter == PARAMETER_CONFIG_DIRECTORY
                                       ? instance->config_directory
                                       : instance_value(instance, parameter),
                                   instance,
                                   parameter,
                                   {0}};
        if (i % each >= shared || (i < shared && check_shared(host, &claims[i])))
            claim_value(host, &table, &claims[i]);
    }
    HASH_CLEAR(hh, table);
    free(claims);
}

const char *host_find_directory(struct host *host, enum parameter parameter)
{
    const struct settings *settings = host->source.settings;
    const struct instance *instance = host->count > 0 ? home(host) : NULL;

    if (instance == NULL || !instance->is_default) {
        const struct instance_source source = {settings, PARAMETER_FOR_PROGRAMS, .is_home = true};

        if (host->programs.config_directory == NULL)
            instance_load(&host->programs, settings->parameters[PARAMETER_CONFIG_DIRECTORY],
                          &source);
        instance = &host->programs;
    }
    const char *directory = instance_value(instance, parameter);
    return directory[0] != '\0' ? directory : settings->parameters[parameter];
}

/* Returns the owner of the instance's queue directory, if it is another one. */
static const struct instance *find_owner(const struct host *host, const struct instance *instance,
                                         struct master_locks *locks)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    if (instance->conflicts == NULL || instance_owns_queue(instance, locks))
        return NULL;
    for (size_t i = 0; i < host->count; i++) {
        const struct instance *other = &host->instances[i];

        if (other != instance &&
            strcmp(instance_value(other, PARAMETER_QUEUE_DIRECTORY), queue) == 0 &&
            instance_owns_queue(other, locks))
            return other;
    }
    return NULL;
}

void host_find_running(const struct host *host, struct instance *instance,
                       struct master_locks *locks)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    instance->running = queue[0] == '/' ? master_state(locks, queue) : MASTER_UNKNOWN;
    instance->owner = find_owner(host, instance, locks);
    if (instance->owner != NULL && instance->running == MASTER_RUNNING)
        instance->running = MASTER_STOPPED;
}

void host_free(struct host *host)
{
    for (size_t i = 0; i < host->count; i++)
        instance_free(&host->instances[i]);
    free(host->instances);
    instance_free(&host->programs);
    postconf_free(host->postconf);
    free(host->error);
    free(host->notice);
    if (host->conflicts != NULL)
        utarray_free(host->conflicts);
    *host = (struct host){0};
}
