/* SPDX-License-Identifier: MIT */
/*
 * postconf: what only Postfix knows: its thousand built-in parameters and their default values, as
 * "postconf -d" shows them. Nothing of an instance reaches that program: it is asked once for the
 * whole run, in a private directory with an empty main.cf and an empty master.cf, and what it says
 * serves as the values of the names that no main.cf sets.
 */
#ifndef POSTCONF_H
#define POSTCONF_H

#include "base/limits.h"
#include <stddef.h>

/* The longest that the program may take, and the computing that it may do, in seconds, and its
 * address space in bytes. */
#define POSTCONF_SECONDS 10
#define POSTCONF_MEMORY ((size_t)512 * 1024 * 1024)

struct postconf;

/*
 * Runs "COMMAND_DIRECTORY/postconf -c DIRECTORY -d", with a clean environment, in a directory that
 * is made for it and removed afterwards. Returns its parameters, to be freed by postconf_free(), or
 * NULL with a new string in *error, which the caller frees. The call ends with the limits of the
 * run, and after POSTCONF_SECONDS. signals_catch() must have been called, or a signal leaves the
 * directory behind.
 */
struct postconf *postconf_ask(const char *command_directory, const struct limits *limits,
                              char **error);

/* The default value of a parameter of Postfix, unexpanded, or NULL when it has none of that name
 * (length bytes). The string belongs to postconf. */
const char *postconf_value(const struct postconf *postconf, const char *name, size_t length);

/* Frees it; NULL is allowed. */
void postconf_free(struct postconf *postconf);

#endif
