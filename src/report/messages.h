/* SPDX-License-Identifier: MIT */
/*
 * report/messages: the messages that are listed or counted, and the results of acting on them.
 */
#ifndef REPORT_MESSAGES_H
#define REPORT_MESSAGES_H

#include "postfix/message.h"

struct kicks;

struct messages_report {
    /* set by the caller */
    const struct messages *messages; /* whose limits end the run when nobody reads the list */
    const struct kicks *kicks;       /* after the act; or NULL */
    size_t top;                      /* how many keys of the counts are shown */
    bool json;
    bool dry_run;
    bool quiet;  /* of the failures, only the error of a single instance */
    int64_t now; /* seconds since 1970 */

    UT_string out;     /* what was not written yet; belongs to the caller */
    bool failed;       /* to write to standard output, which was reported */
    size_t name_width; /* of the table of messages; 0 before the first one */
};

/* The found and the waiting of struct messages, with a struct messages_report as the context.
 * Reports a message: a line with its instance, queue, ID, age, size, sender and first recipient; or
 * postqueue(1)'s object with name and config_directory. Writes the messages found so far, or shows
 * on a terminal which instances are waited for. */
void report_message(void *context, const struct message *message);
void report_messages_waiting(void *context);

/*
 * Reports, before the act, the rest of the list; or the counts, as a table that ends with the sum
 * of all, or as JSON; and the failures of instances in which nothing was found to act on. And after
 * it, the results in each instance, or in the dry run the plan, as lines or JSON; and the failures
 * of the others.
 */
void report_messages(struct messages_report *report, bool after);

#endif
