/* SPDX-License-Identifier: MIT */
/*
 * settings: reads and checks postkick.ini. What the file does not set has its built-in value: see
 * built_in.h. The services and actions in it are the subject of catalogue.h.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/alloc.h"
#include "postfix/parameter.h"
#include <stdbool.h>

struct settings {
    bool others_write;    /* users other than root can write the file */
    bool strict;          /* requests that a service ignores are refused */
    bool refuse_writable; /* -p refuses instances that users other than root can write, rather than
                             warning of them */
    int connections;      /* at once; 0: as many as descriptors allow */
    int kick_limit;       /* seconds, at least 1: the ceiling for each instance's own limits */
    int status_limit;     /* seconds, at least 1, for a queue manager to answer -s */

    /* private */
    const char *parameters[PARAMETER_COUNT];
    struct ini *file; /* NULL: everything is built in */
};

/* Prefixes of the sections of services and actions. */
#define SETTINGS_SERVICE "service "
#define SETTINGS_ACTION "action "

/*
 * Reads the settings file at path. A file that does not exist counts as empty, unless required.
 * Appends every mistake to errors, one line each, with the file's name.
 * Returns the settings, to be freed by settings_free(), or NULL when there are errors.
 */
struct settings *settings_load(const char *path, bool required, UT_array *errors);

/* Frees them; NULL is allowed. */
void settings_free(struct settings *settings);

/* Returns the value of a parameter that main.cf does not set, unexpanded; never NULL. */
const char *settings_parameter(const struct settings *settings, enum parameter parameter);

/* Returns the value of any setting, names in lower case: the file's, else the built-in one, else
 * NULL. A section of a service or an action replaces the built-in one as a whole. The string
 * belongs to the settings. */
const char *settings_value(const struct settings *settings, const char *section, const char *key);

/* Returns the names of all sections that start with prefix, without it, each once, the file's and
 * the built-in ones: an array of strings to be freed by utarray_free(). */
UT_array *settings_sections(const struct settings *settings, const char *prefix);

#endif
