/* SPDX-License-Identifier: MIT */
/*
 * coverage: included in every file of the build that records what is covered: a child process that
 * ends by _exit(2) writes down what it has run, as one that returns from main() does.
 */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <unistd.h>

void __gcov_dump(void);

#define _exit(status) (__gcov_dump(), _exit(status))

#endif
