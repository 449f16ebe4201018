#include "postfix/postconf.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/strings.h"
#include <ctype.h>
#include <string.h>

static UT_array *build_arguments(const char *program, const char *config_directory,
                                 const UT_array *overrides, const bool *wanted)
{
    UT_array *arguments;

    utarray_new(arguments, &strings_icd);
    strings_append(arguments, "%s", program);
    strings_append(arguments, "-c");
    strings_append(arguments, "%s", config_directory);
    strings_append(arguments, "-x");
    for (size_t i = 0; i < utarray_len(overrides); i++) {
        strings_append(arguments, "-o");
        strings_append(arguments, "%s", strings_item(overrides, i));
    }
    for (int i = 0; i < PARAMETER_COUNT; i++)
        if (wanted[i])
            strings_append(arguments, "%s", parameter_name((enum parameter)i));
    char *end = NULL;
    utarray_push_back(arguments, &end);
    return arguments;
}

/* Takes one line "name = value". */
static void take_line(const char *line, size_t length, const bool *wanted, char **values)
{
    const char *equals = memchr(line, '=', length);
    enum parameter parameter;

    if (equals == NULL)
        return;
    size_t name_length = (size_t)(equals - line);
    while (name_length > 0 && line[name_length - 1] == ' ')
        name_length--;
    if (!parameter_find(line, name_length, &parameter) || !wanted[parameter] ||
        values[parameter] != NULL)
        return;
    const char *value = equals + 1, *end = line + length;
    while (value < end && *value == ' ')
        value++;
    values[parameter] = alloc_span(value, (size_t)(end - value));
}

static void take_lines(const UT_string *text, const bool *wanted, char **values)
{
    const char *at = utstring_body(text), *end = at + utstring_len(text);

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline != NULL ? newline : end) - at);

        take_line(at, length, wanted, values);
        at += length + 1;
    }
}

/* Cut off, or with a NUL in it, a value would be taken for another. */
static bool is_whole_text(const struct process *child)
{
    return !child->output.truncated && memchr(utstring_body(&child->output.text), '\0',
                                              utstring_len(&child->output.text)) == NULL;
}

/* Returns true when every wanted parameter has a value; otherwise none has. */
static bool is_complete(const bool *wanted, char **values)
{
    bool complete = true;

    for (int i = 0; i < PARAMETER_COUNT; i++)
        complete = complete && (!wanted[i] || values[i] != NULL);
    for (int i = 0; i < PARAMETER_COUNT && !complete; i++) {
        if (wanted[i]) {
            free(values[i]);
            values[i] = NULL;
        }
    }
    return complete;
}

static void describe_failure(const struct process *child, char **error)
{
    if (child->outcome == PROCESS_NOT_STARTED)
        alloc_set_text(error, "run %s: %s", child->program, strerror(child->error));
    else if (child->outcome == PROCESS_TIMED_OUT || child->outcome == PROCESS_INTERRUPTED)
        alloc_set_text(error, "%s did not answer in time", child->program);
    else
        alloc_set_text(error, "%s cannot tell the parameters that main.cf refers to",
                       child->program);
}

bool postconf_ask(const char *command_directory, const char *config_directory,
                  const UT_array *overrides, const bool *wanted, const struct limits *limits,
                  char **values, char **error)
{
    static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", locale[] = "LC_ALL=C";
    char *const environment[] = {path, locale, NULL};

    if (command_directory[0] != '/') {
        alloc_set_text(error, "command_directory is not an absolute path: %s", command_directory);
        return false;
    }
    char *program = alloc_format("%s/postconf", command_directory);
    UT_array *arguments = build_arguments(program, config_directory, overrides, wanted);
    struct process child = {.program = program,
                            .argv = (char *const *)(void *)arguments->d,
                            .environment = environment,
                            .streams = PROCESS_CAPTURE_OUTPUT};
    struct process_batch run = {.processes = &child, .count = 1, .parallel = 1};
    struct limits own = *limits;
    own.end = clock_after(clock_now(), POSTCONF_SECONDS);
    if (own.end > limits->end)
        own.end = limits->end;
    run.limits = &own;

    process_run(&run);
    if (child.outcome == PROCESS_ENDED && child.exit_status == 0 && child.signal == 0 &&
        child.output.error == 0 && is_whole_text(&child))
        take_lines(&child.output.text, wanted, values);
    bool complete = is_complete(wanted, values);
    if (!complete)
        describe_failure(&child, error);
    process_free(&child);
    utarray_free(arguments);
    free(program);
    return complete;
}
