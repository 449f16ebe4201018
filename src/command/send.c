/* SPDX-License-Identifier: MIT */
/* Sends the requests of a plan. */
#include "command/send.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/signals.h"
#include "postfix/catalogue.h"
#include "postfix/explain.h"
#include "report/kicks.h"
#include "report/progress.h"
#include <string.h>

/* Returns how many endpoints may be connected to at once. */
static int connections(const struct command *command)
{
    int most, wanted = settings_connections(command->settings);

    descriptors_raise_limit();
    most = descriptors_for_connections();
    return wanted > 0 && wanted < most ? wanted : most;
}

bool command_send(const struct command *command, struct kicks *kicks)
{
    struct kicks_options options = {.connections = connections(command),
                                    .limits = command->limits,
                                    .wait = command->options->wait,
                                    .context = kicks};

    if (!command->options->quiet && progress_is_wanted())
        options.progress = report_kicks_progress;
    signals_catch();
    int error = kicks_run(kicks, &options);
    progress_clear();
    if (error != 0)
        diag_line("warning", "epoll: %s", strerror(error));
    return error == 0;
}

static const char *known_class(void *context, const char *service)
{
    return catalogue_class(context, service);
}

void command_explain(const struct command *command, struct kicks *kicks, struct master_locks *locks)
{
    explain_kicks(kicks, locks, known_class, command->settings);
}
