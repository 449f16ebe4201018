/* SPDX-License-Identifier: MIT */
/* Reports the instances, for -l. */
#include "report/list.h"
#include "base/text.h"
#include "report/row.h"
#include <string.h>

void report_list_text(const struct selection *selection, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;
        char *line = alloc_format("%-15s %-15s %-9s %s",
                                  report_column(instance, PARAMETER_MULTI_INSTANCE_NAME),
                                  report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP),
                                  report_enabled(instance), instance->config_directory);

        text_printable(out, line, strlen(line));
        utstring_bincpy(out, "\n", 1);
        free(line);
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
