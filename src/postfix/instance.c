/* SPDX-License-Identifier: MIT */
/* Reads the main.cf of an instance, and evaluates the parameters that are used. */
#include "postfix/instance.h"
#include "base/path.h"
#include "base/text.h"
#include "maincf/expand.h"
#include "maincf/maincf.h"
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Postfix's words for a value that cannot be expanded, after a warning that says where. */
#define MACRO_ERROR "dictionary mail_dict: macro processing error"

struct evaluation {
    const struct instance_source *source;
    struct instance *instance;
    struct maincf *maincf;
    const char *wrong; /* the parameter that instance->error is about, or NULL */
    struct expand expand;
    char *domain; /* mydomain, once it is needed */
    char *error;  /* why the present value cannot be known, or NULL */
    UT_string scratch;
};

static const char *find_setting(void *context, const char *name, size_t length)
{
    const struct evaluation *evaluation = context;

    return maincf_value(evaluation->maincf, name, length);
}

/* Returns mydomain where main.cf sets only myhostname: what follows its first dot, or
 * "localdomain"; myhostname is expanded with the names of main.cf alone (Postfix 3.5 to 3.11). NULL
 * after an error.
 */
static const char *find_domain(struct evaluation *evaluation, const char *hostname)
{
    struct expand *expand = &evaluation->expand;
    expand_lookup *lookup = expand->lookup;
    UT_string value;

    if (evaluation->domain != NULL)
        return evaluation->domain;
    utstring_init(&value);
    expand->lookup = find_setting;
    if (expand_value(expand, hostname, &value)) {
        const char *dot = strchr(utstring_body(&value), '.');

        evaluation->domain = alloc_string(dot != NULL ? dot + 1 : "localdomain");
    } else {
        alloc_set_text(&evaluation->error, "myhostname: %s", expand->error);
        free(expand->error);
        expand->error = NULL;
    }
    expand->lookup = lookup;
    utstring_done(&value);
    return evaluation->domain;
}

static bool is_named(const char *name, size_t length, const char *expected)
{
    return strlen(expected) == length && strncmp(name, expected, length) == 0;
}

/* What Postfix itself has for a name, which is not constant: it computes mynetworks from the
 * network interfaces (with a blank at the end that postconf(1) does not show), and myhostname from
 * mydomain where the host's name has no dot. */
static const char *find_built_in(struct evaluation *evaluation, const char *name, size_t length)
{
    const struct instance_source *source = evaluation->source;
    const struct postconf *postconf = source->ask == NULL ? NULL : source->ask(source->context);
    const char *hostname = find_setting(evaluation, "myhostname", strlen("myhostname"));

    if (evaluation->error != NULL)
        return NULL;
    if (postconf == NULL || postconf->error != NULL) {
        evaluation->error = alloc_string(postconf == NULL ? "unknown parameter" : postconf->error);
        return NULL;
    }
    if (is_named(name, length, "mydomain") && hostname != NULL)
        return find_domain(evaluation, hostname);
    const char *value = maincf_value(postconf->parameters, name, length);
    if (is_named(name, length, "mynetworks") ||
        (is_named(name, length, "myhostname") && value != NULL &&
         strstr(value, ".localdomain") != NULL &&
         find_setting(evaluation, "mydomain", strlen("mydomain")) != NULL))
        evaluation->error = alloc_format("a value refers to %.*s, which Postfix computes: set it",
                                         (int)length, name);
    return value;
}

/* For expand_value(): from main.cf, else the program's parameters, else Postfix's built-in values.
 */
static const char *look_up(void *context, const char *name, size_t length)
{
    struct evaluation *evaluation = context;
    const char *value = find_setting(evaluation, name, length);
    enum parameter parameter;

    if (value != NULL)
        return value;
    if (parameter_find(name, length, &parameter))
        return evaluation->source->settings->parameters[parameter];
    return find_built_in(evaluation, name, length);
}

/* Keeps the first error only, as Postfix stops there. Takes ownership of error. */
static void set_error(struct instance *instance, char *error)
{
    if (instance->error == NULL)
        instance->error = text_cut(error);
    else
        free(error);
}

/* Keeps a value. postmulti(1) has names and groups of other instances than the default one from
 * postconf(1), which prints one space for each run of blanks and none at the ends. */
static void keep(struct instance *instance, enum parameter parameter, const char *value)
{
    static const char blanks[] = " \t\r\n";

    if (instance->is_default || strpbrk(value, blanks) == NULL ||
        (parameter != PARAMETER_MULTI_INSTANCE_NAME &&
         parameter != PARAMETER_MULTI_INSTANCE_GROUP)) {
        instance->values[parameter] = alloc_string(value);
        return;
    }
    UT_array *words = strings_split(value, blanks);
    instance->values[parameter] = strings_join(words, " ");
    utarray_free(words);
}

/* Checks an expanded value, and keeps it if it is needed. */
static bool take_value(const struct evaluation *evaluation, enum parameter parameter,
                       enum parameter_use use, const char *value)
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
    if (valid && use == PARAMETER_KEPT)
        keep(instance, parameter, value);
    return valid;
}

/* Expands and takes one parameter. Returns false if it is wrong, or cannot be known. */
static bool evaluate(struct evaluation *evaluation, enum parameter parameter,
                     enum parameter_use use)
{
    const char *name = parameter_name(parameter);
    const char *raw = find_setting(evaluation, name, strlen(name));
    struct instance *instance = evaluation->instance;
    struct expand *expand = &evaluation->expand;

    if (raw == NULL)
        raw = evaluation->source->settings->parameters[parameter];
    if (strchr(raw, '$') == NULL)
        return take_value(evaluation, parameter, use, raw);
    utstring_clear(&evaluation->scratch);
    bool is_expanded = expand_value(expand, raw, &evaluation->scratch);
    if (is_expanded && evaluation->error == NULL)
        return take_value(evaluation, parameter, use, utstring_body(&evaluation->scratch));
    if (evaluation->error == NULL) {
        evaluation->error = alloc_string(MACRO_ERROR);
        if (instance->error == NULL) {
            instance->notice = expand->error;
            expand->error = NULL;
        }
    }
    set_error(instance, evaluation->error);
    free(expand->error);
    evaluation->error = expand->error = NULL;
    return false;
}

/* Evaluates what is used; of an invalid main.cf, only what it says of the instance's name, so that
 * it can be called by it. */
static void evaluate_all(struct evaluation *evaluation)
{
    const struct instance_source *source = evaluation->source;
    struct instance *instance = evaluation->instance;
    bool is_valid = instance->error == NULL;
    int identity = 0;

    utstring_init(&evaluation->scratch);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        enum parameter parameter = (enum parameter)i;
        enum parameter_use use = parameter_use(parameter, source->purpose, source->is_home);
        bool is_identity = parameter == PARAMETER_MULTI_INSTANCE_NAME ||
                           parameter == PARAMETER_MULTI_INSTANCE_GROUP ||
                           parameter == PARAMETER_MULTI_INSTANCE_ENABLE;

        if (use != PARAMETER_UNUSED && (is_valid || is_identity) &&
            evaluate(evaluation, parameter, use) && is_identity)
            identity++;
        if (is_valid && instance->error != NULL && evaluation->wrong == NULL)
            evaluation->wrong = parameter_name(parameter);
    }
    utstring_done(&evaluation->scratch);
    if (identity > 0)
        instance->identity = is_valid && identity == 3 ? INSTANCE_EXACT : INSTANCE_LENIENT;
    const char *queue = instance->values[PARAMETER_QUEUE_DIRECTORY];
    if (instance->error != NULL || queue == NULL || queue[0] == '/')
        return;
    evaluation->wrong = parameter_name(PARAMETER_QUEUE_DIRECTORY);
    instance->error = alloc_format("queue_directory is not an absolute path: %s", queue);
}

/* For path_find(): whether a user who may not read a file of that owner could have led us there: it
 * is not its owner who chose this directory or link, nor root, nor this user. */
static bool is_foreign(int place, const struct stat *status, uid_t owner)
{
    (void)place;
    if (S_ISDIR(status->st_mode) && (status->st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
        return true;
    return status->st_uid != 0 && status->st_uid != geteuid() && status->st_uid != owner;
}

/* Takes the text of main.cf out of the messages where a user who may not read it may have chosen
 * the file. The error is in the value of the parameter, unless that is NULL. */
static void hide_text(struct instance *instance, const char *path, const char *parameter,
                      struct path_file *file)
{
    char *error = instance->error, *shown = NULL, *who;
    struct stat found;
    size_t line;

    if ((file->status.st_mode & S_IROTH) != 0 || (error == NULL && instance->warnings == NULL) ||
        (who = path_find(path, is_foreign, file->status.st_uid, &found)) == NULL)
        return;
    if (instance->warnings != NULL)
        utarray_free(instance->warnings);
    free(instance->notice);
    instance->warnings = NULL;
    instance->notice = NULL;
    if (parameter != NULL)
        shown = alloc_format("parameter %s", parameter);
    else if (error != NULL && strncmp(error, path, strlen(path)) == 0 &&
             sscanf(error + strlen(path), ", line %zu", &line) == 1)
        shown = alloc_format("line %zu", line);
    if (shown != NULL)
        alloc_set_text(&instance->error,
                       "%s%s %s: invalid (not shown: not everybody may read it, and %s belongs to "
                       "another user)",
                       path, parameter != NULL ? ":" : ",", shown, who);
    free(shown);
    free(who);
}

static void load_maincf(struct instance *instance, const struct instance_source *source,
                        const char *path, struct path_file *file)
{
    struct evaluation evaluation = {.source = source, .instance = instance};

    evaluation.expand = (struct expand){.lookup = look_up,
                                        .context = &evaluation,
                                        .steps = EXPAND_STEPS,
                                        .lacks_levels = source->settings->version <
                                                        SETTINGS_VERSION(3, 6)}; /* they are new */
    evaluation.maincf = maincf_parse(path, instance->config_directory, file->text, file->length,
                                     &instance->warnings, &instance->error);
    evaluate_all(&evaluation);
    free(evaluation.domain);
    hide_text(instance, path, evaluation.wrong, file);
    maincf_free(evaluation.maincf);
}

void instance_load(struct instance *instance, const char *config_directory,
                   const struct instance_source *source)
{
    const char *home = source->settings->parameters[PARAMETER_CONFIG_DIRECTORY];
    char *path = alloc_format("%s/main.cf", config_directory);
    struct path_file file;

    *instance =
        (struct instance){.config_directory = alloc_string(config_directory),
                          .is_default = source->is_home && strcmp(config_directory, home) == 0};
    size_t typed = source->is_home ? strlen(config_directory) : 0;
    if (path_read(path, typed, MAINCF_MAXIMUM, &file, &instance->error) == PATH_OK) {
        load_maincf(instance, source, path, &file);
        free(file.text);
    }
    free(path);
}

bool instance_owns_queue(const struct instance *instance, struct master_locks *locks)
{
    pid_t holder = master_lock_holder(locks, instance_value(instance, PARAMETER_QUEUE_DIRECTORY),
                                      "pid/master.pid");

    return holder != 0 &&
           master_lock_holder(locks, instance_value(instance, PARAMETER_DATA_DIRECTORY),
                              "master.lock") == holder;
}

/* For path_find(): whether others can write it. A link's owner can replace it, even in a sticky
 * directory. */
static bool is_writable(int place, const struct stat *status, uid_t user)
{
    (void)user;
    if (status->st_uid != 0)
        return true;
    return !S_ISLNK(status->st_mode) &&
           !(S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0) &&
           path_others_write(place, status);
}

char *instance_find_writable(const char *config_directory)
{
    char here[PATH_MAX] = "";
    bool is_relative = config_directory[0] != '/' && getcwd(here, sizeof(here)) != NULL;
    char *path = alloc_format("%s%s%s/main.cf", here, is_relative ? "/" : "", config_directory);
    struct stat status;
    char *found = path_find(path, is_writable, 0, &status);

    free(path);
    return found;
}

char *instance_failure(const struct instance *instance)
{
    if (instance->error == NULL || instance->notice == NULL)
        return instance->error == NULL ? NULL : alloc_string(instance->error);
    return alloc_format("%s: %s", instance->error, instance->notice);
}

void instance_free(struct instance *instance)
{
    for (int i = 0; i < PARAMETER_COUNT; i++)
        free(instance->values[i]);
    if (instance->warnings != NULL)
        utarray_free(instance->warnings);
    if (instance->conflicts != NULL)
        utarray_free(instance->conflicts);
    free(instance->config_directory);
    free(instance->notice);
    free(instance->error);
    *instance = (struct instance){0};
}

const char *instance_value(const struct instance *instance, enum parameter parameter)
{
    return instance->values[parameter] == NULL ? "" : instance->values[parameter];
}
