/* SPDX-License-Identifier: MIT */
/* Reports whether each instance is alive, as a table and as JSON. */
#include "report/status.h"
#include "base/alloc.h"
#include "base/diag.h"
#include "base/text.h"
#include "report/kicks.h"
#include "report/list.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>

enum answer {
    ANSWER_YES,
    ANSWER_NO,
    ANSWER_UNKNOWN, /* the request did not reach the queue manager, or shows nothing */
};

/* Whether a failed trigger shows that the queue manager is missing or does not answer. */
static bool shows_silence(const struct trigger *trigger)
{
    switch (trigger->outcome) {
    case TRIGGER_LOOKUP:
        return trigger->error == ENOENT;
    case TRIGGER_CONNECT:
        return trigger->error == ECONNREFUSED;
    case TRIGGER_NOT_READ:
    case TRIGGER_QUEUE_FULL:
    case TRIGGER_NOT_WRITTEN:
    case TRIGGER_NO_READER:
    case TRIGGER_CLOSED:
        return true;
    default:
        return false;
    }
}

/* Returns the kick whose outcome a duplicate shares; any other kick itself. */
static const struct kick *find_first(const struct kick *kick)
{
    const struct kicks *all = kick->kicks;

    if (kick->member->state == SELECTION_DUPLICATE) /* one kick for each instance */
        for (size_t i = 0; i < all->count; i++)
            if (all->items[i].member->instance == kick->member->duplicate_of)
                return find_first(&all->items[i]);
    return kick_first(kick);
}

static enum answer find_answer(const struct kick *duplicate)
{
    const struct kick *kick = find_first(duplicate);

    if (kick->trigger == NULL)
        return ANSWER_UNKNOWN;
    if (kick->status == KICK_KICKED) /* a FIFO does not show whether it is read */
        return kick->trigger->is_socket ? ANSWER_YES : ANSWER_UNKNOWN;
    return shows_silence(kick->trigger) ? ANSWER_NO : ANSWER_UNKNOWN;
}

static bool ought_to_answer(const struct selection *selection, const struct instance *instance)
{
    return instance->enabled != INSTANCE_DISABLED || selection->is_single;
}

bool report_status_succeeded(const struct selection *selection, const struct kick *kick)
{
    return !ought_to_answer(selection, kick->member->instance) || find_answer(kick) == ANSWER_YES;
}

/* Returns why an instance has not answered, or "". */
static const char *find_reason(const struct kick *kick)
{
    if (kick->status == KICK_KICKED && !kick->trigger->is_socket)
        return "a FIFO does not show whether it is read: make it \"unix\" in master.cf";
    return kick->reason == NULL ? "" : kick->reason;
}

/* Returns the state of an instance that ought to answer. */
static const char *describe_wanted(const struct kick *kick)
{
    const struct trigger *trigger = find_first(kick)->trigger;

    if (kick->member->state == SELECTION_FAILED)
        return "configuration error";
    if (find_answer(kick) == ANSWER_YES)
        return "responding";
    if (find_answer(kick) == ANSWER_NO)
        return kick->member->instance->running == MASTER_STOPPED ? "not running" : "not responding";
    if (trigger != NULL && trigger->error == EACCES)
        return "permission denied";
    return "unknown";
}

/* Returns the state of one that need not answer. */
static const char *describe_disabled(const struct kick *kick)
{
    if (find_answer(kick) == ANSWER_YES)
        return "not enabled, but responding";
    if (kick->member->instance->running == MASTER_RUNNING)
        return "not enabled, but running";
    return "not enabled";
}

void report_status_json(const struct selection *selection, const struct kicks *kicks,
                        UT_string *out)
{
    static const char *const answers[] = {
        [ANSWER_YES] = "y", [ANSWER_NO] = "n", [ANSWER_UNKNOWN] = "-"};

    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct instance *instance = kick->member->instance;
        json_t *row = report_row_new(instance);
        const char *status = !ought_to_answer(selection, instance)      ? "disabled"
                             : report_status_succeeded(selection, kick) ? "ok"
                                                                        : "failed";

        report_row_add_text(row, "responding", answers[find_answer(kick)]);
        report_row_add_text(row, "status", status);
        report_row_add_text(row, "reason", find_reason(kick));
        report_row_add(row, "seconds", json_real(kick_seconds(find_first(kick))));
        report_row_finish(row, out);
    }
}

/* The table is an array of printable cells, row by row. */
enum column { COLUMN_NAME, COLUMN_GROUP, COLUMN_STATE, COLUMN_TIME, COLUMN_DIRECTORY, COLUMNS };

static void add_cell(UT_array *cells, const char *text)
{
    UT_string printable;
    char *cell;

    utstring_init(&printable);
    text_printable(&printable, text, strlen(text));
    cell = utstring_body(&printable);
    utarray_push_back(cells, &cell);
    utstring_done(&printable);
}

/* Returns the state for the table, a new string. */
static char *describe(const struct selection *selection, const struct kick *kick)
{
    const char *words = ought_to_answer(selection, kick->member->instance)
                            ? describe_wanted(kick)
                            : describe_disabled(kick);

    return alloc_format("%s%s", words, kick->status == KICK_DUPLICATE ? " (duplicate)" : "");
}

static void add_row(UT_array *cells, const struct selection *selection, const struct kick *kick)
{
    const struct instance *instance = kick->member->instance;
    double seconds = kick_seconds(find_first(kick));
    char *state = describe(selection, kick);
    char *time = find_answer(kick) == ANSWER_YES ? alloc_format("%.1fms", seconds * 1000)
                                                 : alloc_string("-");

    add_cell(cells, report_column(instance, PARAMETER_MULTI_INSTANCE_NAME));
    add_cell(cells, report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    add_cell(cells, state);
    add_cell(cells, time);
    add_cell(cells, instance->config_directory);
    free(state);
    free(time);
}

static size_t cell_width(const UT_array *cells, size_t index)
{
    size_t width = 0;

    for (const char *at = strings_item(cells, index); *at != '\0'; at = text_skip(at, 1))
        width++;
    return width;
}

static void append_table(UT_string *out, const UT_array *cells)
{
    size_t widths[COLUMNS] = {0}, count = utarray_len(cells);

    for (size_t i = 0; i < count; i++)
        if (cell_width(cells, i) > widths[i % COLUMNS])
            widths[i % COLUMNS] = cell_width(cells, i);
    for (size_t i = 0; i < count; i++) {
        bool is_last = i % COLUMNS == COLUMN_DIRECTORY;
        int gap = is_last ? 0 : (int)(widths[i % COLUMNS] - cell_width(cells, i)) + 2;

        utstring_printf(out, "%s%*s%s", strings_item(cells, i), gap, "", is_last ? "\n" : "");
    }
}

void report_status_text(const struct selection *selection, const struct kicks *kicks,
                        bool with_header, UT_string *out)
{
    static const char *const titles[COLUMNS] = {"NAME", "GROUP", "STATE", "TIME", "DIRECTORY"};
    UT_array *cells;

    utarray_new(cells, &strings_icd);
    for (size_t i = 0; i < COLUMNS && with_header; i++)
        add_cell(cells, titles[i]);
    for (size_t i = 0; i < kicks->count; i++)
        add_row(cells, selection, &kicks->items[i]);
    append_table(out, cells);
    utarray_free(cells);
}

static void report_one(const struct selection *selection, const struct kick *kick, int verbose)
{
    const struct instance *instance = kick->member->instance;
    bool is_wanted = ought_to_answer(selection, instance);

    if (!is_wanted && verbose == 0)
        return;
    if (kick->member->state == SELECTION_FAILED)
        report_instance_error(selection, instance);
    else if (kick->member->state == SELECTION_DUPLICATE)
        diag_line("warning", "%s: %s", instance->config_directory, kick->reason);
    else if (kick->status == KICK_DUPLICATE || find_answer(kick) != ANSWER_YES)
        report_kick_line(selection, kick, is_wanted ? "warning" : NULL, find_reason(kick));
    else if (verbose > 0)
        report_line(selection, instance, NULL, "%s/%s: answered after %.4fs", kick->class,
                    kick->service, kick_seconds(kick));
}

void report_status(const struct selection *selection, const struct kicks *kicks, int verbose)
{
    for (size_t i = 0; i < kicks->count; i++)
        report_one(selection, &kicks->items[i], verbose);
}
