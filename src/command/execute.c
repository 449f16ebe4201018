/* SPDX-License-Identifier: MIT */
/* -x: runs any command for every instance, as postmulti(1) -x does. */
#include "base/diag.h"
#include "base/strings.h"
#include "command/jobs.h"
#include <errno.h>
#include <string.h>

/* postmulti(1) uses this when there is no PATH. */
#define ROOT_PATH "/bin:/usr/bin:/sbin:/usr/sbin"

/* The same for all instances. */
struct shared {
    const char *command_directory;
    const char *daemon_directory;
    const char *path;
};

/* postmulti(1) exports the default instance's command_directory and daemon_directory to all; the
 * others are each instance's own. */
static void add_settings(void *context, const struct instance *instance, UT_array *settings)
{
    static const enum parameter own[] = {
        PARAMETER_QUEUE_DIRECTORY,
        PARAMETER_DATA_DIRECTORY,
        PARAMETER_MULTI_INSTANCE_NAME,
        PARAMETER_MULTI_INSTANCE_GROUP,
    };
    const struct shared *shared = context;

    strings_append(settings, "MAIL_CONFIG=%s", instance->config_directory);
    strings_append(settings, "config_directory=%s", instance->config_directory);
    strings_append(settings, "command_directory=%s", shared->command_directory);
    strings_append(settings, "daemon_directory=%s", shared->daemon_directory);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        strings_append(settings, "%s=%s", parameter_name(own[i]), instance_value(instance, own[i]));
    strings_append(settings, "multi_instance_enable=%s",
                   instance->enabled == INSTANCE_ENABLED ? "yes" : "no");
    strings_append(settings, "PATH=%s", shared->path);
}

/* Finds the program in the directories of path. Relative ones are left out: they would mean another
 * program in another working directory. Returns a new string, or NULL with an errno in *error. */
static char *search(const char *path, const char *name, int *error)
{
    UT_array *directories = NULL;
    char *found = NULL;

    *error = ENOENT;
    directories = strings_split(path, ":");
    for (size_t i = 0; i < utarray_len(directories) && found == NULL; i++) {
        if (strings_item(directories, i)[0] != '/')
            continue;
        char *candidate = alloc_format("%s/%s", strings_item(directories, i), name);
        int result = command_check_program(candidate);
        if (result == 0) {
            found = candidate;
            continue;
        }
        if (result == EACCES)
            *error = EACCES; /* as execvp(3) */
        free(candidate);
    }
    utarray_free(directories);
    return found;
}

/* Returns the path of the program that name means, a new string; or NULL, and the reason was
 * reported. */
static char *find_program(const char *path, const char *name)
{
    char *program = NULL;
    int error = ENOENT;

    if (strchr(name, '/') != NULL) {
        error = command_check_program(name);
        program = error == 0 ? alloc_string(name) : NULL;
    } else if (name[0] != '\0') {
        program = search(path, name, &error);
    }
    if (program == NULL) {
        diag_line("fatal", "%s: %s", name[0] != '\0' ? name : "\"\"",
                  error == ENOENT ? "command not found" : strerror(error));
    }
    return program;
}

static int run_program(const struct command *command, struct selection *selection,
                       struct shared *shared)
{
    const char *path = getenv("PATH");
    char *own_path = alloc_format("%s:%s", shared->command_directory,
                                  path != NULL && path[0] != '\0' ? path : ROOT_PATH);
    char *program = find_program(own_path, command->options->operands[0]);
    int status = 1;

    shared->path = own_path;
    if (program != NULL) {
        struct jobs_spec spec = {.order = JOB_IN_ORDER,
                                 .program = program,
                                 .argv = command->options->operands,
                                 .streams = PROCESS_CAPTURE,
                                 .add_settings = add_settings,
                                 .context = shared};
        selection_mark(selection, true);
        status = command_run_jobs(command, selection, &spec);
    }
    free(program);
    free(own_path);
    return status;
}

int command_execute(const struct command *command)
{
    struct selection selection;
    int status = 1;

    if (command_select(command, PARAMETER_FOR_COMMAND, &selection)) {
        struct shared shared = {0};

        shared.daemon_directory = host_directory(&selection.host, PARAMETER_DAEMON_DIRECTORY);
        shared.command_directory = command_find_directory(&selection.host);
        if (shared.command_directory != NULL)
            status = run_program(command, &selection, &shared);
    }
    selection_free(&selection);
    return status;
}
