/* SPDX-License-Identifier: MIT */
/* The options and the modes, as tables, and --help. */
#include "command/usage.h"
#include "base/strings.h"
#include <string.h>

#define IN_KICK (1U << USAGE_KICK)
#define IN_LIST (1U << USAGE_LIST)
#define IN_POSTFIX (1U << USAGE_POSTFIX)
#define IN_EXECUTE (1U << USAGE_EXECUTE)
#define IN_STATUS (1U << USAGE_STATUS)
#define IN_RUN (IN_POSTFIX | IN_EXECUTE)
#define IN_ALL (IN_KICK | IN_LIST | IN_RUN | IN_STATUS)

static const char *const group_names[] = {
    [USAGE_MODES] = "Instead of sending a request",
    [USAGE_SELECTION] = "Which instances",
    [USAGE_CONTROL] = "How",
};

/* Every option, in the order of --help. */
const struct usage_option usage_options[] = {
    {'l', "list", NULL, IN_ALL, USAGE_MODES, "list the instances, as postmulti -l does"},
    {'p', "postfix", NULL, IN_ALL, USAGE_MODES, "run a postfix(1) command for the instances"},
    {'s', "status", NULL, IN_ALL, USAGE_MODES, "show whether each queue manager answers"},
    {'x', "execute", NULL, IN_ALL, USAGE_MODES, "run any command for each instance"},
    {'h', "help", NULL, IN_ALL, USAGE_MODES, "show this text"},
    {'V', "version", NULL, IN_ALL, USAGE_MODES, "show the version"},
    {'a', "all", NULL, IN_KICK | IN_LIST | IN_RUN, USAGE_SELECTION,
     "also send requests to disabled instances\n(no effect with -l, -p and -x)"},
    {'c', "config-directory", "DIR", IN_ALL, USAGE_SELECTION,
     "only the instance in DIR, even a disabled one;\noverrides MAIL_CONFIG"},
    {'E', "enabled", NULL, IN_LIST | IN_EXECUTE | IN_STATUS, USAGE_SELECTION,
     "only enabled instances"},
    {'g', "group", "GROUP", IN_ALL, USAGE_SELECTION, "only members of GROUP; may be repeated"},
    {'i', "instance", "NAME", IN_ALL, USAGE_SELECTION,
     "only the instance NAME: a name, a pattern,\n"
     "a directory, or - for the default; may be repeated"},
    {'R', "reverse", NULL, IN_LIST | IN_EXECUTE, USAGE_SELECTION, "in reverse order"},
    {'f', "settings", "FILE", IN_ALL, USAGE_CONTROL,
     "read FILE instead of the installed postkick.ini"},
    {'j', "json", NULL, IN_ALL, USAGE_CONTROL, "write JSON, one object per line"},
    {'n', "dry-run", NULL, IN_KICK | IN_RUN, USAGE_CONTROL,
     "only show what would be done, and what prevents it"},
    {'o', "override", "NAME=VALUE", IN_KICK, USAGE_CONTROL,
     "set a main.cf parameter for this run,\nin every instance; may be repeated"},
    {'P', "parallel", "JOBS", IN_RUN, USAGE_CONTROL, "run up to JOBS commands at once"},
    {'q', "quiet", NULL, IN_ALL, USAGE_CONTROL, "no warnings; check the exit status"},
    {'t', "timeout", "TIME", IN_KICK | IN_RUN | IN_STATUS, USAGE_CONTROL,
     "end the run after TIME, such as 90, 90s or 2m"},
    {'v', "verbose", NULL, IN_ALL, USAGE_CONTROL, "also report successes"},
    {'w', "wait", NULL, IN_KICK, USAGE_CONTROL, "wait until the service has finished"},
    {'e', "edit", NULL, IN_ALL, USAGE_NONE, NULL},
};

/* Those of the table that have a long form only. */
static const char letterless[] = "hV";

#define SELECTED " [-c dir | -g group... -i name...] [-f file]"

/* How each mode is called: what has to be on the line, and its name in a message. */
const struct usage_form usage_forms[] = {
    [USAGE_KICK] = {"usage: postkick [-anqvwj]" SELECTED " [-o name=value]... [-t time] "
                    "class service request | action",
                    "when requests are sent", 0, 1, 3},
    [USAGE_LIST] = {"usage: postkick -l [-aEjRqv]" SELECTED, "with -l", 'l', 0, 0},
    [USAGE_POSTFIX] = {"usage: postkick -p [-ajnqv] [-P jobs] [-t time]" SELECTED
                       " [--] postfix-command [argument...]",
                       "with -p", 'p', 1, -1},
    [USAGE_EXECUTE] = {"usage: postkick -x [-aEjnqvR] [-P jobs] [-t time]" SELECTED
                       " [--] command [argument...]",
                       "with -x", 'x', 1, -1},
    [USAGE_STATUS] = {"usage: postkick -s [-Ejqv] [-t time]" SELECTED, "with -s", 's', 0, 0},
};

static const char help_start[] =
    "Usage:\n"
    "  postkick [-anqvwj] [-c dir] [-f file] [-g group]... [-i name]...\n"
    "           [-o name=value]... [-t time] class service request\n"
    "  postkick [the same options] action\n"
    "  postkick -s [-Ejqv] [-t time] [-c dir | -g group... -i name...] [-f file]\n"
    "  postkick -l [-aEjRqv] [-c dir | -g group... -i name...] [-f file]\n"
    "  postkick -p [-ajnqv] [-P jobs] [-t time] [-c dir | -g group... -i name...]\n"
    "           [-f file] [--] postfix-command [argument...]\n"
    "  postkick -x [-aEjnqvR] [-P jobs] [-t time] [-c dir | -g group... -i name...]\n"
    "           [-f file] [--] command [argument...]\n"
    "\n"
    "Sends a request to a service in every enabled Postfix instance at once, and\n"
    "reports every instance whose service did not read it. The exit status is 0 if\n"
    "every service read it, otherwise 1.\n";

bool usage_is_letterless(int letter)
{
    return strchr(letterless, letter) != NULL;
}

static void append_row(UT_string *out, const struct usage_option *row)
{
    UT_array *lines = strings_split(row->help, "\n");
    const char *argument = row->argument != NULL ? row->argument : "";
    char *option = usage_is_letterless(row->letter)
                       ? alloc_format("      --%s", row->name)
                       : alloc_format("  -%c, --%s%s%s", row->letter, row->name,
                                      row->argument != NULL ? " " : "", argument);

    for (size_t i = 0; i < utarray_len(lines); i++)
        utstring_printf(out, "%-29s %s\n", i == 0 ? option : "", strings_item(lines, i));
    free(option);
    utarray_free(lines);
}

void usage_append_help(UT_string *out)
{
    enum usage_group group = USAGE_NONE;

    utstring_printf(out, "%s", help_start);
    for (size_t i = 0; i < USAGE_OPTIONS && usage_options[i].group != USAGE_NONE; i++) {
        if (usage_options[i].group != group)
            utstring_printf(out, "\n%s:\n", group_names[usage_options[i].group]);
        group = usage_options[i].group;
        append_row(out, &usage_options[i]);
    }
}
