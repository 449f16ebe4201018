/* SPDX-License-Identifier: MIT */
/*
 * environment: lists as in import_environment: names, "name=value", and "{name = value}" for values
 * with blanks (postconf(5)).
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>

/* The most elements of a list: setenv(3) looks at all variables for each. */
#define ENVIRONMENT_MAXIMUM 1000

/* Whether Postfix would take the list, of no more than ENVIRONMENT_MAXIMUM elements. Returns true,
 * or false with a new string in *error, in Postfix's wording (measured), which the caller frees. */
bool environment_check(const char *list, char **error);

/* Sets the variables to which the list gives a value. Plain names are ignored: they are for
 * programs that clean their environment. */
void environment_import(const char *list);

#endif
