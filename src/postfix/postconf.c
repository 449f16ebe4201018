/* SPDX-License-Identifier: MIT */
/* Asks postconf(1) for Postfix's parameters. */
#include "postfix/postconf.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/process.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include <string.h>
#include <unistd.h>

struct postconf {
    char *text;
    struct maincf *parameters; /* it prints the form of main.cf; points into text */
};

/* A directory that nobody can put anything into, and that nobody has to make or remove. postconf(1)
 * only warns that it has no master.cf. */
#define EMPTY_DIRECTORY "/proc/self/fdinfo"

/* Truncated, or with a NUL in it, the text would contain wrong values. */
static bool is_whole_text(const struct process *child)
{
    const UT_string *text = &child->output.text;

    return child->output.error == 0 && !child->output.truncated && utstring_len(text) > 0 &&
           memchr(utstring_body(text), '\0', utstring_len(text)) == NULL;
}

/* Returns the parameters that the child printed, or NULL if it printed anything else. */
static struct postconf *read_answer(const struct process *child)
{
    struct budget budget = budget_start(BUDGET_INSTANCE, NULL);
    char *error = NULL;

    if (child->outcome != PROCESS_ENDED || child->exit_status != 0 || !is_whole_text(child))
        return NULL;
    struct postconf *postconf = alloc_zeroed(1, sizeof(*postconf));
    postconf->text =
        alloc_span(utstring_body(&child->output.text), utstring_len(&child->output.text));
    postconf->parameters = maincf_new(child->program);
    if (maincf_parse(postconf->parameters, postconf->text, strlen(postconf->text), &budget, &error))
        return postconf;
    free(error);
    postconf_free(postconf);
    return NULL;
}

static void describe_failure(const struct process *child, char **error)
{
    if (child->outcome == PROCESS_NOT_STARTED)
        alloc_set_text(error, "run %s: %s", child->program, strerror(child->error));
    else if (child->outcome == PROCESS_TIMED_OUT || child->outcome == PROCESS_INTERRUPTED ||
             child->outcome == PROCESS_PENDING)
        alloc_set_text(error, "%s did not answer in time", child->program);
    else
        alloc_set_text(error, "%s did not print the parameters that main.cf refers to",
                       child->program);
}

static struct postconf *ask(char *program, const struct limits *limits, char **error)
{
    static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", locale[] = "LC_ALL=C";
    static char configuration[] = "-c", directory[] = EMPTY_DIRECTORY, defaults[] = "-d";
    char *const environment[] = {path, locale, NULL};
    const struct process_confinement confinement = {.directory = "/",
                                                    .memory = POSTCONF_MEMORY,
                                                    .processor_time = POSTCONF_SECONDS,
                                                    .ends_with_us = true};
    char *const arguments[] = {program, configuration, directory, defaults, NULL};
    struct process child = {.program = program,
                            .argv = arguments,
                            .environment = environment,
                            .streams = PROCESS_CAPTURE_OUTPUT,
                            .confinement = &confinement};
    struct limits own = *limits;
    struct process_batch batch = {.processes = &child, .count = 1, .parallel = 1, .limits = &own};

    own.end = clock_after(clock_now(), POSTCONF_SECONDS);
    if (own.end > limits->end)
        own.end = limits->end;
    process_run(&batch);
    struct postconf *postconf = read_answer(&child);
    if (postconf == NULL)
        describe_failure(&child, error);
    process_free(&child);
    return postconf;
}

struct postconf *postconf_ask(const char *command_directory, const struct limits *limits,
                              char **error)
{
    if (command_directory[0] != '/') {
        alloc_set_text(error, "command_directory is not an absolute path: %s", command_directory);
        return NULL;
    }
    char *program = alloc_format("%s/postconf", command_directory);
    struct postconf *postconf = ask(program, limits, error);
    free(program);
    return postconf;
}

const char *postconf_value(const struct postconf *postconf, const char *name, size_t length)
{
    return maincf_value(postconf->parameters, name, length);
}

void postconf_free(struct postconf *postconf)
{
    if (postconf == NULL)
        return;
    maincf_free(postconf->parameters);
    free(postconf->text);
    free(postconf);
}

static const char *look_up(void *context, const char *name, size_t length)
{
    const struct computed *computed = context;

    return maincf_value(computed->maincf, name, length);
}

/* Returns the expanded value of a parameter, a new string; or NULL if main.cf does not set it, or
 * after an error. */
static char *expanded_setting(struct computed *computed, const char *name)
{
    const char *raw = maincf_value(computed->maincf, name, strlen(name));
    UT_string value;
    char *notice = NULL, *result = NULL;

    if (raw == NULL)
        return NULL;
    utstring_init(&value);
    if (expand_value(raw, look_up, computed, computed->budget, &value, &notice))
        result = alloc_string(utstring_body(&value));
    else if (computed->error == NULL)
        computed->error = alloc_format("%s: %s", name, notice);
    free(notice);
    utstring_done(&value);
    return result;
}

static const char *compute_domain(struct computed *computed)
{
    char *hostname;

    if (computed->domain != NULL || (hostname = expanded_setting(computed, "myhostname")) == NULL)
        return computed->domain;
    const char *dot = strchr(hostname, '.');
    computed->domain = alloc_string(dot != NULL ? dot + 1 : "localdomain");
    free(hostname);
    return computed->domain;
}

static const char *compute_hostname(struct computed *computed)
{
    char name[256] = "", *domain;

    if (computed->hostname != NULL || gethostname(name, sizeof(name) - 1) < 0 ||
        strchr(name, '.') != NULL || (domain = expanded_setting(computed, "mydomain")) == NULL)
        return computed->hostname;
    computed->hostname = alloc_format("%s.%s", name, domain);
    free(domain);
    return computed->hostname;
}

static const char *compute_networks(struct computed *computed, const char *name, size_t length)
{
    static const char *const causes[] = {"inet_interfaces", "inet_protocols", "mynetworks_style"};
    const char *shown = postconf_value(computed->postconf, name, length);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (computed->error == NULL &&
            maincf_value(computed->maincf, causes[i], strlen(causes[i])) != NULL)
            computed->error = alloc_format("a value refers to mynetworks, which depends on %s "
                                           "here: set mynetworks",
                                           causes[i]);
    if (computed->networks == NULL && shown != NULL)
        computed->networks = alloc_format("%s ", shown);
    return computed->networks;
}

static bool is_name(const char *name, size_t length, const char *expected)
{
    return strlen(expected) == length && strncmp(name, expected, length) == 0;
}

const char *computed_value(struct computed *computed, const char *name, size_t length)
{
    if (computed->postconf == NULL)
        return NULL;
    if (is_name(name, length, "mydomain"))
        return compute_domain(computed);
    if (is_name(name, length, "myhostname"))
        return compute_hostname(computed);
    if (is_name(name, length, "mynetworks"))
        return compute_networks(computed, name, length);
    return NULL;
}

void computed_free(struct computed *computed)
{
    free(computed->domain);
    free(computed->hostname);
    free(computed->networks);
    free(computed->error);
}
