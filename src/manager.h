/*
 * manager: one command in every selected instance, as postmulti(1) runs it, and what came of it.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "run.h"
#include "selection.h"

/* Which instances wait for which. */
enum manager_order {
    MANAGER_IN_ORDER,
    MANAGER_DEFAULT_FIRST, /* start-like: the others wait for the default instance */
    MANAGER_DEFAULT_LAST,  /* stop-like: in reverse order, the default one waits for the others */
};

enum manager_status {
    MANAGER_OK,
    MANAGER_FAILED,
    MANAGER_DISABLED, /* not enabled, and the command is not for such */
    MANAGER_DUPLICATE,
    MANAGER_PLANNED, /* to be run */
};

/* What to run; everything is the caller's and has to outlive the manager. */
struct manager_wish {
    enum manager_order order;
    const char *program;           /* path */
    char *const *argv;             /* NULL after the last */
    char *const *argv_not_enabled; /* in instances that are not enabled; NULL: nothing */
    int parallel;                  /* at once */
    bool captures;                 /* output is captured */
    /* appends the instance's "name=value" to settings, an array of strings */
    void (*add_settings)(void *context, const struct instance *instance, UT_array *settings);
    void *context;
};

/* The command in one instance. */
struct manager_task {
    const struct selection_choice *choice;
    char *const *argv;
    UT_array *settings;
    struct run_child *child; /* NULL when nothing is run */
    enum manager_status status;
    char *reason; /* why it failed or is not run; NULL when all is well */
};

struct manager {
    struct manager_task *tasks; /* in the order of the selection */
    size_t count;
    struct run_child *children; /* in the order in which they are run */
    size_t child_count;
    size_t first_part; /* that many children come before the others are started */
    int parallel;
    bool is_reversed; /* stop-like: the last task is run first */
};

struct manager_limits {
    int64_t stop;   /* end of the whole run */
    int time_limit; /* the same in seconds from the start, to be told */
    const volatile sig_atomic_t *interrupted;
    const volatile sig_atomic_t *interruptions;
    const sigset_t *signals;
    /* called for each task, in order, as soon as it and all before it are done; its output is
     * freed afterwards */
    void (*finished)(void *context, const struct manager_task *task);
    void *context;
};

/* Lays out the tasks for a selection that is judged; instances that are not enabled may be judged
 * either way. Standard input is ours when one instance is selected, otherwise /dev/null.
 * manager_free() empties *manager. */
void manager_plan(struct manager *manager, const struct selection *selection,
                  const struct manager_wish *wish);

/* Runs them. Afterwards no task is MANAGER_PLANNED. */
void manager_run(struct manager *manager, const struct manager_limits *limits);

/* Whether all that was to be done is done: instances that are not enabled and duplicates do not
 * count, nor do tasks that are only planned. */
bool manager_is_well(const struct manager *manager);

/* Whether there is anything to do or to tell at all. */
bool manager_has_work(const struct manager *manager);

/* The status as in JSON: "ok", "failed" and so on. */
const char *manager_status_name(enum manager_status status);

/* Seconds that the command took; 0 when it was not run. */
double manager_seconds(const struct manager_task *task);

/* Empties it. */
void manager_free(struct manager *manager);

#endif
