/* SPDX-License-Identifier: MIT */
/* Loads the instances of a host, and asks postconf(1) for what they need. */
#include "postfix/host.h"
#include "base/alloc.h"
#include "base/limits.h"
#include <string.h>

static const char *default_directory(const struct host *host)
{
    return settings_parameter(host->source.settings, PARAMETER_CONFIG_DIRECTORY);
}

/* Loads the instance, or loads it again. */
static void load(struct host *host, struct instance *instance, const char *directory,
                 enum parameter_purpose purpose, bool is_home)
{
    struct instance_source source = host->source;

    source.purpose = purpose;
    source.is_home = is_home;
    (void)instance_load(instance, directory,
                        strcmp(directory, default_directory(host)) == 0 && is_home, &source);
}

/* The program's own instance: the forced one, or the default one. */
static struct instance *home(struct host *host)
{
    return &host->instances[0];
}

static void load_home(struct host *host, const char *forced)
{
    host->instances = alloc_zeroed(1, sizeof(*host->instances));
    host->count = 1;
    load(host, home(host), forced != NULL ? forced : default_directory(host), host->source.purpose,
         true);
}

static void load_listed(struct host *host, const UT_array *directories)
{
    for (size_t i = 0; i < utarray_len(directories); i++) {
        const char *directory = strings_item(directories, i);
        struct instance *instance = &host->instances[host->count++];

        if (directory[0] == '/')
            load(host, instance, directory, host->source.purpose, false);
        else
            instance_load_failed(
                instance, directory,
                alloc_format("multi_instance_directories: not an absolute path: %s", directory));
    }
}

/* The only instance of a host counts as enabled. */
static void enable_only_one(struct host *host)
{
    if (host->is_single && !host->is_forced && home(host)->enabled == INSTANCE_DISABLED)
        home(host)->enabled = INSTANCE_ENABLED;
}

/* Loads the instances that the default one lists. */
static bool load_others(struct host *host)
{
    if (home(host)->is_unresolved &&
        home(host)->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES] == NULL)
        host_resolve(host);
    if (home(host)->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES] == NULL) {
        host->error = home(host)->error; /* without it, no instance is known */
        host->notice = home(host)->notice;
        home(host)->error = home(host)->notice = NULL;
        return false;
    }
    UT_array *directories =
        strings_split(home(host)->values[PARAMETER_MULTI_INSTANCE_DIRECTORIES], STRINGS_SEPARATORS);
    size_t listed = utarray_len(directories);
    if (listed < HOST_MAXIMUM) {
        host->instances = alloc_resize(host->instances, (listed + 1) * sizeof(*host->instances));
        memset(&host->instances[1], 0, listed * sizeof(*host->instances));
        host->is_single = listed == 0;
        enable_only_one(host);
        load_listed(host, directories);
    } else {
        host->error =
            alloc_format("multi_instance_directories: more than %d instances", HOST_MAXIMUM);
    }
    utarray_free(directories);
    return host->error == NULL;
}

/* Asks postconf(1), once. Returns false if it does not answer: *error says why, a new string. */
static bool ask(struct host *host, char **error)
{
    if (host->source.postconf != NULL)
        return true;
    const char *directory = host_directory(host, PARAMETER_COMMAND_DIRECTORY);
    signals_catch();
    host->source.postconf = postconf_ask(directory, host->source.limits, error);
    return host->source.postconf != NULL;
}

bool host_load(struct host *host, const struct instance_source *source, const char *forced)
{
    *host =
        (struct host){.source = *source, .is_forced = forced != NULL, .is_single = forced != NULL};
    load_home(host, forced);
    return host->is_forced || load_others(host);
}

bool host_is_unresolved(const struct host *host)
{
    for (size_t i = 0; i < host->count; i++)
        if (host->instances[i].is_unresolved)
            return true;
    return false;
}

void host_resolve(struct host *host)
{
    char *error = NULL;

    if (!host_is_unresolved(host))
        return;
    bool has_answer = ask(host, &error);
    for (size_t i = 0; i < host->count; i++) {
        struct instance *instance = &host->instances[i];

        if (!instance->is_unresolved)
            continue;
        if (has_answer)
            load(host, instance, instance->config_directory, host->source.purpose, i == 0);
        else
            instance_refuse(instance, error);
    }
    enable_only_one(host);
    free(error);
}

const char *host_directory(struct host *host, enum parameter parameter)
{
    const struct instance *instance = home(host);

    if (!instance->is_default) {
        if (!host->has_default)
            load(host, &host->default_instance, default_directory(host), PARAMETER_FOR_PROGRAMS,
                 true);
        host->has_default = true;
        instance = &host->default_instance;
    }
    const char *directory = instance_value(instance, parameter);
    return directory[0] != '\0' ? directory : settings_parameter(host->source.settings, parameter);
}

void host_free(struct host *host)
{
    for (size_t i = 0; i < host->count; i++)
        instance_free(&host->instances[i]);
    free(host->instances);
    if (host->has_default)
        instance_free(&host->default_instance);
    postconf_free(host->source.postconf);
    free(host->error);
    free(host->notice);
    *host = (struct host){0};
}
