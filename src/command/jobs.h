/* SPDX-License-Identifier: MIT */
/*
 * command_run_jobs: what -p and -x have in common. Internal to the commands.
 */
#ifndef COMMAND_JOBS_H
#define COMMAND_JOBS_H

#include "command/command.h"
#include "postfix/jobs.h"

/*
 * Finds Postfix's command_directory (see host_directory()) and makes sure that there is such a
 * directory. Returns true with a string in *directory that belongs to the host; otherwise false,
 * which has been reported.
 */
bool command_find_directory(struct host *host, const char **directory);

/* Makes sure that the path is a program. Returns 0 or an errno. */
int command_check_program(const char *path);

/*
 * Runs the spec in the selection, which is marked, or shows what would be run, and reports the
 * results. Fills in parallel itself, and replaces the spec's streams, those of captured commands,
 * when nothing is to be captured. Returns the exit status.
 */
int command_run_jobs(const struct command *command, struct selection *selection,
                     struct jobs_spec *spec);

#endif
