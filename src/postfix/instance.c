#include "postfix/instance.h"
#include "base/parse.h"
#include "base/safe_read.h"
#include "base/strings.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include "postfix/postconf.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct evaluation {
    const struct instance_source *source;
    struct instance *instance;
    struct maincf *maincf;
    struct budget *budget;
    bool is_unknown;   /* the present value refers to a name that only Postfix knows */
    char *first_error; /* why one of those could not be expanded, as far as it is known; or NULL */
    bool wanted[PARAMETER_COUNT]; /* what postconf(1) has to be asked */
    UT_string scratch;
};

static void apply_overrides(struct maincf *maincf, const UT_array *overrides)
{
    for (size_t i = 0; i < utarray_len(overrides); i++) {
        const char *override = strings_item(overrides, i);
        const char *equals = strchr(override, '=');
        char *name = alloc_span(override, (size_t)(equals - override));

        maincf_override(maincf, name, equals + 1);
        free(name);
    }
}

/* For expand_value(): main.cf, then what is known here, then nobody. */
static const char *look_up(void *context, const char *name, size_t length)
{
    struct evaluation *evaluation = context;
    const char *value = maincf_value(evaluation->maincf, name, length);
    enum parameter parameter;

    if (value != NULL)
        return value;
    if (parameter_find(name, length, &parameter))
        return settings_parameter(evaluation->source->settings, parameter);
    evaluation->is_unknown = true;
    return NULL;
}

/* The value as it stands in main.cf, or the built-in one. */
static const char *raw_value(const struct evaluation *evaluation, enum parameter parameter)
{
    const char *name = parameter_name(parameter);
    const char *value = maincf_value(evaluation->maincf, name, strlen(name));

    return value != NULL ? value : settings_parameter(evaluation->source->settings, parameter);
}

/* Remembers the first error only, as Postfix stops at it. */
static void set_error(struct instance *instance, char *error)
{
    if (instance->error == NULL)
        instance->error = error;
    else
        free(error);
}

/* Checks an expanded value, and keeps it where it is to be kept. */
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
    if (evaluation->source->keep[parameter]) {
        free(instance->values[parameter]);
        instance->values[parameter] = alloc_string(value);
    }
    return valid;
}

/* Postfix's two lines for a value that cannot be expanded; takes notice over. */
static void set_expansion_error(struct instance *instance, char *notice)
{
    if (instance->error != NULL) {
        free(notice);
        return;
    }
    instance->notice = notice;
    instance->error = alloc_string("dictionary mail_dict: macro processing error");
}

/* Expands and takes one parameter. False: it has an error, or has to be asked of postconf(1). */
static bool evaluate(struct evaluation *evaluation, enum parameter parameter)
{
    const char *raw = raw_value(evaluation, parameter);
    char *notice = NULL;

    if (strchr(raw, '$') == NULL)
        return take_value(evaluation, parameter, raw);
    evaluation->is_unknown = false;
    utstring_clear(&evaluation->scratch);
    bool expanded =
        expand_value(raw, look_up, evaluation, evaluation->budget, &evaluation->scratch, &notice);
    if (evaluation->budget->state == BUDGET_ENDED) {
        set_error(evaluation->instance, alloc_string(budget_reason(evaluation->budget)));
        free(notice);
        return false;
    }
    if (evaluation->is_unknown && evaluation->budget->state == BUDGET_LEFT) {
        evaluation->wanted[parameter] = true;
        if (evaluation->first_error == NULL)
            evaluation->first_error = notice;
        else
            free(notice);
        return false;
    }
    if (expanded)
        return take_value(evaluation, parameter, utstring_body(&evaluation->scratch));
    set_expansion_error(evaluation->instance, notice);
    return false;
}

static bool is_wanted(const bool *wanted)
{
    for (int i = 0; i < PARAMETER_COUNT; i++)
        if (wanted[i])
            return true;
    return false;
}

/* Asks postconf(1) for the parameters that only Postfix can tell. Marks in known those it told. */
static void ask_postconf(struct evaluation *evaluation, bool *known)
{
    const struct instance_source *source = evaluation->source;
    char *answers[PARAMETER_COUNT] = {NULL};
    char *error = NULL;

    if (!source->may_run) {
        alloc_set_text(&error, "main.cf refers to parameters that postconf(1) is not asked for "
                               "under raised privilege");
        set_error(evaluation->instance, error);
        return;
    }
    if (!postconf_ask(source->command_directory(source->context),
                      evaluation->instance->config_directory, source->overrides, evaluation->wanted,
                      source->limits, answers, &error)) {
        if (evaluation->first_error != NULL) {
            set_expansion_error(evaluation->instance, evaluation->first_error);
            evaluation->first_error = NULL;
        }
        set_error(evaluation->instance, error);
        return;
    }
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        if (evaluation->wanted[i])
            known[i] = take_value(evaluation, (enum parameter)i, answers[i]);
        free(answers[i]);
    }
}

/* What postmulti(1) alone uses is not checked unless it is needed; nor, for commands, what only
 * kicks use. */
static bool is_skipped(const struct instance_source *source, enum parameter parameter)
{
    if (source->keep[parameter] || parameter == PARAMETER_MULTI_INSTANCE_ENABLE)
        return false;
    return !source->check_all || parameter >= PARAMETER_POSTMULTI_START_COMMANDS;
}

static void evaluate_all(struct evaluation *evaluation)
{
    struct instance *instance = evaluation->instance;
    bool known[PARAMETER_COUNT] = {false};

    utstring_init(&evaluation->scratch);
    for (int i = 0; i < PARAMETER_COUNT; i++)
        if (!is_skipped(evaluation->source, (enum parameter)i))
            known[i] = evaluate(evaluation, (enum parameter)i);
    utstring_done(&evaluation->scratch);
    if (is_wanted(evaluation->wanted) && evaluation->budget->state == BUDGET_LEFT)
        ask_postconf(evaluation, known);
    free(evaluation->first_error);
    instance->has_identity = known[PARAMETER_MULTI_INSTANCE_NAME] &&
                             known[PARAMETER_MULTI_INSTANCE_GROUP] &&
                             known[PARAMETER_MULTI_INSTANCE_ENABLE];
    const char *queue = instance->values[PARAMETER_QUEUE_DIRECTORY];
    if (instance->error == NULL && queue != NULL && queue[0] != '/')
        instance->error = alloc_format("queue_directory is not an absolute path: %s", queue);
}

static void take_warnings(struct instance *instance, const struct maincf *maincf)
{
    const UT_array *warnings = maincf_warnings(maincf);

    if (warnings == NULL || utarray_len(warnings) == 0)
        return;
    utarray_new(instance->warnings, &strings_icd);
    for (size_t i = 0; i < utarray_len(warnings); i++)
        strings_append(instance->warnings, "%s", strings_item(warnings, i));
}

static void load_maincf(struct instance *instance, const struct instance_source *source,
                        const char *path, struct safe_read_file *file, struct budget *budget)
{
    struct evaluation evaluation = {.source = source, .instance = instance, .budget = budget};
    char *error = NULL;

    evaluation.maincf = maincf_new(path);
    maincf_preset(evaluation.maincf, parameter_name(PARAMETER_CONFIG_DIRECTORY),
                  instance->config_directory);
    if (maincf_parse(evaluation.maincf, file->text, file->length, budget, &error)) {
        apply_overrides(evaluation.maincf, source->overrides);
        evaluate_all(&evaluation);
    } else {
        instance->error = error;
    }
    take_warnings(instance, evaluation.maincf);
    maincf_free(evaluation.maincf);
}

void instance_load(struct instance *instance, const char *config_directory, bool is_default,
                   const struct instance_source *source)
{
    struct safe_read_file file;
    struct budget budget = budget_start(BUDGET_INSTANCE, source->limits);

    *instance = (struct instance){.config_directory = alloc_string(config_directory),
                                  .is_default = is_default};
    char *path = alloc_format("%s/main.cf", config_directory);
    if (safe_read(path, SAFE_READ_MAXIMUM, &budget, &file, &instance->error) == SAFE_READ_OK) {
        instance->others_write = file.others_write;
        load_maincf(instance, source, path, &file, &budget);
        safe_read_free(&file);
    }
    free(path);
}

void instance_load_failed(struct instance *instance, const char *config_directory, char *error)
{
    *instance =
        (struct instance){.config_directory = alloc_string(config_directory), .error = error};
}

void instance_find_queue(struct instance *instance, bool is_needed)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    struct stat status;
    int error = stat(queue, &status) < 0 ? errno : 0;

    if (error == 0 && !S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (error == 0) {
        instance->has_queue = true;
        instance->queue_device = status.st_dev;
        instance->queue_inode = status.st_ino;
    } else if (is_needed) {
        alloc_set_text(&instance->error, "chdir %s: %s", queue, strerror(error));
    }
}

void instance_find_running(struct instance *instance, struct master_locks *locks)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    instance->running = queue[0] == '/' ? master_state(locks, queue) : MASTER_UNKNOWN;
}

bool instance_others_write(const struct instance *instance)
{
    struct stat status;

    return instance->others_write ||
           (stat(instance->config_directory, &status) == 0 && safe_read_others_write(&status));
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
