/* SPDX-License-Identifier: MIT */
/*
 * report/queues: the contents of the queues of each selected instance: one reading for each member
 * of the selection, in the same order.
 */
#ifndef REPORT_QUEUES_H
#define REPORT_QUEUES_H

#include "postfix/queue.h"
#include <stdbool.h>

struct selection;

struct queues_report {
    const struct selection *selection;
    const struct queue_reading *readings;
    bool json;
    bool quiet;
    int verbose; /* how often -v */
    int64_t now; /* seconds since 1970; for text only */
};

/*
 * Reports on standard output a table, with a line for each instance: name, group, messages in each
 * queue, their bytes, the age of the oldest, free space of the file system, configuration
 * directory. Several instances have a line with the total, if any queue could be read, in which a
 * queue directory counts once; the messages in the queue "corrupt" have lines of their own at the
 * end. Or, for JSON, one object per line for each instance; their running has to be set: see
 * selection_find_running(). Reports on standard error, unless quiet, why the queues of an instance
 * could not be read; if verbose, also of one that does not count: it is not enabled and was not
 * named. Returns false if those of an instance that counts could not be read, or standard output
 * not written, which was reported.
 */
bool report_queues(const struct queues_report *report);

#endif
