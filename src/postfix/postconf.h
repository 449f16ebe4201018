/* SPDX-License-Identifier: MIT */
/*
 * postconf: asks postconf(1) for the default values of Postfix's thousand parameters ("postconf
 * -d"). Nothing of an instance reaches that program: it is run once, with a configuration directory
 * that has no main.cf and no master.cf; its answer provides the values of names that no main.cf
 * sets.
 */
#ifndef POSTCONF_H
#define POSTCONF_H

#include "base/limits.h"
#include "maincf/maincf.h"
#include <stddef.h>

/* Limits for the program: seconds of time and of processor time, bytes of address space. */
#define POSTCONF_SECONDS 10
#define POSTCONF_MEMORY ((size_t)512 * 1024 * 1024)

struct postconf;

/*
 * Runs "COMMAND_DIRECTORY/postconf -c DIRECTORY -d", with a clean environment; DIRECTORY is one of
 * /proc. Returns its parameters, to be freed by postconf_free(), or NULL with a new string in
 * *error, which the caller frees. The call ends with the limits of the run, or after
 * POSTCONF_SECONDS.
 */
struct postconf *postconf_ask(const char *command_directory, const struct limits *limits,
                              char **error);

/* Returns the default value of a parameter, unexpanded, or NULL if Postfix has none of that name
 * (length bytes). The string belongs to postconf. */
const char *postconf_value(const struct postconf *postconf, const char *name, size_t length);

/* Frees it; NULL is allowed. */
void postconf_free(struct postconf *postconf);

/*
 * computed: the default values that Postfix computes from what main.cf sets: mydomain, myhostname
 * and mynetworks.
 */

/* For one main.cf, and postconf(1)'s answer. */
struct computed {
    /* set by the caller, the rest zero; these have to outlive it */
    const struct maincf *maincf;
    const struct postconf *postconf; /* NULL: nothing is computed */
    struct budget *budget;

    char *error; /* why a value could not be computed, the first reason, or NULL */

    /* private */
    char *domain; /* defaults of mydomain, myhostname, mynetworks; NULL until they are computed */
    char *hostname;
    char *networks;
};

/*
 * Returns the default value of a parameter (length bytes of name) that main.cf does not set, if it
 * depends on what main.cf sets; otherwise NULL. As measured with postconf(1) of Postfix 3.7
 * to 3.11: mydomain is what follows the first dot of myhostname, or "localdomain"; myhostname is
 * the host's name, with mydomain when it has no dot; both are expanded with the names of main.cf
 * alone. mynetworks comes from the network interfaces: it has a blank at its end that postconf(1)
 * does not show, and cannot be computed where main.cf restricts the interfaces.
 * The string belongs to computed.
 */
const char *computed_value(struct computed *computed, const char *name, size_t length);

/* Frees what it holds. */
void computed_free(struct computed *computed);

#endif
