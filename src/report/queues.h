/* SPDX-License-Identifier: MIT */
/*
 * report/queues: what is in the queues of each selected instance: one reading for each member of
 * the selection, in the same order.
 */
#ifndef REPORT_QUEUES_H
#define REPORT_QUEUES_H

#include "postfix/queue.h"
#include "postfix/selection.h"

/* False if the queues of an instance that counts could not be read. One that is not enabled counts
 * only if it was named. */
bool report_queues_succeeded(const struct selection *selection,
                             const struct queue_reading *readings);

/*
 * Appends a table to out, with a line for each instance: name, group, messages in each queue, their
 * bytes, the age of the oldest, what is free of the file system, configuration directory. Several
 * instances have a line with the total, in which a queue directory counts once; what is in the
 * queue "corrupt" has lines of its own at the end. now: seconds since 1970.
 */
void report_queues_text(const struct selection *selection, const struct queue_reading *readings,
                        int64_t now, UT_string *out);

/* Appends one JSON object per line to out for each instance; their running has to be set: see
 * selection_find_running(). */
void report_queues_json(const struct selection *selection, const struct queue_reading *readings,
                        UT_string *out);

/* Writes to standard error why the queues of an instance could not be read; if verbose, also of one
 * that does not count. */
void report_queues(const struct selection *selection, const struct queue_reading *readings,
                   int verbose);

#endif
