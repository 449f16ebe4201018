/* SPDX-License-Identifier: MIT */
/*
 * catalogue: the services, their requests, and the actions of postkick.ini: see postkick.ini(5).
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include "postfix/settings.h"
#include "postfix/target.h"

/* Bytes of a request that a trigger server of Postfix reads (measured; it reads once). */
#define CATALOGUE_READ_BYTES 1024

/* Returns the class of a service, "public" or "private", or NULL if the service is unknown. Names
 * are case-sensitive. */
const char *catalogue_class(const struct settings *settings, const char *service);

/* Appends to warnings, without the class and service in front, what the service will not do with
 * the request: it takes no requests, ignores a byte, gets only modifiers, reads less. */
void catalogue_check(const struct settings *settings, const struct target *target,
                     UT_array *warnings);

/* Returns the targets of an action, an array to be freed by utarray_free(), or NULL if there is no
 * such action. */
UT_array *catalogue_action(const struct settings *settings, const char *name);

/* Returns one line about the action, never NULL. */
const char *catalogue_about(const struct settings *settings, const char *action);

#endif
