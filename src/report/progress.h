/*
 * progress: one line on a terminal while a run waits: how many of how many, which are missing,
 * how long still.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "postfix/kick.h"

/* True when standard error is a terminal. */
bool progress_is_wanted(void);

/* Writes the line, or writes it anew; for fanout's callback: context is a struct kicks. */
void progress_show(void *context, int64_t now);

/* Takes the line away, if there is one. */
void progress_clear(void);

#endif
