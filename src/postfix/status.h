/* SPDX-License-Identifier: MIT */
/*
 * status: whether each instance is in order: its queue manager reads an empty request; and without
 * a request, whether master(8), pickup(8) and the queue's file system are in order.
 */
#ifndef STATUS_H
#define STATUS_H

#include "postfix/kick.h"

enum status_answer {
    STATUS_ANSWERED,
    STATUS_SILENT,  /* the queue manager is missing, or did not read the request */
    STATUS_UNASKED, /* the request did not reach the queue manager, or could not be sent */
};

enum status_state {
    STATUS_OK,
    STATUS_FULL,           /* smtpd(8) refuses mail: there is no room in the queue's file system */
    STATUS_STOPPED,        /* a signal or a debugger has stopped master(8) */
    STATUS_NO_PICKUP,      /* master.cf has pickup(8), and no process is listening for it */
    STATUS_NOT_RESPONDING, /* it runs, as far as is known */
    STATUS_NOT_RUNNING,
    STATUS_UNKNOWN,
};

struct status {
    const struct kick *kick;
    enum status_answer answer;
    enum status_state state;
    bool is_wanted;     /* enabled, or asked for by name */
    bool has_succeeded; /* it is in order, or not wanted */
    double seconds;     /* until the queue manager had read the request */
    char *reason;       /* why it is not in order; NULL if it is */
};

/*
 * Finds the status of each instance of a selection from the kicks of -s, one for each, whose
 * results are there. Their instances' running has to be set: see selection_find_running(). Looks at
 * master.cf, at the sockets that processes are listening on (sock_diag(7)) and at the file system,
 * and sends nothing. Returns one for each kick, in order, to be freed by statuses_free().
 *
 * Of several instances with one queue directory, only its owner can run: the one whose master(8)
 * holds the locks of both the queue directory and its own data directory. The others have failed,
 * if the owner is known, and their running becomes MASTER_STOPPED; one that is not selected is
 * found by the host's conflicts. There is no room in a file system where smtpd(8) refuses mail: not
 * more than queue_minfree, or than 1.5 times message_size_limit (measured with 3.7), or no inode.
 */
struct status *statuses_find(const struct kicks *kicks);

/* Frees count of them. */
void statuses_free(struct status *statuses, size_t count);

#endif
