/* SPDX-License-Identifier: MIT */
/*
 * process: runs child processes, several at once, within the limits of the run.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "base/alloc.h"
#include "base/limits.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* How much of one stream is kept in memory, in bytes; the rest is in a file. */
#define CAPTURE_MEMORY ((size_t)256 * 1024)

/* The longest line that line() receives, in bytes; a longer one is read and dropped. */
#define CAPTURE_LINE_MAXIMUM ((size_t)16 * 1024 * 1024)

/* The output of a child to one of its streams: see capture_read(). */
struct capture {
    UT_string text; /* the first CAPTURE_MEMORY bytes, or with line() the line that is not complete
                       yet; NULL and 0 long if nothing is captured */
    size_t length;  /* of all that is kept, in bytes */
    bool truncated; /* more was written than output_maximum or CAPTURE_LINE_MAXIMUM */
    int error;      /* errno: why the rest could not be read or kept, or 0 */
    /* private */
    int fd;           /* our end; -1 when there is nothing more to read */
    int file;         /* the bytes after text; -1: there are none */
    const char *loss; /* what error kept us from */
    bool is_terminal;
    bool drops_line;       /* until the next newline */
    struct process *child; /* whose it is */
};

/* The output of a child. */
enum process_streams {
    PROCESS_INHERIT,             /* our standard output and standard error */
    PROCESS_CAPTURE,             /* both streams are captured, apart */
    PROCESS_CAPTURE_AS_TERMINAL, /* the same, and standard error is a terminal for the child: some
                                    programs report more to one */
};

enum process_outcome {
    PROCESS_PENDING,     /* not started */
    PROCESS_ENDED,       /* by itself: exit_status or signal */
    PROCESS_NOT_STARTED, /* could not be started: error */
    PROCESS_TIMED_OUT,   /* ended by us: the time was over */
    PROCESS_INTERRUPTED, /* ended by us: a signal interrupted us */
    PROCESS_LEFT,        /* the time was over, and it could not be ended: it may still be there */
};

struct process {
    /* set by the caller, and valid until the end */
    const char *program; /* a path with a slash; a script without #! is run by sh(1) */
    char *const *argv;
    char *const *environment; /* NULL: ours */
    const UT_array *settings; /* strings "name=value" to be set in it, or NULL */
    enum process_streams streams;
    bool inherits_input;    /* standard input is ours; otherwise it is /dev/null */
    const UT_string *input; /* what it reads from standard input instead; or NULL */
    /* Limits for a child that is not trusted: bytes of address space, seconds of processor time. It
     * works in "/", and is killed when this program ends, for whatever reason. 0: none of this. */
    rlim_t memory, processor_time;
    /* Bytes of each captured stream that are kept; the rest is read and dropped. 0: all that the
     * disk has room for. */
    size_t output_maximum;
    /* Called for each line of output, without its newline, as soon as it is complete; the output
     * is not kept. NULL: the output is kept. */
    void (*line)(struct process *child, bool is_error, const char *text, size_t length);
    void *owner; /* for the callbacks */

    /* for the caller to read */
    enum process_outcome outcome;
    int exit_status;               /* -1 unless it exited */
    int signal;                    /* that ended it, or 0 */
    int stopped_by;                /* the last signal that stopped it, or 0 */
    int error;                     /* errno of PROCESS_NOT_STARTED */
    struct capture output, errors; /* until process_free(); if run again, after those of before */
    int64_t started;               /* clock_now() values; 0 before */
    int64_t finished;

    /* private */
    pid_t pid;
    bool leads_group; /* of a process group of its own */
    bool is_ending;   /* it was sent a signal to end it */
    bool gives_way;   /* it was silent in its turn */
};

enum process_event {
    PROCESS_STARTS,   /* the child is about to be started */
    PROCESS_STOPPED,  /* a signal has stopped it, for the first time: stopped_by */
    PROCESS_FINISHED, /* it has an outcome */
    PROCESS_WAITING,  /* a second of waiting has passed; there is no child */
};

struct process_batch {
    struct process *const *processes;
    size_t count;
    int parallel; /* at once; at least 1 */
    /* Standard output is read from one child at a time, in their order. One that is silent for a
     * second gives way to all others. */
    bool in_turn;
    const struct limits *limits; /* whose end a callback may bring nearer */
    /* How many of the earlier signals (signals_count()) do not count, for children that have to be
     * run even after a signal; 0: all count. */
    int signals_known;
    /* Called at every event, unless NULL. */
    void (*observe)(void *context, enum process_event event, struct process *child);
    void *context;
};

/*
 * Starts the children in order, several at once, and waits for all. A child is done when its
 * process ends, not when its output is closed. Where descriptors or processes run short, children
 * wait until others have ended. Children get default signal handling, umask 022, the original
 * descriptor limit, a process group of their own unless they have our terminal, which would stop
 * them, and no descriptor but 0 to 2.
 *
 * After an interruption no more children are started, and each signal is passed on to the process
 * groups of the running ones, which are waited for. When the time is over, the running ones are
 * ended with their process groups: SIGTERM first, SIGKILL half a second later. What is still there
 * before the second is over, because it waits for a file system or a tracer, is left. A stopped
 * child is continued to receive the signal, and killed when it stops again.
 */
void process_run(const struct process_batch *batch);

/* Returns how the child has failed, a new string ("exit status 3", "not finished within 5s"); or
 * NULL if it ended with exit status 0, and its output was read and kept, as far as output_maximum
 * and CAPTURE_LINE_MAXIMUM allow. The limits are the batch's. */
char *process_failure(const struct process *child, const struct limits *limits);

/* An environment for programs of Postfix, with nothing from ours: a PATH, and messages in English.
 */
extern char *const process_clean_environment[];

/* Returns how many processors this process may use, at least 1. */
int process_count_processors(void);

/* Copies up to size bytes of the kept output to buffer, from the byte number at on. Returns how
 * many; 0 at the end, and where the file cannot be read. */
size_t capture_read(const struct capture *capture, size_t at, char *buffer, size_t size);

/* Frees the output of a child. May be called more than once. */
void process_free(struct process *child);

#endif
