/* SPDX-License-Identifier: MIT */
/*
 * parameter: the main.cf parameters that the program uses, and the values that Postfix accepts.
 * Their built-in values are in postkick.ini (see settings.h).
 */
#ifndef PARAMETER_H
#define PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

/* Between the elements of lists in main.cf (Postfix: CHARS_COMMA_SP). */
#define PARAMETER_SEPARATORS ", \t\r\n"

/* In the order of the rows in parameter.c. */
enum parameter {
    PARAMETER_CONFIG_DIRECTORY,
    PARAMETER_QUEUE_DIRECTORY,
    PARAMETER_DATA_DIRECTORY,
    PARAMETER_COMMAND_DIRECTORY,
    PARAMETER_DAEMON_DIRECTORY,
    PARAMETER_SHLIB_DIRECTORY,
    PARAMETER_MULTI_INSTANCE_DIRECTORIES,
    PARAMETER_MULTI_INSTANCE_NAME,
    PARAMETER_MULTI_INSTANCE_GROUP,
    PARAMETER_ALTERNATE_CONFIG_DIRECTORIES,
    PARAMETER_IMPORT_ENVIRONMENT,
    PARAMETER_QUEUE_SERVICE_NAME,
    PARAMETER_PICKUP_SERVICE_NAME,
    PARAMETER_QUEUE_MINFREE,
    PARAMETER_MESSAGE_SIZE_LIMIT,
    PARAMETER_APPLICATION_EVENT_DRAIN_TIME,
    PARAMETER_TRIGGER_TIMEOUT,
    PARAMETER_MULTI_INSTANCE_ENABLE,
    PARAMETER_POSTMULTI_START_COMMANDS,
    PARAMETER_POSTMULTI_STOP_COMMANDS,
    PARAMETER_POSTMULTI_CONTROL_COMMANDS,
    PARAMETER_COUNT,
};

/* The purpose for which a main.cf is read. */
enum parameter_purpose {
    PARAMETER_FOR_KICK = 1 << 0,     /* requests */
    PARAMETER_FOR_LIST = 1 << 1,     /* -l */
    PARAMETER_FOR_POSTFIX = 1 << 2,  /* -p */
    PARAMETER_FOR_COMMAND = 1 << 3,  /* -x */
    PARAMETER_FOR_PROGRAMS = 1 << 4, /* only where Postfix's programs are */
    PARAMETER_FOR_QUEUES = 1 << 5,   /* -Q */
    PARAMETER_FOR_STATUS = 1 << 6,   /* -s */
    PARAMETER_FOR_RESTART = 1 << 7,  /* -p restart */
};

enum parameter_use {
    PARAMETER_UNUSED,
    PARAMETER_CHECKED, /* an error counts, the value is not kept */
    PARAMETER_KEPT,
};

/* Returns the parameter's name in main.cf. */
const char *parameter_name(enum parameter parameter);

/* Returns how the parameter is used for that purpose, in the program's own instance (is_home),
 * which is the forced or the default one, or in another. */
enum parameter_use parameter_use(enum parameter parameter, enum parameter_purpose purpose,
                                 bool is_home);

/*
 * Whether Postfix would accept the expanded value for this parameter, and whether it is not too
 * long for a path or file name that it stands for. Returns true, or false with a new string in
 * *error in Postfix's wording ("parameter trigger_timeout: bad time value or unit: 5x"), which the
 * caller frees. Limits as Postfix's postkick has them (measured), and those of paths and file
 * names.
 */
bool parameter_check(enum parameter parameter, const char *value, char **error);

/* Finds the parameter of that name (length bytes) and returns true, or false when it is none that
 * the program uses. */
bool parameter_find(const char *name, size_t length, enum parameter *parameter);

#endif
