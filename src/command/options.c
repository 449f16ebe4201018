/* SPDX-License-Identifier: MIT */
/* Parses the command line, by the tables of usage. */
#include "command/options.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "base/text.h"
#include <getopt.h>
#include <limits.h>
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
    [USAGE_KICK] = {"usage: postkick [-anqvwj]" SELECTED
                    " [-t time] class service request | action",
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
    "           [-t time] class service request\n"
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

/* The most commands that may run at once. */
#define PARALLEL_MAXIMUM 1000

static void fill_getopt(struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand */
    *shorts++ = ':'; /* a missing argument is not an invalid option */
    for (size_t i = 0; i < USAGE_OPTIONS; i++) {
        int has_argument = usage_options[i].argument != NULL ? required_argument : no_argument;

        longs[i] =
            (struct option){usage_options[i].name, has_argument, NULL, usage_options[i].letter};
        if (usage_is_letterless(usage_options[i].letter))
            continue;
        *shorts++ = (char)usage_options[i].letter;
        if (has_argument == required_argument)
            *shorts++ = ':';
    }
    longs[USAGE_OPTIONS] = (struct option){0};
    *shorts = '\0';
}

/* Takes the argument of -g or -i; an empty one comes from an unset shell variable. */
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
    case 'P':
        if (parse_number(argument, 1, PARALLEL_MAXIMUM, &options->parallel))
            return true;
        alloc_set_text(error, "-P: bad number: %s: specify 1 to %d", argument, PARALLEL_MAXIMUM);
        return false;
    default: /* 't' */
        if (parse_strict_time(argument, &options->time_limit) && options->time_limit >= 1)
            return true;
        alloc_set_text(error, "-t: bad time value: %s: specify 1s or more, such as 90, 90s, 2m",
                       argument);
        return false;
    }
}

/* Returns the mode that an option chooses, or USAGE_KICK. */
static enum usage_mode find_mode(int letter)
{
    enum usage_mode mode = USAGE_HELP;

    while (--mode > USAGE_KICK && usage_forms[mode].letter != letter)
        ;
    return mode;
}

/* Returns what an option without an argument sets, or NULL. */
static bool *find_flag(struct options *options, int letter)
{
    const struct {
        int letter;
        bool *flag;
    } flags[] = {
        {'a', &options->all},     {'E', &options->enabled_only}, {'j', &options->json},
        {'n', &options->dry_run}, {'q', &options->quiet},        {'R', &options->reverse},
        {'w', &options->wait},
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].letter == letter)
            return flags[i].flag;
    return NULL;
}

static bool take_option(struct options *options, int letter, char **error)
{
    enum usage_mode mode = find_mode(letter);
    bool *flag = find_flag(options, letter);

    if (letter == 'e') {
        alloc_set_text(error, "-e: to create, import or destroy instances, use postmulti(1)");
        return false;
    }
    if (mode != USAGE_KICK && options->mode != USAGE_KICK && options->mode != mode) {
        alloc_set_text(error, "specify only one of -l, -p, -s and -x");
        return false;
    }
    if (mode != USAGE_KICK)
        options->mode = mode;
    else if (flag != NULL)
        *flag = true;
    else if (letter == 'v')
        options->verbose++;
    else
        return take_argument(options, letter, optarg, error);
    return true;
}

/* Refuses options that do not belong to the mode; given has those on the command line by letter. */
static bool check_modes(enum usage_mode mode, const bool *given, char **error)
{
    for (size_t i = 0; i < USAGE_OPTIONS; i++) {
        if (given[usage_options[i].letter] && (usage_options[i].modes & (1U << mode)) == 0) {
            alloc_set_text(error, "-%c cannot be used %s", usage_options[i].letter,
                           usage_forms[mode].with);
            return false;
        }
    }
    return true;
}

/* postfix(1) ignores options after its command: "postkick -p stop -n" would stop every instance.
 * After "--" they are meant for it: multi_instance_wrapper ends with "-p --". */
static bool check_postfix_operands(const struct options *options, char **error)
{
    if (options->ended)
        return true;
    for (int i = 1; i < options->operand_count; i++) {
        if (options->operands[i][0] == '-') {
            alloc_set_text(error,
                           "%s: options go before the postfix command; "
                           "after --, they are passed on to postfix(1)",
                           options->operands[i]);
            return false;
        }
    }
    return true;
}

static bool check_operands(const struct options *options, char **error)
{
    int count = options->operand_count, most = usage_forms[options->mode].most;
    bool is_kick = options->mode == USAGE_KICK;

    if (is_kick && count == 2 && options->operands[1][0] == '-')
        alloc_set_text(error, "%s: options go before the operands", options->operands[1]);
    else if (is_kick && count == 0)
        alloc_set_text(error, "too few operands: see --help");
    else if (count < usage_forms[options->mode].least || (is_kick && count == 2))
        alloc_set_text(error, "too few operands");
    else if (most >= 0 && count > most)
        alloc_set_text(error, "too many operands");
    else
        return options->mode != USAGE_POSTFIX || check_postfix_operands(options, error);
    return false;
}

/* getopt_long(3) would write the bytes of the command line unescaped. */
static void describe_mistake(int letter, const char *argument, char **error)
{
    if (letter == ':')
        alloc_set_text(error, "option requires an argument: %s", argument);
    else if (optopt != 0 && strncmp(argument, "--", 2) != 0)
        alloc_set_text(error, "invalid option -- '%c'", optopt);
    else
        alloc_set_text(error, "invalid option: %s", argument);
}

/* Takes all options. Returns false if there is a mistake: *error is the first; the options after it
 * are taken nevertheless, because they may set the mode. */
static bool take_options(struct options *options, int argc, char **argv, bool *given, char **error)
{
    struct option longs[USAGE_OPTIONS + 1];
    char shorts[USAGE_OPTIONS * 2 + 3];
    char *first = NULL;
    int letter, at = 1;

    fill_getopt(longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        char *mistake = NULL;

        if (letter == '?' || letter == ':') {
            describe_mistake(letter, argv[at], &mistake);
        } else if (usage_is_letterless(letter)) {
            options->mode = letter == 'h' ? USAGE_HELP : USAGE_VERSION;
            break;
        } else {
            given[letter] = true;
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
    bool given[CHAR_MAX + 1] = {false};

    *options = (struct options){.mode = USAGE_KICK, .parallel = 1};
    utarray_new(options->groups, &strings_icd);
    utarray_new(options->names, &strings_icd);
    if (!take_options(options, argc, argv, given, error))
        return false;
    if (options->mode == USAGE_HELP || options->mode == USAGE_VERSION)
        return true;
    return check_modes(options->mode, given, error) && check_operands(options, error);
}

void options_free(struct options *options)
{
    utarray_free(options->groups);
    utarray_free(options->names);
    *options = (struct options){0};
}
