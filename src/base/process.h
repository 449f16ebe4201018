/*
 * run: child processes, several at once, within one limit of time.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "base/alloc.h"
#include "base/limits.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The most that is kept of a child's output, in bytes; the rest is read and dropped. */
#define PROCESS_OUTPUT_MAXIMUM ((size_t)1024 * 1024)

/* Between the polite signal (SIGTERM) and the other one (SIGKILL), in seconds. */
#define PROCESS_GRACE 1

enum process_output {
    PROCESS_INHERIT,     /* the child writes to our standard output and error */
    PROCESS_BOTH,        /* both streams are captured together */
    PROCESS_STDOUT_ONLY, /* standard output is captured, standard error goes to /dev/null */
};

enum process_outcome {
    PROCESS_PENDING,     /* not started */
    PROCESS_ENDED,       /* ended by itself: exit_status or signal */
    PROCESS_NOT_STARTED, /* could not be started: error */
    PROCESS_TIMED_OUT,   /* ended by us, because the time was over */
    PROCESS_STOPPED,     /* ended by us, because we were interrupted */
};

struct process {
    /* set by the caller, and valid until the end */
    const char *program; /* a path; PATH is not searched */
    char *const *argv;
    char *const *environment; /* NULL: ours */
    const UT_array *settings; /* strings "name=value" that replace some of it; or NULL */
    enum process_output output;
    bool inherits_input; /* standard input is ours; otherwise it is /dev/null */

    /* for the caller to read */
    enum process_outcome outcome;
    int exit_status; /* -1 unless it exited */
    int signal;      /* that ended it, or 0 */
    int error;       /* errno of PROCESS_NOT_STARTED; otherwise, unless 0, why output was lost */
    UT_string text;  /* what it wrote; there once it was started, until process_free() */
    bool truncated;  /* it wrote more than is kept */
    int64_t started; /* clock_now() values; 0 when it was not */
    int64_t finished;

    /* its own */
    pid_t pid;
    int process; /* pidfd */
    int pipe;
    bool has_text;
    bool is_told; /* that it has to end */
};

struct process_batch {
    struct process *processes;
    size_t count;
    int parallel; /* at once; at least 1 */
    const struct limits *limits;
    /* called when a child has come to its end, in the order of that; or NULL */
    void (*finished)(void *context, struct process *child);
    void *context;
};

/*
 * Runs all children, in order, several at once, and waits for every one: a child is done when its
 * process ends, not when its output closes. Children get default signal handling, umask 022, the
 * descriptor limit that we were started with, a process group of their own, and no descriptor but
 * 0 to 2. (A child that reads from our terminal stays in our process group: the terminal would
 * stop it otherwise.)
 *
 * Once we are interrupted no more are started, and every signal is passed on to the process groups
 * of those that run, which are waited for. When the time is over, those that run are ended with
 * their process group: at first politely, and PROCESS_GRACE seconds later at last. A child that was
 * never started stays PROCESS_PENDING.
 */
void process_run(const struct process_batch *run);

/* Frees what a child wrote; it may be called more than once. */
void process_free(struct process *child);

#endif
