/* SPDX-License-Identifier: MIT */
/* -s: shows whether the queue manager of each instance answers. */
#include "report/status.h"
#include "base/output.h"
#include "command/command.h"
#include "command/send.h"
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
 * requests: neither for the connection, nor for the answer, nor for both. */
static void limit_kicks(struct kicks *kicks, int seconds)
{
    for (size_t i = 0; i < kicks->trigger_count; i++) {
        struct trigger *trigger = &kicks->triggers[i];

        trigger->send_limit = trigger->read_limit = trigger->whole_limit = seconds;
    }
}

/* Writes to standard output. Returns false when that failed. */
static bool write_out(const struct command *command, const struct selection *selection,
                      const struct kicks *kicks)
{
    UT_string out;

    utstring_init(&out);
    if (command->options->json)
        report_status_json(selection, kicks, &out);
    else
        report_status_text(selection, kicks, isatty(STDOUT_FILENO) == 1, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

static bool all_succeeded(const struct selection *selection, const struct kicks *kicks)
{
    for (size_t i = 0; i < kicks->count; i++)
        if (!report_status_succeeded(selection, &kicks->items[i]))
            return false;
    return utarray_len(selection->unmatched) == 0;
}

/* Plans and sends to the resolved instances. Returns false when nothing could be sent. */
static bool ask_ready(const struct command *command, struct selection *selection,
                      struct kicks *kicks)
{
    kicks_plan(kicks, selection);
    limit_kicks(kicks, settings_status_limit(command->settings));
    return command_send(command, kicks);
}

/* Explains and reports the answers. Returns whether all instances succeeded. */
static bool finish(const struct command *command, struct selection *selection, struct kicks *kicks)
{
    struct master_locks *locks;

    if (command_is_refused(selection))
        return false;
    locks = master_locks_new();
    command_explain(command, kicks, locks);
    selection_find_running(selection, locks);
    master_locks_free(locks);
    bool written = write_out(command, selection, kicks);
    if (!command->options->quiet)
        report_status(selection, kicks, command->verbose);
    else if (selection_lone_failure(selection) != NULL)
        report_instance_error(selection, selection_lone_failure(selection));
    return written && all_succeeded(selection, kicks);
}

/* Asks the resolved instances, then the others. Returns the exit status. */
static int ask_selected(const struct command *command, struct selection *selection)
{
    UT_array *targets = make_targets();
    struct kicks kicks;

    kicks_init(&kicks, targets, true, settings_status_limit(command->settings));
    bool sent = ask_ready(command, selection, &kicks);
    if (selection_is_unresolved(selection)) {
        selection_resolve(selection);
        sent = ask_ready(command, selection, &kicks) && sent;
    }
    bool succeeded = finish(command, selection, &kicks) && sent;
    kicks_free(&kicks);
    utarray_free(targets);
    return succeeded ? 0 : 1;
}

int command_status(const struct command *command)
{
    struct selection selection = {0};
    int status = 1;

    if (command_select(command, PARAMETER_FOR_KICK, &selection)) {
        selection_mark(&selection, true);
        status = ask_selected(command, &selection);
    }
    selection_free(&selection);
    return status;
}
