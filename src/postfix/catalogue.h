/* SPDX-License-Identifier: MIT */
/*
 * catalogue: what is known of services and their requests, and the named actions. All of it is in
 * postkick.ini; see postkick.ini(5).
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include "postfix/settings.h"
#include "postfix/target.h"

/* How much of a request a trigger server of Postfix reads, in bytes (measured; it reads once). */
#define CATALOGUE_READ_BYTES 1024

/* The class that the catalogue has a service in, "public" or "private", or NULL for a service that
 * it does not know. Names matter in their case. */
const char *catalogue_class(const struct settings *settings, const char *service);

/* Appends to warnings, without the class and service in front, what the service will not do with
 * the request: it takes no requests, ignores a byte, gets only modifiers, reads less. */
void catalogue_check(const struct settings *settings, const struct target *target,
                     UT_array *warnings);

/* What the action kicks: an array of targets, to be freed by utarray_free(), or NULL when there is
 * no such action. */
UT_array *catalogue_action(const struct settings *settings, const char *name);

/* The names of all actions: an array of strings, to be freed by utarray_free(). */
UT_array *catalogue_actions(const struct settings *settings);

/* One line about the action, never NULL. */
const char *catalogue_about(const struct settings *settings, const char *action);

#endif
