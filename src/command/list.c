/* SPDX-License-Identifier: MIT */
/* -l: lists the instances. */
#include "report/list.h"
#include "base/diag.h"
#include "command/command.h"
#include "report/row.h"

/* Reports the errors of instances; if quiet, only a fatal one. Returns false if there are any. */
static bool report_errors(const struct selection *selection, bool quiet)
{
    bool succeeded = true;

    for (size_t i = 0; i < selection->member_count; i++) {
        if (selection->members[i].instance->error == NULL)
            continue;
        if (!quiet || selection->is_single)
            row_diag_error(selection, selection->members[i].instance);
        succeeded = false;
    }
    return succeeded;
}

/* Returns false when the list could not be written. */
static bool write_out(const struct command *command, struct selection *selection)
{
    UT_string out;

    utstring_init(&out);
    if (command->options->json) {
        struct master_locks *locks = master_locks_new(command->limits);
        selection_find_running(selection, locks);
        master_locks_free(locks);
    }
    report_list(selection, command->options->json, &out);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

int command_list(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command, PARAMETER_FOR_LIST, &selection)) {
        bool written = write_out(command, &selection);
        bool succeeded = report_errors(&selection, command->options->quiet);
        status = written && succeeded && utarray_len(selection.unmatched) == 0 ? 0 : 1;
    }
    selection_free(&selection);
    return status;
}
