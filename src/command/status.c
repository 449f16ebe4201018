/* -s: whether the queue manager of each instance answers. */
#include "report/status.h"
#include "base/diag.h"
#include "command/command.h"
#include "command/send.h"
#include "report/report.h"
#include "report/selection.h"
#include <unistd.h>

/* The empty request: qmgr(8) reads it, and does nothing. */
static UT_array *make_targets(void)
{
    UT_array *targets;

    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", "");
    return targets;
}

/* Whoever asks for the status waits for all, and not for as long as an instance may take for real
 * requests. */
static void limit_kicks(struct kicks *kicks, int seconds)
{
    for (size_t i = 0; i < kicks->trigger_count; i++)
        kicks->triggers[i].send_limit = kicks->triggers[i].read_limit = seconds;
}

/* What goes to standard output. Returns false when that could not be written. */
static bool write_out(const struct command *command, const struct selection *selection,
                      const struct kicks *kicks)
{
    UT_string out;

    utstring_init(&out);
    if (command->options->json)
        report_status_json(selection, kicks, &out);
    else
        report_status_text(selection, kicks, isatty(STDOUT_FILENO) == 1, &out);
    bool written = report_flush(&out);
    utstring_done(&out);
    return written;
}

static bool all_are_well(const struct selection *selection, const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (!report_status_is_well(selection, &kicks->items[i]))
            return false;
    return utarray_len(selection->unmatched) == 0;
}

/* Plan, send, explain, report. Returns the exit status. */
static int ask_selected(const struct command *command, struct selection *selection)
{
    UT_array *targets = make_targets();
    struct master_locks *locks = master_locks_new();
    struct kicks kicks;

    kicks_init(&kicks, targets, true, settings_status_limit(command->settings));
    kicks_plan(&kicks, selection);
    limit_kicks(&kicks, settings_status_limit(command->settings));
    bool sent = command_send(command, &kicks);
    command_explain(command, &kicks, locks);
    selection_find_running(selection, locks);
    bool written = write_out(command, selection, &kicks);
    if (!command->options->quiet)
        report_status(selection, &kicks, command->verbose);
    else if (selection->is_single && selection->members[0].state == SELECTION_FAILED)
        report_instance_error(selection, selection->members[0].instance);
    bool succeeded = sent && written && all_are_well(selection, &kicks);
    kicks_free(&kicks);
    master_locks_free(locks);
    utarray_free(targets);
    return succeeded ? 0 : 1;
}

int command_status(const struct command *command)
{
    bool keep[PARAMETER_COUNT] = {[PARAMETER_QUEUE_SERVICE_NAME] = true};
    struct selection selection = {0};
    int status = 1;

    keep[PARAMETER_DATA_DIRECTORY] = command->options->json;
    if (command_select(command, keep, &selection)) {
        selection_mark(&selection, true, true);
        if (selection.member_count > 0)
            status = ask_selected(command, &selection);
        else
            diag_line("fatal", "No matching instances");
    }
    selection_free(&selection);
    return status;
}
