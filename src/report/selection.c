/* SPDX-License-Identifier: MIT */
/* Reports why there is no selection, and the warnings and errors of its instances. */
#include "report/selection.h"
#include "base/diag.h"
#include "base/strings.h"

void report_no_selection(const struct selection *selection)
{
    if (selection->notice != NULL)
        diag_line("warning", "%s", selection->notice);
    diag_line("fatal", "%s", selection->error);
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
