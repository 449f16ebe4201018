/* SPDX-License-Identifier: MIT */
/*
 * descriptors: the process's file descriptors: the standard ones, the limit on their number, and
 * opening the file of a descriptor again.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* To be called first. Opens /dev/null on those of 0 to 2 that are closed, so that no other file
 * gets these numbers, and /proc/self/fd for descriptors_reopen(); raises the limit on descriptors
 * to the hard limit. Returns NULL; or the reason for a failure, a new string. */
char *descriptors_start(void);

/* Whether the errno means that this process or the host has no descriptor left: the call can be
 * repeated when some are closed. */
bool descriptors_exhausted(int error);

/* Returns a path of the file of an open descriptor, never of another file of the same name. */
struct descriptors_path {
    char text[32];
};
struct descriptors_path descriptors_path(int fd);

/* Opens the file of the descriptor again, through /proc/self/fd and never by a name; flags as for
 * open(2). Returns a descriptor, or -1 with errno. Not for a child process, whose open
 * /proc/self/fd is that of the parent. */
int descriptors_reopen(int fd, int flags);

/* Opens a file that has no name: in memory, if in_memory is true and Linux allows it, otherwise in
 * the directory of TMPDIR. Returns a descriptor, or -1 with errno. */
int descriptors_open_unnamed(bool in_memory);

/* Closes *fd unless it is -1, and makes it -1. */
void descriptors_close(int *fd);

/* Sends a packet with up to two descriptors over a socket of type SOCK_SEQPACKET; flags as for
 * send(2). Returns 0 or an errno. */
int descriptors_send(int socket, const void *packet, size_t length, int flags, const int *passed,
                     size_t count);

/*
 * Receives a packet of up to length bytes and up to two descriptors, which are close-on-exec. Sets
 * count elements of passed: to -1 for each descriptor that did not come. Returns the packet's
 * length, 0 at the end, or -1 with errno. EMFILE means that the packet was received, but that no
 * number was free for a descriptor.
 */
ssize_t descriptors_receive(int socket, void *packet, size_t length, int flags, int *passed,
                            size_t count);

/* In a child process before execve(2): restores the original limit, and makes execve(2) close every
 * descriptor but 0 to 2. */
void descriptors_restore_for_child(void);

/* In a child process that goes on with our code: closes every descriptor but the kept ones, which
 * it sorts and of which none is 0 to 2, and opens /dev/null on these. Returns 0 or an errno. */
int descriptors_keep_only(int *kept, size_t count);

#endif
