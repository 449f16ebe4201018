/* SPDX-License-Identifier: MIT */
/*
 * postkick: sends a request to a service in every enabled Postfix instance. See postkick(1).
 */
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/worker.h"
#include "command/command.h"
#include <errno.h>
#include <jansson.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Reports errors in the settings; for --help they are only warnings. */
static struct settings *load_settings(const struct options *options)
{
    const char *file = options->settings_file;
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    struct settings *settings = settings_load(file != NULL ? file : POSTKICK_SETTINGS, file != NULL,
                                              POSTKICK_GENERATED, errors);
    for (size_t i = 0; i < utarray_len(errors); i++) {
        bool is_fatal = i + 1 == utarray_len(errors) && options->mode != OPTIONS_HELP;
        diag_line(is_fatal ? "fatal" : "warning", "%s", strings_item(errors, i));
    }
    utarray_free(errors);
    return settings;
}

/* Shows the text, and the actions unless settings is NULL. Returns the exit status. */
static int show(const char *text, const struct settings *settings)
{
    UT_array *names = settings == NULL ? NULL : settings_actions(settings);
    UT_string out;

    utstring_init(&out);
    utstring_printf(&out, "%s%s", text, names == NULL ? "" : "\nActions (postkick.ini):\n");
    for (size_t i = 0; names != NULL && i < utarray_len(names); i++) {
        const char *about;
        UT_array *targets = settings_action(settings, strings_item(names, i), &about);

        utarray_free(targets);
        utstring_printf(&out, "  %-27s %s\n", strings_item(names, i), about == NULL ? "" : about);
    }
    if (names != NULL)
        utarray_free(names);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written ? 0 : 1;
}

/* Returns why the program refuses to run, a new string, or NULL. */
static char *find_obstacle(void)
{
    char *error = descriptors_start();

    if (error != NULL)
        return error;
    if (getauxval(AT_SECURE) != 0)
        return alloc_string(
            "refusing to run with raised privileges (set-uid, set-gid or capabilities)");
    return NULL;
}

static int run(const struct options *options, const struct limits *limits)
{
    int status = 1;

    if (options->mode == OPTIONS_VERSION)
        return show("postkick " POSTKICK_VERSION "\n", NULL);
    struct settings *settings = load_settings(options);
    if (options->mode == OPTIONS_HELP) {
        char *help = options_help(OPTIONS_HELP);
        status = show(help, settings);
        free(help);
    } else if (settings != NULL) {
        status = command_run(options, settings, limits);
    }
    settings_free(settings);
    return status;
}

int main(int argc, char **argv)
{
    static char own_name[] = "postkick";
    struct options options;
    char *error = NULL;
    int status = 1;

    /* Memory, descriptors and signals */
    json_set_alloc_funcs(alloc_bytes, free);
    signals_start();
    if (program_invocation_short_name[0] == '\0')
        program_invocation_short_name = own_name;
    error = find_obstacle();
    if (error != NULL) {
        diag_line("fatal", "%s", error);
        free(error);
        return 1;
    }

    /* Options, settings, and the command */
    bool parsed = options_parse(&options, argc, argv, &error);
    const struct limits *limits = limits_start(options.time_limit);
    if (!parsed) {
        char *usage = options_help(options.mode);
        diag_line("fatal", "%s", error);
        diag_line(NULL, "usage: %s", usage);
        free(usage);
    } else {
        status = run(&options, limits);
    }

    diag_progress("", 0);

    /* The end: by the signal that arrived meanwhile, or with the status */
    workers_end();
    free(error);
    utarray_free(options.groups);
    utarray_free(options.names);
    signals_die();
    return status;
}
