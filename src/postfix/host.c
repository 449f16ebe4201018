/* SPDX-License-Identifier: MIT */
/* Loads the instances of a host. */
#include "postfix/host.h"
#include "base/alloc.h"
#include "base/limits.h"
#include <string.h>

static const char *default_directory(const struct host *host)
{
    return settings_parameter(host->settings, PARAMETER_CONFIG_DIRECTORY);
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

static void load_listed(struct host *host, const UT_array *directories)
{
    for (size_t i = 0; i < utarray_len(directories); i++) {
        const char *directory = strings_item(directories, i);
        struct instance *instance = &host->instances[host->count++];

        if (limits_reached(host->limits))
            instance_fail(instance, directory,
                          alloc_format("not read: %s", signals_received() != 0
                                                           ? "interrupted"
                                                           : "time limit reached"));
        else if (directory[0] == '/')
            load(host, instance, directory, false);
        else
            instance_fail(
                instance, directory,
                alloc_format("multi_instance_directories: not an absolute path: %s", directory));
    }
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
        load_listed(host, directories);
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
    return directory[0] != '\0' ? directory : settings_parameter(host->settings, parameter);
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
    *host = (struct host){0};
}
