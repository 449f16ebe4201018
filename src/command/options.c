/* SPDX-License-Identifier: MIT */
/* Parses the command line, and describes it, by two tables: of options and of modes. */
#include "command/options.h"
#include "base/text.h"
#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* Where --help has an option. */
enum group { GROUP_MODES, GROUP_SELECTION, GROUP_CONTROL, GROUP_MESSAGES, GROUP_NONE };

static const char *const group_titles[] = {
    [GROUP_MODES] = "Instead of sending a request",
    [GROUP_SELECTION] = "Which instances",
    [GROUP_CONTROL] = "How",
    [GROUP_MESSAGES] = "Messages, with -M: patterns are as in fnmatch(3), in upper or lower case",
};

/* What an option sets: TEXT and NAMES cannot be empty, and NAMES can be repeated. Those from
 * PATTERN to TOP are about messages. */
enum kind { MODE, FLAG, VERBOSE, TEXT, NAMES, JOBS, TIME, REFUSED, PATTERN, AGE, SIZE, KEY, TOP };

/* In the order in which a row is read.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct option_row {
    int letter;           /* 0: it has a long form only */
    const char *name;     /* of its long form */
    const char *argument; /* its name, or NULL: none is accepted */
    enum kind kind;
    size_t value; /* the mode, the key of the pattern, or where the member is in struct options */
    enum group group;
    const char *help; /* may have two lines */
};

#define AT(member) offsetof(struct options, member)

/* Every option, in the order of --help. */
static const struct option_row rows[] = {
    {'l', "list", NULL, MODE, OPTIONS_LIST, GROUP_MODES,
     "list the instances, as postmulti -l does"},
    {'M', "messages", NULL, MODE, OPTIONS_MESSAGES, GROUP_MODES,
     "list, count, hold, release, requeue, delete\nor expire messages"},
    {'p', "postfix", NULL, MODE, OPTIONS_POSTFIX, GROUP_MODES,
     "run a postfix(1) command for the instances"},
    {'Q', "queues", NULL, MODE, OPTIONS_QUEUES, GROUP_MODES, "show what is in the queues"},
    {'s', "status", NULL, MODE, OPTIONS_STATUS, GROUP_MODES,
     "show whether each instance is responding"},
    {'x', "execute", NULL, MODE, OPTIONS_EXECUTE, GROUP_MODES, "run any command for each instance"},
    {0, "help", NULL, MODE, OPTIONS_HELP, GROUP_MODES, "show this text"},
    {0, "version", NULL, MODE, OPTIONS_VERSION, GROUP_MODES, "show the version"},
    {'a', "all", NULL, FLAG, AT(all), GROUP_SELECTION,
     "also send requests to instances not enabled\n(no effect with -l, -M, -p, -Q and -x)"},
    {'c', "config-directory", "DIR", TEXT, AT(config_directory), GROUP_SELECTION,
     "only the instance in DIR, even if not enabled;\noverrides MAIL_CONFIG"},
    {'E', "enabled", NULL, FLAG, AT(enabled_only), GROUP_SELECTION, "only enabled instances"},
    {'g', "group", "GROUP", NAMES, AT(groups), GROUP_SELECTION,
     "only members of GROUP; may be repeated"},
    {'i', "instance", "NAME", NAMES, AT(names), GROUP_SELECTION,
     "only the instance NAME: a name, a pattern,\n"
     "a directory, or - for the default; may be repeated"},
    {'R', "reverse", NULL, FLAG, AT(reverse), GROUP_SELECTION, "in reverse order"},
    {'f', "settings", "FILE", TEXT, AT(settings_file), GROUP_CONTROL,
     "read FILE instead of the installed postkick.ini"},
    {'j', "json", NULL, FLAG, AT(json), GROUP_CONTROL, "write JSON, one object per line"},
    {'n', "dry-run", NULL, FLAG, AT(dry_run), GROUP_CONTROL,
     "only show what would be done, and the obstacles"},
    {'P', "parallel", "JOBS", JOBS, 0, GROUP_CONTROL,
     "run up to JOBS commands at once; with -Q,\nread that many queues at once (one per core)"},
    {'q', "quiet", NULL, FLAG, AT(quiet), GROUP_CONTROL, "no warnings; check the exit status"},
    {0, "tag", NULL, FLAG, AT(tag), GROUP_CONTROL,
     "begin each line of output with the instance's name"},
    {'t', "timeout", "TIME", TIME, 0, GROUP_CONTROL,
     "end the run after TIME, such as 90, 90s or 2m"},
    {'v', "verbose", NULL, VERBOSE, 0, GROUP_CONTROL, "also report successes"},
    {'w', "wait", NULL, FLAG, AT(wait), GROUP_CONTROL, "wait until the service has finished"},
    {0, "sender", "PATTERN", PATTERN, MESSAGE_BY_SENDER, GROUP_MESSAGES,
     "whose sender matches; <> is the empty sender"},
    {0, "recipient", "PATTERN", PATTERN, MESSAGE_BY_RECIPIENT, GROUP_MESSAGES,
     "one of whose recipients matches"},
    {0, "reason", "PATTERN", PATTERN, MESSAGE_BY_REASON, GROUP_MESSAGES,
     "one of whose delay reasons matches"},
    {0, "queue", "NAME", PATTERN, MESSAGE_BY_QUEUE, GROUP_MESSAGES,
     "in the queue NAME, such as hold"},
    {0, "older", "TIME", AGE, 0, GROUP_MESSAGES,
     "that arrived at least TIME ago, such as 2h or 1d"},
    {0, "larger", "BYTES", SIZE, 0, GROUP_MESSAGES, "larger than BYTES, such as 500K or 10M"},
    {0, "by", "KEY", KEY, 0, GROUP_MESSAGES,
     "count for each sender, recipient, domain,\nreason, queue or instance"},
    {0, "top", "NUMBER", TOP, 0, GROUP_MESSAGES, "with --by, show only the first NUMBER (10)"},
    {0, "now", NULL, FLAG, AT(now), GROUP_MESSAGES,
     "after release and expire, retry all deferred\nmail whatever its retry time"},
    {0, "yes", NULL, FLAG, AT(yes), GROUP_MESSAGES, "delete without asking"},
    {'e', "edit", NULL, REFUSED, 0, GROUP_NONE, NULL},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Every mode but help and version. */
static const struct {
    int letter;            /* of the option that chooses it; 0: none */
    const char *flags;     /* the letters of the options without an argument that belong to it */
    const char *arguments; /* and of those with one, beside those of all modes */
    const char *operands;  /* as they are called */
    const char *needed;    /* what at least has to be specified; or NULL */
} modes[] = {
    [OPTIONS_KICK] = {0, "aEjnqvw", "t", "class service request | action [instance...]",
                      "class, service and request, or an action such as flush"},
    [OPTIONS_LIST] = {'l', "aEjqRv", "", "[instance...]", NULL},
    [OPTIONS_POSTFIX] = {'p', "ajnqv", "Pt", "[--] postfix-command [argument...]",
                         "a command of postfix(1), such as reload"},
    [OPTIONS_EXECUTE] = {'x', "aEjnqRv", "Pt", "[--] command [argument...]",
                         "a command, such as mailq"},
    [OPTIONS_STATUS] = {'s', "Ejqv", "t", "[instance...]", NULL},
    [OPTIONS_QUEUES] = {'Q', "aEjqRv", "Pt", "[instance...]", NULL},
    [OPTIONS_MESSAGES] = {'M', "aEjnqv", "t", "verb [ALL | - | [instance/]queue-id...]",
                          "a verb, such as list"},
};

static bool runs_commands(enum options_mode mode)
{
    return mode == OPTIONS_POSTFIX || mode == OPTIONS_EXECUTE;
}

static bool belongs(const struct option_row *row, enum options_mode mode)
{
    if (row->kind == MODE || row->kind == TEXT || row->kind == NAMES)
        return true;
    if (row->letter == 0)
        return row->group == GROUP_MESSAGES ? mode == OPTIONS_MESSAGES : runs_commands(mode);
    return strchr(row->argument == NULL ? modes[mode].flags : modes[mode].arguments, row->letter) !=
           NULL;
}

/* Returns the synopsis of a mode, in parts between which a line may end. */
static UT_array *make_synopsis(enum options_mode mode)
{
    UT_array *words;

    utarray_new(words, &strings_icd);
    if (modes[mode].letter != 0)
        strings_append(words, "postkick -%c", modes[mode].letter);
    else
        strings_append(words, "postkick");
    strings_append(words, "[-%s]", modes[mode].flags);
    if (runs_commands(mode))
        strings_append(words, "[--tag]");
    strings_append(words, "[-c dir | -g group... -i name...]");
    if (mode == OPTIONS_MESSAGES)
        strings_append(words, "[--filter value]...");
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].argument == NULL || rows[i].group != GROUP_CONTROL || !belongs(&rows[i], mode))
            continue;
        char *argument = alloc_string(rows[i].argument);
        for (char *at = argument; *at != '\0'; at++)
            *at = (char)tolower(*at);
        strings_append(words, "[-%c %s]", rows[i].letter, argument);
        free(argument);
    }
    strings_append(words, "%s", modes[mode].operands);
    return words;
}

/* Appends the synopsis in lines of that width, the first after some blanks. */
static void append_synopsis(UT_string *out, enum options_mode mode, size_t width,
                            const char *blanks)
{
    UT_array *words = make_synopsis(mode);
    size_t start = utstring_len(out);

    for (size_t i = 0; i < utarray_len(words); i++) {
        const char *word = strings_item(words, i);
        bool is_full = utstring_len(out) - start + 1 + strlen(word) > width;

        if (is_full) {
            utstring_printf(out, "\n");
            start = utstring_len(out);
        }
        utstring_printf(out, "%s%s", i == 0 ? blanks : is_full ? "           " : " ", word);
    }
    utarray_free(words);
}

static void append_row(UT_string *out, const struct option_row *row)
{
    UT_array *lines = strings_split(row->help, "\n");
    UT_string option;

    utstring_init(&option);
    if (row->letter != 0)
        utstring_printf(&option, "  -%c, --%s", row->letter, row->name);
    else
        utstring_printf(&option, "      --%s", row->name);
    if (row->argument != NULL)
        utstring_printf(&option, " %s", row->argument);
    for (size_t i = 0; i < utarray_len(lines); i++)
        utstring_printf(out, "%-29s %s\n", i == 0 ? utstring_body(&option) : "",
                        strings_item(lines, i));
    utstring_done(&option);
    utarray_free(lines);
}

/* The columns of a line of --help. */
#define HELP_WIDTH 80

static void append_help(UT_string *out)
{
    enum group group = GROUP_NONE;

    utstring_printf(out, "Usage:\n");
    for (enum options_mode mode = OPTIONS_KICK; mode < OPTIONS_HELP; mode++) {
        append_synopsis(out, mode, HELP_WIDTH, "  ");
        utstring_printf(out, "\n");
    }
    utstring_printf(
        out, "\n"
             "Sends a request to a service in every enabled Postfix instance at once and\n"
             "reports every instance whose service did not read it. The exit status is 0 if\n"
             "every service read it, otherwise 1.\n");
    for (size_t i = 0; i < ROWS && rows[i].group != GROUP_NONE; i++) {
        if (rows[i].group != group)
            utstring_printf(out, "\n%s:\n", group_titles[rows[i].group]);
        group = rows[i].group;
        append_row(out, &rows[i]);
    }
}

char *options_help(enum options_mode mode)
{
    UT_string out;

    utstring_init(&out);
    if (mode == OPTIONS_HELP)
        append_help(&out);
    else
        append_synopsis(&out, mode, SIZE_MAX, "");
    return utstring_body(&out);
}

/* Sets the error. Always false, for the caller to return. */
__attribute__((format(printf, 2, 3))) static bool refuse(char **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *error = alloc_vformat(format, arguments);
    va_end(arguments);
    return false;
}

/* Sets *found to the number of the name in a list of that many; what: the beginning of the error.
 */
static bool accept_name(const char *what, const char *name, const char *const *names, size_t count,
                        size_t *found, char **error)
{
    UT_array *known;

    utarray_new(known, &strings_icd);
    for (*found = 0; *found < count; (*found)++) {
        if (names[*found] != NULL && strcmp(names[*found], name) == 0)
            break;
        if (names[*found] != NULL)
            strings_append(known, "%s", names[*found]);
    }
    if (*found == count) {
        char *choice = text_choice(name, known);

        (void)refuse(error, "%s: %s: %s", what, name, choice);
        free(choice);
    }
    utarray_free(known);
    return *found < count;
}

/* Accepts an option about messages that has an argument. */
static bool accept_filter(struct options *options, const struct option_row *row,
                          const char *argument, char **error)
{
    struct message_filter *filter = &options->filter;
    size_t found;
    int64_t seconds;

    options->has_filter = options->has_filter || (row->kind != KEY && row->kind != TOP);
    switch (row->kind) {
    case PATTERN:
        filter->patterns[row->value] = argument;
        if (row->value == MESSAGE_BY_QUEUE)
            return accept_name("--queue: unknown name", argument, queue_names, QUEUE_CORRUPT,
                               &found, error);
        return argument[0] != '\0' ||
               refuse(error, "--%s: empty pattern: the empty sender is <>", row->name);
    case AGE:
        seconds = parse_number(argument, PARSE_SECONDS, 0, INT_MAX);
        if (seconds < 0)
            return refuse(error, "--older: bad time value: %s: specify a time such as 90s, 2h, 1d",
                          argument);
        filter->before = time(NULL) - seconds;
        return true;
    case SIZE:
        filter->larger = parse_number(argument, PARSE_BYTES, 0, INT64_MAX);
        return filter->larger >= 0 ||
               refuse(error, "--larger: bad number of bytes: %s: specify a size such as 500K, 10M",
                      argument);
    case KEY:
        if (!accept_name("--by: unknown name", argument, message_keys, MESSAGE_KEYS, &found, error))
            return false;
        options->by = (enum message_key)found;
        return true;
    default: /* TOP */
        options->top = (int)parse_number(argument, PARSE_NUMBER, 1, INT_MAX);
        return options->top > 0 ||
               refuse(error, "--top: bad number: %s: specify 1 or more", argument);
    }
}

/* The most commands that may run at once. */
#define PARALLEL_MAXIMUM 1000

static bool accept_option(struct options *options, const struct option_row *row,
                          const char *argument, char **error)
{
    void *member = (char *)options + row->value;
    enum options_mode mode = (enum options_mode)row->value;

    switch (row->kind) {
    case MODE:
        if (options->mode != OPTIONS_KICK && options->mode != mode)
            return refuse(error, "specify only one of -l, -M, -p, -Q, -s and -x");
        options->mode = mode;
        return true;
    case FLAG:
        *(bool *)member = true;
        return true;
    case VERBOSE:
        options->verbose++;
        return true;
    case TEXT:
    case NAMES:
        if (argument[0] == '\0')
            return refuse(error, "-%c: empty name: is a shell variable unset?", row->letter);
        if (row->kind == TEXT)
            *(const char **)member = argument;
        else
            strings_append(*(UT_array **)member, "%s", argument);
        return true;
    case JOBS:
        options->parallel = (int)parse_number(argument, PARSE_NUMBER, 1, PARALLEL_MAXIMUM);
        return options->parallel > 0 ||
               refuse(error, "-P: bad number: %s: specify 1 to %d", argument, PARALLEL_MAXIMUM);
    case TIME:
        options->time_limit = (int)parse_number(argument, PARSE_SECONDS, 1, INT_MAX);
        return options->time_limit > 0 ||
               refuse(error, "-t: bad time value: %s: specify 1s or more, such as 90, 90s, 2m",
                      argument);
    case REFUSED:
        return refuse(error, "-e: to create, import or destroy instances, use postmulti(1)");
    default:
        return accept_filter(options, row, argument, error);
    }
}

/* Refuses options that do not belong to the mode; given has those on the command line by row. */
static bool check_modes(enum options_mode mode, const bool *given, char **error)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *row = &rows[i];

        if (!given[i] || belongs(row, mode))
            continue;
        char *option =
            row->letter != 0 ? alloc_format("-%c", row->letter) : alloc_format("--%s", row->name);
        if (mode == OPTIONS_KICK)
            (void)refuse(error, "%s cannot be used when requests are sent", option);
        else
            (void)refuse(error, "%s cannot be used with -%c", option, modes[mode].letter);
        free(option);
        return false;
    }
    return true;
}

/* postfix(1) ignores options after its command: "postkick -p stop -n" would stop every instance.
 * After "--" they are meant for it: multi_instance_wrapper ends with "-p --". */
static bool check_postfix_operands(struct options *options, char **error)
{
    if (options->ended)
        return true;
    options->restart = options->operand_count == 1 && strcmp(options->operands[0], "restart") == 0;
    for (int i = 1; i < options->operand_count; i++)
        if (options->operands[i][0] == '-')
            return refuse(error,
                          "%s: options go before the postfix command; "
                          "after --, they are passed on to postfix(1)",
                          options->operands[i]);
    return true;
}

static bool accept_verb(struct options *options, char **error)
{
    const char *names[MESSAGE_VERBS];
    size_t found;

    for (size_t i = 0; i < MESSAGE_VERBS; i++)
        names[i] = message_verbs[i].name;
    if (!accept_name("unknown verb", options->operands[0], names, MESSAGE_VERBS, &found, error))
        return false;
    options->verb = (enum message_verb)found;
    return true;
}

/* Refuses options that say nothing to the verb. */
static bool check_verb_options(const struct options *options, char **error)
{
    enum message_verb verb = options->verb;
    bool kicks_qmgr = verb == MESSAGE_RELEASE || verb == MESSAGE_EXPIRE;
    const struct {
        const char *name;
        bool is_given;
        bool belongs;
    } table[] = {
        {"by", options->by != MESSAGE_BY_NOTHING, verb == MESSAGE_COUNT},
        {"top", options->top != 0, verb == MESSAGE_COUNT},
        {"now", options->now, kicks_qmgr},
        {"yes", options->yes, verb == MESSAGE_DELETE},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].is_given && !table[i].belongs)
            return refuse(error, "--%s cannot be used with %s", table[i].name,
                          message_verbs[verb].name);
    return options->top == 0 || options->by != MESSAGE_BY_NOTHING ||
           refuse(error, "--top can only be used with --by");
}

/* Which messages: what is acted on has to be said. */
static bool check_messages(const struct options *options, char **error)
{
    bool is_needed = message_verbs[options->verb].option != NULL && !options->has_filter;
    const char *whole = NULL;

    if (options->operand_count == 1 && is_needed)
        return refuse(error, "%s: which messages? specify a filter, queue IDs, - or ALL",
                      message_verbs[options->verb].name);
    for (int i = 1; i < options->operand_count; i++) {
        const char *word = options->operands[i];

        if (strcmp(word, "ALL") == 0 || strcmp(word, "-") == 0)
            whole = word;
        else if (word[0] == '-' && word[1] != '/')
            return refuse(error, "%s: options go before the verb", word);
    }
    return whole == NULL || options->operand_count == 2 ||
           refuse(error, "%s stands alone: specify no queue IDs with it", whole);
}

/* The operands from number first on are instances, as with -i. */
static bool accept_instances(struct options *options, int first, char **error)
{
    for (int i = first; i < options->operand_count; i++) {
        const char *name = options->operands[i];

        if (name[0] == '\0')
            return refuse(error, "empty name: is a shell variable unset?");
        if (name[0] == '-' && name[1] != '\0')
            return refuse(error, "%s: options go before the operands", name);
        strings_append(options->names, "%s", name);
    }
    return true;
}

/* A request, which is sent as it is, or an action and instances. */
static bool check_kick_operands(struct options *options, char **error)
{
    char *const *operands = options->operands;
    int count = options->operand_count;

    if (!target_class_is_valid(operands[0]) && count == 3 &&
        (strcasecmp(operands[0], "public") == 0 || strcasecmp(operands[0], "private") == 0))
        return refuse(error, "invalid class name: \"%s\": specify public or private", operands[0]);
    if (!target_class_is_valid(operands[0]))
        return accept_instances(options, 1, error);
    if (count < 3)
        return refuse(error, "too few operands: specify class, service and request, as in "
                             "\"postkick public qmgr D\"");
    if (count > 3 && operands[3][0] == '-')
        return refuse(error, "%s: options go before the operands", operands[3]);
    return count == 3 ||
           refuse(error, "too many operands: for one instance, specify -i before the class");
}

static bool check_operands(struct options *options, char **error)
{
    const char *needed = modes[options->mode].needed;

    if (needed != NULL && options->operand_count == 0)
        return refuse(error, "too few operands: specify %s", needed);
    switch (options->mode) {
    case OPTIONS_KICK:
        return check_kick_operands(options, error);
    case OPTIONS_POSTFIX:
        return check_postfix_operands(options, error);
    case OPTIONS_EXECUTE:
        return true;
    case OPTIONS_MESSAGES:
        return accept_verb(options, error) && check_verb_options(options, error) &&
               check_messages(options, error);
    default:
        return accept_instances(options, 0, error);
    }
}

/* getopt_long(3) would write the bytes of the command line unescaped. */
static void describe_mistake(bool lacks_argument, const char *word, char **error)
{
    bool is_long = strncmp(word, "--", 2) == 0;
    UT_array *names;

    utarray_new(names, &strings_icd);
    for (size_t i = 0; i < ROWS; i++)
        strings_append(names, "%s", rows[i].name);
    const char *meant = is_long         ? text_nearest(word + 2, names)
                        : optopt == 'h' ? "help"
                        : optopt == 'V' ? "version"
                                        : NULL;
    char *option = optopt != 0 && !is_long ? alloc_format("invalid option -- '%c'", optopt)
                                           : alloc_format("invalid option: %s", word);
    if (lacks_argument)
        (void)refuse(error, "option requires an argument: %s", word);
    else if (meant != NULL)
        (void)refuse(error, "%s: did you mean --%s?", option, meant);
    else
        (void)refuse(error, "%s", option);
    free(option);
    utarray_free(names);
}

/* "-status" would be -s and -t with the argument "atus". Returns whether the word is such a
 * mistake. */
static bool has_single_dash(const char *word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (word[0] == '-' && word[1] != '\0' && strcmp(word + 1, rows[i].name) == 0)
            return true;
    return false;
}

/* getopt_long(3) returns this and the number of the row for long forms, and the letter for others.
 */
#define LONG (CHAR_MAX + 1)

static void fill_getopt(struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand */
    *shorts++ = ':'; /* a missing argument is not an invalid option */
    for (size_t i = 0; i < ROWS; i++) {
        int has_argument = rows[i].argument != NULL ? required_argument : no_argument;

        longs[i] = (struct option){rows[i].name, has_argument, NULL, LONG + (int)i};
        if (rows[i].letter == 0)
            continue;
        *shorts++ = (char)rows[i].letter;
        if (has_argument == required_argument)
            *shorts++ = ':';
    }
    longs[ROWS] = (struct option){0};
    *shorts = '\0';
}

/* Returns the row that getopt_long(3) has found; one of them has every letter that it knows. */
static const struct option_row *find_row(int value)
{
    size_t i = value >= LONG ? (size_t)(value - LONG) : 0;

    while (value < LONG && rows[i].letter != value)
        i++;
    return &rows[i];
}

/* Accepts all options. Returns false if there is an error: *error is the first; the options after
 * it are accepted nevertheless, because they may set the mode. */
static bool accept_options(struct options *options, int argc, char **argv, bool *given,
                           char **error)
{
    struct option longs[ROWS + 1];
    char shorts[ROWS * 2 + 3];
    int value, at = 1;

    fill_getopt(longs, shorts);
    opterr = 0;
    while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = value == '?' || value == ':' ? NULL : find_row(value);
        char *mistake = NULL;

        if (has_single_dash(argv[at])) {
            (void)refuse(&mistake, "invalid option: %s: did you mean -%s?", argv[at], argv[at]);
        } else if (row == NULL) {
            describe_mistake(value == ':', argv[at], &mistake);
        } else if (row->kind == MODE && row->value >= OPTIONS_HELP) {
            if (*error == NULL)
                options->mode = (enum options_mode)row->value;
            break;
        } else if (given[row - rows] && row->group == GROUP_MESSAGES && row->argument != NULL) {
            (void)refuse(&mistake, "--%s is specified twice", row->name);
        } else {
            (void)accept_option(options, row, optarg, &mistake);
        }
        if (row != NULL)
            given[row - rows] = true;
        at = optind; /* stays behind within a cluster such as -vq */
        if (*error == NULL)
            *error = mistake;
        else
            free(mistake);
    }
    if (optind > argc) /* as POSIX allows where the last option lacks its argument */
        optind = argc;
    options->ended = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
    options->operand_count = argc - optind;
    options->operands = argv + optind;
    return *error == NULL;
}

bool options_parse(struct options *options, int argc, char **argv, char **error)
{
    bool given[ROWS] = {false};

    *options = (struct options){.mode = OPTIONS_KICK};
    options->filter = MESSAGE_FILTER_ALL;
    utarray_new(options->groups, &strings_icd);
    utarray_new(options->names, &strings_icd);
    if (!accept_options(options, argc, argv, given, error))
        return false;
    if (options->mode == OPTIONS_HELP || options->mode == OPTIONS_VERSION)
        return true;
    if (options->tag && options->json)
        return refuse(error, "--tag cannot be used with -j, whose rows have the name");
    return check_modes(options->mode, given, error) && check_operands(options, error);
}
