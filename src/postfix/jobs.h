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
    int parallel;                  /* at once */
    enum process_streams streams;
    size_t output_maximum; /* of each stream in bytes: more is a failure; 0: any number */
    /* What postmulti(1) -x exports beside MAIL_CONFIG and the instance's own values: the default
     * instance's directories, and PATH; without path, MAIL_CONFIG alone is exported. */
    const char *command_directory, *daemon_directory, *path;
    /* receives each line of captured output, without its newline; NULL: the output is kept */
    void (*line)(void *context, const struct job *job, bool is_error, const char *text,
                 size_t length);
    void *line_context;
    int signals_known; /* as that of struct process_batch */
    struct master_locks
        *locks;   /* a failure is explained by an instance that is not running; or NULL */
    bool is_mute; /* the commands write why they fail to the mail log alone */
};

/* The command in one instance. */
struct job {
    const struct selection_member *member;
    char *const *argv;
    UT_array *settings;
    struct process *child; /* NULL when nothing is run */
    enum job_status status;
    char *reason; /* why it failed or is not run; NULL when all is well */
    const struct jobs_spec *spec;
};

struct jobs {
    struct job *items; /* in the order of the selection */
    size_t count;
    struct process *processes; /* in the order in which they are run */
    size_t process_count;
    size_t first_part; /* how many are run before the others are started */
    bool is_reversed;  /* stop-like: the last job is run first */
    const struct jobs_spec *spec;
};

/* Plans the jobs for a selection that is marked. Standard input is ours if one instance is
 * selected, otherwise /dev/null. jobs_free() empties *jobs. */
void jobs_plan(struct jobs *jobs, const struct selection *selection, const struct jobs_spec *spec);

/*
 * Runs them. Afterwards no job is JOB_PLANNED. observe is called at the events of process.h, with
 * the job of the process: PROCESS_FINISHED for each job, also one that is not run, in order, as
 * soon as it and all before it are done; what its process wrote is freed afterwards.
 */
void jobs_run(struct jobs *jobs, const struct limits *limits,
              void (*observe)(void *context, enum process_event event, const struct job *job),
              void *context);

/* Empties it. */
void jobs_free(struct jobs *jobs);

#endif
