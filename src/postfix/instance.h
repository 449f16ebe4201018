/*
 * instance: one Postfix instance, as its main.cf describes it.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "base/alloc.h"
#include "base/limits.h"
#include "postfix/master.h"
#include "postfix/parameter.h"
#include "postfix/settings.h"
#include <stdint.h>
#include <sys/types.h>

enum instance_enabled {
    INSTANCE_UNKNOWN, /* cannot be told: see error */
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
    bool others_write;                /* others than root can write main.cf */
    char *notice;                     /* a warning of Postfix that belongs to error, or NULL */
    char *error;                      /* why it cannot be served, in Postfix's words, or NULL */
    UT_array *warnings;               /* strings, or NULL when there are none */
    bool has_queue;                   /* the queue directory exists: instance_find_queue() */
    dev_t queue_device;
    ino_t queue_inode;
    enum master_state running; /* whether its master runs: instance_find_running() */
};

/* How instances are read; everything is the caller's. */
struct instance_source {
    const struct settings *settings;
    const UT_array *overrides; /* strings "name=value" for every instance; may be empty */
    const bool *keep;          /* [PARAMETER_COUNT]: the values to keep in the instance */
    bool check_all;            /* every parameter that a kick uses, kept or not */
    const struct limits *limits;
    bool may_run; /* postconf(1) may be asked */
    /* command_directory to take postconf(1) from: of the default instance, never another's */
    const char *(*command_directory)(void *context);
    void *context;
};

/*
 * Reads CONFIG_DIRECTORY/main.cf and fills in *instance, which instance_free() empties. Whatever is
 * wrong stands in its error, and the rest is filled in as far as it can be told: an instance whose
 * name, group and multi_instance_enable can be told has has_identity. A name that is neither set
 * nor known here is asked of postconf(1), once.
 * With check_all, all parameters that the program uses are checked as Postfix checks them, kept or
 * not, but those of postmulti(1); otherwise those that are kept.
 */
void instance_load(struct instance *instance, const char *config_directory, bool is_default,
                   const struct instance_source *source);

/* An instance that is listed but cannot even be read: takes error over. */
void instance_load_failed(struct instance *instance, const char *config_directory, char *error);

/* Looks for the queue directory of an instance without an error, and sets has_queue and what goes
 * with it; where it is needed and not there, an error in Postfix's words ("chdir /x: No such file
 * or directory"). */
void instance_find_queue(struct instance *instance, bool is_needed);

/* Looks up whether the instance's mail system is running, and sets running: MASTER_UNKNOWN where
 * its queue directory is not known either. */
void instance_find_running(struct instance *instance, struct master_locks *locks);

/* Whether others than root can change what the instance is: its main.cf, or what is main.cf, in its
 * configuration directory. */
bool instance_others_write(const struct instance *instance);

/* Empties it. */
void instance_free(struct instance *instance);

/* The value, or "" when it is not known. */
const char *instance_value(const struct instance *instance, enum parameter parameter);

#endif
