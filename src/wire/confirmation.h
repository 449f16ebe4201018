/* SPDX-License-Identifier: MIT */
/*
 * confirmation: what a connected socket shows of the service at its other end: whether it has read
 * what was sent, and what it sends itself. Never waits.
 *
 * The request is read when SIOCOUTQ reads 0 and then SO_ERROR reads 0, and no earlier call failed.
 * When a service goes away with the request unread, Linux sets the socket's error before it frees
 * the request, so this order cannot take a reset for success; the other order can (measured). End
 * of file or a hang-up alone is never an answer. The error shows once: the caller has to
 * remember it.
 */
#ifndef CONFIRMATION_H
#define CONFIRMATION_H

#include <stdbool.h>

enum confirmation {
    CONFIRMATION_UNREAD,
    CONFIRMATION_READ,
    CONFIRMATION_UNKNOWN, /* the kernel does not say: there is no SIOCOUTQ */
    CONFIRMATION_ERROR,   /* the socket has failed: ECONNRESET when the service went away */
};

/* Whether all that was sent is read. *error is the errno of CONFIRMATION_ERROR, else 0. */
enum confirmation confirmation_look(int socket, int *error);

/*
 * Receives and drops what the service has sent, so that a full buffer does not keep it from
 * reading. Stops early when there is much: the service's next send is another event. Sets
 * *passes_descriptors when descriptors came along, which the kernel drops; that can take its time
 * (see guard.h), no honest service passes any, and so nothing is received once it is set.
 * Returns true at the end of file; otherwise false, with the errno of a failure or 0 in *error.
 */
bool confirmation_drain(int socket, bool *passes_descriptors, int *error);

#endif
