/* SPDX-License-Identifier: MIT */
/*
 * instance: one Postfix instance, as its main.cf describes it.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "base/alloc.h"
#include "base/limits.h"
#include "postfix/master.h"
#include "postfix/parameter.h"
#include "postfix/postconf.h"
#include "postfix/settings.h"

enum instance_enabled {
    INSTANCE_UNKNOWN, /* see error */
    INSTANCE_ENABLED,
    INSTANCE_DISABLED,
};

struct instance {
    char *config_directory; /* as listed, or as given with -c */
    bool is_default;
    enum instance_enabled enabled;    /* its multi_instance_enable */
    char *values[PARAMETER_COUNT];    /* expanded; NULL when not kept or not known */
    int trigger_timeout;              /* seconds */
    int application_event_drain_time; /* seconds */
    bool has_identity;                /* name, group and enabled are known */
    bool is_unresolved;               /* it refers to names that postconf(1) has to be asked for */
    char *notice;                     /* a warning of Postfix that belongs to error, or NULL */
    char *error;                      /* why it cannot be served, in Postfix's words, or NULL */
    UT_array *warnings;               /* strings, or NULL when there are none */
    enum master_state running;        /* whether its master runs: instance_find_running() */
};

/* How instances are read; everything is the caller's. */
struct instance_source {
    const struct settings *settings;
    const UT_array *overrides; /* strings "name=value" for every instance; may be empty */
    bool *overrides_used;      /* one for each: set when a main.cf sets or uses the name */
    enum parameter_purpose purpose;
    bool is_home; /* it is the instance that the program goes by */
    const struct limits *limits;
    const struct postconf *postconf; /* NULL: not asked yet */
};

/*
 * Reads CONFIG_DIRECTORY/main.cf and fills in *instance, which instance_free() empties. What is
 * wrong stands in its error, and the rest is filled in as far as possible: an instance whose name,
 * group and multi_instance_enable are known has has_identity.
 * Returns true; or false when main.cf refers to names that neither it nor the program knows, and
 * the source has no postconf: then it is_unresolved, and has to be loaded again with one, or to be
 * refused.
 */
bool instance_load(struct instance *instance, const char *config_directory, bool is_default,
                   const struct instance_source *source);

/* An instance that is listed but cannot even be read: takes error over. */
void instance_load_failed(struct instance *instance, const char *config_directory, char *error);

/* Makes an unresolved instance one that has failed, because Postfix could not be asked. */
void instance_refuse(struct instance *instance, const char *reason);

/* Gives an instance without an error one in Postfix's words ("chdir /x: No such file or directory")
 * when its queue directory does not exist. */
void instance_check_queue(struct instance *instance);

/* Looks up whether the instance's mail system is running, and sets running: MASTER_UNKNOWN where
 * its queue directory is not known either. */
void instance_find_running(struct instance *instance, struct master_locks *locks);

/* Empties it. */
void instance_free(struct instance *instance);

/* The value of a parameter, or "" when it is not known. */
const char *instance_value(const struct instance *instance, enum parameter parameter);

#endif
