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
        report->messages->limits->end = clock_now();
    }
    utstring_clear(&report->out);
}

static const char *name_of(const struct selection_member *member)
{
    return row_value(member->instance, PARAMETER_MULTI_INSTANCE_NAME);
}

/* Returns how wide the widest name is. */
static size_t find_name_width(const struct selection *selection)
{
    size_t width = 0;

    for (size_t i = 0; i < selection->member_count && width < WIDTH; i++) {
        size_t length = strnlen(name_of(&selection->members[i]), WIDTH);

        width = length > width ? length : width;
    }
    return width;
}

/* Messages are written as they are found: the widths are enough for most. */
static void append_text(struct messages_report *report, const struct message *message)
{
    bool is_first = report->name_width == 0;
    UT_array *cells;
    size_t count = json_array_size(message->recipients);
    const char *recipient =
        json_string_value(json_object_get(json_array_get(message->recipients, 0), "address"));

    if (is_first)
        report->name_width = find_name_width(report->messages->selection);
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
    row_add_cell(cells, "%s", name_of(message->part->member));
    row_add_cell(cells, "%s", message->queue);
    row_add_cell(cells, "%s", message->id);
    row_add_age(cells, report->now - message->arrival);
    row_add_bytes(cells, message->size);
    row_add_cell(cells, "%s", message->sender);
    if (count > 1)
        row_add_cell(cells, "%s +%zu", recipient, count - 1);
    else
        row_add_cell(cells, "%s", recipient == NULL ? "-" : recipient);
    row_append_table(&report->out, columns, sizeof(columns) / sizeof(*columns), cells,
                     is_first && isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
}

void report_message(void *context, const struct message *message)
{
    struct messages_report *report = context;
    const struct selection_member *member = message->part->member;

    if (report->failed)
        return;
    if (report->json) {
        json_t *row = json_incref(message->object);

        row_add_text(row, "name", name_of(member));
        row_add_text(row, "config_directory", member->instance->config_directory);
        row_finish(row, &report->out);
    } else {
        append_text(report, message);
    }
    if (utstring_len(&report->out) >= BLOCK)
        flush(report);
}

static const struct row_column count_columns[] = {
    {.title = "MESSAGES", .is_number = true},
    {.title = "SIZE", .is_number = true},
    {.title = "KEY"},
};

/* Appends the cells of a row, or for JSON the row. */
static void append_count(struct messages_report *report, UT_array *cells, const char *key,
                         const struct queue_tally *tally)
{
    if (report->json) {
        json_t *row = row_new(NULL);

        row_add_text(row, "key", key);
        row_add(row, "messages", json_integer(tally->messages));
        row_add(row, "bytes", json_integer(tally->bytes));
        row_finish(row, &report->out);
        return;
    }
    row_add_cell(cells, "%lld", (long long)tally->messages);
    row_add_bytes(cells, tally->bytes);
    row_add_cell(cells, "%s", key[0] == '\0' ? "-" : key);
}

/* The first kinds, and the sum of all; on a terminal below titles. */
static void append_counts(struct messages_report *report)
{
    const struct messages *messages = report->messages;
    size_t kinds = HASH_COUNT(messages->counts), left = report->top;
    char *total =
        kinds > left ? alloc_format("total (%zu more)", kinds - left) : alloc_string("total");
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (const struct message_count *count = messages->counts; count != NULL && left > 0;
         count = count->hh.next, left--)
        append_count(report, cells, count->key, &count->tally);
    if (!report->json || messages->by == MESSAGE_BY_NOTHING)
        append_count(report, cells, total, &messages->counted);
    row_append_table(&report->out, count_columns, 3, cells,
                     !report->json && isatty(STDOUT_FILENO) == 1);
    utarray_free(cells);
    free(total);
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
    static const char *const names[] = {[MESSAGES_OK] = "ok",
                                        [MESSAGES_FAILED] = "failed",
                                        [MESSAGES_DISABLED] = "disabled",
                                        [MESSAGES_DUPLICATE] = "duplicate"};

    if (part->status != MESSAGES_OK)
        return names[part->status];
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
    row_add_text(row, "kicked", kick == NULL ? "-" : report_kick_statuses[kick->status]);
    row_add_text(row, "status", find_status(report, part, kick));
    row_add_text(row, "reason", part->reason == NULL && kick != NULL ? kick->reason : part->reason);
    row_finish(row, &report->out);
}

/* What was done, or in the dry run what would be done. */
static void append_act(struct messages_report *report, const struct messages_part *part)
{
    const char *directory = part->member->instance->config_directory;
    const struct message_verb_row *verb = &message_verbs[report->messages->verb];
    size_t count = report->dry_run ? utarray_len(part->ids) : part->done;
    const char *plural = count == 1 ? "" : "s";
    UT_string more;

    utstring_init(&more);
    for (size_t i = 0; report->dry_run && i < count && i < SHOWN; i++)
        utstring_printf(&more, " %s", ((struct message_id *)utarray_eltptr(part->ids, i))->text);
    if (!report->dry_run && part->gone > 0)
        utstring_printf(&more, ", %zu gone", part->gone);
    if (report->dry_run)
        row_append_line(&report->out, "%s: would %s %zu message%s:%s%s", directory, verb->name,
                        count, plural, utstring_body(&more), count > SHOWN ? " ..." : "");
    else if (part->is_unknown)
        row_append_line(&report->out, "%s: unknown number of messages %s", directory, verb->done);
    else
        row_append_line(&report->out, "%s: %zu message%s %s%s", directory, count, plural,
                        verb->done, utstring_body(&more));
    utstring_done(&more);
}

/* Of those in which something was found to act on (after the act), or of the others (before). */
static void report_failures(const struct messages_report *report, bool after)
{
    const struct messages *messages = report->messages;

    for (size_t i = 0; i < messages->count; i++) {
        const struct messages_part *part = &messages->parts[i];
        const struct instance *instance = part->member->instance;

        if ((utarray_len(part->ids) > 0) != after || !part->is_wanted ||
            part->status == MESSAGES_OK || part->status == MESSAGES_DISABLED)
            continue;
        if (part->member->state != SELECTION_FAILED && !report->quiet)
            row_diag(report->messages->selection, instance, "warning", "%s", part->reason);
        else if (part->member->state == SELECTION_FAILED &&
                 (!report->quiet || report->messages->selection->is_single))
            row_diag_error(report->messages->selection, instance);
    }
    for (size_t i = 0; i < utarray_len(messages->refusals) && !after && !report->quiet; i++)
        diag_line("warning", "%s", strings_item(messages->refusals, i));
}

void report_messages(struct messages_report *report, bool after)
{
    const struct messages *messages = report->messages;
    const struct message_verb_row *verb = &message_verbs[messages->verb];

    if (messages->verb == MESSAGE_COUNT)
        append_counts(report);
    for (size_t i = 0; i < messages->count; i++) {
        const struct messages_part *part = &messages->parts[i];

        if (report->json && (after || (verb->option == NULL && part->reason != NULL)))
            append_act_json(report, part);
        else if (after && !report->json && !report->quiet && utarray_len(part->ids) > 0)
            append_act(report, part);
    }
    if (after && !report->json && !report->quiet && messages->total == 0 && messages->is_well)
        row_append_line(&report->out, "no message to %s", verb->name);
    flush(report);
    if (after || !report->failed)
        report_failures(report, after);
}

void report_messages_waiting(void *context)
{
    struct messages_report *report = context;
    struct progress progress = {0};

    if (report->messages->verb == MESSAGE_LIST)
        flush(report);
    else if (!report->quiet && isatty(STDERR_FILENO) == 1) {
        for (size_t i = 0; i < report->messages->count; i++) {
            const struct messages_part *part = &report->messages->parts[i];

            progress_add(&progress, !part->is_running, part->member->instance->config_directory,
                         report->messages->limits->end);
        }
        progress_show(&progress, clock_now());
    }
}
