/*
 * parameter: the main.cf parameters that the program uses, and what Postfix takes for them. Their
 * built-in values are in postkick.ini (see settings.h).
 */
#ifndef PARAMETER_H
#define PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

enum parameter {
    PARAMETER_CONFIG_DIRECTORY,
    PARAMETER_QUEUE_DIRECTORY,
    PARAMETER_DATA_DIRECTORY,
    PARAMETER_COMMAND_DIRECTORY,
    PARAMETER_DAEMON_DIRECTORY,
    PARAMETER_MULTI_INSTANCE_DIRECTORIES,
    PARAMETER_MULTI_INSTANCE_NAME,
    PARAMETER_MULTI_INSTANCE_GROUP,
    PARAMETER_ALTERNATE_CONFIG_DIRECTORIES,
    PARAMETER_IMPORT_ENVIRONMENT,
    PARAMETER_QUEUE_SERVICE_NAME,
    PARAMETER_PICKUP_SERVICE_NAME,
    PARAMETER_APPLICATION_EVENT_DRAIN_TIME,
    PARAMETER_TRIGGER_TIMEOUT,
    PARAMETER_MULTI_INSTANCE_ENABLE,
    PARAMETER_POSTMULTI_START_COMMANDS,
    PARAMETER_POSTMULTI_STOP_COMMANDS,
    PARAMETER_POSTMULTI_CONTROL_COMMANDS,
    PARAMETER_COUNT,
};

enum parameter_kind {
    PARAMETER_STRING,
    PARAMETER_NON_EMPTY, /* a string that must not be empty */
    PARAMETER_ENVIRONMENT,
    PARAMETER_TIME, /* at least one second, without a unit in seconds */
    PARAMETER_BOOLEAN,
};

/* The parameter's name in main.cf. */
const char *parameter_name(enum parameter parameter);

/*
 * Whether Postfix would take the expanded value for this parameter. Returns true, or false with a
 * new string in *error in Postfix's wording ("parameter trigger_timeout: bad time value or unit:
 * 5x"), which the caller frees. Limits as Postfix's postkick has them (measured).
 */
bool parameter_check(enum parameter parameter, const char *value, char **error);

/* Finds the parameter of that name (length bytes) and returns true, or false when it is none that
 * the program uses. */
bool parameter_find(const char *name, size_t length, enum parameter *parameter);

#endif
