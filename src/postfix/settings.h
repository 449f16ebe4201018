/* SPDX-License-Identifier: MIT */
/*
 * settings: postkick.ini, checked. What the file does not say has its built-in value, which is
 * what conf/postkick.ini says: that file is part of the program. See catalogue.h for the services
 * and actions in it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/alloc.h"
#include "postfix/parameter.h"

struct settings;

/* What the names of the sections for services and actions start with. */
#define SETTINGS_SERVICE "service "
#define SETTINGS_ACTION "action "

/*
 * Reads the settings file at path. A file that does not exist is as good as an empty one, unless
 * required. Every mistake is appended to errors, one line each, with the file's name.
 * Returns the settings, to be freed by settings_free(), or NULL when there are errors.
 */
struct settings *settings_load(const char *path, bool required, UT_array *errors);

/* Frees them; NULL is allowed. */
void settings_free(struct settings *settings);

/* Whether others than root can write the file. */
bool settings_others_write(const struct settings *settings);

/* The value of a parameter that main.cf does not set, unexpanded. Never NULL. */
const char *settings_parameter(const struct settings *settings, enum parameter parameter);

/* Whether requests that a service ignores are refused. */
bool settings_strict(const struct settings *settings);

/* Connections at once; 0: as many as descriptors allow. */
int settings_connections(const struct settings *settings);

/* The ceiling for each instance's own limits of time, in seconds, at least 1. */
int settings_kick_limit(const struct settings *settings);

/* How long a queue manager may take to answer -s, in seconds, at least 1. */
int settings_status_limit(const struct settings *settings);

/* Whether -p refuses, rather than warns of, an instance that users other than root can write. */
bool settings_refuse_writable(const struct settings *settings);

/* The value of any setting, names in lower case: the file's, else the built-in one, else NULL. A
 * service or an action that the file has is the file's altogether. The string belongs to the
 * settings. */
const char *settings_value(const struct settings *settings, const char *section, const char *key);

/* An array of strings, to be freed by utarray_free(): the names of all sections that start with
 * prefix, without the prefix, the file's and the built-in ones, each once. */
UT_array *settings_sections(const struct settings *settings, const char *prefix);

#endif
