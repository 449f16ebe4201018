/* SPDX-License-Identifier: MIT */
/* Reports what is in the queues of each instance, as a table and as JSON. */
#include "report/queues.h"
#include "base/diag.h"
#include "report/row.h"

static bool counts(const struct selection_member *member)
{
    return member->instance->enabled != INSTANCE_DISABLED || member->is_named;
}

/* Returns the messages of all queues but corrupt; none if they could not be read. */
static struct queue_tally add_up(const struct queue_reading *reading)
{
    struct queue_tally sum = {0};

    for (int i = 0; i < QUEUE_CORRUPT && reading->reason == NULL; i++)
        queue_add(&sum, &reading->contents.queues[i]);
    return sum;
}

/* The queue directories that were read. */
struct seen {
    struct {
        dev_t device;
        ino_t inode;
    } directory;
    UT_hash_handle hh;
};

ALLOC_TABLES_ARE_KEPT

/* Whether the directory is in the table; adds it otherwise. */
static bool is_seen(struct seen **table, struct seen *own, const struct queue_contents *contents)
{
    struct seen *found;

    own->directory.device = contents->device;
    own->directory.inode = contents->inode;
    HASH_FIND(hh, *table, &own->directory, sizeof(own->directory), found);
    if (found == NULL)
        HASH_ADD(hh, *table, directory, sizeof(own->directory), own);
    return found != NULL;
}

static const struct row_column columns[] = {
    {.title = "NAME"},
    {.title = "GROUP"},
    {.title = "INCOMING", .is_number = true},
    {.title = "ACTIVE", .is_number = true},
    {.title = "DEFERRED", .is_number = true},
    {.title = "HOLD", .is_number = true},
    {.title = "MAILDROP", .is_number = true},
    {.title = "SIZE", .is_number = true},
    {.title = "OLDEST", .is_number = true},
    {.title = "FREE", .is_number = true},
    {.title = "DIRECTORY"},
};

/* The total has no directory. */
static void add_row(UT_array *cells, const char *name, const char *group, const char *directory,
                    const struct queue_reading *reading, int64_t now)
{
    const struct queue_contents *contents = &reading->contents;
    struct queue_tally sum = add_up(reading);

    row_add_cell(cells, "%s", name);
    row_add_cell(cells, "%s", group);
    for (int i = 0; i < QUEUE_CORRUPT; i++) {
        if (reading->reason == NULL)
            row_add_cell(cells, "%lld", (long long)contents->queues[i].messages);
        else
            row_add_cell(cells, "-");
    }
    if (sum.messages == 0) {
        row_add_cell(cells, "-");
        row_add_cell(cells, "-");
    } else {
        row_add_bytes(cells, sum.bytes);
        row_add_age(cells, now - sum.oldest);
    }
    if (reading->reason != NULL || contents->total_bytes == 0)
        row_add_cell(cells, "%s", directory[0] == '\0' ? "" : "-");
    else
        row_add_cell(cells, "%d%%",
                     (int)((double)contents->free_bytes * 100 / (double)contents->total_bytes));
    row_add_cell(cells, "%s", directory);
}

static void append_corrupt(const struct queue_reading *reading, int64_t now, UT_string *out)
{
    const struct queue_tally *tally = &reading->contents.queues[QUEUE_CORRUPT];
    UT_array *words;

    if (tally->messages == 0)
        return;
    utarray_new(words, &strings_icd);
    row_add_bytes(words, tally->bytes);
    if (tally->oldest > 0)
        row_add_age(words, now - tally->oldest);
    row_append_line(out, "corrupt: %s/%s: %lld message%s, size %s%s%s", reading->directory,
                    queue_names[QUEUE_CORRUPT], (long long)tally->messages,
                    tally->messages == 1 ? "" : "s", strings_item(words, 0),
                    tally->oldest > 0 ? ", oldest " : "",
                    tally->oldest > 0 ? strings_item(words, 1) : "");
    utarray_free(words);
}

static void append_table(const struct queues_report *report, UT_string *out)
{
    const struct selection *selection = report->selection;
    const struct queue_reading *readings = report->readings;
    struct seen *table = NULL, *all = alloc_zeroed(selection->member_count, sizeof(*all));
    struct queue_reading total = {.directory = NULL};
    UT_string corrupt;
    UT_array *cells;
    bool is_known = false;

    utarray_new(cells, &strings_icd);
    utstring_init(&corrupt);
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        add_row(cells, row_value(instance, PARAMETER_MULTI_INSTANCE_NAME),
                row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP), instance->config_directory,
                &readings[i], report->now);
        is_known = is_known || readings[i].reason == NULL;
        if (readings[i].reason != NULL || is_seen(&table, &all[i], &readings[i].contents))
            continue;
        for (int j = 0; j < QUEUE_COUNT; j++)
            queue_add(&total.contents.queues[j], &readings[i].contents.queues[j]);
        append_corrupt(&readings[i], report->now, &corrupt);
    }
    if (selection->member_count > 1 && is_known)
        add_row(cells, "total", "", "", &total, report->now);
    row_append_table(out, columns, sizeof(columns) / sizeof(columns[0]), cells, true);
    utstring_concat(out, &corrupt);
    utstring_done(&corrupt);
    utarray_free(cells);
    HASH_CLEAR(hh, table);
    free(all);
}

/* Members of a row or of a queue; null for what is not known. */
static void add_number(json_t *object, const char *name, bool is_known, uint64_t number)
{
    row_add(object, name, is_known ? json_integer((json_int_t)number) : json_null());
}

static void add_tally(json_t *object, bool is_known, const struct queue_tally *tally)
{
    add_number(object, "messages", is_known, (uint64_t)tally->messages);
    add_number(object, "bytes", is_known, (uint64_t)tally->bytes);
    add_number(object, "oldest", tally->oldest > 0, (uint64_t)tally->oldest);
}

static json_t *make_queues(const struct queue_contents *contents)
{
    json_t *queues = row_new(NULL);

    for (int i = 0; i < QUEUE_COUNT; i++) {
        json_t *queue = row_new(NULL);

        add_tally(queue, true, &contents->queues[i]);
        row_add(queues, queue_names[i], queue);
    }
    return queues;
}

static void append_json(const struct selection_member *member, const struct queue_reading *reading,
                        UT_string *out)
{
    const struct queue_contents *contents = &reading->contents;
    bool is_known = reading->reason == NULL;
    struct queue_tally sum = add_up(reading);
    json_t *row = row_new(member->instance);

    row_add(row, "queues", is_known ? make_queues(contents) : json_null());
    add_tally(row, is_known, &sum);
    add_number(row, "free_bytes", is_known, contents->free_bytes);
    add_number(row, "total_bytes", is_known, contents->total_bytes);
    add_number(row, "free_inodes", is_known && contents->total_inodes > 0, contents->free_inodes);
    add_number(row, "total_inodes", is_known && contents->total_inodes > 0, contents->total_inodes);
    row_add_text(row, "status", is_known ? "ok" : counts(member) ? "failed" : "disabled");
    row_add_text(row, "reason", reading->reason);
    row_finish(row, out);
}

bool report_queues(const struct queues_report *report)
{
    const struct selection *selection = report->selection;
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; report->json && i < selection->member_count; i++)
        append_json(&selection->members[i], &report->readings[i], &out);
    if (!report->json)
        append_table(report, &out);
    bool succeeded = output_flush(&out);
    utstring_done(&out);
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct selection_member *member = &selection->members[i];
        const struct queue_reading *reading = &report->readings[i];
        bool is_wanted = counts(member);

        if (member->state == SELECTION_DUPLICATE && !report->quiet)
            row_diag(selection, member->instance, "warning", "listed twice");
        if (reading->reason == NULL)
            continue;
        succeeded = succeeded && !is_wanted;
        if (report->quiet || (!is_wanted && report->verbose == 0))
            continue;
        if (member->state == SELECTION_FAILED)
            row_diag_error(selection, member->instance);
        else
            row_diag(selection, member->instance, is_wanted ? "warning" : NULL, "%s",
                     reading->reason);
    }
    return succeeded;
}
