/* SPDX-License-Identifier: MIT */
/*
 * explain: why kicks failed, in words that an administrator can act on.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "postfix/kick.h"
#include "postfix/settings.h"

/* Sets the reason of every failed kick that has none, and of every duplicate. The settings say to
 * which class a service belongs. */
void explain_kicks(struct kicks *kicks, struct master_locks *locks,
                   const struct settings *settings);

#endif
