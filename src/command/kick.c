/* SPDX-License-Identifier: MIT */
/* Sends a request, those of an action, or that of -s to every selected instance. */
#include "base/diag.h"
#include "base/text.h"
#include "command/command.h"
#include "report/kicks.h"
#include <string.h>
#include <unistd.h>

bool command_send(const struct command *command, struct kicks *kicks, struct selection *selection)
{
    struct trigger_batch batch = {
        .connections = command->settings->connections, .limits = command->limits, .context = kicks};

    if (!command->options->quiet && isatty(STDERR_FILENO) == 1)
        batch.progress = report_kicks_progress;
    signals_catch();
    int error = kicks_run(kicks, selection, &batch);
    if (error != 0)
        diag_line("warning", "epoll: %s", strerror(error));
    return error == 0;
}

/* Reports what is known of requests that their services ignore. Returns false when one is refused:
 * where there are several instances, one that does nothing at all; and whatever the settings say.
 */
static bool check_requests(const struct command *command, const UT_array *targets)
{
    enum settings_strict strict = command->settings->strict;
    bool accepted = true;

    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = utarray_eltptr(targets, i);
        UT_array *warnings;

        utarray_new(warnings, &strings_icd);
        bool acts = settings_check(command->settings, target, warnings);
        bool refused = utarray_len(warnings) > 0 &&
                       (strict == SETTINGS_STRICT_YES || (strict == SETTINGS_STRICT_UNSET &&
                                                          !command->selection.is_single && !acts));
        for (size_t j = 0; j < utarray_len(warnings); j++)
            if (refused || !command->options->quiet)
                diag_line(refused ? "fatal" : "warning", "%s/%s: %s", target->class,
                          target->service, strings_item(warnings, j));
        accepted = accepted && !refused;
        utarray_free(warnings);
    }
    return accepted;
}

/* Sends or checks the kicks in the selection, and reports the results. Returns the exit status. */
static int run(struct command *command, struct kicks kicks)
{
    const struct options *options = command->options;
    struct selection *selection = &command->selection;
    struct kicks_report report = {.selection = selection,
                                  .kicks = &kicks,
                                  .json = options->json,
                                  .dry_run = options->dry_run,
                                  .quiet = options->quiet,
                                  .verbose = command->verbose};
    struct master_locks locks = {.limits = command->limits};
    struct status *statuses = NULL;

    kicks.settings = command->settings;
    kicks.locks = &locks;
    bool is_well = options->dry_run ? kicks_run(&kicks, selection, NULL) == 0
                                    : command_send(command, &kicks, selection);
    if (report.json || kicks.is_probe)
        selection_find_running(selection, &locks);
    if (kicks.is_probe)
        report.statuses = statuses = statuses_find(&kicks);
    is_well = command_report_selection(command) && is_well;
    is_well = report_kicks(&report) && is_well;
    if (statuses != NULL)
        statuses_free(statuses, kicks.count);
    master_locks_free(&locks);
    kicks_free(&kicks);
    return is_well ? 0 : 1;
}

/* Words that are no actions, and what does what they say. */
static const struct {
    const char *word;
    const char *meant;
} habits[] = {
    {"help", "--help"},  {"version", "--version"}, {"list", "-l"},
    {"instances", "-l"}, {"status", "-s"},         {"queue", "-Q"},
    {"queues", "-Q"},    {"mailq", "-M list"},     {"messages", "-M list"},
};

/* Returns how to call what the word means elsewhere, a new string, or NULL. */
static char *find_meaning(const struct command *command, const char *word)
{
    const struct options *options = command->options;
    const char *class = settings_class(command->settings, word);
    UT_array *commands = strings_split(command->settings->commands, PARAMETER_SEPARATORS);
    bool is_command = strings_contain(commands, word);
    UT_string meaning;

    utarray_free(commands);
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
        if (strcmp(habits[i].word, word) == 0)
            return alloc_format("postkick %s", habits[i].meant);
    for (size_t i = 0; i < MESSAGE_VERBS; i++)
        if (strcmp(message_verbs[i].name, word) == 0)
            return alloc_format("postkick -M %s", word);
    if (!is_command)
        return class == NULL ? NULL : alloc_format("postkick %s %s REQUEST", class, word);
    utstring_init(&meaning);
    utstring_printf(&meaning, "postkick");
    for (int i = 1; i < options->operand_count; i++)
        utstring_printf(&meaning, " -i %s", options->operands[i]);
    utstring_printf(&meaning, " -p %s", word);
    return utstring_body(&meaning);
}

static void refuse_action(const struct command *command)
{
    const char *word = command->options->operands[0], *next = command->options->operands[1];
    UT_array *known = settings_actions(command->settings);
    char *meaning = find_meaning(command, word), *actions = strings_join(known, ", ");

    strings_append(known, "public");
    strings_append(known, "private");
    const char *nearest = text_nearest(word, known);
    if (meaning != NULL)
        diag_line("fatal", "unknown action: %s: did you mean \"%s\"?", word, meaning);
    else if (next != NULL && strings_contain(known, next))
        diag_line("fatal", "unknown action: %s: the action comes first: postkick %s %s", word, next,
                  word);
    else if (nearest != NULL)
        diag_line("fatal", "unknown action: %s: did you mean %s?", word, nearest);
    else
        diag_line("fatal", "unknown action: %s: specify one of %s, or class, service and request",
                  word, actions);
    free(meaning);
    free(actions);
    utarray_free(known);
}

/* Returns the targets of an action; or NULL, and the error was reported. */
static UT_array *find_action(const struct command *command)
{
    const struct options *options = command->options;
    UT_array *targets = settings_action(command->settings, options->operands[0], NULL);
    int second = 1;

    if (targets == NULL) {
        refuse_action(command);
        return NULL;
    }
    UT_array *known = settings_actions(command->settings);
    while (second < options->operand_count && !strings_contain(known, options->operands[second]))
        second++;
    utarray_free(known);
    if (second == options->operand_count)
        return targets;
    diag_line("fatal", "%s or %s? specify one action; an instance of that name is selected with -i",
              options->operands[0], options->operands[second]);
    utarray_free(targets);
    return NULL;
}

/* Returns the target that the three operands mean; or NULL, and reports the error. */
static UT_array *find_target(const struct command *command)
{
    char *const *operands = command->options->operands;
    UT_array *targets;

    if (!target_service_is_valid(operands[1])) {
        diag_line("fatal", "invalid service name: \"%s\": specify one path component", operands[1]);
        return NULL;
    }
    utarray_new(targets, &target_icd);
    target_append(targets, operands[0], operands[1], operands[2]);
    return targets;
}

int command_kick(struct command *command)
{
    const struct options *options = command->options;
    bool is_status = options->mode == OPTIONS_STATUS;
    bool is_action = !is_status && !target_class_is_valid(options->operands[0]);
    UT_array *targets = is_status ? NULL : is_action ? find_action(command) : find_target(command);
    /* Whoever asks for the status waits for all, and not for as long as an instance may take for
     * real requests. */
    struct kicks kicks = {.targets = targets,
                          .is_action = is_action,
                          .limit = command->settings->kick_limit,
                          .is_probe = is_status,
                          .whole_limit = is_status ? command->settings->status_limit : 0,
                          .wait = options->wait};
    int status = 1;

    if (!is_status && targets == NULL)
        return 1;
    if (command_select(command) && (is_status || check_requests(command, targets)) &&
        command_mark(command, is_status || options->all))
        status = run(command, kicks);
    if (targets != NULL)
        utarray_free(targets);
    return status;
}
