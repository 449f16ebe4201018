#include "postfix/programs.h"
#include "base/strings.h"

static const char *settings_command_directory(void *context)
{
    const struct programs *programs = context;

    return settings_parameter(programs->settings, PARAMETER_COMMAND_DIRECTORY);
}

/* Reads the default main.cf, which -c or MAIL_CONFIG left unread. postconf(1) is not asked on the
 * way, as command_directory is what says where it is. */
static void load_default(struct programs *programs)
{
    static const bool keep[PARAMETER_COUNT] = {
        [PARAMETER_COMMAND_DIRECTORY] = true, [PARAMETER_DAEMON_DIRECTORY] = true};
    const char *directory = settings_parameter(programs->settings, PARAMETER_CONFIG_DIRECTORY);
    UT_array *none;

    utarray_new(none, &strings_icd);
    struct instance_source source = {.settings = programs->settings,
                                     .overrides = none,
                                     .keep = keep,
                                     .command_directory = settings_command_directory,
                                     .context = programs};
    instance_load(&programs->lazily, directory, true, &source);
    utarray_free(none);
    programs->is_loaded = true;
}

const char *programs_directory(struct programs *programs, enum parameter parameter)
{
    const struct instance *instance = programs->default_instance;

    if (instance == NULL) {
        if (!programs->is_loaded)
            load_default(programs);
        instance = &programs->lazily;
    }
    const char *directory = instance_value(instance, parameter);
    return directory[0] != '\0' ? directory : settings_parameter(programs->settings, parameter);
}

const char *programs_command_directory(void *context)
{
    return programs_directory(context, PARAMETER_COMMAND_DIRECTORY);
}

void programs_free(struct programs *programs)
{
    if (programs->is_loaded)
        instance_free(&programs->lazily);
    programs->is_loaded = false;
}
