/* SPDX-License-Identifier: MIT */
/*
 * command/jobs: the common part of -p and -x. Internal to the commands.
 */
#ifndef COMMAND_JOBS_H
#define COMMAND_JOBS_H

#include "command/command.h"
#include "postfix/jobs.h"

/* Finds Postfix's command_directory (see host_directory()), and checks that it is a directory.
 * Returns a string that belongs to the host; or NULL, and the reason was reported. */
const char *command_find_directory(struct host *host);

/* Checks that the path is a program. Returns 0 or an errno. */
int command_check_program(const char *path);

/*
 * Runs the spec in the selection, which is marked, and reports the results; or shows what would be
 * run. Sets the spec's parallel, and its streams when nothing is to be captured. Returns the exit
 * status.
 */
int command_run_jobs(const struct command *command, struct selection *selection,
                     struct jobs_spec *spec);

#endif
