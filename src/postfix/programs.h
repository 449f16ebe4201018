/*
 * programs: where programs of Postfix are taken from: the default main.cf's command_directory and
 * daemon_directory, else what postkick.ini says; never from another instance's main.cf, whose owner
 * may be somebody else.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "postfix/instance.h"

/* To be set up with settings, and default_instance where that has been read already. */
struct programs {
    const struct settings *settings;
    const struct instance *default_instance; /* with both directories kept, or NULL */
    struct instance lazily;                  /* read when it is needed and was not yet */
    bool is_loaded;
};

/* PARAMETER_COMMAND_DIRECTORY or PARAMETER_DAEMON_DIRECTORY, expanded; it may be no absolute path.
 * The string belongs to programs or the default instance. */
const char *programs_directory(struct programs *programs, enum parameter parameter);

/* The command_directory, with a struct programs as context: for struct instance_source. */
const char *programs_command_directory(void *context);

/* Empties it. */
void programs_free(struct programs *programs);

#endif
