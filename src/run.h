/*
 * run: child processes, several at once, within one limit of time.
 */
#ifndef RUN_H
#define RUN_H

#include "alloc.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The most that is kept of a child's output, in bytes; the rest is read and dropped. */
#define RUN_OUTPUT_MAXIMUM ((size_t)1024 * 1024)

/* Between the polite signal (SIGTERM) and the other one (SIGKILL), in seconds. */
#define RUN_GRACE 1

enum run_output {
    RUN_INHERIT,     /* the child has our standard input, output and error */
    RUN_BOTH,        /* both streams are captured together; standard input is /dev/null */
    RUN_STDOUT_ONLY, /* standard output is captured, standard error goes to /dev/null */
};

enum run_outcome {
    RUN_PENDING,   /* not started */
    RUN_ENDED,     /* ended by itself: exit_status or signal */
    RUN_NOT_FOUND, /* could not be started: error */
    RUN_TIMED_OUT, /* ended by us, because the time was over */
    RUN_STOPPED,   /* ended by us, because we were interrupted */
};

struct run_child {
    /* set by the caller, and valid until the end */
    const char *program; /* an absolute path: no PATH is searched */
    char *const *argv;
    char *const *environment;
    enum run_output output;

    /* for the caller to read */
    enum run_outcome outcome;
    int exit_status; /* of RUN_ENDED without a signal */
    int signal;      /* that ended it, or 0 */
    int error;       /* errno of RUN_NOT_FOUND */
    UT_string text;  /* what it wrote; to be freed by run_free() */
    int64_t started; /* monotonic_now() values */
    int64_t finished;

    /* its own */
    pid_t pid;
    int process; /* pidfd */
    int pipe;
    bool terminated;
};

struct run {
    struct run_child *children;
    size_t count;
    int parallel; /* at once; at least 1 */
    int64_t stop; /* end of the whole run, monotonic_now(), or MONOTONIC_NEVER */
    const volatile sig_atomic_t *interrupted; /* a signal number to pass on, once not 0; or NULL */
    const sigset_t *signals;                  /* mask during the wait only; or NULL */
};

/*
 * Runs all children, in order, several at once, and waits for every one: a child is done when its
 * process ends, not when its output closes. Children get default signal handling, umask 022, the
 * descriptor limit that we were started with, a process group of their own, and no descriptor but
 * 0 to 2. When the time is over, or we are interrupted, no more are started, and those that run
 * are ended with their process group: at first politely.
 */
void run_all(const struct run *run);

/* Frees what a child wrote. */
void run_free(struct run_child *child);

#endif
