/* SPDX-License-Identifier: MIT */
/*
 * settings: reads and checks postkick.ini. What the file does not set has its built-in value: see
 * built_in.h. The services and actions in it are the subject of catalogue.h.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/alloc.h"
#include "postfix/parameter.h"

struct settings;

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

/* Whether users other than root can write the file. */
bool settings_others_write(const struct settings *settings);

/* Returns the value of a parameter that main.cf does not set, unexpanded; never NULL. */
const char *settings_parameter(const struct settings *settings, enum parameter parameter);

/* Whether requests that a service ignores are refused. */
bool settings_strict(const struct settings *settings);

/* Returns how many connections to open at once; 0: as many as descriptors allow. */
int settings_connections(const struct settings *settings);

/* Returns the ceiling for each instance's own limits of time, in seconds, at least 1. */
int settings_kick_limit(const struct settings *settings);

/* Returns how long a queue manager may take to answer -s, in seconds, at least 1. */
int settings_status_limit(const struct settings *settings);

/* Whether -p refuses, rather than warns of, an instance that users other than root can write. */
bool settings_refuse_writable(const struct settings *settings);

/* Returns the value of any setting, names in lower case: the file's, else the built-in one, else
 * NULL. A section of a service or an action replaces the built-in one as a whole. The string
 * belongs to the settings. */
const char *settings_value(const struct settings *settings, const char *section, const char *key);

/* Returns the names of all sections that start with prefix, without it, each once, the file's and
 * the built-in ones: an array of strings to be freed by utarray_free(). */
UT_array *settings_sections(const struct settings *settings, const char *prefix);

#endif
