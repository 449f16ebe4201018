/* SPDX-License-Identifier: MIT */
/* -M: lists messages, counts them, and acts on them. */
#include "report/messages.h"
#include "base/diag.h"
#include "base/process.h"
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
    struct selection *selection;
    struct messages messages;
    struct messages_report report;
    struct limits limits; /* the command's, and shorter when nobody reads what is listed */
};

/* Waits until there is something to read. Returns 0 or an errno: ETIMEDOUT, EINTR. */
static int wait_for_input(int fd, const struct limits *limits)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};

    while (signals_received() == 0) {
        if (signals_poll(&input, 1, limits->end) > 0)
            return 0;
        if (clock_now() >= limits->end)
            return ETIMEDOUT;
    }
    return EINTR;
}

/* Names the message of a line of standard input. Returns false if the line is none of those that
 * can be there, which is reported. */
static bool name_line(struct run *run, const char *line, size_t length, size_t number)
{
    char id[MESSAGE_ID_SIZE], *instance;
    enum message_operand operand = message_parse_line(line, length, &instance, id);

    if (operand == MESSAGE_OPERAND_ID)
        messages_name(&run->messages, instance, id);
    if (operand == MESSAGE_OPERAND_BAD)
        diag_line("fatal", "standard input, line %zu: not a queue ID: %.*s", number,
                  text_quoted(length), line);
    free(instance);
    return operand != MESSAGE_OPERAND_BAD;
}

/* Names the messages of all complete lines, and of the last one at the end of the input; leaves the
 * rest. */
static bool name_lines(struct run *run, UT_string *text, size_t *number, bool is_end)
{
    const char *start = utstring_body(text), *end = start + utstring_len(text), *newline;
    bool is_well = true;

    while (is_well && (newline = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        is_well = name_line(run, start, (size_t)(newline - start), ++*number);
        start = newline + 1;
    }
    if (is_well && is_end && start < end)
        is_well = name_line(run, start, (size_t)(end - start), ++*number);
    memmove(utstring_body(text), start, (size_t)(end - start));
    text->i = (size_t)(end - start);
    return is_well;
}

/* Reads which messages are meant from standard input. Returns false if that fails, which is
 * reported. */
static bool name_input(struct run *run)
{
    static char block[BLOCK];
    UT_string text;
    size_t number = 0;
    ssize_t count;
    int error;
    bool is_well = true;

    if (isatty(STDIN_FILENO) == 1 && !run->command->options->quiet)
        diag_line(NULL, "reading queue IDs from the terminal, up to ^D");
    utstring_init(&text);
    do {
        error = wait_for_input(STDIN_FILENO, &run->limits);
        count = error == 0 ? read(STDIN_FILENO, block, sizeof(block)) : -1;
        if (count < 0 && error == 0)
            error = errno;
        if (count > 0)
            text_append(&text, block, (size_t)count);
        if (count >= 0)
            is_well = name_lines(run, &text, &number, count == 0);
    } while (is_well && count > 0 && utstring_len(&text) <= CAPTURE_LINE_MAXIMUM);
    if (count < 0)
        diag_line("fatal", "standard input: %s", strerror(error));
    else if (count > 0 && is_well)
        diag_line("fatal", "standard input, line %zu: too long", number + 1);
    utstring_done(&text);
    return is_well && count == 0;
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
        char id[MESSAGE_ID_SIZE], *instance;

        if (message_parse_line(*operands, strlen(*operands), &instance, id) != MESSAGE_OPERAND_ID) {
            diag_line("fatal", "not a queue ID: %s", *operands);
            return false;
        }
        messages_name(&run->messages, instance, id);
        free(instance);
    }
    return true;
}

/* Returns the number with a comma after each thousand, a new string. */
static char *format_number(size_t number)
{
    char *digits = alloc_format("%zu", number);
    size_t length = strlen(digits);
    UT_string text;

    utstring_init(&text);
    for (size_t i = 0; i < length; i++)
        utstring_printf(&text, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
    free(digits);
    return utstring_body(&text);
}

/* Reads a line from the terminal, and returns whether it says yes. */
static bool read_answer(int terminal, const struct limits *limits)
{
    char answer[64];

    if (wait_for_input(terminal, limits) != 0)
        return false;
    ssize_t count = read(terminal, answer, sizeof(answer) - 1);
    answer[count > 0 ? count : 0] = '\0';
    text_trim(answer);
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* Asks whether what was found is to be deleted. Returns false if not, which is reported. */
static bool confirm(const struct run *run)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    size_t total = messages_total(&run->messages), instances = 0;

    if (terminal < 0) {
        diag_line("fatal", "delete: no terminal to ask on: %s: specify --yes", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < run->messages.count; i++)
        instances += utarray_len(run->messages.parts[i].ids) > 0;
    char *number = format_number(total);
    diag_clear();
    (void)dprintf(terminal, "delete %s message%s of %zu instance%s? [y/N] ", number,
                  total == 1 ? "" : "s", instances, instances == 1 ? "" : "s");
    bool is_confirmed = read_answer(terminal, &run->limits);
    if (!is_confirmed)
        diag_line("fatal", "not confirmed: nothing was deleted");
    free(number);
    close(terminal);
    return is_confirmed;
}

/* Returns the request that a verb needs, an array of targets. */
static UT_array *make_targets(const struct options *options)
{
    UT_array *targets;

    utarray_new(targets, &target_icd);
    if (options->verb == MESSAGE_REQUEUE)
        target_append(targets, "public", "pickup", "W");
    else if (options->verb == MESSAGE_RELEASE || options->verb == MESSAGE_EXPIRE)
        target_append(targets, "public", "qmgr", options->now ? "FAD" : "D");
    return targets;
}

/* Sends the request where something was done, and reports all results. Returns whether it was
 * received. */
static bool finish(struct run *run)
{
    const struct command *command = run->command;
    struct selection done = *run->selection;
    UT_array *targets = make_targets(command->options);
    struct kicks kicks = {.targets = targets,
                          .is_action = true,
                          .limit = command->settings->kick_limit,
                          .settings = command->settings,
                          .locks = run->messages.locks};
    bool is_sent = true;

    done.members = alloc_zeroed(done.member_count, sizeof(*done.members));
    done.member_count = 0;
    for (size_t i = 0; i < run->messages.count && utarray_len(targets) > 0; i++)
        if (run->messages.parts[i].done > 0)
            done.members[done.member_count++] = *run->messages.parts[i].member;
    if (done.member_count > 0)
        is_sent = command_send(command, &kicks, &done);
    run->report.kicks = &kicks;
    report_messages_done(&run->report);
    is_sent = report_kicks(&(struct kicks_report){.selection = run->selection,
                                                  .kicks = &kicks,
                                                  .quiet = command->options->quiet,
                                                  .verbose = command->verbose}) &&
              is_sent;
    kicks_free(&kicks);
    free(done.members);
    utarray_free(targets);
    return is_sent;
}

/* Acts on what was found. Returns whether all went well. */
static bool act(struct run *run)
{
    const struct options *options = run->command->options;
    bool is_well = true;

    if (options->dry_run || messages_total(&run->messages) == 0) {
        report_messages_done(&run->report);
    } else if (options->verb == MESSAGE_DELETE && !options->yes && !confirm(run)) {
        return false;
    } else {
        messages_act(&run->messages);
        is_well = finish(run);
    }
    return is_well && messages_succeeded(&run->messages);
}

static bool find_and_act(struct run *run)
{
    signals_catch();
    messages_plan(&run->messages, run->selection);
    if (!name_operands(run))
        return false;
    messages_find(&run->messages);
    report_messages_found(&run->report);
    return message_verbs[run->messages.verb].option != NULL ? act(run)
                                                            : messages_succeeded(&run->messages);
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
    struct master_locks *locks = master_locks_new(command->limits);
    struct run run = {
        .command = command,
        .selection = selection,
        .messages = {.verb = options->verb,
                     .filter = options->filter,
                     .counts = {.by = options->by},
                     .is_named =
                         options->operand_count > 1 && strcmp(options->operands[1], "ALL") != 0,
                     .daemon_directory =
                         host_find_directory(&selection->host, PARAMETER_DAEMON_DIRECTORY),
                     .directory = command->directory,
                     .found = report_message,
                     .waiting = report_messages_waiting,
                     .locks = locks,
                     .maximum = MESSAGES_MAXIMUM},
        .report = {.selection = selection,
                   .top = options->top == 0 ? TOP : (size_t)options->top,
                   .json = options->json,
                   .dry_run = options->dry_run,
                   .quiet = options->quiet},
        .limits = *command->limits,
    };

    run.messages.context = &run.report;
    run.messages.limits = run.report.limits = &run.limits;
    run.report.messages = &run.messages;
    if (!options->json) /* where no age is shown, the clock makes no difference */
        run.report.now = time(NULL);
    utstring_init(&run.report.out);
    selection_find_running(selection, locks);
    bool is_well = find_and_act(&run) && !run.report.failed;
    is_well = command_report_selection(command) && is_well;
    messages_free(&run.messages);
    utstring_done(&run.report.out);
    master_locks_free(locks);
    return is_well ? 0 : 1;
}
