/* SPDX-License-Identifier: MIT */
/* Reports the selection: why there is none, its warnings and errors, and its list. */
#include "report/list.h"
#include "base/alloc.h"
#include "base/diag.h"
#include "base/text.h"
#include "report/row.h"
#include <string.h>

void report_no_selection(const struct selection *selection)
{
    if (selection->host.notice != NULL)
        diag_line("warning", "%s", selection->host.notice);
    diag_line("fatal", "%s", selection->host.error);
}

void report_line(const struct selection *selection, const struct instance *instance,
                 const char *level, const char *format, ...)
{
    const char *name = selection->is_single ? "" : instance->config_directory;
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    diag_line(level, "%s%s%s", name, selection->is_single ? "" : ": ", text);
    free(text);
}

void report_instance_error(const struct selection *selection, const struct instance *instance)
{
    if (instance->notice != NULL)
        report_line(selection, instance, "warning", "%s", instance->notice);
    report_line(selection, instance, selection->is_single ? "fatal" : "warning", "%s",
                instance->error);
}

void report_selection(const struct selection *selection)
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

void report_list_text(const struct selection *selection, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        report_row_line(out, alloc_format("%-15s %-15s %-9s %s",
                                          report_column(instance, PARAMETER_MULTI_INSTANCE_NAME),
                                          report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP),
                                          report_enabled(instance), instance->config_directory));
    }
}

void report_list_json(const struct selection *selection, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;
        json_t *row = report_row_new(instance);

        report_row_add_text(row, "reason", instance->error == NULL ? "" : instance->error);
        report_row_finish(row, out);
    }
}
