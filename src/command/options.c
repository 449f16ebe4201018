/* SPDX-License-Identifier: MIT */
/* Parses the command line, and describes it, by two tables: of options and of modes. */
#include "command/options.h"
#include "base/text.h"
#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define IN_KICK (1U << OPTIONS_KICK)
#define IN_LIST (1U << OPTIONS_LIST)
#define IN_POSTFIX (1U << OPTIONS_POSTFIX)
#define IN_EXECUTE (1U << OPTIONS_EXECUTE)
#define IN_STATUS (1U << OPTIONS_STATUS)
#define IN_QUEUES (1U << OPTIONS_QUEUES)
#define IN_MESSAGES (1U << OPTIONS_MESSAGES)
#define IN_RUN (IN_POSTFIX | IN_EXECUTE)
#define IN_ALL (IN_KICK | IN_LIST | IN_RUN | IN_STATUS | IN_QUEUES | IN_MESSAGES)

/* Where --help has an option. */
enum group { GROUP_MODES, GROUP_SELECTION, GROUP_CONTROL, GROUP_MESSAGES, GROUP_NONE };

static const char *const group_titles[] = {
    [GROUP_MODES] = "Instead of sending a request",
    [GROUP_SELECTION] = "Which instances",
    [GROUP_CONTROL] = "How",
    [GROUP_MESSAGES] = "Messages, with -M: patterns are as in fnmatch(3), in upper or lower case",
};

/* In place of a letter, for options that have a long form only. */
enum {
    LONG_HELP = CHAR_MAX + 1,
    LONG_VERSION,
    LONG_TAG,
    LONG_SENDER,
    LONG_RECIPIENT,
    LONG_REASON,
    LONG_QUEUE,
    LONG_OLDER,
    LONG_LARGER,
    LONG_BY,
    LONG_TOP,
    LONG_NOW,
    LONG_YES,
};

struct option_row {
    int letter;
    const char *name;     /* of its long form */
    const char *argument; /* its name, or NULL: none is accepted */
    unsigned modes;       /* that it belongs to */
    enum group group;
    const char *help; /* may have two lines */
};

/* Every option, in the order of --help. */
static const struct option_row rows[] = {
    {'l', "list", NULL, IN_ALL, GROUP_MODES, "list the instances, as postmulti -l does"},
    {'M', "messages", NULL, IN_ALL, GROUP_MODES,
     "list, count, hold, release, requeue, delete\nor expire messages"},
    {'p', "postfix", NULL, IN_ALL, GROUP_MODES, "run a postfix(1) command for the instances"},
    {'Q', "queues", NULL, IN_ALL, GROUP_MODES, "show what is in the queues"},
    {'s', "status", NULL, IN_ALL, GROUP_MODES, "show whether each instance is responding"},
    {'x', "execute", NULL, IN_ALL, GROUP_MODES, "run any command for each instance"},
    {LONG_HELP, "help", NULL, IN_ALL, GROUP_MODES, "show this text"},
    {LONG_VERSION, "version", NULL, IN_ALL, GROUP_MODES, "show the version"},
    {'a', "all", NULL, IN_KICK | IN_LIST | IN_RUN | IN_QUEUES | IN_MESSAGES, GROUP_SELECTION,
     "also send requests to instances not enabled\n(no effect with -l, -M, -p, -Q and -x)"},
    {'c', "config-directory", "DIR", IN_ALL, GROUP_SELECTION,
     "only the instance in DIR, even if not enabled;\noverrides MAIL_CONFIG"},
    {'E', "enabled", NULL, IN_ALL & ~IN_POSTFIX, GROUP_SELECTION, "only enabled instances"},
    {'g', "group", "GROUP", IN_ALL, GROUP_SELECTION, "only members of GROUP; may be repeated"},
    {'i', "instance", "NAME", IN_ALL, GROUP_SELECTION,
     "only the instance NAME: a name, a pattern,\n"
     "a directory, or - for the default; may be repeated"},
    {'R', "reverse", NULL, IN_LIST | IN_EXECUTE | IN_QUEUES, GROUP_SELECTION, "in reverse order"},
    {'f', "settings", "FILE", IN_ALL, GROUP_CONTROL,
     "read FILE instead of the installed postkick.ini"},
    {'j', "json", NULL, IN_ALL, GROUP_CONTROL, "write JSON, one object per line"},
    {'n', "dry-run", NULL, IN_KICK | IN_RUN | IN_MESSAGES, GROUP_CONTROL,
     "only show what would be done, and the obstacles"},
    {'P', "parallel", "JOBS", IN_RUN | IN_QUEUES, GROUP_CONTROL,
     "run up to JOBS commands at once; with -Q,\nread that many queues at once (one per core)"},
    {'q', "quiet", NULL, IN_ALL, GROUP_CONTROL, "no warnings; check the exit status"},
    {LONG_TAG, "tag", NULL, IN_RUN, GROUP_CONTROL,
     "begin each line of output with the instance's name"},
    {'t', "timeout", "TIME", IN_KICK | IN_RUN | IN_STATUS | IN_QUEUES | IN_MESSAGES, GROUP_CONTROL,
     "end the run after TIME, such as 90, 90s or 2m"},
    {'v', "verbose", NULL, IN_ALL, GROUP_CONTROL, "also report successes"},
    {'w', "wait", NULL, IN_KICK, GROUP_CONTROL, "wait until the service has finished"},
    {LONG_SENDER, "sender", "PATTERN", IN_MESSAGES, GROUP_MESSAGES,
     "whose sender matches; <> is the empty sender"},
    {LONG_RECIPIENT, "recipient", "PATTERN", IN_MESSAGES, GROUP_MESSAGES,
     "one of whose recipients matches"},
    {LONG_REASON, "reason", "PATTERN", IN_MESSAGES, GROUP_MESSAGES,
     "one of whose delay reasons matches"},
    {LONG_QUEUE, "queue", "NAME", IN_MESSAGES, GROUP_MESSAGES, "in the queue NAME, such as hold"},
    {LONG_OLDER, "older", "TIME", IN_MESSAGES, GROUP_MESSAGES,
     "that arrived at least TIME ago, such as 2h or 1d"},
    {LONG_LARGER, "larger", "BYTES", IN_MESSAGES, GROUP_MESSAGES,
     "larger than BYTES, such as 500K or 10M"},
    {LONG_BY, "by", "KEY", IN_MESSAGES, GROUP_MESSAGES,
     "count for each sender, recipient, domain,\nreason, queue or instance"},
    {LONG_TOP, "top", "NUMBER", IN_MESSAGES, GROUP_MESSAGES,
     "with --by, show only the first NUMBER (10)"},
    {LONG_NOW, "now", NULL, IN_MESSAGES, GROUP_MESSAGES,
     "after release and expire, retry all deferred\nmail whatever its retry time"},
    {LONG_YES, "yes", NULL, IN_MESSAGES, GROUP_MESSAGES, "delete without asking"},
    {'e', "edit", NULL, IN_ALL, GROUP_NONE, NULL},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Every mode but help and version. */
static const struct {
    int letter;           /* of the option that chooses it; 0: none */
    const char *with;     /* its name in a message */
    const char *operands; /* as they are called */
} modes[] = {
    [OPTIONS_KICK] = {0, "when requests are sent", "class service request | action [instance...]"},
    [OPTIONS_LIST] = {'l', "with -l", "[instance...]"},
    [OPTIONS_POSTFIX] = {'p', "with -p", "[--] postfix-command [argument...]"},
    [OPTIONS_EXECUTE] = {'x', "with -x", "[--] command [argument...]"},
    [OPTIONS_STATUS] = {'s', "with -s", "[instance...]"},
    [OPTIONS_QUEUES] = {'Q', "with -Q", "[instance...]"},
    [OPTIONS_MESSAGES] = {'M', "with -M", "verb [ALL | - | [instance/]queue-id...]"},
};

/* Returns the number of a row, or ROWS. */
static size_t find_row(int letter)
{
    size_t i = 0;

    while (i < ROWS && rows[i].letter != letter)
        i++;
    return i;
}

/* Whether an option belongs into the synopsis of a mode, by its letter. */
static bool is_flag(int letter, enum options_mode mode)
{
    const struct option_row *row = &rows[find_row(letter)];

    return row < &rows[ROWS] && row->argument == NULL && (row->modes & (1U << mode)) != 0 &&
           row->group != GROUP_MODES && row->group != GROUP_NONE;
}

static void add_flags(UT_array *words, enum options_mode mode)
{
    char letters[ROWS + 1] = "";
    size_t count = 0;

    for (char letter = 'a'; letter <= 'z'; letter++) {
        if (is_flag(letter, mode))
            letters[count++] = letter;
        if (is_flag(toupper(letter), mode))
            letters[count++] = (char)toupper(letter);
    }
    strings_append(words, "[-%s]", letters);
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
    add_flags(words, mode);
    if ((IN_RUN & (1U << mode)) != 0)
        strings_append(words, "[--tag]");
    strings_append(words, "[-c dir | -g group... -i name...]");
    if (mode == OPTIONS_MESSAGES)
        strings_append(words, "[--filter value]...");
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].argument == NULL || rows[i].group != GROUP_CONTROL ||
            (rows[i].modes & (1U << mode)) == 0)
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

/* In one line. */
static char *describe_usage(enum options_mode mode)
{
    UT_array *words = make_synopsis(mode);
    UT_string line;

    utstring_init(&line);
    for (size_t i = 0; i < utarray_len(words); i++)
        utstring_printf(&line, "%s%s", i == 0 ? "" : " ", strings_item(words, i));
    utarray_free(words);
    return utstring_body(&line);
}

/* The columns of a line of --help. */
#define HELP_WIDTH 80

static void append_synopsis(UT_string *out, enum options_mode mode)
{
    UT_array *words = make_synopsis(mode);
    size_t column = 0;

    for (size_t i = 0; i < utarray_len(words); i++) {
        const char *word = strings_item(words, i);
        const char *before = i == 0                                   ? "  "
                             : column + 1 + strlen(word) > HELP_WIDTH ? "\n           "
                                                                      : " ";

        column = before[0] == '\n' ? strlen(before) - 1 : column + strlen(before);
        column += strlen(word);
        utstring_printf(out, "%s%s", before, word);
    }
    utstring_printf(out, "\n");
    utarray_free(words);
}

static void append_row(UT_string *out, const struct option_row *row)
{
    UT_array *lines = strings_split(row->help, "\n");
    UT_string option;

    utstring_init(&option);
    if (row->letter <= CHAR_MAX)
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

char *options_help(enum options_mode mode_in_question)
{
    enum group group = GROUP_NONE;
    UT_string out;

    if (mode_in_question != OPTIONS_HELP)
        return describe_usage(mode_in_question);
    utstring_init(&out);
    utstring_printf(&out, "Usage:\n");
    for (enum options_mode mode = OPTIONS_KICK; mode < OPTIONS_HELP; mode++)
        append_synopsis(&out, mode);
    utstring_printf(
        &out, "\n"
              "Sends a request to a service in every enabled Postfix instance at once and\n"
              "reports every instance whose service did not read it. The exit status is 0 if\n"
              "every service read it, otherwise 1.\n");
    for (size_t i = 0; i < ROWS && rows[i].group != GROUP_NONE; i++) {
        if (rows[i].group != group)
            utstring_printf(&out, "\n%s:\n", group_titles[rows[i].group]);
        group = rows[i].group;
        append_row(&out, &rows[i]);
    }
    return utstring_body(&out);
}

/* The most commands that may run at once. */
#define PARALLEL_MAXIMUM 1000

static void fill_getopt(struct option *longs, char *shorts)
{
    *shorts++ = '+'; /* options end at the first operand */
    *shorts++ = ':'; /* a missing argument is not an invalid option */
    for (size_t i = 0; i < ROWS; i++) {
        int has_argument = rows[i].argument != NULL ? required_argument : no_argument;

        longs[i] = (struct option){rows[i].name, has_argument, NULL, rows[i].letter};
        if (rows[i].letter > CHAR_MAX)
            continue;
        *shorts++ = (char)rows[i].letter;
        if (has_argument == required_argument)
            *shorts++ = ':';
    }
    longs[ROWS] = (struct option){0};
    *shorts = '\0';
}

/* Sets *found to the number of the name in a list of that many. */
static bool accept_name(const char *option, const char *name, const char *const *names,
                        size_t count, size_t *found, char **error)
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

        alloc_set_text(error, "--%s: unknown name: %s: %s", option, name, choice);
        free(choice);
    }
    utarray_free(known);
    return *found < count;
}

static bool accept_older(struct options *options, const char *argument, char **error)
{
    int seconds;

    if (!parse_strict_time(argument, &seconds)) {
        alloc_set_text(error, "--older: bad time value: %s: specify a time such as 90s, 2h, 1d",
                       argument);
        return false;
    }
    options->filter.before = (int64_t)time(NULL) - seconds;
    return true;
}

static bool accept_number(struct options *options, int letter, const char *argument, char **error)
{
    if (letter == LONG_TOP) {
        if (parse_number(argument, 1, INT_MAX, &options->top))
            return true;
        alloc_set_text(error, "--top: bad number: %s: specify 1 or more", argument);
        return false;
    }
    if (parse_size(argument, &options->filter.larger))
        return true;
    alloc_set_text(error, "--larger: bad number of bytes: %s: specify a size such as 500K, 10M",
                   argument);
    return false;
}

/* Accepts the argument of an option of -M. */
static bool accept_filter(struct options *options, int letter, const char *argument, char **error)
{
    static const enum message_key keys[] = {MESSAGE_BY_SENDER, MESSAGE_BY_RECIPIENT,
                                            MESSAGE_BY_REASON}; /* from LONG_SENDER on */
    size_t found;
    bool is_known;

    options->has_filter = options->has_filter || (letter != LONG_BY && letter != LONG_TOP);
    switch (letter) {
    case LONG_SENDER:
    case LONG_RECIPIENT:
    case LONG_REASON:
        if (argument[0] == '\0')
            alloc_set_text(error, "--%s: empty pattern: the empty sender is <>",
                           rows[find_row(letter)].name);
        options->filter.patterns[keys[letter - LONG_SENDER]] = argument;
        return argument[0] != '\0';
    case LONG_QUEUE:
        options->filter.patterns[MESSAGE_BY_QUEUE] = argument;
        return accept_name("queue", argument, queue_names, QUEUE_CORRUPT, &found, error);
    case LONG_BY:
        is_known = accept_name("by", argument, message_keys, MESSAGE_KEYS, &found, error);
        options->by = is_known ? (enum message_key)found : MESSAGE_BY_NOTHING;
        return is_known;
    case LONG_OLDER:
        return accept_older(options, argument, error);
    default: /* LONG_LARGER, LONG_TOP */
        return accept_number(options, letter, argument, error);
    }
}

static bool accept_argument(struct options *options, int letter, const char *argument, char **error)
{
    if (strchr("cfgi", letter) != NULL && argument[0] == '\0') {
        alloc_set_text(error, "-%c: empty name: is a shell variable unset?", letter);
        return false;
    }
    if (letter >= LONG_SENDER)
        return accept_filter(options, letter, argument, error);
    switch (letter) {
    case 'c':
        options->config_directory = argument;
        return true;
    case 'f':
        options->settings_file = argument;
        return true;
    case 'g':
        strings_append(options->groups, "%s", argument);
        return true;
    case 'i':
        strings_append(options->names, "%s", argument);
        return true;
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

/* Returns the mode that an option chooses, or OPTIONS_KICK. */
static enum options_mode find_mode(int letter)
{
    enum options_mode mode = OPTIONS_HELP;

    while (--mode > OPTIONS_KICK && modes[mode].letter != letter)
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
        {'a', &options->all},      {'E', &options->enabled_only}, {'j', &options->json},
        {'n', &options->dry_run},  {'q', &options->quiet},        {'R', &options->reverse},
        {'w', &options->wait},     {LONG_TAG, &options->tag},     {LONG_NOW, &options->now},
        {LONG_YES, &options->yes},
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].letter == letter)
            return flags[i].flag;
    return NULL;
}

static bool accept_option(struct options *options, int letter, char **error)
{
    enum options_mode mode = find_mode(letter);
    bool *flag = find_flag(options, letter);

    if (letter == 'e') {
        alloc_set_text(error, "-e: to create, import or destroy instances, use postmulti(1)");
        return false;
    }
    if (mode != OPTIONS_KICK && options->mode != OPTIONS_KICK && options->mode != mode) {
        alloc_set_text(error, "specify only one of -l, -M, -p, -Q, -s and -x");
        return false;
    }
    if (mode != OPTIONS_KICK)
        options->mode = mode;
    else if (flag != NULL)
        *flag = true;
    else if (letter == 'v')
        options->verbose++;
    else
        return accept_argument(options, letter, optarg, error);
    return true;
}

/* Refuses options that do not belong to the mode; given has those on the command line by row. */
static bool check_modes(enum options_mode mode, const bool *given, char **error)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (given[i] && (rows[i].modes & (1U << mode)) == 0) {
            if (rows[i].letter <= CHAR_MAX)
                alloc_set_text(error, "-%c cannot be used %s", rows[i].letter, modes[mode].with);
            else
                alloc_set_text(error, "--%s cannot be used %s", rows[i].name, modes[mode].with);
            return false;
        }
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

static bool accept_verb(struct options *options, char **error)
{
    UT_array *known;

    if (message_find_verb(options->operands[0], &options->verb))
        return true;
    utarray_new(known, &strings_icd);
    for (size_t i = 0; i < MESSAGE_VERBS; i++)
        strings_append(known, "%s", message_verbs[i].name);
    char *choice = text_choice(options->operands[0], known);
    alloc_set_text(error, "unknown verb: %s: %s", options->operands[0], choice);
    free(choice);
    utarray_free(known);
    return false;
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

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].is_given && !table[i].belongs) {
            alloc_set_text(error, "--%s cannot be used with %s", table[i].name,
                           message_verbs[verb].name);
            return false;
        }
    }
    if (options->top != 0 && options->by == MESSAGE_BY_NOTHING)
        alloc_set_text(error, "--top can only be used with --by");
    return *error == NULL;
}

/* Which messages: what is acted on has to be said. */
static bool check_messages(const struct options *options, char **error)
{
    bool is_needed = message_verbs[options->verb].option != NULL && !options->has_filter;
    const char *whole = NULL;

    if (options->operand_count == 1 && is_needed)
        alloc_set_text(error, "%s: which messages? specify a filter, queue IDs, - or ALL",
                       message_verbs[options->verb].name);
    for (int i = 1; i < options->operand_count && *error == NULL; i++) {
        const char *word = options->operands[i];

        if (strcmp(word, "ALL") == 0 || strcmp(word, "-") == 0)
            whole = word;
        else if (word[0] == '-' && word[1] != '/')
            alloc_set_text(error, "%s: options go before the verb", word);
    }
    if (*error == NULL && whole != NULL && options->operand_count > 2)
        alloc_set_text(error, "%s stands alone: specify no queue IDs with it", whole);
    return *error == NULL;
}

/* The operands from number first on are instances, as with -i. */
static bool accept_instances(struct options *options, int first, char **error)
{
    for (int i = first; i < options->operand_count; i++) {
        const char *name = options->operands[i];

        if (name[0] == '\0')
            alloc_set_text(error, "empty name: is a shell variable unset?");
        else if (name[0] == '-' && name[1] != '\0')
            alloc_set_text(error, "%s: options go before the operands", name);
        if (*error != NULL)
            return false;
        strings_append(options->names, "%s", name);
    }
    return true;
}

/* A request, which is sent as it is, or an action and instances. */
static bool check_kick_operands(struct options *options, char **error)
{
    char *const *operands = options->operands;
    int count = options->operand_count;

    if (count == 0)
        alloc_set_text(error, "too few operands: specify class, service and request, or an action "
                              "such as flush");
    else if (!target_class_is_valid(operands[0]) && count == 3 &&
             (strcasecmp(operands[0], "public") == 0 || strcasecmp(operands[0], "private") == 0))
        alloc_set_text(error, "invalid class name: \"%s\": specify public or private", operands[0]);
    else if (!target_class_is_valid(operands[0]))
        return accept_instances(options, 1, error);
    else if (count < 3)
        alloc_set_text(error, "too few operands: specify class, service and request, as in "
                              "\"postkick public qmgr D\"");
    else if (count > 3 && operands[3][0] == '-')
        alloc_set_text(error, "%s: options go before the operands", operands[3]);
    else if (count > 3)
        alloc_set_text(error, "too many operands: for one instance, specify -i before the class");
    return *error == NULL;
}

static bool check_operands(struct options *options, char **error)
{
    switch (options->mode) {
    case OPTIONS_KICK:
        return check_kick_operands(options, error);
    case OPTIONS_LIST:
    case OPTIONS_STATUS:
    case OPTIONS_QUEUES:
        return accept_instances(options, 0, error);
    default:
        break;
    }
    if (options->operand_count == 0) {
        alloc_set_text(error, "too few operands: specify a %s",
                       options->mode == OPTIONS_MESSAGES  ? "verb, such as list"
                       : options->mode == OPTIONS_POSTFIX ? "command of postfix(1), such as reload"
                                                          : "command, such as mailq");
        return false;
    }
    if (options->mode == OPTIONS_POSTFIX)
        return check_postfix_operands(options, error);
    return options->mode != OPTIONS_MESSAGES ||
           (accept_verb(options, error) && check_verb_options(options, error) &&
            check_messages(options, error));
}

/* Returns the long form that was probably meant, or NULL. */
static const char *find_long(const char *typed)
{
    UT_array *names;

    utarray_new(names, &strings_icd);
    for (size_t i = 0; i < ROWS; i++)
        strings_append(names, "%s", rows[i].name);
    const char *nearest = text_nearest(typed, names);
    size_t found = 0;
    while (nearest != NULL && strcmp(rows[found].name, nearest) != 0)
        found++;
    utarray_free(names);
    return nearest == NULL ? NULL : rows[found].name;
}

/* getopt_long(3) would write the bytes of the command line unescaped. */
static void describe_mistake(int letter, const char *argument, char **error)
{
    bool is_long = strncmp(argument, "--", 2) == 0;
    const char *meant = is_long         ? find_long(argument + 2)
                        : optopt == 'h' ? "help"
                        : optopt == 'V' ? "version"
                                        : NULL;

    if (letter == ':')
        alloc_set_text(error, "option requires an argument: %s", argument);
    else if (optopt != 0 && !is_long)
        alloc_set_text(error, "invalid option -- '%c'", optopt);
    else
        alloc_set_text(error, "invalid option: %s", argument);
    if (letter != ':' && meant != NULL) {
        char *before = *error;
        *error = alloc_format("%s: did you mean --%s?", before, meant);
        free(before);
    }
}

/* "-status" would be -s and -t with the argument "atus". Returns what is wrong with such a word, a
 * new string, or NULL. */
static char *find_single_dash(const char *word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (word[0] == '-' && word[1] != '\0' && strcmp(word + 1, rows[i].name) == 0)
            return alloc_format("invalid option: %s: did you mean -%s?", word, word);
    return NULL;
}

/* Accepts all options. Returns false if there is an error: *error is the first; the options after
 * it are accepted nevertheless, because they may set the mode. */
static bool accept_options(struct options *options, int argc, char **argv, bool *given,
                           char **error)
{
    struct option longs[ROWS + 1];
    char shorts[ROWS * 2 + 3];
    char *first = NULL;
    int letter, at = 1;

    fill_getopt(longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        char *mistake = find_single_dash(argv[at]);

        if (mistake != NULL) {
            ; /* the letters mean nothing */
        } else if (letter == '?' || letter == ':') {
            describe_mistake(letter, argv[at], &mistake);
        } else if (letter == LONG_HELP || letter == LONG_VERSION) {
            if (first == NULL)
                options->mode = letter == LONG_HELP ? OPTIONS_HELP : OPTIONS_VERSION;
            break;
        } else {
            const struct option_row *row = &rows[find_row(letter)];

            if (given[row - rows] && letter >= LONG_SENDER && row->argument != NULL)
                alloc_set_text(&mistake, "--%s is specified twice", row->name);
            else
                (void)accept_option(options, letter, &mistake);
            given[row - rows] = true;
        }
        at = optind; /* stays behind within a cluster such as -vq */
        if (first == NULL)
            first = mistake;
        else
            free(mistake);
    }
    if (optind > argc) /* as POSIX allows where the last option lacks its argument */
        optind = argc;
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
        alloc_set_text(error, "--tag cannot be used with -j, whose rows have the name");
    return *error == NULL && check_modes(options->mode, given, error) &&
           check_operands(options, error);
}

void options_free(struct options *options)
{
    utarray_free(options->groups);
    utarray_free(options->names);
    *options = (struct options){0};
}
