/* SPDX-License-Identifier: MIT */
/*
 * spawn: starts a child process. Internal to process.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include "base/process.h"

/* Starts the child as process.h describes, and waits for its execve(2). Returns 0, or an errno with
 * nothing left behind. */
int spawn(struct process *child);

#endif
