/* SPDX-License-Identifier: MIT */
/* Keeps the table of main.cf parameters, and checks values. */
#include "postfix/parameter.h"
#include "base/text.h"
#include <limits.h>
#include <string.h>

/* Returns where the brace closes that text starts with, or NULL. */
static const char *find_close(const char *text)
{
    size_t level = 0;

    for (; *text != '\0'; text++)
        if (*text == '{')
            level++;
        else if (*text == '}' && --level == 0)
            return text;
    return NULL;
}

/* Whether Postfix would accept the list of names, "name=value" and "{name = value}" (measured with
 * its postkick). Its values change nothing here: no mode that reads it uses the environment later.
 */
static bool check_environment(const char *list, char **error)
{
    const char *start, *end;

    while (*(start = list + strspn(list, PARAMETER_SEPARATORS)) != '\0') {
        list = end = start + strcspn(start, PARAMETER_SEPARATORS);
        if (*start == '{') {
            end = find_close(start);
            list = end == NULL ? start + strlen(start)
                               : end + 1 + strcspn(end + 1, PARAMETER_SEPARATORS);
            if (end == NULL || list != end + 1) {
                alloc_set_text(error, "import_environment: %s '}' in \"%.*s\"",
                               end == NULL ? "missing" : "syntax error after", (int)(list - start),
                               start);
                return false;
            }
            start++;
        }
        while (start < end && text_is_space(*start))
            start++;
        while (start < end && text_is_space(end[-1]))
            end--;
        if (start < end && *start == '=') {
            alloc_set_text(error, "update_env: missing attribute name in: %.*s", (int)(end - start),
                           start);
            return false;
        }
    }
    return true;
}

enum kind {
    STRING,
    NON_EMPTY, /* a string that must not be empty */
    ENVIRONMENT,
    TIME, /* at least one second, without a unit in seconds */
    BOOLEAN,
};

/* How long a value can be, in bytes: as long as what it names. Names, times, yes and no; paths; the
 * words of a list; the paths of as many instances as a host can have. */
#define NAME NAME_MAX
#define PATH (PATH_MAX - 1)
#define WORDS ((size_t)64 * 1024)
#define PATHS ((size_t)4 * 1024 * 1024)

#define STATUS PARAMETER_FOR_STATUS
#define KICK (PARAMETER_FOR_KICK | STATUS)
#define LIST PARAMETER_FOR_LIST
#define RESTART PARAMETER_FOR_RESTART
#define POSTFIX (PARAMETER_FOR_POSTFIX | RESTART)
#define COMMAND PARAMETER_FOR_COMMAND
#define PROGRAMS PARAMETER_FOR_PROGRAMS
#define QUEUES PARAMETER_FOR_QUEUES
#define MODES (KICK | LIST | POSTFIX | COMMAND | QUEUES)
#define ALL (MODES | PROGRAMS)
#define DIRECTORY (KICK | LIST | POSTFIX) /* to be compared: host_find_conflicts() */

/*
 * Every parameter that the program uses, in the order of enum parameter. Kept for a purpose is
 * checked for it too. An instance has one error: the first in the order of the rows, which is that
 * of Postfix's own postkick: strings, then times, then booleans. What only postmulti(1) uses comes
 * last.
 */
static const struct {
    const char *name;
    enum kind kind;
    unsigned longest; /* bytes */
    unsigned kept;    /* purposes */
    unsigned checked; /* purposes */
    unsigned of_home; /* purposes for which it is kept only in the program's own instance */
} parameters[] = {
    /* One row, one line: clang-format would fold them. */
    /* clang-format off */
    {"config_directory",             STRING,      PATH,  0,                KICK | LIST, 0},
    {"queue_directory",              NON_EMPTY,   PATH,  MODES,            0,           0},
    {"data_directory",               NON_EMPTY,   PATH,  MODES,            0,           0},
    {"command_directory",            NON_EMPTY,   PATH,  MODES | PROGRAMS, KICK | LIST, ALL},
    {"daemon_directory",             NON_EMPTY,   PATH,  DIRECTORY | COMMAND | PROGRAMS, KICK | LIST, ALL & ~KICK},
    {"shlib_directory",              NON_EMPTY,   PATH,  DIRECTORY,        KICK | LIST, ALL},
    {"multi_instance_directories",   STRING,      PATHS, MODES,            KICK | LIST, ALL},
    {"multi_instance_name",          STRING,      NAME,  MODES,            0,           0},
    {"multi_instance_group",         STRING,      NAME,  MODES,            0,           0},
    {"alternate_config_directories", STRING,      PATHS, LIST,             KICK | LIST, ALL},
    {"import_environment",           ENVIRONMENT, WORDS, 0,                KICK | LIST, 0},
    {"queue_service_name",           NON_EMPTY,   NAME,  KICK | RESTART,   LIST,        0},
    {"pickup_service_name",          NON_EMPTY,   NAME,  KICK,             LIST,        0},
    {"queue_minfree",                STRING,      NAME,  STATUS,           0,           0},
    {"message_size_limit",           STRING,      NAME,  STATUS,           0,           0},
    {"application_event_drain_time", TIME,        NAME,  0,                KICK | LIST, 0},
    {"trigger_timeout",              TIME,        NAME,  0,                KICK | LIST, 0},
    {"multi_instance_enable",        BOOLEAN,     NAME,  0,                MODES,       0},
    {"postmulti_start_commands",     STRING,      WORDS, POSTFIX,          0,           ALL},
    {"postmulti_stop_commands",      STRING,      WORDS, POSTFIX,          0,           ALL},
    {"postmulti_control_commands",   STRING,      WORDS, POSTFIX,          0,           ALL},
    /* clang-format on */
};
_Static_assert(sizeof(parameters) / sizeof(parameters[0]) == PARAMETER_COUNT, "a row for each");

const char *parameter_name(enum parameter parameter)
{
    return parameters[parameter].name;
}

enum parameter_use parameter_use(enum parameter parameter, enum parameter_purpose purpose,
                                 bool is_home)
{
    unsigned kept = parameters[parameter].kept;

    if (!is_home)
        kept &= ~parameters[parameter].of_home;
    if ((kept & purpose) != 0)
        return PARAMETER_KEPT;
    return (parameters[parameter].checked & purpose) != 0 ? PARAMETER_CHECKED : PARAMETER_UNUSED;
}

/* How much of a value that is too long is shown */
#define SHOWN_LENGTH 20

bool parameter_check(enum parameter parameter, const char *value, char **error)
{
    const char *name = parameters[parameter].name;
    enum kind kind = parameters[parameter].kind;
    size_t longest = parameters[parameter].longest;
    int seconds = 0;

    if (strnlen(value, longest + 1) > longest)
        alloc_set_text(error, "bad string length %zu > %zu: %s = %.*s...", strlen(value), longest,
                       name, SHOWN_LENGTH, value);
    else if (kind == NON_EMPTY && value[0] == '\0')
        alloc_set_text(error, "bad string length 0 < 1: %s = ", name);
    else if (kind == TIME && !parse_time(value, &seconds))
        alloc_set_text(error, "parameter %s: bad time value or unit: %s", name, value);
    else if (kind == TIME && seconds < 1)
        alloc_set_text(error, "invalid %s: %d (min 1)", name, seconds);
    else if (kind == BOOLEAN && parse_bool(value) == PARSE_BOOL_ERROR)
        alloc_set_text(error, "bad boolean configuration: %s = %s", name, value);
    else
        return kind != ENVIRONMENT || check_environment(value, error);
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
