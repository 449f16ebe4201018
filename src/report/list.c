/* SPDX-License-Identifier: MIT */
/* Reports the selection, and lists it. */
#include "report/list.h"
#include "base/diag.h"
#include "report/row.h"

static void report_warnings(const struct selection *selection)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        if (instance->enabled == INSTANCE_DISABLED && !selection->is_single)
            continue; /* its mistakes are nobody's concern yet */
        for (size_t j = 0; instance->warnings != NULL && j < utarray_len(instance->warnings); j++)
            diag_line("warning", "%s", strings_item(instance->warnings, j)); /* it names the file */
    }
    for (size_t i = 0; i < utarray_len(selection->warnings); i++)
        diag_line("warning", "%s", strings_item(selection->warnings, i));
}

void report_selection(const struct selection *selection, bool quiet)
{
    const struct host *host = &selection->host;

    if (host->error != NULL) {
        if (host->notice != NULL)
            diag_line("warning", "%s", host->notice);
        diag_line("fatal", "%s", host->error);
    } else if (!quiet) {
        report_warnings(selection);
    }
}

void report_conflicts(const struct selection *selection)
{
    const UT_array *conflicts = selection->host.conflicts;

    for (size_t i = 0; conflicts != NULL && i < utarray_len(conflicts); i++)
        diag_line("warning", "%s: postmulti(1) and systemd refuse every instance",
                  strings_item(conflicts, i));
}

static void append_text(const struct instance *instance, UT_string *out)
{
    row_append_line(out, "%-15s %-15s %-9s %s", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME),
                    row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP), row_enabled(instance),
                    instance->config_directory);
}

static void append_json(const struct instance *instance, UT_string *out)
{
    json_t *row = row_new(instance);

    row_add_text(row, "reason", instance->error);
    row_finish(row, out);
}

void report_list(const struct selection *selection, bool json, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++)
        (json ? append_json : append_text)(selection->members[i].instance, out);
}
