/* SPDX-License-Identifier: MIT */
/*
 * computed: the default values that Postfix computes from what main.cf sets: mydomain, myhostname
 * and mynetworks.
 */
#ifndef COMPUTED_H
#define COMPUTED_H

#include "maincf/maincf.h"
#include "postfix/postconf.h"
#include <stddef.h>

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
