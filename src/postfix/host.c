/* SPDX-License-Identifier: MIT */
/* Loads the instances of a host. */
#include "postfix/host.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

ALLOC_TABLES_ARE_KEPT

static const char *default_directory(const struct host *host)
{
    return host->settings->parameters[PARAMETER_CONFIG_DIRECTORY];
}

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

static void load(struct host *host, struct instance *instance, const char *directory, bool is_home)
{
    const struct instance_source source = {.settings = host->settings,
                                           .purpose = host->purpose,
                                           .is_home = is_home,
                                           .ask = ask,
                                           .context = host};

    instance_load(instance, directory, &source);
}

/* The program's own instance: the forced one, or the default one. */
static struct instance *home(struct host *host)
{
    return &host->instances[0];
}

static void load_home(struct host *host, const char *forced)
{
    host->instances = alloc_zeroed(1, sizeof(*host->instances));
    load(host, home(host), forced != NULL ? forced : default_directory(host), true);
    host->count = 1;
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
        load(host, instance, directory, false);
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
        memset(&host->instances[1], 0, listed * sizeof(*host->instances));
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
    *host = (struct host){
        .settings = settings, .purpose = purpose, .limits = limits, .is_single = forced != NULL};
    load_home(host, forced);
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

/* Claims a directory that all instances share. postmulti(1) looks at absolute ones only: "no" is a
 * value of shlib_directory. */
static void claim_shared(struct host *host, struct claim **claims, struct claim *own)
{
    const char *name = parameter_name(own->parameter);
    struct stat status;

    if (own->value[0] != '/')
        return;
    int error = stat(own->value, &status) < 0 ? errno : 0;
    if (error == ENOENT || error == ENOTDIR)
        add_conflict(
            host, own->instance, own->instance,
            alloc_format("%s = '%s': directory not found: %s", name, own->value, strerror(error)));
    else if (error != 0)
        claim_value(host, claims, own); /* root may see it */
    else if (!S_ISDIR(status.st_mode))
        add_conflict(host, own->instance, own->instance,
                     alloc_format("%s = '%s' is not a directory", name, own->value));
    else
        claim_value(host, claims, own);
}

void host_find_conflicts(struct host *host)
{
    static const enum parameter shared[] = {PARAMETER_COMMAND_DIRECTORY, PARAMETER_DAEMON_DIRECTORY,
                                            PARAMETER_SHLIB_DIRECTORY};
    static const enum parameter own[] = {PARAMETER_MULTI_INSTANCE_NAME, PARAMETER_CONFIG_DIRECTORY,
                                         PARAMETER_QUEUE_DIRECTORY, PARAMETER_DATA_DIRECTORY};
    const size_t shared_count = sizeof(shared) / sizeof(shared[0]);
    const size_t own_count = sizeof(own) / sizeof(own[0]);
    struct claim *table = NULL;
    struct claim *claims = alloc_zeroed(shared_count + own_count * host->count, sizeof(*claims));
    struct claim *next = claims;

    if (!home(host)->is_default) { /* another one is forced: nothing is known of the others */
        free(claims);
        return;
    }
    for (size_t i = 0; i < shared_count; i++, next++) {
        *next = (struct claim){.instance = home(host), .parameter = shared[i]};
        next->value = instance_value(next->instance, shared[i]);
        claim_shared(host, &table, next);
    }
    for (size_t i = 0; i < own_count * host->count; i++, next++) {
        struct instance *instance = &host->instances[i / own_count];
        enum parameter parameter = own[i % own_count];
        *next = (struct claim){.instance = instance, .parameter = parameter};
        next->value = parameter == PARAMETER_CONFIG_DIRECTORY ? instance->config_directory
                                                              : instance_value(instance, parameter);
        claim_value(host, &table, next);
    }
    HASH_CLEAR(hh, table);
    free(claims);
}

const char *host_find_directory(struct host *host, enum parameter parameter)
{
    const struct instance *instance = host->count > 0 ? home(host) : NULL;

    if (instance == NULL || !instance->is_default) {
        const struct instance_source source = {
            .settings = host->settings, .purpose = PARAMETER_FOR_PROGRAMS, .is_home = true};

        if (host->programs.config_directory == NULL)
            instance_load(&host->programs, default_directory(host), &source);
        instance = &host->programs;
    }
    const char *directory = instance_value(instance, parameter);
    return directory[0] != '\0' ? directory : host->settings->parameters[parameter];
}

const struct instance *host_find_owner(const struct host *host, const struct instance *instance,
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
    if (instance->running == MASTER_RUNNING && host_find_owner(host, instance, locks) != NULL)
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
