/* SPDX-License-Identifier: MIT */
/*
 * worker: work that may never end, because a file system does not answer, done by child processes.
 * Each worker answers one question at a time. One that does not answer in time is killed, and
 * another takes its place. The killed one is left behind and not waited for: it may be in a system
 * call that no signal ends.
 */
#ifndef WORKER_H
#define WORKER_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest question, in bytes. */
#define WORKER_QUESTION_MAXIMUM 512

/* The most workers at once. */
#define WORKER_MAXIMUM 64

/*
 * Answers a question about a path in the child: fills in the answer, whose bytes are zero, and
 * returns a descriptor to be passed with it, or -1. (Data of any size can be passed in a file of
 * memfd_create(2).) The child is a copy of the program as it was when one more worker was needed.
 * It works in "/", and has no descriptor but those that it opens, and no limits. All signals are
 * blocked.
 */
typedef int worker_function(const char *path, const void *question, void *answer);

enum worker_result {
    WORKER_ANSWERED,
    WORKER_LATE,    /* not answered in time: left behind */
    WORKER_ENDED,   /* it ended without an answer */
    WORKER_REFUSED, /* could not be started or asked, or pass its descriptor: error */
    WORKER_STOPPED, /* a signal, or the time of the run, came first */
};

struct worker_task {
    /* set by the caller, and valid until the end */
    worker_function *work;
    const char *path;
    const void *question; /* what else the work has to know: no addresses of the heap; or NULL */
    size_t length;        /* of the question, in bytes */
    void *answer;         /* filled in if WORKER_ANSWERED */
    size_t size;          /* of the answer, in bytes */

    /* for the caller to read */
    enum worker_result result;
    int fd;    /* that came with the answer, close-on-exec; or -1. The caller closes it. */
    int error; /* errno of WORKER_REFUSED */
};

/*
 * Has the tasks done, in order, and returns when each has a result. A task that takes longer than
 * share, in microseconds, is late. parallel, at least 1, is how many are done at once. A worker
 * that has been busy for a tenth of a second probably waits for its file system and no longer
 * counts, so that a few of them do not delay the others. Workers stay for the next call.
 */
void workers_run(struct worker_task *tasks, size_t count, int parallel, int64_t share,
                 const struct limits *limits);

/* Ends the workers. */
void workers_end(void);

#endif
