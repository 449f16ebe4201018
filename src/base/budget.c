/* SPDX-License-Identifier: MIT */
/* Counts the work that one instance causes. */
#include "base/budget.h"

/* The limits are checked about once a millisecond; a check costs a microsecond. */
#define ALLOWANCE ((size_t)2 * 1024 * 1024)

struct budget budget_start(size_t units, const struct limits *limits)
{
    size_t allowance = units < ALLOWANCE ? units : ALLOWANCE;

    return (struct budget){.allowance = allowance, .left = units - allowance, .limits = limits};
}

/* Leaves nothing to spend. Always false, for the caller to return. */
static bool stop(struct budget *budget, enum budget_state state)
{
    *budget = (struct budget){.limits = budget->limits, .state = state};
    return false;
}

bool budget_spend(struct budget *budget, size_t units)
{
    if (units <= budget->allowance) {
        budget->allowance -= units;
        return true;
    }
    if (budget->state != BUDGET_LEFT)
        return false;
    if (units - budget->allowance > budget->left)
        return stop(budget, BUDGET_SPENT);
    if (budget->limits != NULL && limits_reached(budget->limits))
        return stop(budget, BUDGET_ENDED);
    budget->left -= units - budget->allowance;
    budget->allowance = budget->left < ALLOWANCE ? budget->left : ALLOWANCE;
    budget->left -= budget->allowance;
    return true;
}

const char *budget_reason(const struct budget *budget)
{
    switch (budget->state) {
    case BUDGET_LEFT:
        return "";
    case BUDGET_SPENT:
        return "more work than is allowed for one instance";
    case BUDGET_ENDED:
        return signals_received() != 0 ? "not read: interrupted" : "not read: time limit reached";
    }
    return "";
}
