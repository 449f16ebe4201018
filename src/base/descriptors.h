/* SPDX-License-Identifier: MIT */
/*
 * descriptors: the file descriptors of the process itself.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>

/* Opens /dev/null on those of 0 to 2 that are closed, so that nothing else lands there. Returns 0
 * or an errno. */
int descriptors_open_standard(void);

/* Raises the limit on open descriptors to the hard limit. */
void descriptors_raise_limit(void);

/* How many connections may be open at once within the limit, at least 1: some are kept back for
 * files. */
int descriptors_for_connections(void);

/* Whether the errno says that this process, or the host, has no descriptor left: worth trying again
 * when some are closed. */
bool descriptors_exhausted(int error);

/* Closes *fd unless it is -1, and makes it -1. */
void descriptors_close(int *fd);

/* In a child process before it runs another program: the limit that we were started with, and
 * every descriptor but 0 to 2 closed when it does. */
void descriptors_restore_for_child(void);

/*
 * Writes length bytes of text to a descriptor, whether it blocks or not, and waits for its reader:
 * until the end of the run that descriptors_limit_writing() has set and, so that a run that has
 * reached its end can still say so, for a second in any case; a signal that arrives meanwhile ends
 * the wait. Returns 0, or the errno: ETIMEDOUT and EINTR for these two.
 */
int descriptors_write(int fd, const char *text, size_t length);

/* Sets the limits of descriptors_write(), which keeps the pointer. NULL: it waits for ever, as at
 * the start. */
void descriptors_limit_writing(const struct limits *limits);

#endif
