/* SPDX-License-Identifier: MIT */
/* -M: lists messages, counts them, and acts on them. */
#include "report/messages.h"
#include "base/diag.h"
#include "base/text.h"
#include "command/command.h"
#include "report/kicks.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Input is read in pieces of so many bytes. */
#define BLOCK 65536

/* The kinds that are counted without --top. */
#define TOP 10

/* A run of -M. */
struct run {
    const struct command *command;
    struct messages messages;
    struct messages_report report;
    struct limits limits; /* the command's, and shorter when nobody reads what is listed */
};

/* Like read(2), but waits until there is something to read. The errno may be ETIMEDOUT or EINTR. */
static ssize_t read_input(int fd, char *buffer, size_t size, const struct limits *limits)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};

    while (signals_received() == 0) {
        if (signals_poll(&input, 1, limits->end) > 0)
            return read(fd, buffer, size);
        if (clock_now() >= limits->end) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    errno = EINTR;
    return -1;
}

/* Names the messages of all complete lines of standard input, and leaves the rest. Returns false if
 * a line is none of those that can be there, or too long, which is reported. */
static bool name_lines(struct run *run, UT_string *text, size_t *number)
{
    const char *start = utstring_body(text), *end = start + utstring_len(text), *newline;

    for (; (newline = memchr(start, '\n', (size_t)(end - start))) != NULL; start = newline + 1) {
        size_t length = (size_t)(newline - start);

        ++*number;
        if (messages_name(&run->messages, start, length) == MESSAGE_OPERAND_BAD) {
            diag_line("fatal", "standard input, line %zu: not a queue ID: %.*s", *number,
                      text_quoted(length), start);
            return false;
        }
    }
    memmove(utstring_body(text), start, (size_t)(end - start));
    text->i = (size_t)(end - start);
    if (utstring_len(text) <= CAPTURE_LINE_MAXIMUM)
        return true;
    diag_line("fatal", "standard input, line %zu: too long", *number + 1);
    return false;
}

/* Reads which messages are meant from standard input. Returns false if that fails, which is
 * reported. */
static bool name_input(struct run *run)
{
    static char block[BLOCK];
    UT_string text;
    size_t number = 0;
    ssize_t count;
    bool is_well = true;

    if (isatty(STDIN_FILENO) == 1 && !run->command->options->quiet)
        diag_line(NULL, "reading queue IDs from the terminal, up to ^D");
    utstring_init(&text);
    do {
        count = read_input(STDIN_FILENO, block, sizeof(block), &run->limits);
        if (count < 0)
            diag_line("fatal", "standard input: %s",
                      limits_reached(&run->limits) ? limits_reason() : strerror(errno));
        else if (count > 0)
            text_append(&text, block, (size_t)count);
        else if (utstring_len(&text) > 0)
            text_append(&text, "\n", 1); /* the last line may have none */
        is_well = count >= 0 && name_lines(run, &text, &number);
    } while (is_well && count > 0);
    utstring_done(&text);
    return is_well;
}

/* Names the messages that the operands mean. Returns false if one means none, which is reported. */
static bool name_operands(struct run *run)
{
    char *const *operands = &run->command->options->operands[1];

    if (!run->messages.is_named)
        return true;
    if (strcmp(operands[0], "-") == 0)
        return name_input(run);
    for (; *operands != NULL; operands++) {
        if (messages_name(&run->messages, *operands, strlen(*operands)) != MESSAGE_OPERAND_ID) {
            diag_line("fatal", "not a queue ID: %s", *operands);
            return false;
        }
    }
    return true;
}

/* Asks on the terminal whether what was found is to be deleted. Returns false if not, which is
 * reported. */
static bool confirm(const struct run *run)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    size_t total = run->messages.total, instances = 0;
    char answer[64];

    if (terminal < 0) {
        diag_line("fatal", "delete: no terminal to ask on: %s: specify --yes", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < run->messages.count; i++)
        instances += utarray_len(run->messages.parts[i].ids) > 0;
    char *number = total < 1000      ? alloc_format("%zu", total)
                   : total < 1000000 ? alloc_format("%zu,%03zu", total / 1000, total % 1000)
                                     : alloc_format("%zu,%03zu,%03zu", total / 1000000,
                                                    total / 1000 % 1000, total % 1000);
    diag_progress("", 0);
    (void)dprintf(terminal, "delete %s message%s of %zu instance%s? [y/N] ", number,
                  total == 1 ? "" : "s", instances, instances == 1 ? "" : "s");
    ssize_t count = read_input(terminal, answer, sizeof(answer) - 1, &run->limits);
    answer[count > 0 ? count : 0] = '\0';
    text_trim(answer);
    bool is_confirmed = strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
    if (!is_confirmed)
        diag_line("fatal", "not confirmed: nothing was deleted");
    free(number);
    close(terminal);
    return is_confirmed;
}

/* Sends the request where something was done, and reports all results. Returns whether it was
 * received. */
static bool finish(struct run *run)
{
    const struct command *command = run->command;
    enum message_verb verb = run->messages.verb;
    struct selection done = command->selection;
    UT_array *targets;
    bool is_sent = true;

    utarray_new(targets, &target_icd);
    struct kicks kicks = {.targets = targets,
                          .is_action = true,
                          .limit = command->settings->kick_limit,
                          .settings = command->settings,
                          .locks = run->messages.locks};
    if (verb == MESSAGE_REQUEUE)
        target_append(targets, "public", "pickup", "W");
    else if (verb == MESSAGE_RELEASE || verb == MESSAGE_EXPIRE)
        target_append(targets, "public", "qmgr", command->options->now ? "FAD" : "D");
    done.members = alloc_zeroed(done.member_count, sizeof(*done.members));
    done.member_count = 0;
    for (size_t i = 0; i < run->messages.count && utarray_len(targets) > 0; i++)
        if (run->messages.parts[i].done > 0)
            done.members[done.member_count++] = *run->messages.parts[i].member;
    if (done.member_count > 0)
        is_sent = command_send(command, &kicks, &done);
    run->report.kicks = &kicks;
    report_messages(&run->report, true);
    is_sent = report_kicks(&(struct kicks_report){.selection = &command->selection,
                                                  .kicks = &kicks,
                                                  .quiet = command->options->quiet,
                                                  .verbose = command->verbose}) &&
              is_sent;
    kicks_free(&kicks);
    free(done.members);
    utarray_free(targets);
    return is_sent;
}

/* Returns whether all went well. */
static bool find_and_act(struct run *run)
{
    const struct options *options = run->command->options;
    bool acts = message_verbs[options->verb].option != NULL, is_sent = true;

    signals_catch();
    if (!name_operands(run))
        return false;
    messages_find(&run->messages);
    report_messages(&run->report, false);
    if (acts && (options->dry_run || run->messages.total == 0)) {
        report_messages(&run->report, true);
    } else if (acts && options->verb == MESSAGE_DELETE && !options->yes && !confirm(run)) {
        return false;
    } else if (acts) {
        messages_act(&run->messages);
        is_sent = finish(run);
    }
    return is_sent && run->messages.is_well;
}

int command_messages(struct command *command)
{
    const struct options *options = command->options;
    struct selection *selection = &command->selection;

    if (message_verbs[options->verb].option != NULL && !options->dry_run && geteuid() != 0) {
        diag_line("fatal", "%s: must be run as root, like postsuper(1)",
                  message_verbs[options->verb].name);
        return 1;
    }
    if (!command_select(command) || !command_mark(command, true))
        return 1;
    struct master_locks locks = {.limits = command->limits};
    struct run run = {
        .command = command,
        .messages = {.selection = selection,
                     .verb = options->verb,
                     .filter = options->filter,
                     .by = options->by,
                     .is_named =
                         options->operand_count > 1 && strcmp(options->operands[1], "ALL") != 0,
                     .daemon_directory =
                         host_find_directory(&selection->host, PARAMETER_DAEMON_DIRECTORY),
                     .directory = command->directory,
                     .found = report_message,
                     .waiting = report_messages_waiting,
                     .locks = &locks,
                     .maximum = MESSAGES_MAXIMUM},
        .report = {.top = options->top == 0 ? TOP : (size_t)options->top,
                   .json = options->json,
                   .dry_run = options->dry_run,
                   .quiet = options->quiet},
        .limits = *command->limits,
    };

    run.messages.context = &run.report;
    run.messages.limits = &run.limits;
    run.report.messages = &run.messages;
    if (!options->json) /* where no age is shown, the clock makes no difference */
        run.report.now = time(NULL);
    utarray_new(run.messages.refusals, &strings_icd);
    utstring_init(&run.report.out);
    selection_find_running(selection, &locks);
    bool is_well = find_and_act(&run) && !run.report.failed;
    is_well = command_report_selection(command) && is_well;
    messages_free(&run.messages);
    utstring_done(&run.report.out);
    master_locks_free(&locks);
    return is_well ? 0 : 1;
}
