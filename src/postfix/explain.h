/* SPDX-License-Identifier: MIT */
/*
 * explain: why kicks failed, in words that an administrator can act on.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "postfix/kick.h"

/* Sets the reason of every failed kick that has none, and of every duplicate. known_class returns
 * the class of a service, or NULL if it is unknown. */
void explain_kicks(struct kicks *kicks, struct master_locks *locks,
                   const char *(*known_class)(void *context, const char *service), void *context);

#endif
