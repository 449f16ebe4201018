/* SPDX-License-Identifier: MIT */
/*
 * settings: reads and checks postkick.ini. What the file does not set has its built-in value: see
 * built_in.h. The services and actions in it are the subject of catalogue.h.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/alloc.h"
#include "postfix/parameter.h"
#include "postfix/target.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * built_in: the built-in settings: the build makes a table of conf/postkick.ini. Names are in lower
 * case.
 */

struct built_in {
    const char *section;
    const char *key;
    const char *value;
};

/* Returns setting number index, in the order of the file, or NULL after the last. */
const struct built_in *built_in_item(size_t index);

/* Returns the value of a setting, or NULL if unknown. */
const char *built_in_value(const char *section, const char *key);

/*
 * Overwrites with blanks each section of a settings file that equals the built-in one, line by
 * line: most files have little else, and parsing it takes iniparser a quarter of a kick's time. A
 * section that occurs twice is left unchanged. text ends with a NUL. Returns true when nothing but
 * comments is left.
 */
bool built_in_leave_out(char *text);

struct settings {
    bool others_write;    /* users other than root can write the file */
    bool strict;          /* requests that a service ignores are refused */
    bool refuse_writable; /* -p refuses instances that users other than root can write, rather than
                             warning of them */
    int connections;      /* at once; 0: as many as descriptors allow */
    int kick_limit;       /* seconds, at least 1: the ceiling for each instance's own limits */
    int status_limit;     /* seconds, at least 1, for a queue manager to answer -s */
    int queues_limit;     /* seconds, at least 1, for -Q to read the queues of an instance */

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

/*
 * catalogue: the services, their requests, and the actions of postkick.ini: see postkick.ini(5).
 */

/* Bytes of a request that a trigger server of Postfix reads (measured; it reads once). */
#define CATALOGUE_READ_BYTES 1024

/* Returns the class of a service, "public" or "private", or NULL if the service is unknown. Names
 * are case-sensitive. */
const char *catalogue_class(const struct settings *settings, const char *service);

/* Appends to warnings, without the class and service in front, what the service will not do with
 * the request: it accepts no requests, ignores a byte, gets only modifiers, reads less. */
void catalogue_check(const struct settings *settings, const struct target *target,
                     UT_array *warnings);

/* Returns the targets of an action, an array to be freed by utarray_free(), or NULL if there is no
 * such action. */
UT_array *catalogue_action(const struct settings *settings, const char *name);

/* Returns one line about the action, never NULL. */
const char *catalogue_about(const struct settings *settings, const char *action);

#endif
