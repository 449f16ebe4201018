/* SPDX-License-Identifier: MIT */
/* Reads the main.cf of an instance, and evaluates the parameters that are used. */
#include "postfix/instance.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/parse.h"
#include "base/safe_read.h"
#include "base/text.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include "postfix/postconf.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* Returns whether the path exists, with its status, and whether others can write it: a link's owner
 * can replace it, even in a sticky directory. */
static bool look_at(const char *path, struct stat *status, bool *is_writable)
{
    int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool exists = place >= 0 && fstat(place, status) == 0;

    *is_writable = exists && status->st_uid != 0;
    if (exists && !*is_writable && !S_ISLNK(status->st_mode) &&
        !(S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0))
        *is_writable = safe_read_others_write(place, status);
    descriptors_close(&place);
    return exists;
}

/* Returns the path with the link followed that its part before at names, a new string; or NULL. */
static char *follow(const char *path, const char *at)
{
    char target[PATH_MAX], *link = alloc_span(path, (size_t)(at - path)), *followed;
    ssize_t length = readlink(link, target, sizeof(target) - 1);
    char *slash = strrchr(link, '/');

    if (length < 0) {
        free(link);
        return NULL;
    }
    target[length] = '\0';
    if (target[0] == '/' || slash == NULL)
        followed = alloc_format("%s%s", target, at);
    else
        followed = alloc_format("%.*s/%s%s", (int)(slash - link), link, target, at);
    free(link);
    return followed;
}

/* Checks the parts of the path up to the first symbolic link; *rest is then the path to check next,
 * a new string, else NULL. Returns the first part that others can write, a new string, or NULL. */
static char *walk(const char *path, char **rest)
{
    struct stat status;
    const char *at = path;
    bool is_writable;

    *rest = NULL;
    if (look_at("/", &status, &is_writable) && is_writable)
        return alloc_string("/");
    while (*at != '\0') {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char *part = alloc_span(path, (size_t)(at - path));
        bool exists = look_at(part, &status, &is_writable);
        bool is_link = exists && !is_writable && S_ISLNK(status.st_mode);
        if (is_writable) {
            char *plain = realpath(part, NULL); /* without ".." */

            if (plain == NULL)
                return part;
            free(part);
            return plain;
        }
        free(part);
        if (is_link)
            *rest = follow(path, at);
        if (is_link || !exists)
            return NULL;
    }
    return NULL;
}

char *trust_find_writable(const char *config_directory)
{
    char here[PATH_MAX] = "", *rest;
    bool is_relative = config_directory[0] != '/' && getcwd(here, sizeof(here)) != NULL;
    char *path = alloc_format("%s%s%s/main.cf", here, is_relative ? "/" : "", config_directory);
    char *found = walk(path, &rest);

    for (int links = 0; found == NULL && rest != NULL && links < LINKS_MAXIMUM; links++) {
        free(path);
        path = rest;
        found = walk(path, &rest);
    }
    free(rest);
    free(path);
    return found;
}

/* Postfix's words for a value that cannot be expanded, after a warning that says where. */
#define MACRO_ERROR "dictionary mail_dict: macro processing error"

struct evaluation {
    const struct instance_source *source;
    struct instance *instance;
    struct maincf *maincf;
    struct budget *budget;
    struct computed computed;
    bool is_unknown;   /* the present value refers to a name that only Postfix knows */
    char *first_error; /* of a value with unknown names, as far as it is known; or NULL */
    UT_string scratch;
};

/* For expand_value(): from main.cf, else the program's parameters, else what Postfix computes, else
 * Postfix's built-in values. */
static const char *look_up(void *context, const char *name, size_t length)
{
    struct evaluation *evaluation = context;
    const struct instance_source *source = evaluation->source;
    const char *value = maincf_value(evaluation->maincf, name, length);
    enum parameter parameter;

    if (value != NULL)
        return value;
    if (parameter_find(name, length, &parameter))
        return settings_parameter(source->settings, parameter);
    if (source->postconf == NULL) {
        evaluation->is_unknown = true;
        return NULL;
    }
    value = computed_value(&evaluation->computed, name, length);
    return value != NULL ? value : postconf_value(source->postconf, name, length);
}

/* The value as it stands in main.cf, or the built-in one. */
static const char *raw_value(const struct evaluation *evaluation, enum parameter parameter)
{
    const char *name = parameter_name(parameter);
    const char *value = maincf_value(evaluation->maincf, name, strlen(name));

    return value != NULL ? value : settings_parameter(evaluation->source->settings, parameter);
}

/* Keeps the first error only, as Postfix stops there. Takes ownership of error. */
static void set_error(struct instance *instance, char *error)
{
    if (instance->error == NULL)
        instance->error = text_cut(error);
    else
        free(error);
}

/* Checks an expanded value, and keeps it if it is needed. */
static bool take_value(const struct evaluation *evaluation, enum parameter parameter,
                       const char *value)
{
    struct instance *instance = evaluation->instance;
    char *error = NULL;
    bool valid = parameter_check(parameter, value, &error);

    if (!valid)
        set_error(instance, error);
    else if (parameter == PARAMETER_MULTI_INSTANCE_ENABLE)
        instance->enabled = parse_bool(value) == PARSE_YES ? INSTANCE_ENABLED : INSTANCE_DISABLED;
    else if (parameter == PARAMETER_TRIGGER_TIMEOUT)
        (void)parse_time(value, &instance->trigger_timeout);
    else if (parameter == PARAMETER_APPLICATION_EVENT_DRAIN_TIME)
        (void)parse_time(value, &instance->application_event_drain_time);
    if (valid && parameter_use(parameter, evaluation->source->purpose,
                               evaluation->source->is_home) == PARAMETER_KEPT) {
        instance->values[parameter] = alloc_string(value);
    }
    return valid;
}

/* Expands and takes one parameter. Returns false if it is wrong or refers to an unknown name. */
static bool evaluate(struct evaluation *evaluation, enum parameter parameter)
{
    const char *raw = raw_value(evaluation, parameter);
    struct instance *instance = evaluation->instance;
    char *notice = NULL;

    if (strchr(raw, '$') == NULL)
        return take_value(evaluation, parameter, raw);
    evaluation->is_unknown = false;
    utstring_clear(&evaluation->scratch);
    bool expanded =
        expand_value(raw, look_up, evaluation, evaluation->budget, &evaluation->scratch, &notice);
    bool taken = false;
    if (evaluation->budget->state == BUDGET_ENDED) {
        set_error(instance, alloc_string(budget_reason(evaluation->budget)));
    } else if (evaluation->computed.error != NULL) {
        set_error(instance, evaluation->computed.error);
        evaluation->computed.error = NULL;
    } else if (evaluation->is_unknown && evaluation->budget->state == BUDGET_LEFT) {
        instance->is_unresolved = true;
        if (evaluation->first_error == NULL) {
            evaluation->first_error = notice;
            notice = NULL;
        }
    } else if (expanded) {
        taken = take_value(evaluation, parameter, utstring_body(&evaluation->scratch));
    } else if (instance->error == NULL) {
        instance->error = alloc_string(MACRO_ERROR);
        instance->notice = notice;
        notice = NULL;
    }
    free(notice);
    return taken;
}

static void evaluate_all(struct evaluation *evaluation)
{
    const struct instance_source *source = evaluation->source;
    struct instance *instance = evaluation->instance;
    bool known[PARAMETER_COUNT] = {false};

    utstring_init(&evaluation->scratch);
    for (int i = 0; i < PARAMETER_COUNT; i++)
        if (parameter_use((enum parameter)i, source->purpose, source->is_home) != PARAMETER_UNUSED)
            known[i] = evaluate(evaluation, (enum parameter)i);
    utstring_done(&evaluation->scratch);
    if (evaluation->budget->state != BUDGET_LEFT)
        instance->is_unresolved = false; /* postconf(1) is not asked after a limit was exceeded */
    instance->has_identity = known[PARAMETER_MULTI_INSTANCE_NAME] &&
                             known[PARAMETER_MULTI_INSTANCE_GROUP] &&
                             known[PARAMETER_MULTI_INSTANCE_ENABLE];
    const char *queue = instance->values[PARAMETER_QUEUE_DIRECTORY];
    if (instance->error == NULL && queue != NULL && queue[0] != '/')
        instance->error = alloc_format("queue_directory is not an absolute path: %s", queue);
    if (instance->is_unresolved && instance->error == NULL)
        instance->notice = evaluation->first_error;
    else
        free(evaluation->first_error);
}

static void load_maincf(struct instance *instance, const struct instance_source *source,
                        const char *path, struct safe_read_file *file, struct budget *budget)
{
    struct evaluation evaluation = {.source = source, .instance = instance, .budget = budget};
    char *error = NULL;

    evaluation.maincf = maincf_new(path);
    maincf_set(evaluation.maincf, parameter_name(PARAMETER_CONFIG_DIRECTORY),
               instance->config_directory);
    if (maincf_parse(evaluation.maincf, file->text, file->length, budget, &error)) {
        evaluation.computed = (struct computed){
            .maincf = evaluation.maincf, .postconf = source->postconf, .budget = budget};
        evaluate_all(&evaluation);
        computed_free(&evaluation.computed);
    } else {
        set_error(instance, error);
    }
    instance->warnings = maincf_take_warnings(evaluation.maincf);
    maincf_free(evaluation.maincf);
}

bool instance_load(struct instance *instance, const char *config_directory, bool is_default,
                   const struct instance_source *source)
{
    struct safe_read_file file;
    struct budget budget = budget_start(BUDGET_INSTANCE - instance->work, source->limits);
    char *directory = alloc_string(config_directory); /* it may be the instance's own */

    instance_free(instance);
    instance->config_directory = directory;
    instance->is_default = is_default;
    char *path = alloc_format("%s/main.cf", directory);
    if (safe_read(path, SAFE_READ_MAXIMUM, &budget, &file, &instance->error) == SAFE_READ_OK) {
        load_maincf(instance, source, path, &file, &budget);
        safe_read_free(&file);
    }
    free(path);
    instance->work = BUDGET_INSTANCE - budget_units(&budget);
    return !instance->is_unresolved;
}

void instance_load_failed(struct instance *instance, const char *config_directory, char *error)
{
    *instance =
        (struct instance){.config_directory = alloc_string(config_directory), .error = error};
}

void instance_refuse(struct instance *instance, const char *reason)
{
    instance->is_unresolved = false;
    if (instance->error == NULL)
        instance->error = alloc_string(instance->notice != NULL ? MACRO_ERROR : reason);
}

void instance_check_queue(struct instance *instance)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    struct stat status;
    int error = stat(queue, &status) < 0 ? errno : 0;

    if (instance->error != NULL)
        return;
    if (error == 0 && !S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (error != 0)
        instance->error = alloc_format("chdir %s: %s", queue, strerror(error));
}

void instance_find_running(struct instance *instance, struct master_locks *locks)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    instance->running = queue[0] == '/' ? master_state(locks, queue) : MASTER_UNKNOWN;
}

void instance_free(struct instance *instance)
{
    for (int i = 0; i < PARAMETER_COUNT; i++)
        free(instance->values[i]);
    if (instance->warnings != NULL)
        utarray_free(instance->warnings);
    free(instance->config_directory);
    free(instance->notice);
    free(instance->error);
    *instance = (struct instance){0};
}

const char *instance_value(const struct instance *instance, enum parameter parameter)
{
    return instance->values[parameter] == NULL ? "" : instance->values[parameter];
}
