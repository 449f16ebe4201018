/* SPDX-License-Identifier: MIT */
/*
 * reader: the logical lines of a main.cf (see maincf.h for what they are).
 */
#ifndef READER_H
#define READER_H

#include "base/budget.h"

/* The text of a file and how far it is read. Set at, end and budget; end is on a NUL. */
struct reader {
    char *at;
    char *end;
    size_t line; /* the number of the last line read */
    struct budget *budget;
};

/* Comments and empty lines dropped, continuation lines joined, terminated by a NUL. */
struct reader_line {
    char *text; /* within the reader's text, which is changed for it */
    size_t length;
    size_t number; /* of its first physical line */
};

/* Takes the next logical line, a unit of the budget for each byte and some for each line. False:
 * there is none, or the budget does not allow it, as budget->state shows. */
bool reader_next(struct reader *reader, struct reader_line *line);

#endif
