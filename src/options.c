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

/* Every option, its long form, and the modes that it belongs to. */
static const struct {
    int letter;
    const char *name;
    int has_argument;
    unsigned modes;
} table[] = {
    {'a', "all", no_argument, IN_KICK | IN_LIST | IN_RUN},
    {'c', "config-directory", required_argument, IN_ALL},
    {'E', "enabled", no_argument, IN_LIST | IN_EXECUTE | IN_STATUS},
    {'e', "edit", optional_argument, IN_ALL},
    {'f', "settings", required_argument, IN_ALL},
    {'g', "group", required_argument, IN_ALL},
    {'h', "help", no_argument, IN_ALL},
    {'i', "instance", required_argument, IN_ALL},
    {'j', "json", no_argument, IN_ALL},
    {'l', "list", no_argument, IN_ALL},
    {'n', "dry-run", no_argument, IN_KICK | IN_RUN},
    {'o', "override", required_argument, IN_KICK},
    {'p', "postfix", no_argument, IN_ALL},
    {'P', "parallel", required_argument, IN_RUN},
    {'q', "quiet", no_argument, IN_ALL},
    {'R', "reverse", no_argument, IN_LIST | IN_EXECUTE},
    {'s', "status", no_argument, IN_ALL},
    {'t', "timeout", required_argument, IN_KICK | IN_RUN | IN_STATUS},
    {'v', "verbose", no_argument, IN_ALL},
    {'V', "version", no_argument, IN_ALL},
    {'w', "wait", no_argument, IN_KICK},
    {'x', "execute", no_argument, IN_ALL},
};
#define TABLE_LENGTH (sizeof(table) / sizeof(table[0]))

/* What only has a long form, or is only there to be answered. */
static const char letterless[] = "hV";

const char options_usage[] = "usage: postkick [options] class service request | [options] action | "
                             "-l [options] | -s [options] | -p [options] postfix-command | -x "
                             "[options] command (try --help)";

const char options_help[] =
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
    "tells which ones did not hear it. Exit status: 0 when all did, otherwise 1.\n"
    "\n"
    "What to do:\n"
    "  -l, --list                 list the instances, as postmulti -l does\n"
    "  -p, --postfix              run a postfix(1) command for the instances\n"
    "  -s, --status               is the queue manager of each instance alive?\n"
    "  -x, --execute              run any command for the instances\n"
    "      --help                 show this text\n"
    "      --version              show the version\n"
    "\n"
    "Which instances:\n"
    "  -a, --all                  also those that are not enabled\n"
    "  -c, --config-directory DIR this one only; beats MAIL_CONFIG\n"
    "  -E, --enabled              only those that are enabled\n"
    "  -g, --group GROUP          members of one of the given groups only\n"
    "  -i, --instance NAME        the named ones only: name, configuration\n"
    "                             directory, or - for the default instance\n"
    "  -R, --reverse              in reverse order\n"
    "\n"
    "How:\n"
    "  -f, --settings FILE        settings instead of the installed postkick.ini\n"
    "  -j, --json                 one JSON object per line\n"
    "  -n, --dry-run              show what would be done and what stands in the way\n"
    "  -o, --override NAME=VALUE  a main.cf parameter, in every instance\n"
    "  -P, --parallel JOBS        run up to that many commands at once\n"
    "  -q, --quiet                no warnings; the exit status still tells\n"
    "  -t, --timeout TIME         end after that time: 90, 90s, 2m\n"
    "  -v, --verbose              say more; may be repeated\n"
    "  -w, --wait                 wait until the service has finished\n";

static bool is_letterless(int letter)
{
    return strchr(letterless, letter) != NULL;
}

static void fill_getopt(struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand */
    *shorts++ = ':'; /* a missing argument is told apart */
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        longs[i] = (struct option){table[i].name, table[i].has_argument, NULL, table[i].letter};
        if (is_letterless(table[i].letter))
            continue;
        *shorts++ = (char)table[i].letter;
        if (table[i].has_argument == required_argument)
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
        alloc_set_text(error, "-o %s: specify name=value", text);
        return false;
    }
    if (strncmp(name, reserved, sizeof(reserved) - 1) == 0) {
        alloc_set_text(error, "-o %s: multi_instance_* cannot be overridden", text);
        return false;
    }
    const char *value = equals + 1 + strspn(equals + 1, TEXT_WHITE_SPACE);
    size_t value_length = strlen(value);
    while (value_length > 0 && strchr(TEXT_WHITE_SPACE, value[value_length - 1]) != NULL)
        value_length--;
    strings_append(options->overrides, "%.*s=%.*s", (int)length, name, (int)value_length, value);
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
    case 'i':
        if (argument[0] == '\0') {
            alloc_set_text(error, "-%c: empty name: is a shell variable unset?", letter);
            return false;
        }
        strings_append(letter == 'g' ? options->groups : options->names, "%s", argument);
        return true;
    case 'o':
        return add_override(options, argument, error);
    case 'P':
        if (parse_number(argument, 1, PARALLEL_MAXIMUM, &options->parallel))
            return true;
        alloc_set_text(error, "-P %s: specify a number from 1 to %d", argument, PARALLEL_MAXIMUM);
        return false;
    default: /* 't' */
        if (parse_time(argument, &options->time_limit) && options->time_limit >= 1)
            return true;
        alloc_set_text(error, "-t %s: specify a time of at least 1s, such as 90, 90s, 2m",
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

static const char *mode_name(enum options_mode mode)
{
    switch (mode) {
    case OPTIONS_LIST:
        return "-l";
    case OPTIONS_POSTFIX:
        return "-p";
    case OPTIONS_EXECUTE:
        return "-x";
    case OPTIONS_STATUS:
        return "-s";
    default:
        return "kicks";
    }
}

/* Every option that was given belongs to the mode. */
static bool check_modes(enum options_mode mode, const bool *given, char **error)
{
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        if (given[i] && (table[i].modes & (1U << mode)) == 0) {
            alloc_set_text(error, "-%c (--%s) is not for %s (try --help)", table[i].letter,
                           table[i].name, mode_name(mode));
            return false;
        }
    }
    return true;
}

/* postfix(1) ignores what follows its command: -n typed there would stop every instance. */
static bool check_arguments(const struct options *options, char **error)
{
    for (int i = 1; i < options->operand_count; i++) {
        if (options->operands[i][0] == '-') {
            alloc_set_text(error, "%s: options go before the postfix command",
                           options->operands[i]);
            return false;
        }
    }
    return true;
}

static bool check_operands(const struct options *options, char **error)
{
    int count = options->operand_count;
    bool valid = count > 0;

    if (options->mode == OPTIONS_KICK)
        valid = count == 1 || count == 3;
    else if (options->mode == OPTIONS_LIST || options->mode == OPTIONS_STATUS)
        valid = count == 0;
    if (!valid)
        alloc_set_text(error, "%s", options_usage);
    return valid && (options->mode != OPTIONS_POSTFIX || check_arguments(options, error));
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
        alloc_set_text(error, "option requires an argument: %s (try --help)", argument);
    else if (optopt != 0 && optopt < CHAR_MAX && strncmp(argument, "--", 2) != 0)
        alloc_set_text(error, "invalid option -- '%c' (try --help)", optopt);
    else
        alloc_set_text(error, "invalid option: %s (try --help)", argument);
}

bool options_parse(struct options *options, int argc, char **argv, char **error)
{
    struct option longs[TABLE_LENGTH + 1];
    char shorts[TABLE_LENGTH * 2 + 3];
    bool given[TABLE_LENGTH] = {false};
    int letter, at = 1;

    *options = (struct options){.mode = OPTIONS_KICK, .parallel = 1};
    utarray_new(options->groups, &strings_icd);
    utarray_new(options->names, &strings_icd);
    utarray_new(options->overrides, &strings_icd);
    fill_getopt(longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (letter == '?' || letter == ':') {
            describe_mistake(letter, argv[at], error);
            return false;
        }
        at = optind; /* stays behind within a cluster such as -vq */
        if (is_letterless(letter)) {
            options->mode = letter == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
            return true;
        }
        note_given(given, letter);
        if (!take_option(options, letter, error))
            return false;
    }
    options->operand_count = argc - optind;
    options->operands = argv + optind;
    return check_modes(options->mode, given, error) && check_operands(options, error);
}

void options_free(struct options *options)
{
    utarray_free(options->groups);
    utarray_free(options->names);
    utarray_free(options->overrides);
    *options = (struct options){0};
}
