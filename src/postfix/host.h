/* SPDX-License-Identifier: MIT */
/*
 * host: the Postfix instances of a host, as the default main.cf lists them, or the one that is
 * forced (postfix-wrapper(5), postconf(5)). selection.h selects among them.
 */
#ifndef HOST_H
#define HOST_H

#include "postfix/instance.h"

/* More instances than this are refused. */
#define HOST_MAXIMUM 65536

struct host {
    struct instance *instances; /* the forced one, or all, the default one first */
    size_t count;
    bool is_single;      /* forced, or the only one of the host: messages are Postfix's own */
    char *error;         /* why the host could not be loaded */
    char *notice;        /* a warning of Postfix that belongs to error, or NULL */
    UT_array *conflicts; /* strings: all that host_find_conflicts() has found; or NULL */

    /* private */
    struct instance_source source; /* for all but the first */
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

/*
 * Finds the conflicts because of which postmulti(1) refuses every command for every instance
 * (measured with 3.5 to 3.12): a multi_instance_name, or a config_, queue_ or data_directory, that
 * another parameter of that kind has in this or another instance, or that is a directory which all
 * instances share: the default instance's command_, daemon_ and shlib_directory, which have to
 * exist. postmulti(1) compares texts, and so does this. Each conflict is worded as postmulti(1)
 * words it, and added to the host's conflicts and to those of the instances concerned. Unknown
 * values are left out; where another instance than the default one is forced, there is nothing to
 * compare.
 */
void host_find_conflicts(struct host *host);

/* Looks up whether an instance of the host is running, and sets running and owner: see struct
 * instance. Of several instances with one queue directory, only its owner is running; it is looked
 * for only if there are conflicts: see host_find_conflicts(). */
void host_find_running(const struct host *host, struct instance *instance,
                       struct master_locks *locks);

/* Empties it. */
void host_free(struct host *host);

#endif
