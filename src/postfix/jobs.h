/* SPDX-License-Identifier: MIT */
/*
 * jobs: runs one command in every selected instance, as postmulti(1) does.
 */
#ifndef JOBS_H
#define JOBS_H

#include "base/process.h"
#include "postfix/selection.h"

/* Which instances wait for which. */
enum job_order {
    JOB_IN_ORDER,
    JOB_DEFAULT_FIRST, /* start-like: the others wait for the default instance */
    JOB_DEFAULT_LAST,  /* stop-like: in reverse order, the default one waits for the others */
};

enum job_status {
    JOB_OK,
    JOB_FAILED,
    JOB_DISABLED, /* not enabled, and the command is for enabled ones */
    JOB_DUPLICATE,
    JOB_PLANNED,   /* to be run */
    JOB_UNTOUCHED, /* of a restart that has ended before */
};

struct job;

/* The command to run. Everything belongs to the caller, and has to outlive the jobs. */
struct jobs_spec {
    enum job_order order;
    const char *program;           /* path */
    char *const *argv;             /* NULL after the last */
    char *const *argv_not_enabled; /* in instances that are not enabled; NULL: nothing */
    /* Of a job of several commands, the one that is run next, in place of argv; its reason begins
     * with that word. NULL: the job is one command. */
    const char *step;
    int parallel; /* at once */
    enum process_streams streams;
    size_t output_maximum; /* of each stream in bytes: more is a failure; 0: any number */
    /* What postmulti(1) -x exports beside MAIL_CONFIG and the instance's own values: the default
     * instance's directories, and PATH; without path, MAIL_CONFIG alone is exported. */
    const char *command_directory, *daemon_directory, *path;
    int signals_known; /* as that of struct process_batch */
    struct master_locks
        *locks;   /* a failure is explained by an instance that is not running; or NULL */
    bool is_mute; /* the commands write why they fail to the mail log alone */

    /* Called at the events of process.h, with the job of the process: PROCESS_FINISHED for each
     * job, also one that is not run, in order, as soon as it and all before it are done. Has to
     * free what the process wrote then, unless it is kept for the next step. */
    void (*observe)(void *context, enum process_event event, struct job *job);
    /* receives each line of captured output, without its newline; NULL: the output is kept */
    void (*line)(void *context, const struct job *job, bool is_error, const char *text,
                 size_t length);
    void *context;
};

/* The command in one instance. */
struct job {
    const struct selection_member *member;
    char *const *argv;
    UT_array *settings;
    struct process child; /* without a program when nothing is run */
    enum job_status status;
    char *reason; /* why it failed or is not run; NULL when all is well */
    const struct jobs_spec *spec;
};

struct jobs {
    struct job *items; /* in the order of the selection */
    size_t count;
    const struct jobs_spec *spec;

    /* private */
    const struct limits *limits;
    size_t next; /* the first job that was not reported as finished */
};

/* Plans the jobs for a selection that is marked. Standard input is ours if one instance is
 * selected, otherwise /dev/null. jobs_free() empties *jobs. */
void jobs_plan(struct jobs *jobs, const struct selection *selection, const struct jobs_spec *spec);

/* Runs those that are JOB_PLANNED. Afterwards they are JOB_OK or JOB_FAILED, with the first reason
 * if they had one before. */
void jobs_run(struct jobs *jobs, const struct limits *limits);

/* Empties it. */
void jobs_free(struct jobs *jobs);

#endif
