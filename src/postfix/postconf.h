/*
 * postconf: asks Postfix's postconf(1) for what only Postfix knows: values that refer to one of its
 * thousand built-in parameters.
 */
#ifndef POSTCONF_H
#define POSTCONF_H

#include "base/alloc.h"
#include "base/limits.h"
#include "postfix/parameter.h"
#include <stdint.h>

/* The longest that one call may take, in seconds. */
#define POSTCONF_SECONDS 10

/*
 * Runs "COMMAND_DIRECTORY/postconf -c CONFIG_DIRECTORY -x NAME..." once, with a clean environment,
 * for the wanted parameters, with the overrides (strings "name=value") as -o.
 * Returns true with values[parameter] a new string for each parameter with wanted[parameter];
 * otherwise false with *error, and no value set. The call ends with the limits
 * of the run, and after POSTCONF_SECONDS.
 */
bool postconf_ask(const char *command_directory, const char *config_directory,
                  const UT_array *overrides, const bool *wanted, const struct limits *limits,
                  char **values, char **error);

#endif
