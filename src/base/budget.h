/* SPDX-License-Identifier: MIT */
/*
 * budget: bounds the work that one instance may cause, whoever wrote its main.cf. Work is counted
 * in units of about half a nanosecond: a byte that is copied or compared is one; higher costs are
 * defined where they are spent. Spending also checks the limits of the run now and then.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "base/limits.h"
#include <stddef.h>

/* For one instance: enough to read 16 MiB and join its lines, and as much again. */
#define BUDGET_INSTANCE ((size_t)64 * 1024 * 1024)

enum budget_state {
    BUDGET_LEFT,
    BUDGET_SPENT, /* the instance causes too much work */
    BUDGET_ENDED, /* the run has to end: its time is over, or a signal has arrived */
};

struct budget {
    size_t allowance; /* units that may be spent before the limits are checked again */
    size_t left;      /* further units */
    const struct limits *limits;
    enum budget_state state; /* nothing can be spent unless this is BUDGET_LEFT */
};

/* Returns a budget of that many units. limits may be NULL: only the budget ends the work then. */
struct budget budget_start(size_t units, const struct limits *limits);

/* Spends that many units. Returns false when the work has to stop: budget->state says why. */
bool budget_spend(struct budget *budget, size_t units);

/* Returns the units that are left. */
static inline size_t budget_units(const struct budget *budget)
{
    return budget->allowance + budget->left;
}

/* Returns why the work had to stop, for the instance's error; "" if it did not. */
const char *budget_reason(const struct budget *budget);

#endif
