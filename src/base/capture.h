/* SPDX-License-Identifier: MIT */
/*
 * capture: reads what a child process writes to one of its streams. Never waits for it.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "base/alloc.h"
#include <stdbool.h>

/* The most that is kept of one stream, in bytes; the rest is read and dropped. */
#define CAPTURE_MAXIMUM ((size_t)1024 * 1024)

struct capture {
    UT_string text; /* NULL and 0 long where nothing is captured */
    bool truncated; /* more was written than CAPTURE_MAXIMUM */
    int error;      /* errno: why the rest could not be read, or 0 */
    /* private */
    int fd; /* our end; -1 when there is nothing more to read */
    bool is_terminal;
};

/* What a child gets to write to. */
enum capture_kind {
    CAPTURE_PIPE,
    /* A pseudo-terminal that changes no byte and is nobody's controlling terminal: for programs
     * that report more to a terminal. A pipe where pseudo-terminals are missing. */
    CAPTURE_TERMINAL,
};

/* Opens *capture. *writer is the child's end, which the caller closes. Returns 0, or an errno with
 * nothing open. */
int capture_open(struct capture *capture, enum capture_kind kind, int *writer);

/* Reads what is there, up to 64 KiB, so that a flood does not hold up others. */
void capture_read(struct capture *capture);

/* Reads all that was written before the child ended, and closes our end, whoever still holds the
 * other one. */
void capture_finish(struct capture *capture);

/* Closes our end and frees the text; truncated and error stay. May be called more than once. */
void capture_free(struct capture *capture);

#endif
