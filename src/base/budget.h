/* SPDX-License-Identifier: MIT */
/*
 * budget: how much work one instance may cause, whoever wrote its main.cf. Work is counted in units
 * of about half a nanosecond: a byte that is copied or looked at is one, what costs more is named
 * where it is spent. Now and then the limits of the run are looked at, too.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "base/limits.h"
#include <stddef.h>

/* For one instance: a file of 16 MiB can be read and joined to lines, and as much is left again. */
#define BUDGET_INSTANCE ((size_t)64 * 1024 * 1024)

enum budget_state {
    BUDGET_LEFT,
    BUDGET_SPENT, /* the instance causes too much work */
    BUDGET_ENDED, /* the run has to end: its time is over, or a signal came */
};

struct budget {
    size_t allowance; /* units that may be spent before the limits are looked at again */
    size_t left;      /* units after those */
    const struct limits *limits;
    enum budget_state state; /* once it is not BUDGET_LEFT, nothing can be spent any more */
};

/* A budget of so many units. limits may be NULL: then nothing but the budget ends the work. */
struct budget budget_start(size_t units, const struct limits *limits);

/* For budget_spend(): the part that is seldom needed. */
bool budget_renew(struct budget *budget, size_t units);

/* Spends so many units. False: the work has to stop, for the reason in budget->state. */
static inline bool budget_spend(struct budget *budget, size_t units)
{
    if (units > budget->allowance)
        return budget_renew(budget, units);
    budget->allowance -= units;
    return true;
}

/* Why the work had to stop, for the instance's error; "" when it did not have to. */
const char *budget_reason(const struct budget *budget);

#endif
