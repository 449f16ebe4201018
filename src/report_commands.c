/* What is said of commands in instances: -p and -x. */
#include "diag.h"
#include "report.h"
#include "report_row.h"
#include "text.h"
#include <ctype.h>
#include <string.h>

void report_output(const struct selection *selection, const struct manager_task *task,
                   UT_string *out)
{
    if (task->child == NULL || !task->child->has_text || utstring_len(&task->child->text) == 0)
        return;
    const UT_string *text = &task->child->text;
    if (selection->is_single) {
        utstring_concat(out, text);
        return;
    }
    const char *name = task->choice->instance->config_directory;
    utstring_printf(out, "==> ");
    text_printable(out, name, strlen(name));
    utstring_printf(out, " <==\n");
    utstring_concat(out, text);
    if (utstring_body(text)[utstring_len(text) - 1] != '\n')
        utstring_printf(out, "\n");
}

static json_t *command_array(char *const *argv)
{
    json_t *array = json_array();

    for (size_t i = 0; argv[i] != NULL; i++)
        if (json_array_append_new(array, report_row_string(argv[i], strlen(argv[i]))) < 0)
            alloc_fail();
    return array;
}

void report_task_json(const struct manager_task *task, struct master_locks *locks, UT_string *out)
{
    const struct run_child *child = task->child;
    bool has_text = child != NULL && child->has_text;
    bool has_exited = child != NULL && child->outcome != RUN_PENDING;
    json_t *row = report_row_new(task->choice->instance, locks);

    report_row_add(row, "command", command_array(task->argv));
    report_row_add(row, "exit_status", json_integer(has_exited ? child->exit_status : -1));
    report_row_add(row, "signal", json_integer(child != NULL ? child->signal : 0));
    report_row_add_bytes(row, "output", has_text ? utstring_body(&child->text) : "",
                         has_text ? utstring_len(&child->text) : 0);
    report_row_add(row, "truncated", json_boolean(has_text && child->truncated));
    report_row_add(row, "seconds", json_real(manager_seconds(task)));
    report_row_add_text(row, "status", manager_status_name(task->status));
    report_row_add_text(row, "reason", task->reason == NULL ? "" : task->reason);
    report_row_finish(row, out);
}

static bool is_plain(const char *word)
{
    for (const char *at = word; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("%+,-./:=@_", *at) == NULL)
            return false;
    return word[0] != '\0';
}

/* As a shell would need it, so that one sees where words begin and end. */
static void append_word(UT_string *out, const char *word)
{
    if (is_plain(word)) {
        utstring_printf(out, " %s", word);
        return;
    }
    utstring_printf(out, " '");
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '\'')
            utstring_printf(out, "'\\''");
        else
            utstring_bincpy(out, at, 1);
    }
    utstring_printf(out, "'");
}

static void append_command(UT_string *out, const struct manager_task *task)
{
    if (task->child != NULL)
        append_word(out, task->child->program);
    for (size_t i = task->child != NULL ? 1 : 0; task->argv[i] != NULL; i++)
        append_word(out, task->argv[i]);
}

void report_tasks_plan(const struct manager *manager, UT_string *out)
{
    for (size_t i = 0; i < manager->count; i++) {
        size_t at = manager->is_reversed ? manager->count - 1 - i : i;
        const struct manager_task *task = &manager->tasks[at];
        const char *name = task->choice->instance->config_directory;
        UT_string line;

        utstring_init(&line);
        if (task->status == MANAGER_PLANNED) {
            utstring_printf(&line, "%s: run", name);
            append_command(&line, task);
        } else {
            utstring_printf(&line, "%s: %s: %s", name,
                            task->status == MANAGER_FAILED ? "fail" : "skip", task->reason);
        }
        text_printable(out, utstring_body(&line), utstring_len(&line));
        utstring_printf(out, "\n");
        utstring_done(&line);
    }
}

/* A line about a task, with the instance's name where there are several. */
static void report_line(const struct selection *selection, const struct manager_task *task,
                        const char *level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void report_line(const struct selection *selection, const struct manager_task *task,
                        const char *level, const char *format, ...)
{
    const char *name = selection->is_single ? "" : task->choice->instance->config_directory;
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    char *line = alloc_format("%s%s%s", name, selection->is_single ? "" : ": ", text);
    diag_line(level, line);
    free(line);
    free(text);
}

static void report_verbosely(const struct selection *selection, const struct manager_task *task)
{
    UT_string command;

    if (task->child == NULL) {
        report_line(selection, task, NULL, "not run: %s", task->reason);
        return;
    }
    utstring_init(&command);
    append_command(&command, task);
    report_line(selection, task, NULL, "%s after %.3fs:%s",
                task->reason == NULL ? "exit status 0" : task->reason, manager_seconds(task),
                utstring_body(&command));
    utstring_done(&command);
}

static void report_failure(const struct selection *selection, const struct manager_task *task,
                           int verbose)
{
    bool has_exited =
        task->child != NULL && task->child->outcome == RUN_ENDED && task->child->signal == 0;

    if (task->choice->standing == SELECTION_FAILED)
        report_instance_error(selection, task->choice->instance);
    else if (!selection->is_single || !has_exited)
        report_line(selection, task, "warning", "%s", task->reason);
    else if (verbose > 0)
        report_verbosely(selection, task);
}

void report_tasks(const struct selection *selection, const struct manager *manager, int verbose)
{
    for (size_t i = 0; i < manager->count; i++) {
        const struct manager_task *task = &manager->tasks[i];

        if (task->status == MANAGER_FAILED)
            report_failure(selection, task, verbose);
        else if (task->status == MANAGER_DUPLICATE)
            report_line(selection, task, "warning", "%s: not run again", task->reason);
        else if (verbose > 0)
            report_verbosely(selection, task);
        if (task->child != NULL && task->child->truncated)
            report_line(selection, task, "warning", "output after the first %zu bytes was dropped",
                        RUN_OUTPUT_MAXIMUM);
    }
}
