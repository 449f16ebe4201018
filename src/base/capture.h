/* SPDX-License-Identifier: MIT */
/*
 * capture: what a child process writes to one of its streams, read without ever waiting for it.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "base/alloc.h"
#include <stdbool.h>

/* The most that is kept of one stream, in bytes; the rest is read and dropped. */
#define CAPTURE_MAXIMUM ((size_t)1024 * 1024)

struct capture {
    UT_string text; /* NULL and 0 long where nothing is captured */
    bool truncated; /* more was written than is kept */
    int error;      /* errno: why the rest could not be read, or 0 */
    /* its own */
    int fd; /* where it is read; -1 where there is nothing to read, or no more */
    bool is_terminal;
};

/* What a child gets to write to. */
enum capture_kind {
    CAPTURE_PIPE,
    /* A pseudo-terminal that changes no byte, and that is nobody's controlling terminal: for
     * programs that say more to a terminal. Where there are none, a pipe. */
    CAPTURE_TERMINAL,
};

/* Opens it, with *writer the child's end, which the caller closes. Returns 0; or an errno, with
 * nothing open. */
int capture_open(struct capture *capture, enum capture_kind kind, int *writer);

/* Reads what is there, or a good part of it, so that a flood does not hold up others. */
void capture_read(struct capture *capture);

/* Reads all that was written before the child ended, and closes it, whoever else may still hold
 * the other end. */
void capture_finish(struct capture *capture);

/* Closes it and frees the text; truncated and error stay. It may be called more than once. */
void capture_free(struct capture *capture);

#endif
