/* SPDX-License-Identifier: MIT */
/* -Q: shows what is in the queues. */
#include "report/queues.h"
#include "base/process.h"
#include "command/command.h"
#include <time.h>

/* Returns a reading for each member, and reads those that are to be served. */
static struct queue_reading *read_queues(const struct command *command)
{
    const struct selection *selection = &command->selection;
    struct queue_reading *readings = alloc_zeroed(selection->member_count, sizeof(*readings));
    int parallel = command->options->parallel;

    for (size_t i = 0; i < selection->member_count; i++) {
        const struct selection_member *member = &selection->members[i];

        if (member->state == SELECTION_FAILED)
            readings[i].reason = instance_failure(member->instance);
        else
            readings[i].directory = instance_value(member->instance, PARAMETER_QUEUE_DIRECTORY);
    }
    signals_catch();
    queues_read(readings, selection->member_count,
                parallel > 0 ? parallel : process_count_processors(),
                command->settings->queues_limit, command->limits);
    return readings;
}

int command_queues(struct command *command)
{
    struct selection *selection = &command->selection;

    if (!command_select(command) || !command_mark(command, true))
        return 1;
    struct queue_reading *readings = read_queues(command);
    struct queues_report report = {.selection = selection,
                                   .readings = readings,
                                   .json = command->options->json,
                                   .quiet = command->options->quiet,
                                   .verbose = command->verbose,
                                   .now = command->options->json ? 0 : time(NULL)};
    bool is_well = command_report_selection(command);
    if (report.json)
        selection_find_running(selection, NULL);
    is_well = report_queues(&report) && is_well;
    for (size_t i = 0; i < selection->member_count; i++)
        free(readings[i].reason);
    free(readings);
    return is_well ? 0 : 1;
}
