/* SPDX-License-Identifier: MIT */
/*
 * host: the Postfix instances that a host has, as the default main.cf lists them, or the one that
 * is forced. postfix-wrapper(5), postconf(5). Which of them a run is about: see selection.h.
 */
#ifndef HOST_H
#define HOST_H

#include "postfix/instance.h"

/* More instances than this are refused. */
#define HOST_MAXIMUM 65536

/* How a host is read; everything is the caller's and has to outlive the host. */
struct host_source {
    const struct settings *settings;
    const char *forced;        /* the configuration directory of the only instance, or NULL */
    const UT_array *overrides; /* -o: strings "name=value", may be empty */
    enum parameter_purpose purpose;
    const struct limits *limits;
};

struct host {
    struct instance *instances; /* all that are configured, the default one first */
    size_t count;
    bool is_forced;
    bool is_single; /* forced, or the only one of the host: messages as Postfix's own */
    char *error;    /* why there is no host at all */
    char *notice;   /* a warning of Postfix that belongs to error, or NULL */

    /* its own */
    struct host_source source;
    struct instance default_instance; /* where is_forced leaves it out: see host_directory() */
    bool has_default;
    bool *overrides_used;
    struct postconf *postconf; /* what Postfix knows; NULL until it was asked */
};

/*
 * Reads the default main.cf, or that of the forced instance, and those of all instances. Those that
 * refer to names which only Postfix knows stay is_unresolved: see host_resolve().
 * Returns true, or false with error set: the default main.cf cannot be read, there are too many
 * instances, or a name that is overridden is known nowhere. host_free() empties the host in both
 * cases.
 */
bool host_load(struct host *host, const struct host_source *source);

/* Whether instances are left that are not resolved. */
bool host_is_unresolved(const struct host *host);

/* Asks postconf(1), once in a run, and resolves the instances that need it; when it does not answer
 * they have failed. */
void host_resolve(struct host *host);

/*
 * PARAMETER_COMMAND_DIRECTORY or PARAMETER_DAEMON_DIRECTORY: where programs of Postfix are taken
 * from. That is what the default main.cf says, else postkick.ini; never another instance's main.cf,
 * whose owner may be somebody else. It may be no absolute path. The string belongs to the host.
 */
const char *host_directory(struct host *host, enum parameter parameter);

/* Empties it. */
void host_free(struct host *host);

#endif
