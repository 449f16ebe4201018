/* SPDX-License-Identifier: MIT */
/*
 * explain: why kicks failed, in words that an administrator can act on.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "postfix/kick.h"

/* Sets the reason of every kick that has none and that did not go well, and of every duplicate.
 * known_class returns the class that a service is known to have, or NULL. */
void explain_kicks(struct kicks *kicks, struct master_locks *locks,
                   const char *(*known_class)(void *context, const char *service), void *context);

#endif
