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
    bool is_single; /* forced, or the only one of the host: messages are Postfix's own */
    char *error;    /* why there is no host at all */
    char *notice;   /* a warning of Postfix that belongs to error, or NULL */

    /* private */
    const struct settings *settings;
    enum parameter_purpose purpose;
    const struct limits *limits;
    struct postconf *postconf; /* NULL: not asked yet */
    struct instance programs;  /* the default one, where only host_find_directory() needs it */
};

/*
 * Reads the default main.cf and those of all instances, or, unless forced is NULL, that of the only
 * instance in that configuration directory. postconf(1) is asked if a value needs it, once; if it
 * does not answer, the instances that need it have failed, and so have those that are left when the
 * limits are reached. What settings and limits point to has to outlive the host.
 * Returns true; or false with error set, when the default main.cf cannot be read or there are too
 * many instances. host_free() empties the host in both cases.
 */
bool host_load(struct host *host, const struct settings *settings, enum parameter_purpose purpose,
               const struct limits *limits, const char *forced);

/*
 * Returns PARAMETER_COMMAND_DIRECTORY or PARAMETER_DAEMON_DIRECTORY, the directories of Postfix's
 * programs, from the default main.cf, else from postkick.ini; never from another instance's
 * main.cf, which another user may own. Reads the default main.cf, once, where only one instance was
 * loaded. May be a relative path. The string belongs to the host.
 */
const char *host_find_directory(struct host *host, enum parameter parameter);

/* Empties it. */
void host_free(struct host *host);

#endif
