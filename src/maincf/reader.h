/* SPDX-License-Identifier: MIT */
/*
 * reader: takes a main.cf apart into logical lines (defined in maincf.h).
 */
#ifndef READER_H
#define READER_H

#include "base/budget.h"

/* The text of a file, and how far it is read. The caller sets at, end (a NUL) and budget. */
struct reader {
    char *at;
    char *end;
    size_t line; /* the number of the last line read */
    struct budget *budget;
};

/* Without comments and empty lines, with continuation lines joined, terminated by a NUL. */
struct reader_line {
    char *text; /* within the reader's text, which is changed for it */
    size_t length;
    size_t number; /* of its first physical line */
};

/* Takes the next logical line; costs a unit of the budget for each byte, and some for each line.
 * Returns false at the end, or when the budget is exceeded: see budget->state. */
bool reader_next(struct reader *reader, struct reader_line *line);

#endif
