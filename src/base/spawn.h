/* SPDX-License-Identifier: MIT */
/*
 * spawn: starts a child process. Internal to process.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include "base/process.h"

/* Starts the child, as process.h describes its surroundings, and waits until it has become the
 * program. Returns 0, or an errno, with nothing left of it. */
int spawn(struct process *child);

#endif
