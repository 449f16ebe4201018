/* SPDX-License-Identifier: MIT */
/* The command line: one table of options serves getopt_long(3), the modes and --help. */
#include "options.h"
#include "base/parse.h"
#include "base/strings.h"
#include "base/text.h"
#include <getopt.h>
#include <limits.h>
#include <string.h>

/* The most commands that may run at once. */
#define PARALLEL_MAXIMUM 1000

#define IN_KICK (1U << OPTIONS_KICK)
#define IN_LIST (1U << OPTIONS_LIST)
#define IN_POSTFIX (1U << OPTIONS_POSTFIX)
#define IN_EXECUTE (1U << OPTIONS_EXECUTE)
#define IN_STATUS (1U << OPTIONS_STATUS)
#define IN_RUN (IN_POSTFIX | IN_EXECUTE)
#define IN_ALL (IN_KICK | IN_LIST | IN_RUN | IN_STATUS)

enum group { GROUP_MODE, GROUP_SELECTION, GROUP_CONTROL, GROUP_NONE };

static const char *const group_names[] = {
    [GROUP_MODE] = "Instead of sending a request",
    [GROUP_SELECTION] = "Which instances",
    [GROUP_CONTROL] = "How",
};

/* Every option, in the order of --help. */
static const struct option_row {
    int letter;
    const char *name;
    const char *argument; /* its name, or NULL: none is taken */
    unsigned modes;       /* that it belongs to */
    enum group group;
    const char *help; /* may have two lines */
} table[] = {
    {'l', "list", NULL, IN_ALL, GROUP_MODE, "list the instances, as postmulti -l does"},
    {'p', "postfix", NULL, IN_ALL, GROUP_MODE, "run a postfix(1) command for the instances"},
    {'s', "status", NULL, IN_ALL, GROUP_MODE, "show whether each queue manager answers"},
    {'x', "execute", NULL, IN_ALL, GROUP_MODE, "run any command for each instance"},
    {'h', "help", NULL, IN_ALL, GROUP_MODE, "show this text"},
    {'V', "version", NULL, IN_ALL, GROUP_MODE, "show the version"},
    {'a', "all", NULL, IN_KICK | IN_LIST | IN_RUN, GROUP_SELECTION,
     "kick disabled instances, too\n(-l, -p and -x include them anyway)"},
    {'c', "config-directory", "DIR", IN_ALL, GROUP_SELECTION,
     "only the instance in DIR, even a disabled one;\noverrides MAIL_CONFIG"},
    {'E', "enabled", NULL, IN_LIST | IN_EXECUTE | IN_STATUS, GROUP_SELECTION,
     "only enabled instances"},
    {'g', "group", "GROUP", IN_ALL, GROUP_SELECTION, "only members of GROUP; may be repeated"},
    {'i', "instance", "NAME", IN_ALL, GROUP_SELECTION,
     "only the instance NAME: a name, a pattern,\n"
     "a directory, or - for the default; may be repeated"},
    {'R', "reverse", NULL, IN_LIST | IN_EXECUTE, GROUP_SELECTION, "in reverse order"},
    {'f', "settings", "FILE", IN_ALL, GROUP_CONTROL,
     "read FILE instead of the installed postkick.ini"},
    {'j', "json", NULL, IN_ALL, GROUP_CONTROL, "write JSON, one object per line"},
    {'n', "dry-run", NULL, IN_KICK | IN_RUN, GROUP_CONTROL,
     "only show what would be done, and what prevents it"},
    {'o', "override", "NAME=VALUE", IN_KICK, GROUP_CONTROL,
     "set a main.cf parameter for this run,\nin every instance; may be repeated"},
    {'P', "parallel", "JOBS", IN_RUN, GROUP_CONTROL, "run up to JOBS commands at once"},
    {'q', "quiet", NULL, IN_ALL, GROUP_CONTROL, "no warnings; check the exit status"},
    {'t', "timeout", "TIME", IN_KICK | IN_RUN | IN_STATUS, GROUP_CONTROL,
     "end the run after TIME, such as 90, 90s or 2m"},
    {'v', "verbose", NULL, IN_ALL, GROUP_CONTROL, "report successes, too; may be repeated"},
    {'w', "wait", NULL, IN_KICK, GROUP_CONTROL, "wait until the service has finished"},
    {'e', "edit", "ACTION", IN_ALL, GROUP_NONE, NULL},
};
#define TABLE_LENGTH (sizeof(table) / sizeof(table[0]))

/* Those of the table that have a long form only. */
static const char letterless[] = "hV";

#define SELECTED " [-c dir | -g group... -i name...] [-f file]"

/* How each mode is called: what has to be on the line, and its name in a message. */
static const struct {
    const char *usage;
    const char *with;
    int least, most; /* operands; -1: any number */
} modes[] = {
    [OPTIONS_KICK] = {"usage: postkick [-anqvwj]" SELECTED " [-o name=value]... [-t time] "
                      "class service request | action",
                      "when requests are sent", 1, 3},
    [OPTIONS_LIST] = {"usage: postkick -l [-aEjRqv]" SELECTED, "with -l", 0, 0},
    [OPTIONS_POSTFIX] = {"usage: postkick -p [-ajnqv] [-P jobs] [-t time]" SELECTED
                         " [--] postfix-command [argument...]",
                         "with -p", 1, -1},
    [OPTIONS_EXECUTE] = {"usage: postkick -x [-aEjnqvR] [-P jobs] [-t time]" SELECTED
                         " [--] command [argument...]",
                         "with -x", 1, -1},
    [OPTIONS_STATUS] = {"usage: postkick -s [-Ejqv] [-t time]" SELECTED, "with -s", 0, 0},
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
    "all did, otherwise 1.\n";

const char *options_usage(enum options_mode mode)
{
    return modes[mode].usage;
}

static bool is_letterless(int letter)
{
    return strchr(letterless, letter) != NULL;
}

static void append_row(UT_string *out, const struct option_row *row)
{
    UT_array *lines = strings_split(row->help, "\n");
    char *argument = row->argument != NULL ? alloc_format(" %s", row->argument) : alloc_string("");
    char *option = is_letterless(row->letter)
                       ? alloc_format("      --%s", row->name)
                       : alloc_format("  -%c, --%s%s", row->letter, row->name, argument);

    for (size_t i = 0; i < utarray_len(lines); i++)
        utstring_printf(out, "%-29s %s\n", i == 0 ? option : "", strings_item(lines, i));
    free(option);
    free(argument);
    utarray_free(lines);
}

void options_append_help(UT_string *out)
{
    enum group group = GROUP_NONE;

    utstring_printf(out, "%s", help_start);
    for (size_t i = 0; i < TABLE_LENGTH && table[i].group != GROUP_NONE; i++) {
        if (table[i].group != group)
            utstring_printf(out, "\n%s:\n", group_names[table[i].group]);
        group = table[i].group;
        append_row(out, &table[i]);
    }
}

static void fill_getopt(struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand */
    *shorts++ = ':'; /* a missing argument is not an invalid option */
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        int has_argument = table[i].argument != NULL ? required_argument : no_argument;

        longs[i] = (struct option){table[i].name, has_argument, NULL, table[i].letter};
        if (is_letterless(table[i].letter))
            continue;
        *shorts++ = (char)table[i].letter;
        if (has_argument == required_argument)
            *shorts++ = ':';
    }
    longs[TABLE_LENGTH] = (struct option){0};
    *shorts = '\0';
}

static bool set_mode(struct options *options, enum options_mode mode, char **error)
{
    if (options->mode != OPTIONS_KICK && options->mode != mode) {
        alloc_set_text(error, "specify only one of -l, -p, -s and -x");
        return false;
    }
    options->mode = mode;
    return true;
}

static bool add_override(struct options *options, const char *text, char **error)
{
    static const char reserved[] = "multi_instance_";
    /* as in postconf(1), white space around name and value does not count */
    const char *name = text + strspn(text, TEXT_WHITE_SPACE);
    size_t length = strcspn(name, "=" TEXT_WHITE_SPACE);
    const char *equals = name + length + strspn(name + length, TEXT_WHITE_SPACE);

    if (length == 0 || *equals != '=') {
        alloc_set_text(error, "-o: bad setting: %s: specify name=value", text);
        return false;
    }
    if (strncmp(name, reserved, sizeof(reserved) - 1) == 0) {
        alloc_set_text(error, "-o: multi_instance_* cannot be overridden: %s", text);
        return false;
    }
    const char *value = equals + 1 + strspn(equals + 1, TEXT_WHITE_SPACE);
    size_t value_length = strlen(value);
    while (value_length > 0 && strchr(TEXT_WHITE_SPACE, value[value_length - 1]) != NULL)
        value_length--;
    strings_append(options->overrides, "%.*s=%.*s", (int)length, name, (int)value_length, value);
    return true;
}

/* Takes the argument of -g or -i; an empty one is a shell variable that is not set. */
static bool add_name(UT_array *names, int letter, const char *argument, char **error)
{
    if (argument[0] == '\0') {
        alloc_set_text(error, "-%c: empty name: is a shell variable unset?", letter);
        return false;
    }
    strings_append(names, "%s", argument);
    return true;
}

static bool take_argument(struct options *options, int letter, const char *argument, char **error)
{
    switch (letter) {
    case 'c':
        options->config_directory = argument;
        return true;
    case 'f':
        options->settings_file = argument;
        return true;
    case 'g':
        return add_name(options->groups, letter, argument, error);
    case 'i':
        return add_name(options->names, letter, argument, error);
    case 'o':
        return add_override(options, argument, error);
    case 'P':
        if (parse_number(argument, 1, PARALLEL_MAXIMUM, &options->parallel))
            return true;
        alloc_set_text(error, "-P: bad number: %s: specify 1 to %d", argument, PARALLEL_MAXIMUM);
        return false;
    default: /* 't' */
        if (parse_time(argument, &options->time_limit) && options->time_limit >= 1)
            return true;
        alloc_set_text(error, "-t: bad time value: %s: specify 1s or more, such as 90, 90s, 2m",
                       argument);
        return false;
    }
}

static bool take_option(struct options *options, int letter, char **error)
{
    switch (letter) {
    case 'a':
        options->all = true;
        return true;
    case 'E':
        options->enabled_only = true;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'n':
        options->dry_run = true;
        return true;
    case 'q':
        options->quiet = true;
        return true;
    case 'R':
        options->reverse = true;
        return true;
    case 'v':
        options->verbose++;
        return true;
    case 'w':
        options->wait = true;
        return true;
    case 'l':
        return set_mode(options, OPTIONS_LIST, error);
    case 'p':
        return set_mode(options, OPTIONS_POSTFIX, error);
    case 's':
        return set_mode(options, OPTIONS_STATUS, error);
    case 'x':
        return set_mode(options, OPTIONS_EXECUTE, error);
    case 'e':
        alloc_set_text(error, "-e: to create, import or destroy instances, use postmulti(1)");
        return false;
    default:
        return take_argument(options, letter, optarg, error);
    }
}

/* Every option that was given belongs to the mode. */
static bool check_modes(enum options_mode mode, const bool *given, char **error)
{
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        if (given[i] && (table[i].modes & (1U << mode)) == 0) {
            alloc_set_text(error, "-%c cannot be used %s", table[i].letter, modes[mode].with);
            return false;
        }
    }
    return true;
}

/* postfix(1) ignores options after its command: with -n or -i there, it would stop every instance.
 * What follows "--" is meant for it: multi_instance_wrapper ends with "-p --". */
static bool check_postfix_operands(const struct options *options, char **error)
{
    if (options->ended)
        return true;
    for (int i = 1; i < options->operand_count; i++) {
        if (options->operands[i][0] == '-') {
            alloc_set_text(error,
                           "%s: options go before the postfix command; "
                           "-- goes before a command with options of its own",
                           options->operands[i]);
            return false;
        }
    }
    return true;
}

static bool check_operands(const struct options *options, char **error)
{
    int count = options->operand_count, most = modes[options->mode].most;
    bool is_kick = options->mode == OPTIONS_KICK;

    if (count < modes[options->mode].least || (is_kick && count == 2))
        alloc_set_text(error, "too few operands");
    else if (most >= 0 && count > most)
        alloc_set_text(error, "too many operands");
    else
        return options->mode != OPTIONS_POSTFIX || check_postfix_operands(options, error);
    return false;
}

static void note_given(bool *given, int letter)
{
    for (size_t i = 0; i < TABLE_LENGTH; i++)
        if (table[i].letter == letter)
            given[i] = true;
}

/* getopt_long(3) would write bytes of the command line as they are. */
static void describe_mistake(int letter, const char *argument, char **error)
{
    if (letter == ':')
        alloc_set_text(error, "option requires an argument: %s", argument);
    else if (optopt != 0 && optopt < CHAR_MAX && strncmp(argument, "--", 2) != 0)
        alloc_set_text(error, "invalid option -- '%c'", optopt);
    else
        alloc_set_text(error, "invalid option: %s", argument);
}

/* Takes all options. Returns false when there is a mistake: of several, *error is the first, and
 * what follows is taken all the same, to learn the mode. */
static bool take_options(struct options *options, int argc, char **argv, bool *given, char **error)
{
    struct option longs[TABLE_LENGTH + 1];
    char shorts[TABLE_LENGTH * 2 + 3];
    char *first = NULL;
    int letter, at = 1;

    fill_getopt(longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        char *mistake = NULL;

        if (letter == '?' || letter == ':') {
            describe_mistake(letter, argv[at], &mistake);
        } else if (is_letterless(letter)) {
            options->mode = letter == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
            break;
        } else {
            note_given(given, letter);
            (void)take_option(options, letter, &mistake);
        }
        at = optind; /* stays behind within a cluster such as -vq */
        if (first == NULL)
            first = mistake;
        else
            free(mistake);
    }
    options->ended = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
    options->operand_count = argc - optind;
    options->operands = argv + optind;
    if (first == NULL)
        return true;
    free(*error);
    *error = first;
    return false;
}

bool options_parse(struct options *options, int argc, char **argv, char **error)
{
    bool given[TABLE_LENGTH] = {false};

    *options = (struct options){.mode = OPTIONS_KICK, .parallel = 1};
    utarray_new(options->groups, &strings_icd);
    utarray_new(options->names, &strings_icd);
    utarray_new(options->overrides, &strings_icd);
    if (!take_options(options, argc, argv, given, error))
        return false;
    if (options->mode == OPTIONS_HELP || options->mode == OPTIONS_VERSION)
        return true;
    return check_modes(options->mode, given, error) && check_operands(options, error);
}

void options_free(struct options *options)
{
    utarray_free(options->groups);
    utarray_free(options->names);
    utarray_free(options->overrides);
    *options = (struct options){0};
}
