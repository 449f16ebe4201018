/* SPDX-License-Identifier: MIT */
/* Asks postconf(1) for Postfix's parameters. */
#include "postfix/postconf.h"
#include "base/process.h"
#include <string.h>

/* Limits for the program: seconds of time and of processor time, bytes of address space. */
#define POSTCONF_SECONDS 2
#define POSTCONF_MEMORY ((size_t)512 * 1024 * 1024)

/* A directory that nobody can put anything into, and that nobody has to make or remove. postconf(1)
 * only warns that it has no master.cf. */
#define EMPTY_DIRECTORY "/proc/self/fdinfo"

static void run(struct process *child, char *program, const struct limits *limits)
{
    static char configuration[] = "-c", directory[] = EMPTY_DIRECTORY, defaults[] = "-d";
    char *const arguments[] = {program, configuration, directory, defaults, NULL};
    struct limits own = *limits;
    struct process_batch batch = {.processes = &child, .count = 1, .parallel = 1, .limits = &own};

    *child = (struct process){.program = program,
                              .argv = arguments,
                              .environment = process_clean_environment,
                              .streams = PROCESS_CAPTURE,
                              .output_maximum = CAPTURE_MEMORY,
                              .memory = POSTCONF_MEMORY,
                              .processor_time = POSTCONF_SECONDS};
    own.end = clock_after(clock_now(), POSTCONF_SECONDS);
    if (own.end > limits->end)
        own.end = limits->end;
    process_run(&batch);
}

/* Returns why the child gave no answer, or only a part of one, a new string; or NULL. */
static char *describe_failure(const struct process *child, const struct limits *limits)
{
    char *failure = process_failure(child, limits);

    if (child->outcome == PROCESS_NOT_STARTED)
        return failure; /* it names the program */
    if (child->outcome != PROCESS_ENDED)
        alloc_set_text(&failure, "%s did not answer in time", child->program);
    else if (failure != NULL)
        alloc_set_text(&failure, "%s: %s", child->program, failure);
    else if (child->output.truncated)
        failure = alloc_format("%s printed more than %zu bytes", child->program, CAPTURE_MEMORY);
    return failure;
}

/* Reads the parameters that the child printed. With a NUL, values would be cut. */
static bool read_answer(struct postconf *postconf, const UT_string *text)
{
    size_t length = utstring_len(text);
    UT_array *warnings = NULL;
    char *error = NULL;

    if (length == 0 || strlen(utstring_body(text)) != length)
        return false;
    postconf->text = alloc_span(utstring_body(text), length);
    postconf->parameters =
        maincf_parse("postconf", NULL, postconf->text, length, &warnings, &error);
    bool is_read = error == NULL;
    if (warnings != NULL)
        utarray_free(warnings);
    free(error);
    return is_read;
}

struct postconf *postconf_ask(const char *command_directory, const struct limits *limits)
{
    struct postconf *postconf = alloc_zeroed(1, sizeof(*postconf));
    struct process child;

    if (command_directory[0] != '/') {
        postconf->error =
            alloc_format("command_directory is not an absolute path: %s", command_directory);
        return postconf;
    }
    char *program = alloc_format("%s/postconf", command_directory);
    run(&child, program, limits);
    postconf->error = describe_failure(&child, limits);
    if (postconf->error == NULL && !read_answer(postconf, &child.output.text))
        postconf->error = alloc_format("%s did not print parameters", program);
    process_free(&child);
    free(program);
    return postconf;
}

void postconf_free(struct postconf *postconf)
{
    if (postconf == NULL)
        return;
    maincf_free(postconf->parameters);
    free(postconf->text);
    free(postconf->error);
    free(postconf);
}
