/* SPDX-License-Identifier: MIT */
/*
 * report/messages: the messages that are listed or counted, and the results of acting on them.
 */
#ifndef REPORT_MESSAGES_H
#define REPORT_MESSAGES_H

#include "postfix/kick.h"
#include "postfix/message.h"

/* Set by the caller. */
struct messages_report {
    const struct selection *selection;
    const struct messages *messages;
    const struct kicks *kicks; /* after the act; or NULL */
    bool json;
    bool dry_run;
    int64_t now; /* seconds since 1970 */
};

/* Appends a message to out: a line with its instance, queue, ID, age, size, sender and first
 * recipient; or postqueue(1)'s object with name and config_directory. */
void report_message(const struct messages_report *report, const struct messages_part *part,
                    const struct message *message, UT_string *out);

/* Appends the first kinds that were counted, as many as top says, to out: a table that ends with
 * the sum of all, below titles if with_titles; or JSON. */
void report_counts(const struct messages_report *report, size_t top, bool with_titles,
                   UT_string *out);

/* Appends an object for each instance that has failed to out, for JSON. */
void report_unlisted(const struct messages_report *report, UT_string *out);

/* Appends what was done in each instance to out, or in the dry run what would be done: lines, or
 * JSON. */
void report_acts(const struct messages_report *report, UT_string *out);

/* Writes to standard error what was not found, and why instances have failed: of those in which
 * something was found to act on (after the act), or of the others (before). If quiet, only the
 * error of a single instance. */
void report_messages_failures(const struct messages_report *report, bool after, bool quiet);

/* Shows on a terminal which instances are waited for; end as in struct progress. */
void report_messages_progress(const struct messages *messages, int64_t end);

#endif
