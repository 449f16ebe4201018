/* SPDX-License-Identifier: MIT */
/*
 * trigger: requests to endpoints, all at the same time, from one thread, with edge-triggered
 * epoll(7). Each request is a state machine that never blocks:
 *
 *   idle -> connecting (listen queue full: retried) -> writing (FIFO full) -> reading (sent, not
 *   yet read) -> closing (read, waiting for the service to finish) -> done
 *
 * A socket's request counts as read when SIOCOUTQ reads 0 and then SO_ERROR reads 0, and no earlier
 * call failed. When a service goes away with the request unread, Linux sets the socket's error
 * before it frees the request, so this order cannot take a reset for success; the other order can
 * (measured). End of file or a hang-up alone is never an answer. The kernel can wake us a moment
 * before SIOCOUTQ falls to 0, and no event follows: so SIOCOUTQ is read again each millisecond at
 * first, and less and less often later, up to each 100 ms.
 *
 * A FIFO's request counts as read when FIONREAD reads 0 at our end while a reader is there. Bytes
 * that others have written are waited for, too. -w has nothing to wait for. A process that reads
 * or writes a FIFO can hold all others that touch the FIFO (its memory may be mapped from a file
 * system that does not answer), and no signal ends that. So FIFOs are left to a child process,
 * which has a thread for each FIFO and is not waited for.
 *
 * Nothing is received, because a service can pass descriptors with its reply (SCM_RIGHTS, unix(7)).
 * The process that drops the last reference to one waits until it is closed. A lingering TCP socket
 * can delay that, even uninterruptibly. So sockets that may hold such descriptors are closed by a
 * child process, which has no other file open and is not waited for.
 *
 * A service whose listen queue was full is waited for even if it restarts meanwhile: when it
 * refuses a connection, or its endpoint is gone, the endpoint is looked up again until send_limit.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include "base/alloc.h"
#include "base/limits.h"
#include "wire/endpoint.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum trigger_state {
    TRIGGER_IDLE,
    TRIGGER_CONNECTING,
    TRIGGER_WRITING,
    TRIGGER_READING,
    TRIGGER_CLOSING,
    TRIGGER_DONE,
};

enum trigger_outcome {
    TRIGGER_PENDING,      /* not done, or abandoned by the caller */
    TRIGGER_KICKED,       /* read by the service; with wait_for_close: finished */
    TRIGGER_NOT_READ,     /* sent, not read within the limit */
    TRIGGER_NOT_FINISHED, /* read, connection not closed within the limit */
    TRIGGER_LOOKUP,       /* class or service cannot be looked up: error */
    TRIGGER_LINK,         /* class or service is a symbolic link */
    TRIGGER_HARD_LINKS,   /* a FIFO with several names */
    TRIGGER_WRONG_TYPE,   /* neither socket nor FIFO */
    TRIGGER_CONNECT,      /* connect or open failed: error */
    TRIGGER_QUEUE_FULL,   /* the listen queue stayed full */
    TRIGGER_NOT_WRITTEN,  /* the FIFO, or the socket's buffer, stayed full */
    TRIGGER_HELD,         /* no answer from the FIFO: a process that reads or writes it holds it */
    TRIGGER_NO_READER,    /* nobody has the FIFO open for reading */
    TRIGGER_CLOSED,    /* closed or reset before the request was read; a FIFO: no reader is left */
    TRIGGER_NO_TIME,   /* not started before the time of the whole run was over */
    TRIGGER_DUPLICATE, /* not sent: claim() refused the endpoint */
    TRIGGER_SEND,      /* send, write or another call failed: error */
};

/* What the triggers of a batch share. Private. */
struct trigger_shared {
    int control;        /* our end of a socket to the child process for FIFOs; -1: there is none */
    int errands;        /* FIFOs that it works on */
    int most_errands;   /* FIFOs that it can work on at once */
    UT_array lingering; /* of triggers that are done: sockets, whose close may block */
    bool has_renewed;   /* some that were done are to be started again */
};

/* Starts as zeroes. */
struct trigger {
    /* set by the caller, and valid until done */
    const char *queue_directory; /* absolute */
    const char *class;
    const char *service;
    const char *request;
    size_t request_length; /* bytes, without the terminating NUL */
    int send_limit;        /* seconds for connect and send: trigger_timeout */
    int read_limit;        /* seconds for the service to read: application_event_drain_time */
    bool wait_for_close;   /* not done until the service closes, up to read_limit more */
    bool is_probe;         /* an empty request is sent to a FIFO as a NUL, too: without a byte it
                              would show nothing */
    /* Called with the identity of an endpoint whenever one was opened, before anything is sent.
     * Returns false if another trigger sends to that endpoint. May be NULL. */
    bool (*claim)(void *context, const struct endpoint_identity *identity);
    void *context;

    /* for the caller to read */
    enum trigger_state state;
    enum trigger_outcome outcome;
    int error;      /* errno that goes with the outcome */
    bool is_socket; /* not a FIFO; once it was opened */
    pid_t peer;     /* after TRIGGER_NOT_READ and _NOT_FINISHED: who listens on the socket; or 0 */
    int seconds;    /* the limit of the step it is in, or was in when it ended */
    /* clock_now() values. The time for which other triggers waited for a file system meanwhile is
     * not counted: started is later by that much. */
    int64_t started, finished;

    /* private */
    struct endpoint endpoint;
    struct trigger_shared *shared;
    int fd;          /* waited on, once started; or -1 */
    bool is_watched; /* with epoll(7) */
    int64_t due;     /* when there is something to do without an event: a clock_now() value */
    int64_t ends;    /* when the step it is in ends at the latest */
    int64_t entered; /* when the present step began */
    int64_t pause;   /* microseconds until the next attempt to connect, or the next look */
    size_t written;  /* bytes of the request, with its NUL on a socket, that are sent */
    int64_t stop;    /* end of the whole run, or of the whole_limit of the batch */
    bool was_full;   /* the service was there, and its listen queue full */
};

struct trigger_batch {
    struct trigger *triggers;
    size_t count;
    int connections; /* the most that are open at once, of FIFOs a quarter; 0: any number */
    int whole_limit; /* seconds for each trigger, from its start; 0: as long as it takes */
    const struct limits *limits;
    /* When not NULL, called first after a second of waiting, then once a second. */
    void (*progress)(void *context, int64_t now);
    void *context;
};

/*
 * Runs all idle triggers until they are done; others are left alone. Several silent services take
 * the longest of their limits, not the sum. When there are more triggers than connections, or than
 * descriptors, they take turns. After an interruption, triggers that are not done keep
 * TRIGGER_PENDING; nothing stays open. Returns 0, or the errno of epoll(7).
 */
int trigger_run(const struct trigger_batch *batch);

/* For claim(): makes a trigger whose outcome is TRIGGER_DUPLICATE idle, to be started again. The
 * trigger that was to be sent in its place has found the listen queue full and has gone to another
 * endpoint since. */
void trigger_renew(struct trigger *trigger);

/* For claim(): raises the limits of a trigger, in any step, to those given in seconds where these
 * are longer. */
void trigger_extend(struct trigger *trigger, int send_limit, int read_limit);

/* Looks up, checks and claims the endpoint as a run would, connects to nothing, and sets the
 * outcome: TRIGGER_PENDING if the request could be sent. */
void trigger_check(struct trigger *trigger);

#endif
