/* SPDX-License-Identifier: MIT */
/*
 * command: the program's commands. Each goes from the options to its exit status, and reports its
 * results.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "command/options.h"

struct jobs_report;
struct jobs_spec;
struct kicks;

/* The input of every command. */
struct command {
    const struct options *options;
    struct settings *settings;
    const char *mail_config; /* MAIL_CONFIG in the environment, or NULL */
    const struct limits *limits;
    int verbose; /* -v and MAIL_VERBOSE */
};

/* The commands. They return the exit status: 0 when every selected instance was served, else 1. */
int command_kick(const struct command *command);
int command_list(const struct command *command);
int command_postfix(const struct command *command);
int command_execute(const struct command *command);
int command_status(const struct command *command);
int command_queues(const struct command *command);
int command_messages(const struct command *command);

/*
 * For all commands: makes the selection that the options ask for. Its warnings are for
 * command_report_selection(), after the work: a reader who does not read must not hold it up.
 * Returns true; or false when the program has to end with status 1, and the reason was reported.
 * selection_free() empties *selection in both cases.
 */
bool command_select(const struct command *command, enum parameter_purpose purpose,
                    struct selection *selection);

/* Marks which members are to be served: see selection_mark(). Returns false when none is, and the
 * reason was reported. */
bool command_mark(const struct command *command, struct selection *selection, bool all);

/* Reports the warnings of the selection, as the options ask for. Returns false if it makes the exit
 * status 1: an -i matched nothing, or, with -s and in a dry run, instances are in conflict. */
bool command_report_selection(const struct command *command, const struct selection *selection);

/* Finds Postfix's command_directory, and checks that it is a directory. Returns a string that
 * belongs to the host; or NULL, and the reason was reported. */
const char *command_find_directory(struct host *host);

/* Sends the requests of all planned kicks at once. Returns false when nothing could be sent, which
 * is reported. */
bool command_send(const struct command *command, struct kicks *kicks);

/* For -p and -x: report_jobs_start() as the options ask for, and, unless it is a dry run, prepares
 * this process for running commands. changes_running: they start and stop mail systems. The
 * report's jobs have to be set when they are planned. */
void command_start_jobs(const struct command *command, const struct selection *selection,
                        bool changes_running, struct jobs_spec *spec, struct jobs_report *report);

/* "-p restart" in a selection that is marked, by the postfix(1) at that path: stops and starts one
 * instance after the other. Reports the results, and returns the exit status. */
int command_restart(const struct command *command, struct selection *selection,
                    const char *program);

#endif
