/* SPDX-License-Identifier: MIT */
/*
 * environment: lists in the form of import_environment: names, "name=value", and "{name = value}"
 * where the value has blanks. postconf(5)
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>

/* The most elements of a list: setenv(3) looks at all variables for each. */
#define ENVIRONMENT_MAXIMUM 1000

/* Whether Postfix would take the list, of no more than ENVIRONMENT_MAXIMUM elements. Returns true,
 * or false with a new string in *error, in Postfix's wording (measured), which the caller frees. */
bool environment_check(const char *list, char **error);

/* Sets the variables that the list has with a value. Plain names say what may stay, for programs
 * that clean their environment; nothing is done about them. */
void environment_import(const char *list);

#endif
