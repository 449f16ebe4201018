/* SPDX-License-Identifier: MIT */
/*
 * settings: the contents of postkick.ini: the program's own settings, the actions, the services,
 * and Postfix's built-in values (see postkick.ini(5)). The administrator's file comes first, for
 * Postfix's values the generated file next, and the compiled-in values last.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/alloc.h"
#include "postfix/parameter.h"
#include <limits.h>
#include <stdbool.h>

/* A request to a service. */
struct target {
    char *class;   /* "public" or "private" */
    char *service; /* one path component */
    char *request; /* any bytes but NUL; may be empty */
};

/* The element type of an array of targets, which owns their strings. */
extern const UT_icd target_icd;

/* Appends a target to such an array. Copies the strings. */
void target_append(UT_array *targets, const char *class, const char *service, const char *request);

/* Whether the class is "public" or "private". */
bool target_class_is_valid(const char *class);

/* Whether the service is one path component: not empty, not "." or "..", without a slash. */
bool target_service_is_valid(const char *service);

/* The policy for requests that a service ignores. */
enum settings_strict {
    SETTINGS_STRICT_UNSET,
    SETTINGS_STRICT_NO, /* they are sent, with a warning */
    SETTINGS_STRICT_YES,
};

/* The first two parts of a version of Postfix, in order; the other one is later than all. */
#define SETTINGS_VERSION(first, second) ((first)*1000 + (second))
#define SETTINGS_VERSION_UNKNOWN INT_MAX

struct settings {
    const char *others_write; /* a file that users other than root can write, or NULL */
    enum settings_strict strict;
    bool refuse_writable; /* -p and -M refuse instances that users other than root can write, rather
                             than warning of them */
    int connections;      /* at once; 0: as many as descriptors allow */
    int kick_limit;       /* seconds, at least 1: the ceiling for each instance's own limits */
    int status_limit;     /* seconds, at least 1, for a queue manager to answer -s */
    int queues_limit;     /* seconds, at least 1, for -Q to read the queues of an instance */
    /* of postfix(1), that -p accepts without and with operands: PARAMETER_SEPARATORS between them
     */
    const char *commands;
    const char *commands_with_operands;
    int version; /* SETTINGS_VERSION() of the host's Postfix, or SETTINGS_VERSION_UNKNOWN */
    /* the values of parameters that main.cf does not set, unexpanded; never NULL */
    const char *parameters[PARAMETER_COUNT];

    /* private */
    struct ini *file, *generated;
};

/*
 * Reads the settings file at path, which may be missing unless it is required, and the generated
 * file, which may be missing and whose only section is [postfix]. Both names have to stay.
 * Appends every error to errors, one line each, with the file's name.
 * Returns the settings, to be freed by settings_free(), or NULL when there are errors.
 */
struct settings *settings_load(const char *path, bool required, const char *generated,
                               UT_array *errors);

/* Frees them; NULL is allowed. */
void settings_free(struct settings *settings);

/* Returns the class of a service, "public" or "private", or NULL if the service is unknown. Names
 * are case-sensitive. */
const char *settings_class(const struct settings *settings, const char *service);

/* Appends to warnings, without the class and service in front, why the request has no effect or
 * only a part of it: the service acts on no request, ignores a byte, gets only modifiers, reads
 * less. Returns whether the service acts on any of it, as far as is known: bytes, or modifiers for
 * its next scan.
 */
bool settings_check(const struct settings *settings, const struct target *target,
                    UT_array *warnings);

/* Returns the names of all actions, an array of strings to be freed by utarray_free(). */
UT_array *settings_actions(const struct settings *settings);

/* Returns the targets of an action, an array to be freed by utarray_free(), or NULL if there is no
 * such action; and, unless about is NULL, in *about one line about it, or NULL. */
UT_array *settings_action(const struct settings *settings, const char *name, const char **about);

#endif
