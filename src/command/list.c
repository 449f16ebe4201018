/* -l: the instances. */
#include "report/list.h"
#include "base/diag.h"
#include "command/command.h"
#include "report/report.h"
#include "report/selection.h"

/* Returns false when there are some. With quiet only what is fatal is reported. */
static bool report_errors(const struct selection *selection, bool quiet)
{
    bool well = true;

    for (size_t i = 0; i < selection->member_count; i++) {
        if (selection->members[i].instance->error == NULL)
            continue;
        if (!quiet || selection->is_single)
            report_instance_error(selection, selection->members[i].instance);
        well = false;
    }
    return well;
}

int command_list(const struct command *command)
{
    struct selection selection;
    struct master_locks *locks = master_locks_new();
    UT_string out;
    int status = 1;

    utstring_init(&out);
    if (command_select(command, PARAMETER_FOR_LIST, &selection)) {
        if (command->options->json) {
            selection_find_running(&selection, locks);
            report_list_json(&selection, &out);
        } else {
            report_list_text(&selection, &out);
        }
        char *refusal = selection_refusal(&selection);
        if (refusal != NULL)
            diag_line("fatal", refusal);
        free(refusal);
        bool written = report_flush(&out);
        bool well = report_errors(&selection, command->options->quiet);
        status =
            written && well && selection.member_count > 0 && utarray_len(selection.unmatched) == 0
                ? 0
                : 1;
    }
    selection_free(&selection);
    master_locks_free(locks);
    utstring_done(&out);
    return status;
}
