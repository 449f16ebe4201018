#include "postfix/parameter.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "postfix/environment.h"
#include <string.h>

static const struct {
    const char *name;
    enum parameter_kind kind;
} parameters[PARAMETER_COUNT] = {
    [PARAMETER_CONFIG_DIRECTORY] = {"config_directory", PARAMETER_STRING},
    [PARAMETER_QUEUE_DIRECTORY] = {"queue_directory", PARAMETER_NON_EMPTY},
    [PARAMETER_DATA_DIRECTORY] = {"data_directory", PARAMETER_NON_EMPTY},
    [PARAMETER_COMMAND_DIRECTORY] = {"command_directory", PARAMETER_NON_EMPTY},
    [PARAMETER_DAEMON_DIRECTORY] = {"daemon_directory", PARAMETER_NON_EMPTY},
    [PARAMETER_MULTI_INSTANCE_DIRECTORIES] = {"multi_instance_directories", PARAMETER_STRING},
    [PARAMETER_MULTI_INSTANCE_NAME] = {"multi_instance_name", PARAMETER_STRING},
    [PARAMETER_MULTI_INSTANCE_GROUP] = {"multi_instance_group", PARAMETER_STRING},
    [PARAMETER_ALTERNATE_CONFIG_DIRECTORIES] = {"alternate_config_directories", PARAMETER_STRING},
    [PARAMETER_IMPORT_ENVIRONMENT] = {"import_environment", PARAMETER_ENVIRONMENT},
    [PARAMETER_QUEUE_SERVICE_NAME] = {"queue_service_name", PARAMETER_NON_EMPTY},
    [PARAMETER_PICKUP_SERVICE_NAME] = {"pickup_service_name", PARAMETER_NON_EMPTY},
    [PARAMETER_APPLICATION_EVENT_DRAIN_TIME] = {"application_event_drain_time", PARAMETER_TIME},
    [PARAMETER_TRIGGER_TIMEOUT] = {"trigger_timeout", PARAMETER_TIME},
    [PARAMETER_MULTI_INSTANCE_ENABLE] = {"multi_instance_enable", PARAMETER_BOOLEAN},
    [PARAMETER_POSTMULTI_START_COMMANDS] = {"postmulti_start_commands", PARAMETER_STRING},
    [PARAMETER_POSTMULTI_STOP_COMMANDS] = {"postmulti_stop_commands", PARAMETER_STRING},
    [PARAMETER_POSTMULTI_CONTROL_COMMANDS] = {"postmulti_control_commands", PARAMETER_STRING},
};

const char *parameter_name(enum parameter parameter)
{
    return parameters[parameter].name;
}

static bool check_time(const char *name, const char *value, char **error)
{
    int seconds;

    if (!parse_time(value, &seconds)) {
        alloc_set_text(error, "parameter %s: bad time value or unit: %s", name, value);
        return false;
    }
    if (seconds < 1) {
        alloc_set_text(error, "invalid %s: %d (min 1)", name, seconds);
        return false;
    }
    return true;
}

bool parameter_check(enum parameter parameter, const char *value, char **error)
{
    const char *name = parameters[parameter].name;

    switch (parameters[parameter].kind) {
    case PARAMETER_STRING:
        return true;
    case PARAMETER_NON_EMPTY:
        if (value[0] != '\0')
            return true;
        alloc_set_text(error, "bad string length 0 < 1: %s = ", name);
        return false;
    case PARAMETER_ENVIRONMENT:
        return environment_check(value, error);
    case PARAMETER_TIME:
        return check_time(name, value, error);
    case PARAMETER_BOOLEAN:
        if (parse_bool(value) != PARSE_BOOL_ERROR)
            return true;
        alloc_set_text(error, "bad boolean configuration: %s = %s", name, value);
        return false;
    }
    return false;
}

bool parameter_find(const char *name, size_t length, enum parameter *parameter)
{
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        if (strncmp(parameters[i].name, name, length) == 0 && parameters[i].name[length] == '\0') {
            *parameter = (enum parameter)i;
            return true;
        }
    }
    return false;
}
