/* SPDX-License-Identifier: MIT */
/*
 * instance: one Postfix instance, as its main.cf describes it.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "postfix/master.h"
#include "postfix/postconf.h"
#include "postfix/settings.h"

enum instance_enabled {
    INSTANCE_UNKNOWN, /* see error */
    INSTANCE_ENABLED,
    INSTANCE_DISABLED,
};

/* Whether name, group and multi_instance_enable are known, as far as they are kept. */
enum instance_identity {
    INSTANCE_NAMELESS, /* none of them: main.cf cannot be read, or all are invalid */
    INSTANCE_LENIENT, /* those that are valid in an invalid main.cf: only for naming the instance */
    INSTANCE_EXACT,
};

struct instance {
    char *config_directory; /* as listed, or as given with -c */
    bool is_default;
    enum instance_enabled enabled;    /* its multi_instance_enable */
    char *values[PARAMETER_COUNT];    /* expanded; NULL if not kept or unknown */
    int trigger_timeout;              /* seconds */
    int application_event_drain_time; /* seconds */
    enum instance_identity identity;
    char *notice;              /* a warning of Postfix that belongs to error, or NULL */
    char *error;               /* why it cannot be served, in Postfix's words, or NULL */
    UT_array *warnings;        /* strings, or NULL when there are none */
    UT_array *conflicts;       /* the same: see host_find_conflicts() */
    enum master_state running; /* whether its master runs; unknown without its queue directory */
    /* another one of the host, whose master(8) is proven to hold the queue directory that they
     * share; NULL if there is none, or in doubt. Both: host_find_running() */
    const struct instance *owner;
};

/* How an instance is read. Everything belongs to the caller. */
struct instance_source {
    const struct settings *settings;
    enum parameter_purpose purpose;
    bool is_home; /* it is the program's own instance: the forced or the default one */
    /* Returns Postfix's own parameters, or the failure to get them; called when main.cf refers to
     * one. NULL: values that refer to them are unknown. */
    const struct postconf *(*ask)(void *context);
    void *context;
};

/*
 * Reads CONFIG_DIRECTORY/main.cf and fills in *instance, which instance_free() empties. If
 * main.cf is invalid, error is set, and the rest is filled in as far as possible: see enum
 * instance_identity.
 */
void instance_load(struct instance *instance, const char *config_directory,
                   const struct instance_source *source);

/* Whether the master(8) of the instance is proven to hold its queue directory: one process has the
 * locks there and in its data directory. */
bool instance_owns_queue(const struct instance *instance, struct master_locks *locks);

/*
 * Checks CONFIG_DIRECTORY/main.cf and every directory in its path; symbolic links are followed.
 * Returns the first path that users other than root can write, a new string; or NULL if there is
 * none or main.cf does not exist. In root's directories with the sticky bit, others cannot replace
 * root's files.
 */
char *instance_find_writable(const char *config_directory);

/* Returns why it has failed, with the warning that belongs to it, in one line: a new string. NULL
 * if it has not. */
char *instance_failure(const struct instance *instance);

/* Empties it. */
void instance_free(struct instance *instance);

/* Returns the value of a parameter, or "" if unknown. */
const char *instance_value(const struct instance *instance, enum parameter parameter);

#endif
