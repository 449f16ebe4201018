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

struct computed;

/* For one main.cf, and postconf(1)'s answer; nothing is computed if that is NULL. All have to
 * outlive it. To be freed by computed_free(). */
struct computed *computed_new(const struct maincf *maincf, const struct postconf *postconf,
                              struct budget *budget);

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

/* Returns why a value could not be computed since the last call, a new string; or NULL. */
char *computed_take_error(struct computed *computed);

/* Frees it; NULL is allowed. */
void computed_free(struct computed *computed);

#endif
