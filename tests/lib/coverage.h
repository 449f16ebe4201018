/* SPDX-License-Identifier: MIT */
/*
 * coverage: included in every file of the build that records what is covered: a child process that
 * ends by _exit(2) writes down what it has run, as one that returns from main() does.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <unistd.h>

void __gcov_dump(void);

/* The status first: it may come from a call that reports why the process ends, and a process with
 * little memory can end in the next call. */
static inline _Noreturn void coverage_end(int status)
{
    __gcov_dump();
    _exit(status);
}

#define _exit(status) coverage_end(status)

#endif
