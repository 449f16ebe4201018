/* SPDX-License-Identifier: MIT */
/* Reports the selection, and lists it. */
#include "report/list.h"
#include "base/diag.h"
#include "report/row.h"
#include <string.h>

/* Remarks of one instance that are shown where there are several instances, and their bytes. */
#define REMARKS_MAXIMUM 5
#define REMARK_LENGTH 300

void report_no_selection(const struct selection *selection)
{
    if (selection->host.notice != NULL)
        diag_line("warning", "%s", selection->host.notice);
    diag_line("fatal", "%s", selection->host.error);
}

/* On a host with one instance, all that Postfix says; otherwise, bounded, so that one main.cf
 * cannot hide what is said of the others. */
static void report_remarks(const struct selection *selection, const struct instance *instance)
{
    size_t count = instance->warnings == NULL ? 0 : utarray_len(instance->warnings);
    size_t most = selection->is_single ? count : REMARKS_MAXIMUM;

    for (size_t i = 0; i < count && i < most; i++) {
        const char *remark = strings_item(instance->warnings, i); /* it names the file */

        if (selection->is_single || strlen(remark) <= REMARK_LENGTH)
            diag_line("warning", "%s", remark);
        else
            diag_line("warning", "%.*s...", REMARK_LENGTH, remark);
    }
    if (count > most)
        diag_line("warning", "%s: and %zu more", instance->config_directory, count - most);
}

void report_selection(const struct selection *selection, bool with_conflicts, bool with_remarks)
{
    const UT_array *conflicts = selection->host.conflicts, *warnings = selection->warnings;

    for (size_t i = 0; with_remarks && i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        /* errors in one that is not enabled are nobody's concern yet */
        if (instance->enabled != INSTANCE_DISABLED || selection->is_single)
            report_remarks(selection, instance);
    }
    for (size_t i = 0; with_conflicts && conflicts != NULL && i < utarray_len(conflicts); i++)
        diag_line("warning", "%s: postmulti(1) and systemd refuse every instance",
                  strings_item(conflicts, i));
    for (size_t i = 0; i < utarray_len(warnings); i++)
        diag_line("warning", "%s", strings_item(warnings, i));
}

/* The columns of "postmulti -l". */
#define LIST_COLUMNS "%-15s %-15s %-9s %s"

static void append_text(const struct instance *instance, UT_string *out)
{
    row_append_line(out, LIST_COLUMNS, row_value(instance, PARAMETER_MULTI_INSTANCE_NAME),
                    row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP), row_enabled(instance),
                    instance->config_directory);
}

static void append_json(const struct instance *instance, UT_string *out)
{
    json_t *row = row_new(instance);

    row_add_text(row, "reason", instance->error);
    row_finish(row, out);
}

void report_list(const struct selection *selection, bool json, bool with_titles, UT_string *out)
{
    if (with_titles && !json)
        row_append_line(out, LIST_COLUMNS, "NAME", "GROUP", "ENABLED", "DIRECTORY");
    for (size_t i = 0; i < selection->member_count; i++)
        (json ? append_json : append_text)(selection->members[i].instance, out);
}
