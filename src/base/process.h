/* SPDX-License-Identifier: MIT */
/*
 * process: child processes, several at once, within the limits of the run.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "base/alloc.h"
#include "base/capture.h"
#include "base/limits.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Seconds between SIGTERM and SIGKILL. */
#define PROCESS_GRACE 1

/* What a child writes to. */
enum process_streams {
    PROCESS_INHERIT,             /* our standard output and standard error */
    PROCESS_CAPTURE,             /* both streams are captured, apart */
    PROCESS_CAPTURE_AS_TERMINAL, /* the same, and to the child standard error is a terminal */
    PROCESS_CAPTURE_OUTPUT,      /* standard output is captured, standard error is /dev/null */
};

/* What a child may use that is not trusted with more. */
struct process_confinement {
    const char *directory; /* where it works; NULL: here */
    rlim_t memory;         /* bytes of address space (RLIMIT_AS); 0: no limit of its own */
    rlim_t processor_time; /* seconds of computing (RLIMIT_CPU); 0: no limit of its own */
    bool ends_with_us;     /* killed when this program ends, whatever ends it */
};

enum process_outcome {
    PROCESS_PENDING,     /* not started */
    PROCESS_ENDED,       /* ended by itself: exit_status or signal */
    PROCESS_LOST,        /* ended, and how is not known: somebody else waited for it */
    PROCESS_NOT_STARTED, /* could not be started: error */
    PROCESS_TIMED_OUT,   /* ended by us, because the time was over */
    PROCESS_INTERRUPTED, /* ended by us, because we were interrupted */
};

struct process {
    /* set by the caller, and valid until the end */
    const char *program; /* a path with a slash in it; without #! a script of sh(1), as execvp(3) */
    char *const *argv;
    char *const *environment; /* NULL: ours */
    const UT_array *settings; /* strings "name=value" that replace some of it; or NULL */
    enum process_streams streams;
    bool inherits_input; /* standard input is ours; otherwise it is /dev/null */
    const struct process_confinement *confinement; /* or NULL */

    /* for the caller to read */
    enum process_outcome outcome;
    int exit_status;       /* -1 unless it exited */
    int signal;            /* that ended it, or 0 */
    int stopped_by;        /* the last signal that stopped it, or 0 */
    int error;             /* errno of PROCESS_NOT_STARTED */
    struct capture output; /* what it wrote to standard output, until process_free() */
    struct capture errors; /* and to standard error */
    int64_t started;       /* clock_now() values; 0 when it was not */
    int64_t finished;

    /* its own */
    pid_t pid;
    bool leads_group; /* the process group has its number */
    bool is_ending;   /* it was sent a signal, and is expected to end */
};

struct process_batch {
    struct process *processes;
    size_t count;
    int parallel; /* at once; at least 1 */
    const struct limits *limits;
    /* Called, unless NULL: before a child is started; when it was stopped, for the first time; and
     * when it has come to its end, in the order of that. */
    void (*starting)(void *context, struct process *child);
    void (*stopped)(void *context, struct process *child);
    void (*finished)(void *context, struct process *child);
    /* First after a second of waiting, then once a second. */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Runs all children, in order, several at once, and waits for every one: a child is done when its
 * process ends, not when its output closes. Where descriptors or processes run short, children wait
 * until others have ended. Children get default signal handling, umask 022, the descriptor limit
 * that we were started with, a process group of their own, and no descriptor but 0 to 2. (A child
 * that has our terminal stays in our process group: the terminal would stop it otherwise.)
 *
 * Once we are interrupted no more are started, and every signal is passed on to the process groups
 * of those that run, which are waited for. When the time is over, those that run are ended with
 * their process group: by SIGTERM, and PROCESS_GRACE seconds later by SIGKILL. One that is stopped
 * is continued to receive the signal, and killed when it stops again. A child that was never
 * started stays PROCESS_PENDING.
 */
void process_run(const struct process_batch *batch);

/* Frees what a child wrote; it may be called more than once. */
void process_free(struct process *child);

#endif
