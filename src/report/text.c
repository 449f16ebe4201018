#include "base/text.h"
#include "base/diag.h"
#include "base/strings.h"
#include "report/report.h"
#include "report/row.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

void report_no_selection(const struct selection *selection)
{
    if (selection->notice != NULL)
        diag_warning("%s", selection->notice);
    diag_line("fatal", selection->error);
}

void report_instance_error(const struct selection *selection, const struct instance *instance)
{
    if (selection->is_single) {
        if (instance->notice != NULL)
            diag_warning("%s", instance->notice);
        diag_line("fatal", instance->error);
        return;
    }
    if (instance->notice != NULL)
        diag_warning("%s: %s", instance->config_directory, instance->notice);
    diag_warning("%s: %s", instance->config_directory, instance->error);
}

void report_selection(const struct selection *selection, bool with_trust)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;

        if (instance->enabled == INSTANCE_DISABLED && !selection->is_single)
            continue; /* nobody waits for it to be mended */
        for (size_t j = 0; instance->warnings != NULL && j < utarray_len(instance->warnings); j++)
            diag_warning("%s", strings_item(instance->warnings, j)); /* it names the file */
        if (with_trust && geteuid() == 0 && instance_others_write(instance))
            diag_warning("%s: main.cf or its directory can be changed by others than root",
                         instance->config_directory);
    }
    for (size_t i = 0; i < utarray_len(selection->unmatched); i++)
        diag_warning("no instance matches -i %s", strings_item(selection->unmatched, i));
}

/* Postfix's own lines where it has some. False: it has none. */
static bool report_as_postfix(const struct kick *kick)
{
    const char *class = kick->class, *service = kick->service;

    switch (kick->trigger->outcome) {
    case TRIGGER_LOOKUP:
        diag_warning("unable to look up %s/%s: %s", class, service, strerror(kick->trigger->error));
        break;
    case TRIGGER_LINK:
        if (kick->trigger->error == ENOTDIR)
            diag_warning("unable to look up %s/%s: %s", class, service, strerror(ENOTDIR));
        else
            diag_warning("%s/%s is not a socket or a fifo", class, service);
        break;
    case TRIGGER_WRONG_TYPE:
        diag_warning("%s/%s is not a socket or a fifo", class, service);
        break;
    case TRIGGER_HARD_LINKS:
    case TRIGGER_CONNECT:
    case TRIGGER_QUEUE_FULL:
    case TRIGGER_NO_READER:
        break;
    default:
        return false;
    }
    diag_warning("Cannot contact class %s service %s - perhaps the mail system is down", class,
                 service);
    return true;
}

/* A line that says what came of a kick, with the instance's name where there are several. */
static void report_line(const struct selection *selection, const struct kick *kick,
                        const char *level, const char *text)
{
    const char *label = selection->is_single ? "" : kick->member->instance->config_directory;
    char *line = alloc_format("%s%s%s/%s: %s", label, selection->is_single ? "" : ": ", kick->class,
                              kick->service, text);

    diag_line(level, line);
    free(line);
}

static void report_failure(const struct selection *selection, const struct kick *kick, int verbose)
{
    if (!selection->is_single || !report_as_postfix(kick))
        report_line(selection, kick, "warning", kick->reason);
    else if (verbose > 0)
        report_line(selection, kick, NULL, kick->reason);
}

static void report_success(const struct selection *selection, const struct kick *kick)
{
    const char *how = kick->trigger->is_socket ? "read" : "written";
    char *text =
        alloc_format("request \"%s\" %s after %.3fs", kick->request, how, kick_seconds(kick));

    report_line(selection, kick, NULL, text);
    free(text);
}

/* An instance that cannot be served is told once, not for each target. */
static bool is_first_of_instance(const struct kicks *kicks, size_t index)
{
    return index == 0 || kicks->items[index - 1].member != kicks->items[index].member;
}

void report_kicks(const struct selection *selection, const struct kicks *kicks, int verbose)
{
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct instance *instance = kick->member->instance;

        if (kick->member->state == SELECTION_FAILED) {
            if (is_first_of_instance(kicks, i) && !selection->is_single)
                report_instance_error(selection, instance);
        } else if (kick->status == KICK_DUPLICATE) {
            if (is_first_of_instance(kicks, i))
                diag_warning("%s: %s: not kicked again", instance->config_directory, kick->reason);
        } else if (!kick_succeeded(kick)) {
            if (kick->trigger != NULL)
                report_failure(selection, kick, verbose);
            else
                report_line(selection, kick, "warning", kick->reason);
        } else if (verbose > 0 && kick->status == KICK_KICKED) {
            report_success(selection, kick);
        }
    }
}

static void append_printable(UT_string *out, const char *text)
{
    text_printable(out, text, strlen(text));
}

void report_plan(const struct kicks *kicks, UT_string *out)
{
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct instance *instance = kick->member->instance;
        char *line;

        if (kick->member->state != SELECTION_SERVE && !is_first_of_instance(kicks, i))
            continue;
        if (kick->status == KICK_DISABLED)
            line = alloc_format("%s: skip: not enabled", instance->config_directory);
        else if (kick->status == KICK_DUPLICATE)
            line = alloc_format("%s: skip: %s", instance->config_directory, kick->reason);
        else if (kick->member->state == SELECTION_FAILED)
            line = alloc_format("%s: fail: %s", instance->config_directory, kick->reason);
        else
            line = alloc_format("%s: %s \"%s\" to %s/%s/%s%s%s", instance->config_directory,
                                kick->status == KICK_PLANNED ? "send" : "fail:", kick->request,
                                instance_value(instance, PARAMETER_QUEUE_DIRECTORY), kick->class,
                                kick->service, kick->reason == NULL ? "" : ": ",
                                kick->reason == NULL ? "" : kick->reason);
        append_printable(out, line);
        utstring_bincpy(out, "\n", 1);
        free(line);
    }
}

void report_list(const struct selection *selection, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;
        char *line = alloc_format("%-15s %-15s %-9s %s",
                                  report_column(instance, PARAMETER_MULTI_INSTANCE_NAME),
                                  report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP),
                                  report_enabled(instance), instance->config_directory);

        append_printable(out, line);
        utstring_bincpy(out, "\n", 1);
        free(line);
    }
}

bool report_flush(const UT_string *out)
{
    const char *at = utstring_body(out), *end = at + utstring_len(out);

    while (at < end) {
        ssize_t count = write(STDOUT_FILENO, at, (size_t)(end - at));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            diag_warning("write to standard output: %s", strerror(errno));
            return false;
        }
        at += count;
    }
    return true;
}
