/* SPDX-License-Identifier: MIT */
/*
 * command: the program's commands. Each goes from the options to its exit status, and reports its
 * results.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "command/options.h"

struct kicks;

/* The input of every command. */
struct command {
    const struct options *options;
    struct settings *settings;
    const struct limits *limits;
    int verbose;                /* -v and MAIL_VERBOSE */
    struct selection selection; /* by command_select() */
    const char *directory;      /* of Postfix's programs, if they are run: command_directory */
};

/* Runs the command that the options ask for. Returns the exit status: 0 when every selected
 * instance was served, else 1. */
int command_run(const struct options *options, struct settings *settings,
                const struct limits *limits);

/* The commands, but -l. They return the exit status. */
int command_kick(struct command *command);
int command_jobs(struct command *command);
int command_queues(struct command *command);
int command_messages(struct command *command);

/* For all of them: makes the selection that the options ask for. Returns false when there is none,
 * or when Postfix's programs are to be run and are not found, and the reason was reported. */
bool command_select(struct command *command);

/* Marks which members are to be served: see selection_mark(). Returns false when none is, and the
 * reason was reported. */
bool command_mark(struct command *command, bool all);

/*
 * Reports the warnings of the selection, as the options ask for: after the work, because a reader
 * who does not read must not hold it up. Returns false if it makes the exit status 1: an -i matched
 * nothing, or, with -s and in a dry run, instances are in conflict.
 */
bool command_report_selection(const struct command *command);

/* Sends the kicks in the marked selection: kicks_run(). Returns false when nothing could be sent,
 * which is reported. */
bool command_send(const struct command *command, struct kicks *kicks, struct selection *selection);

#endif
