/* SPDX-License-Identifier: MIT */
/* Reports messages, their numbers, and what was done with them. */
#include "report/messages.h"
#include "base/diag.h"
#include "report/kicks.h"
#include "report/row.h"
#include <string.h>
#include <unistd.h>

/* How many characters of a name or an address the columns of a message have room for. */
#define WIDTH 30

/* How many messages a dry run names. */
#define SHOWN 3

/* Messages are collected up to so many bytes. */
#define BLOCK 65536

/* Writes what was collected. */
static void flush(struct messages_report *report)
{
    if (!report->failed && !output_flush(&report->out)) {
        report->failed = true;
        report->limits->end = clock_now();
    }
    utstring_clear(&report->out);
}

static const char *name_of(const struct messages_part *part)
{
    return row_value(part->member->instance, PARAMETER_MULTI_INSTANCE_NAME);
}

/* Returns how wide the widest name is. */
static size_t find_name_width(const struct selection *selection)
{
    size_t width = 0;

    for (size_t i = 0; i < selection->member_count && width < WIDTH; i++) {
        const char *name = row_value(selection->members[i].instance, PARAMETER_MULTI_INSTANCE_NAME);
        size_t length = strnlen(name, WIDTH);

        width = length > width ? length : width;
    }
    return width;
}

/* Messages are written as they are found: the widths are enough for most. */
static void append_text(struct messages_report *report, const struct messages_part *part,
                        const struct message *message)
{
    bool is_first = report->name_width == 0;
    UT_array *cells;
    const char *reason;
    size_t count = message->recipient_count;

    if (is_first)
        report->name_width = find_name_width(report->selection);
    const struct row_column columns[] = {
        {.title = "NAME", .width = report->name_width},
        {.title = "QUEUE", .width = 8},
        {.title = "ID", .width = 15},
        {.title = "AGE", .width = 6, .is_number = true},
        {.title = "SIZE", .width = 6, .is_number = true},
        {.title = "SENDER", .width = WIDTH},
        {.title = "RECIPIENTS"},
    };
    utarray_new(cells, &strings_icd);
    row_add_cell(cells, "%s", name_of(part));
    row_add_cell(cells, "%s", message->queue);
    row_add_cell(cells, "%s", message->id);
    row_add_age(cells, report->now - message->arrival);
    row_add_bytes(cells, message->size);
    row_add_cell(cells, "%s", message->sender);
    char *others = count > 1 ? alloc_format(" +%zu", count - 1) : alloc_string("");
    row_add_cell(cells, "%s%s", count > 0 ? message_recipient(message, 0, &reason) : "-", others);
    free(others);
    row_append_table(&report->out, columns, sizeof(columns) / sizeof(*columns), cells,
                     is_first && isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
}

void report_message(void *context, const struct messages_part *part, const struct message *message)
{
    struct messages_report *report = context;

    if (report->failed)
        return;
    if (report->json) {
        json_t *row = json_incref(message->object);

        row_add_text(row, "name", name_of(part));
        row_add_text(row, "config_directory", part->member->instance->config_directory);
        row_finish(row, &report->out);
    } else {
        append_text(report, part, message);
    }
    if (utstring_len(&report->out) >= BLOCK)
        flush(report);
}

static void append_count_json(const char *key, uint64_t messages, uint64_t bytes, UT_string *out)
{
    json_t *row = row_new(NULL);

    row_add_text(row, "key", key);
    row_add(row, "messages", json_integer((json_int_t)messages));
    row_add(row, "bytes", json_integer((json_int_t)bytes));
    row_finish(row, out);
}

static void add_count_cells(UT_array *cells, uint64_t messages, uint64_t bytes)
{
    row_add_cell(cells, "%llu", (unsigned long long)messages);
    row_add_bytes(cells, (int64_t)bytes);
}

static const struct row_column count_columns[] = {
    {.title = "MESSAGES", .is_number = true},
    {.title = "SIZE", .is_number = true},
    {.title = "KEY"},
};

/* The first kinds, and the sum of all; on a terminal below titles. */
static void append_count_table(struct messages_report *report)
{
    const struct message_counts *counts = &report->messages->counts;
    size_t kinds = HASH_COUNT(counts->first), left = report->top;
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (const struct message_count *count = counts->first; count != NULL && left > 0;
         count = count->hh.next, left--) {
        add_count_cells(cells, count->messages, count->bytes);
        row_add_cell(cells, "%s", count->key[0] == '\0' ? "-" : count->key);
    }
    add_count_cells(cells, counts->messages, counts->bytes);
    if (kinds > report->top)
        row_add_cell(cells, "total (%zu more)", kinds - report->top);
    else
        row_add_cell(cells, "total");
    row_append_table(&report->out, count_columns, 3, cells, isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
}

static void append_counts(struct messages_report *report)
{
    const struct message_counts *counts = &report->messages->counts;
    size_t left = report->top;

    if (!report->json) {
        append_count_table(report);
        return;
    }
    if (counts->by == MESSAGE_BY_NOTHING)
        append_count_json("total", counts->messages, counts->bytes, &report->out);
    for (const struct message_count *count = counts->first; count != NULL && left > 0;
         count = count->hh.next, left--)
        append_count_json(count->key, count->messages, count->bytes, &report->out);
}

/* Returns the kick in the part's instance, or NULL. */
static const struct kick *find_kick(const struct messages_report *report,
                                    const struct messages_part *part)
{
    for (size_t i = 0; report->kicks != NULL && i < report->kicks->count; i++)
        if (report->kicks->items[i].member->instance == part->member->instance)
            return &report->kicks->items[i];
    return NULL;
}

static const char *find_status(const struct messages_report *report,
                               const struct messages_part *part, const struct kick *kick)
{
    switch (messages_status(part)) {
    case MESSAGES_FAILED:
        return "failed";
    case MESSAGES_DISABLED:
        return "disabled";
    case MESSAGES_DUPLICATE:
        return "duplicate";
    case MESSAGES_OK:
        break;
    }
    if (kick != NULL && !kick->has_succeeded)
        return "failed";
    return report->dry_run ? "planned" : "ok";
}

static void append_act_json(struct messages_report *report, const struct messages_part *part)
{
    const struct kick *kick = find_kick(report, part);
    json_t *row = row_new(part->member->instance);

    row_add_text(row, "verb", message_verbs[report->messages->verb].name);
    row_add(row, "requested", json_integer((json_int_t)utarray_len(part->ids)));
    row_add(row, "done", json_integer((json_int_t)part->done));
    row_add(row, "gone", json_integer((json_int_t)part->gone));
    row_add_text(row, "kicked", kick == NULL ? "-" : report_kick_status(kick->status));
    row_add_text(row, "status", find_status(report, part, kick));
    row_add_text(row, "reason", part->reason == NULL && kick != NULL ? kick->reason : part->reason);
    row_finish(row, &report->out);
}

static void append_plan(struct messages_report *report, const struct messages_part *part)
{
    size_t count = utarray_len(part->ids);
    UT_string ids;

    utstring_init(&ids);
    for (size_t i = 0; i < count && i < SHOWN; i++)
        utstring_printf(&ids, " %s", (const char *)utarray_eltptr(part->ids, i));
    row_append_line(&report->out, "%s: would %s %zu message%s:%s%s",
                    part->member->instance->config_directory,
                    message_verbs[report->messages->verb].name, count, count == 1 ? "" : "s",
                    utstring_body(&ids), count > SHOWN ? " ..." : "");
    utstring_done(&ids);
}

static void append_act(struct messages_report *report, const struct messages_part *part)
{
    const char *done = message_verbs[report->messages->verb].done;

    if (part->is_unknown) {
        row_append_line(&report->out, "%s: unknown number of messages %s",
                        part->member->instance->config_directory, done);
        return;
    }
    char *gone = part->gone == 0 ? alloc_string("") : alloc_format(", %zu gone", part->gone);

    row_append_line(&report->out, "%s: %zu message%s %s%s",
                    part->member->instance->config_directory, part->done,
                    part->done == 1 ? "" : "s", done, gone);
    free(gone);
}

/* What was done in each instance, or in the dry run what would be done. */
static void append_acts(struct messages_report *report)
{
    const struct messages *messages = report->messages;

    for (size_t i = 0; i < messages->count; i++) {
        const struct messages_part *part = &messages->parts[i];

        if (report->json)
            append_act_json(report, part);
        else if (utarray_len(part->ids) > 0 && report->dry_run)
            append_plan(report, part);
        else if (utarray_len(part->ids) > 0)
            append_act(report, part);
    }
    if (!report->json && messages_total(messages) == 0 && messages_succeeded(messages))
        row_append_line(&report->out, "no message to %s", message_verbs[messages->verb].name);
}

static void report_failure(const struct messages_report *report, const struct messages_part *part)
{
    const struct instance *instance = part->member->instance;
    bool has_error = part->member->state == SELECTION_FAILED;

    if (has_error && (!report->quiet || report->selection->is_single))
        row_diag_error(report->selection, instance);
    else if (!has_error && !report->quiet)
        row_diag(report->selection, instance, "warning", "%s", part->reason);
}

/* Of those in which something was found to act on (after the act), or of the others (before). */
static void report_failures(const struct messages_report *report, bool after)
{
    const struct messages *messages = report->messages;

    for (size_t i = 0; i < messages->count; i++) {
        const struct messages_part *part = &messages->parts[i];
        enum messages_status status = messages_status(part);

        if ((utarray_len(part->ids) > 0) != after || !part->is_wanted)
            continue;
        if (status == MESSAGES_FAILED)
            report_failure(report, part);
        else if (status == MESSAGES_DUPLICATE && !report->quiet)
            row_diag(report->selection, part->member->instance, "warning", "%s", part->reason);
    }
    for (size_t i = 0; i < utarray_len(messages->refusals) && !after && !report->quiet; i++)
        diag_line("warning", "%s", strings_item(messages->refusals, i));
}

void report_messages_found(struct messages_report *report)
{
    const struct messages *messages = report->messages;

    if (messages->verb == MESSAGE_COUNT)
        append_counts(report);
    for (size_t i = 0; message_verbs[messages->verb].option == NULL && i < messages->count; i++)
        if (report->json && messages->parts[i].reason != NULL)
            append_act_json(report, &messages->parts[i]);
    flush(report);
    if (!report->failed)
        report_failures(report, false);
}

void report_messages_done(struct messages_report *report)
{
    if (!report->quiet || report->json)
        append_acts(report);
    flush(report);
    report_failures(report, true);
}

static void show_progress(const struct messages_report *report)
{
    struct progress progress;

    progress_start(&progress);
    for (size_t i = 0; i < report->messages->count; i++) {
        const struct messages_part *part = &report->messages->parts[i];

        progress_add(&progress, !part->is_running, part->member->instance->config_directory,
                     report->limits->end);
    }
    progress_show(&progress, clock_now());
}

void report_messages_waiting(void *context)
{
    struct messages_report *report = context;

    if (report->messages->verb == MESSAGE_LIST)
        flush(report);
    else if (!report->quiet && progress_is_wanted())
        show_progress(report);
}
