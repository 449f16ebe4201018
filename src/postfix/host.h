/* SPDX-License-Identifier: MIT */
/*
 * host: the Postfix instances of a host, as the default main.cf lists them, or the one that is
 * forced (postfix-wrapper(5), postconf(5)). selection chooses among them.
 */
#ifndef HOST_H
#define HOST_H

#include "postfix/instance.h"

/* More instances than this are refused. */
#define HOST_MAXIMUM 65536

struct host {
    struct instance *instances; /* the forced one, or all, the default one first */
    size_t count;
    bool is_forced;
    bool is_single; /* forced, or the only one of the host: messages are Postfix's own */
    char *error;    /* why there is no host at all */
    char *notice;   /* a warning of Postfix that belongs to error, or NULL */

    /* private */
    struct instance_source source;
    struct instance default_instance; /* where is_forced leaves it out: see host_directory() */
    bool has_default;
};

/*
 * Reads the default main.cf and those of all instances, or, unless forced is NULL, that of the only
 * instance in that configuration directory. Instances that
 * refer to names which only Postfix knows are is_unresolved: see host_resolve().
 * Returns true; or false with error set, when the default main.cf cannot be read or there are too
 * many instances. host_free() empties the host in both cases.
 */
bool host_load(struct host *host, const struct instance_source *source, const char *forced);

/* Whether an instance is unresolved. */
bool host_is_unresolved(const struct host *host);

/* Asks postconf(1), once in a run, and resolves the instances that need it; if it does not answer,
 * they fail. */
void host_resolve(struct host *host);

/*
 * Returns PARAMETER_COMMAND_DIRECTORY or PARAMETER_DAEMON_DIRECTORY, the directories of Postfix's
 * programs, from the default main.cf, else from postkick.ini; never from another instance's
 * main.cf, which another user may own. May be a relative path. The string belongs to the host.
 */
const char *host_directory(struct host *host, enum parameter parameter);

/* Empties it. */
void host_free(struct host *host);

#endif
