#include "postfix/kick.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/signals.h"
#include "base/strings.h"
#include "command/command.h"
#include "postfix/catalogue.h"
#include "report/progress.h"
#include "report/report.h"
#include <string.h>

static void list_actions(struct settings *settings, UT_string *out)
{
    UT_array *names = catalogue_actions(settings);

    for (size_t i = 0; i < utarray_len(names); i++)
        utstring_printf(out, "%s%s", i == 0 ? "" : ", ", strings_item(names, i));
    utarray_free(names);
}

/* The targets that the operands mean, or NULL when they mean none, which is told. */
static UT_array *find_targets(const struct command *command)
{
    char *const *operands = command->options->operands;
    UT_array *targets;

    if (command->options->operand_count == 1) {
        targets = catalogue_action(command->settings, operands[0]);
        if (targets == NULL) {
            UT_string known;
            utstring_init(&known);
            list_actions(command->settings, &known);
            diag_fatal("unknown action: %s: specify class, service and request, or "
                       "one of %s",
                       operands[0], utstring_body(&known));
            utstring_done(&known);
        }
        return targets;
    }
    if (!target_class_is_valid(operands[0])) {
        diag_fatal("invalid class name: \"%s\": specify public or private", operands[0]);
        return NULL;
    }
    if (!target_service_is_valid(operands[1])) {
        diag_fatal("invalid service name: \"%s\": specify one path component", operands[1]);
        return NULL;
    }
    utarray_new(targets, &target_icd);
    target_append(targets, operands[0], operands[1], operands[2]);
    return targets;
}

/* Tells what the services will not do with the requests. False: that is refused. */
static bool check_requests(const struct command *command, const UT_array *targets)
{
    bool strict = settings_strict(command->settings), accepted = true;

    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = target_item(targets, i);
        UT_array *warnings;

        utarray_new(warnings, &strings_icd);
        catalogue_check(command->settings, target, warnings);
        for (size_t j = 0; j < utarray_len(warnings); j++) {
            char *text = alloc_format("%s/%s: %s", target->class, target->service,
                                      strings_item(warnings, j));
            if (strict)
                diag_line("fatal", text);
            else if (!command->options->quiet)
                diag_line("warning", text);
            accepted = accepted && !strict;
            free(text);
        }
        utarray_free(warnings);
    }
    return accepted;
}

static const char *known_class(void *context, const char *service)
{
    return catalogue_class(context, service);
}

static int connections(const struct command *command)
{
    int most, wish = settings_connections(command->settings);

    descriptors_raise_limit();
    most = descriptors_for_connections();
    return wish > 0 && wish < most ? wish : most;
}

static bool send_all(const struct command *command, struct kicks *kicks)
{
    struct kicks_options kicks_options = {.connections = connections(command),
                                          .limits = command->limits,
                                          .wait = command->options->wait,
                                          .context = kicks};

    if (!command->options->quiet && progress_is_wanted())
        kicks_options.progress = progress_show;
    signals_catch();
    int error = kicks_run(kicks, &kicks_options);
    progress_clear();
    if (error != 0)
        diag_warning("epoll: %s", strerror(error));
    return error == 0;
}

/* Nothing can be done when nothing is left to kick. */
static bool any_to_kick(const struct selection *selection)
{
    for (size_t i = 0; i < selection->member_count; i++)
        if (selection->members[i].state != SELECTION_DISABLED)
            return true;
    return false;
}

/* Writes what came of it. Returns the exit status. */
static int report(const struct command *command, const struct selection *selection,
                  const struct kicks *kicks, struct master_locks *locks)
{
    const struct options *options = command->options;
    UT_string out;
    int status = utarray_len(selection->unmatched) > 0 ? 1 : 0;

    utstring_init(&out);
    if (options->json)
        report_kicks_json(kicks, locks, &out);
    else if (options->dry_run)
        report_plan(kicks, &out);
    if (!report_flush(&out))
        status = 1;
    utstring_done(&out);
    if (!options->dry_run && !options->quiet)
        report_kicks(selection, kicks, command->verbose);
    if (selection->is_single && selection->members[0].state == SELECTION_FAILED &&
        !(options->dry_run && !options->json))
        report_instance_error(selection, selection->members[0].instance);
    for (size_t i = 0; i < kicks->count; i++)
        if (!kick_succeeded(&kicks->items[i]))
            status = 1;
    return status;
}

static int kick_selected(const struct command *command, struct selection *selection,
                         const UT_array *targets)
{
    struct master_locks *locks = master_locks_new();
    struct kicks kicks;
    bool is_action = command->options->operand_count == 1;
    bool sent = true;

    kicks_plan(&kicks, selection, targets, is_action);
    if (command->options->dry_run)
        kicks_check(&kicks, locks);
    else
        sent = send_all(command, &kicks);
    kicks_explain(&kicks, locks, known_class, command->settings);
    int status = report(command, selection, &kicks, locks);
    kicks_free(&kicks);
    master_locks_free(locks);
    return sent ? status : 1;
}

int command_kick(const struct command *command)
{
    static const bool keep_always[PARAMETER_COUNT] = {
        [PARAMETER_QUEUE_SERVICE_NAME] = true, [PARAMETER_PICKUP_SERVICE_NAME] = true};
    bool keep[PARAMETER_COUNT];
    struct selection selection = {0};
    int status = 1;

    memcpy(keep, keep_always, sizeof(keep));
    keep[PARAMETER_DATA_DIRECTORY] = command->options->json;
    UT_array *targets = find_targets(command);
    if (targets == NULL)
        return 1;
    if (check_requests(command, targets) && command_select(command, keep, &selection)) {
        selection_mark(&selection, command->options->all, true);
        if (any_to_kick(&selection))
            status = kick_selected(command, &selection, targets);
        else
            diag_line("fatal", "No matching instances");
    }
    selection_free(&selection);
    utarray_free(targets);
    return status;
}
