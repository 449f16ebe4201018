/* SPDX-License-Identifier: MIT */
/* The command line. */
#include "command/options.h"
#include "fixture.h"
#include <getopt.h>
#include <time.h>

/* Parses words separated by blanks; "" stands for an empty word. The words stay valid until the
 * next call. */
static bool parse(struct options *options, const char *line, char **error)
{
    static char words[1024], program[] = "postkick", empty[] = "";
    static char *argv[32];
    int argc = 0;
    char *rest = words;

    (void)snprintf(words, sizeof(words), "%s", line);
    argv[argc++] = program;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (word[0] != '\0')
            argv[argc++] = strcmp(word, "\"\"") == 0 ? empty : word;
    argv[argc] = NULL;
    optind = 0; /* restarts getopt_long(3) */
    return options_parse(options, argc, argv, error);
}

static void release(struct options *options)
{
    utarray_free(options->groups);
    utarray_free(options->names);
}

static struct options take(const char *line)
{
    struct options options;
    char *error = NULL;

    if (!parse(&options, line, &error))
        fail_msg("%s: %s", line, error);
    assert_null(error);
    return options;
}

static void refuse(const char *line, const char *expected)
{
    struct options options;
    char *error = NULL;

    if (parse(&options, line, &error))
        fail_msg("accepted: %s", line);
    assert_string_equal(error, expected);
    free(error);
    release(&options);
}

/* Each option, by its letter and by its long form. */
TEST(forms)
{
    static const char *const lines[] = {
        "-anqvwvj -c dir -f file -g g1 -gg2 -i n1 -i - -t 2m public qmgr W",
        "--all --dry-run --quiet --verbose --wait --verbose --json --config-directory dir "
        "--settings=file --group g1 --group g2 --instance n1 --instance - --timeout 120 public "
        "qmgr W"};

    for (size_t i = 0; i < COUNT(lines); i++) {
        struct options options = take(lines[i]);

        assert_int_equal(options.mode, OPTIONS_KICK);
        assert_true(options.all && options.dry_run && options.quiet && options.wait &&
                    options.json);
        assert_false(options.reverse);
        assert_int_equal(options.verbose, 2);
        assert_string_equal(options.config_directory, "dir");
        assert_string_equal(options.settings_file, "file");
        fixture_assert_lines(options.groups, "g1\ng2\n");
        fixture_assert_lines(options.names, "n1\n-\n");
        assert_int_equal(options.time_limit, 120);
        assert_int_equal(options.parallel, 0);
        assert_int_equal(options.operand_count, 3);
        assert_string_equal(options.operands[2], "W");
        assert_null(options.operands[3]);
        release(&options);
    }
    struct options options = take("--execute --parallel 8 --reverse -- true");
    assert_int_equal(options.mode, OPTIONS_EXECUTE);
    assert_int_equal(options.parallel, 8);
    assert_true(options.reverse);
    release(&options);
}

TEST(modes)
{
    static const struct {
        const char *line;
        enum options_mode mode;
        int operands;
        const char *names; /* of instances */
    } cases[] = {
        {"flush", OPTIONS_KICK, 1, ""},
        {"flush out in", OPTIONS_KICK, 3, "out\nin\n"},
        {"-i a flush -", OPTIONS_KICK, 2, "a\n-\n"},
        {"public qmgr W", OPTIONS_KICK, 3, ""},
        {"public qmgr \"\"", OPTIONS_KICK, 3, ""},
        {"public qmgr -v", OPTIONS_KICK, 3, ""}, /* options end at the first operand */
        {"-- public qmgr W", OPTIONS_KICK, 3, ""},
        {"-l", OPTIONS_LIST, 0, ""},
        {"-ll", OPTIONS_LIST, 0, ""},
        {"-lE", OPTIONS_LIST, 0, ""},
        {"-lajRqv -c dir out /in", OPTIONS_LIST, 2, "out\n/in\n"},
        {"-p status", OPTIONS_POSTFIX, 1, ""},
        {"-pa -n -j -P 4 -t 5 -g x reload", OPTIONS_POSTFIX, 1, ""},
        {"-p -- status -v", OPTIONS_POSTFIX, 2, ""},
        {"-s -E -j -t 5 o*", OPTIONS_STATUS, 1, "o*\n"},
        {"-QaEjRqv -P 3 -t 5 -i a b", OPTIONS_QUEUES, 1, "a\nb\n"},
        {"-MaEjnqv -t 5 list out/4F2A", OPTIONS_MESSAGES, 2, ""},
        {"--messages --yes --sender x delete", OPTIONS_MESSAGES, 1, ""},
        {"-x -R postconf -n -e a", OPTIONS_EXECUTE, 4, ""},
        {"--queues", OPTIONS_QUEUES, 0, ""},
        {"--list", OPTIONS_LIST, 0, ""},
        {"--postfix status", OPTIONS_POSTFIX, 1, ""},
        {"--help", OPTIONS_HELP, 0, ""},
        {"--version", OPTIONS_VERSION, 0, ""},
        {"-v --version nonsense and more", OPTIONS_VERSION, 3, ""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options options = take(cases[i].line);

        assert_int_equal(options.mode, cases[i].mode);
        assert_int_equal(options.operand_count, cases[i].operands);
        fixture_assert_lines(options.names, cases[i].names);
        release(&options);
    }
}

TEST(mistakes)
{
    refuse("-vZ flush", "invalid option -- 'Z'");
    refuse("-h", "invalid option -- 'h': did you mean --help?");
    refuse("-V", "invalid option -- 'V': did you mean --version?");
    refuse("-help", "invalid option: -help: did you mean --help?");
    refuse("-status", "invalid option: -status: did you mean --status?");
    refuse("--statsu", "invalid option: --statsu: did you mean --status?");
    refuse("--dryrun flush", "invalid option: --dryrun: did you mean --dry-run?");
    refuse("--nosuch", "invalid option: --nosuch");
    refuse("--all -Zv flush", "invalid option -- 'Z'");
    refuse("--all=x flush", "invalid option: --all=x");
    refuse("--ver flush", "invalid option: --ver");
    refuse("-c", "option requires an argument: -c");
    refuse("--timeout", "option requires an argument: --timeout");
    refuse("-t 0 flush", "-t: bad time value: 0: specify 1s or more, such as 90, 90s, 2m");
    refuse("-t 5ms flush", "-t: bad time value: 5ms: specify 1s or more, such as 90, 90s, 2m");
    refuse("-t \"\" flush", "-t: bad time value: : specify 1s or more, such as 90, 90s, 2m");
    refuse("-x -P 0 true", "-P: bad number: 0: specify 1 to 1000");
    refuse("-x -P 1001 true", "-P: bad number: 1001: specify 1 to 1000");
    refuse("-x -P many true", "-P: bad number: many: specify 1 to 1000");
    refuse("-g \"\" flush", "-g: empty name: is a shell variable unset?");
    refuse("-i \"\" flush", "-i: empty name: is a shell variable unset?");
    refuse("-c \"\" flush", "-c: empty name: is a shell variable unset?");
    refuse("-f \"\" flush", "-f: empty name: is a shell variable unset?");
    refuse("-o a=b flush", "invalid option -- 'o'");
    refuse("-e", "-e: to create, import or destroy instances, use postmulti(1)");
    refuse("-I x -e create", "invalid option -- 'I'");
    refuse("-e create", "-e: to create, import or destroy instances, use postmulti(1)");
    refuse("-lp status", "specify only one of -l, -M, -p, -Q, -s and -x");
    refuse("-x -l true", "specify only one of -l, -M, -p, -Q, -s and -x");
    refuse("--tag -j -x echo", "--tag cannot be used with -j, whose rows have the name");
    refuse("-t 5x -i \"\" -Z flush",
           "-t: bad time value: 5x: specify 1s or more, such as 90, 90s, 2m"); /* the first of
                                                                                  several */
}

TEST(mistakes_in_operands)
{
    static const char none[] = "too few operands: specify class, service and request, or an "
                               "action such as flush";
    static const char few[] = "too few operands: specify class, service and request, as in "
                              "\"postkick public qmgr D\"";

    refuse("", none);
    refuse("-v", none);
    refuse("-i flush", none);
    refuse("public", few);
    refuse("public qmgr", few);
    refuse("public qmgr D on", "too many operands: for one instance, specify -i before the class");
    refuse("public qmgr D -i on", "-i: options go before the operands");
    refuse("Public qmgr D", "invalid class name: \"Public\": specify public or private");
    refuse("flush -v", "-v: options go before the operands");
    refuse("flush on -i off", "-i: options go before the operands");
    refuse("-s on --json", "--json: options go before the operands");
    refuse("flush \"\"", "empty name: is a shell variable unset?");
    refuse("-l \"\" on", "empty name: is a shell variable unset?");
    refuse("-p", "too few operands: specify a command of postfix(1), such as reload");
    refuse("-p stop -i off", "-i: options go before the postfix command; after --, they are passed "
                             "on to postfix(1)");
    refuse("-x", "too few operands: specify a command, such as mailq");
}

/* The usage of the mode that was asked for, also after the mistake. */
TEST(usage)
{
    static const struct {
        const char *line;
        const char *usage;
    } cases[] = {
        {"-t 5x -p status", "postkick -p "},
        {"-Z -l", "postkick -l "},
        {"-x", "postkick -x "},
        {"-s -w", "postkick -s "},
        {"-Z", "postkick [-aEjnqvw] "},
        {"-Z --help", "postkick [-aEjnqvw] "},
        {"-lZ --version", "postkick -l "},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options options;
        char *error = NULL;

        assert_false(parse(&options, cases[i].line, &error));
        char *usage = options_help(options.mode);
        assert_int_equal(strncmp(usage, cases[i].usage, strlen(cases[i].usage)), 0);
        free(usage);
        free(error);
        release(&options);
    }
}

/* What belongs to no mode that was asked for is refused, never ignored. */
TEST(options_of_other_modes)
{
    static const struct {
        const char *line;
        const char *letters;
        const char *with;
    } cases[] = {
        {"flush", "PR", "when requests are sent"},
        {"-l", "nwtP", "with -l"},
        {"-p status", "wRE", "with -p"},
        {"-x true", "w", "with -x"},
        {"-s", "anPwR", "with -s"},
        {"-Q", "nw", "with -Q"},
        {"-M list", "PRw", "with -M"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        for (const char *letter = cases[i].letters; *letter != '\0'; letter++) {
            char *line =
                alloc_format("-%c %s%s", *letter, strchr("Pt", *letter) ? "5 " : "", cases[i].line);
            char *expected = alloc_format("-%c cannot be used %s", *letter, cases[i].with);

            refuse(line, expected);
            free(line);
            free(expected);
        }
    }
    refuse("-p -R status", "-R cannot be used with -p");
    refuse("-Q --now", "--now cannot be used with -Q");
    refuse("--yes flush", "--yes cannot be used when requests are sent");
    refuse("--tag -s", "--tag cannot be used with -s");
}

TEST(messages)
{
    struct options options =
        take("-M --sender <> --recipient *@a --reason x --queue hold --larger 10M --by domain "
             "--top 3 count ALL");

    assert_int_equal(options.verb, MESSAGE_COUNT);
    assert_string_equal(options.filter.patterns[MESSAGE_BY_SENDER], "<>");
    assert_string_equal(options.filter.patterns[MESSAGE_BY_RECIPIENT], "*@a");
    assert_string_equal(options.filter.patterns[MESSAGE_BY_REASON], "x");
    assert_string_equal(options.filter.patterns[MESSAGE_BY_QUEUE], "hold");
    assert_int_equal(options.filter.larger, 10 * 1024 * 1024);
    assert_true(options.filter.before == INT64_MAX);
    assert_int_equal(options.by, MESSAGE_BY_DOMAIN);
    assert_int_equal(options.top, 3);
    release(&options);
    options = take("-M --now expire -");
    assert_true(options.now);
    assert_int_equal(options.filter.larger, -1);
    release(&options);
    options = take("-M --yes --older 1d delete");
    assert_true(options.yes);
    fixture_assert_between(time(NULL) - options.filter.before, 86400, 86460);
    release(&options);
}

TEST(mistakes_about_messages)
{
    refuse("-M", "too few operands: specify a verb, such as list");
    refuse("-M lst", "unknown verb: lst: did you mean list?");
    refuse("-M del ALL", "unknown verb: del: did you mean delete?");
    refuse("-M flush", "unknown verb: flush: specify one of list, count, hold, release, requeue, "
                       "delete, expire");
    refuse("-M --yes delete", "delete: which messages? specify a filter, queue IDs, - or ALL");
    refuse("-M hold ALL 4F2A1B3C5D", "ALL stands alone: specify no queue IDs with it");
    refuse("-M delete ALL --yes", "--yes: options go before the verb");
    refuse("-M hold 4F2A1B3C5D -", "- stands alone: specify no queue IDs with it");
    refuse("-M --queue x list", "--queue: unknown name: x: specify one of incoming, "
                                "active, deferred, hold, maildrop");
    refuse("-M --sender a --sender b list", "--sender is specified twice");
    refuse("-M --queue defered list", "--queue: unknown name: defered: did you mean deferred?");
    refuse("-M --by date count", "--by: unknown name: date: specify one of sender, recipient, "
                                 "domain, reason, queue, instance");
    refuse("-M --sender \"\" delete", "--sender: empty pattern: the empty sender is <>");
    refuse("-M --older 5ms list",
           "--older: bad time value: 5ms: specify a time such as 90s, 2h, 1d");
    refuse("-M --larger 5T list",
           "--larger: bad number of bytes: 5T: specify a size such as 500K, 10M");
    refuse("-M --top 0 count", "--top: bad number: 0: specify 1 or more");
    refuse("-M --by sender list", "--by cannot be used with list");
    refuse("-M --top 5 requeue ALL", "--top cannot be used with requeue");
    refuse("-M --top 5 count", "--top can only be used with --by");
    refuse("-M --now requeue ALL", "--now cannot be used with requeue");
    refuse("-M --yes hold ALL", "--yes cannot be used with hold");
}

/* Every option but -e, once, in lines of a terminal's width. */
TEST(help)
{
    char *text = options_help(OPTIONS_HELP);
    UT_array *lines = strings_split(text, "\n");
    size_t rows = 0;

    for (size_t i = 0; i < utarray_len(lines); i++) {
        assert_true(strlen(strings_item(lines, i)) <= 80);
        rows += strncmp(strings_item(lines, i), "  -", 3) == 0 ||
                strncmp(strings_item(lines, i), "      --", 8) == 0;
    }
    assert_int_equal(rows, 33);
    assert_null(strstr(text, "--edit"));
    assert_non_null(strstr(
        text, "  postkick -x [-aEjnqRv] [--tag] [-c dir | -g group... -i name...] [-f file]\n"
              "           [-P jobs] [-t time] [--] command [argument...]\n"));
    assert_non_null(strstr(text, "  -E, --enabled               only enabled instances\n"));
    utarray_free(lines);
    free(text);
}
