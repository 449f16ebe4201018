/* SPDX-License-Identifier: MIT */
/* What the settings files say, what they do not say, and every mistake in them. */
#include "base/path.h"
#include "postfix/settings.h"
#include "settings.h"

static void assert_defaults(const struct settings *settings)
{
    assert_string_equal(settings->parameters[PARAMETER_TRIGGER_TIMEOUT], "10s");
    assert_string_equal(settings->parameters[PARAMETER_CONFIG_DIRECTORY], "/etc/postfix");
    assert_int_equal(settings->version, SETTINGS_VERSION_UNKNOWN);
    assert_int_equal(settings->strict, SETTINGS_STRICT_UNSET);
    assert_int_equal(settings->connections, 0);
    assert_int_equal(settings->kick_limit, 100);
    assert_int_equal(settings->status_limit, 5);
    assert_int_equal(settings->queues_limit, 30);
    assert_false(settings->refuse_writable);
    if (geteuid() == 0) /* whose files others cannot write */
        assert_null(settings->others_write);
}

TEST(missing_files)
{
    UT_array *errors;
    char *message = fixture_fill("open @/none.ini: No such file or directory\n");

    utarray_new(errors, &strings_icd);
    struct settings *settings =
        settings_load(fixture_path("none.ini"), false, fixture_path("none"), errors);
    assert_non_null(settings);
    assert_int_equal(utarray_len(errors), 0);
    assert_defaults(settings);
    for (int i = 0; i < PARAMETER_COUNT; i++)
        assert_non_null(settings->parameters[i]);
    settings_free(settings);
    assert_null(settings_load(fixture_path("none.ini"), true, fixture_path("none"), errors));
    fixture_assert_lines(errors, message);
    utarray_free(errors);
    free(message);
    settings_free(NULL);
}

TEST(values)
{
    struct settings *settings = settings_of("[postfix]\n"
                                            "trigger_timeout = 3m\n"
                                            "Config_Directory = /Opt/x\n"
                                            "[KICK]\n"
                                            "strict = YES\n"
                                            "connections = 17\n"
                                            "limit = 2m\n"
                                            "[status]\nlimit = 9\n"
                                            "[queues]\nlimit = 1m\n"
                                            "[trust]\nwritable = refuse\n"
                                            "[commands]\nwithout_operands = stop, Mine\n");

    assert_string_equal(settings->parameters[PARAMETER_TRIGGER_TIMEOUT], "3m");
    assert_string_equal(settings->parameters[PARAMETER_CONFIG_DIRECTORY], "/Opt/x");
    assert_string_equal(settings->parameters[PARAMETER_QUEUE_DIRECTORY], "/var/spool/postfix");
    assert_int_equal(settings->strict, SETTINGS_STRICT_YES);
    assert_int_equal(settings->connections, 17);
    assert_int_equal(settings->kick_limit, 120);
    assert_int_equal(settings->status_limit, 9);
    assert_int_equal(settings->queues_limit, 60);
    assert_true(settings->refuse_writable);
    assert_string_equal(settings->commands, "stop, Mine");
    assert_non_null(strstr(settings->commands_with_operands, " tls "));
    settings_free(settings);
}

TEST(strict)
{
    static const struct {
        const char *text;
        enum settings_strict strict;
    } cases[] = {
        {"[kick]\nstrict =\n", SETTINGS_STRICT_UNSET},
        {"[kick]\nstrict = No\n", SETTINGS_STRICT_NO},
        {"[kick]\nstrict = yes\n", SETTINGS_STRICT_YES},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings *settings = settings_of(cases[i].text);

        assert_int_equal(settings->strict, cases[i].strict);
        settings_free(settings);
    }
}

/* The file overrides the generated one, which overrides what is built in. */
TEST(generated)
{
    struct settings *settings = settings_of_both("[postfix]\n"
                                                 "mail_version = \"3.7.11\"\n"
                                                 "trigger_timeout = \"3m\"\n"
                                                 "queue_service_name = \"queue\"\n",
                                                 "[postfix]\ntrigger_timeout = 5m\n", "");

    assert_int_equal(settings->version, SETTINGS_VERSION(3, 7));
    assert_string_equal(settings->parameters[PARAMETER_TRIGGER_TIMEOUT], "5m");
    assert_string_equal(settings->parameters[PARAMETER_QUEUE_SERVICE_NAME], "queue");
    assert_string_equal(settings->parameters[PARAMETER_PICKUP_SERVICE_NAME], "pickup");
    settings_free(settings);
}

TEST(others_write)
{
    static const struct {
        mode_t generated, file;
        const char *others_write;
    } cases[] = {
        {0644, 0644, NULL},
        {0666, 0644, "generated.ini"},
        {0644, 0666, "postkick.ini"},
    };

    if (geteuid() != 0)
        skip(); /* then the owner is another user than root */
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *file = fixture_file("postkick.ini", "");
        const char *generated = fixture_file("generated.ini", "");
        UT_array *errors;

        utarray_new(errors, &strings_icd);
        assert_int_equal(chmod(generated, cases[i].generated), 0);
        assert_int_equal(chmod(file, cases[i].file), 0);
        struct settings *settings = settings_load(file, true, generated, errors);
        assert_int_equal(settings->others_write == NULL, cases[i].others_write == NULL);
        if (cases[i].others_write != NULL)
            assert_string_equal(settings->others_write, fixture_path(cases[i].others_write));
        settings_free(settings);
        utarray_free(errors);
    }
}

TEST(mistakes)
{
    static const struct {
        const char *text;
        const char *errors;
    } cases[] = {
        {"[postfix]\nnosuch = 1\n",
         "@/postkick.ini, line 2: [postfix] nosuch: unknown parameter\n"},
        {"[postfix]\nmynetworks = 1\n",
         "@/postkick.ini, line 2: [postfix] mynetworks: unknown parameter\n"},
        {"[postfix]\ntrigger_timeout = 5x\n", "@/postkick.ini, line 2: [postfix] parameter "
                                              "trigger_timeout: bad time value or unit: 5x\n"},
        {"[postfix]\ntrigger_timeout = 0\n",
         "@/postkick.ini, line 2: [postfix] invalid trigger_timeout: 0 (min 1)\n"},
        {"[postfix]\nqueue_directory =\n",
         "@/postkick.ini, line 2: [postfix] bad string length 0 < 1: queue_directory = \n"},
        {"[postfix]\nmulti_instance_enable = maybe\n",
         "@/postkick.ini, line 2: [postfix] bad boolean configuration: multi_instance_enable = "
         "maybe\n"},
        {"[kick]\nstrict = maybe\n", "@/postkick.ini, line 2: [kick] strict: must be yes or no\n"},
        {"[kick]\nconnections = -1\n",
         "@/postkick.ini, line 2: [kick] connections: must be a number\n"},
        {"[kick]\nconnections = many\n",
         "@/postkick.ini, line 2: [kick] connections: must be a number\n"},
        {"[kick]\nnosuch = 1\n", "@/postkick.ini, line 2: [kick] nosuch: unknown setting\n"},
        {"[kick]\nlimit = 5ms\n",
         "@/postkick.ini, line 2: [kick] limit: must be a time of at least 1s, such "
         "as 90, 90s, 2m\n"},
        {"[status]\nlimit = 0\n",
         "@/postkick.ini, line 2: [status] limit: must be a time of at least 1s, such "
         "as 90, 90s, 2m\n"},
        {"[trust]\nwritable = no\n",
         "@/postkick.ini, line 2: [trust] writable: must be warn or refuse\n"},
        {"[trust]\nmail_version = 3.7\n",
         "@/postkick.ini, line 2: [trust] mail_version: unknown setting\n"},
        {"[nosuch]\n", "@/postkick.ini, line 1: [nosuch]: unknown section\n"},
        {"[service]\nclass = public\n",
         "@/postkick.ini, line 1: [service]: unknown section\n"
         "@/postkick.ini, line 2: [service] class: unknown setting\n"},
        {"strict = yes\n", "@/postkick.ini, line 1: strict: setting before the first section\n"},
        {"[service x]\n", "@/postkick.ini, line 1: [service x]: class is missing\n"},
        {"[service x]\nclass = other\n",
         "@/postkick.ini, line 2: [service x] class: must be public or private\n"},
        {"[service x]\nclass = public\nname = a/b\n",
         "@/postkick.ini, line 3: [service x] name: must be a service name\n"},
        {"[service x]\nclass = public\nname =\n",
         "@/postkick.ini, line 3: [service x] name: must be a service name\n"},
        {"[service x]\nclass = public\nnosuch = 1\n",
         "@/postkick.ini, line 3: [service x] nosuch: unknown setting\n"},
        {"[action x]\nabout = y\n", "@/postkick.ini, line 1: [action x]: kick is missing\n"},
        {"[action x]\nkick = public qmgr W\nnosuch = 1\n",
         "@/postkick.ini, line 3: [action x] nosuch: unknown setting\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        (void)settings_of_both(NULL, cases[i].text, cases[i].errors);
}

/* Of both files, in the order in which they are read. */
TEST(all_mistakes_are_reported)
{
    (void)settings_of_both(
        "[postfix]\nnosuch = 1\n[kick]\nstrict = no\n[service x]\nclass = public\n",
        "[postfix]\nnosuch = 1\ntrigger_timeout = x\n[kick]\nstrict = 2\n[other]\n",
        "@/generated.ini, line 2: [postfix] nosuch: unknown parameter\n"
        "@/generated.ini, line 3: [kick]: unknown section\n"
        "@/generated.ini, line 5: [service x]: unknown section\n"
        "@/postkick.ini, line 2: [postfix] nosuch: unknown parameter\n"
        "@/postkick.ini, line 3: [postfix] parameter trigger_timeout: bad time value or unit: "
        "x\n"
        "@/postkick.ini, line 5: [kick] strict: must be yes or no\n"
        "@/postkick.ini, line 6: [other]: unknown section\n");
    (void)settings_of_both("[postfix\n", "queue_directory\n",
                           "@/generated.ini, line 1: not a section, a setting or a comment\n"
                           "@/postkick.ini, line 1: not a section, a setting or a comment\n");
}

/* As shipped, and with every setting of it in use. */
TEST(shipped_file)
{
    struct path_file file;
    char *error = NULL;

    if (path_read("conf/postkick.ini", 0, 1 << 20, &file, &error) != PATH_OK) {
        free(error); /* not started from the top of the tree */
        skip();
    }
    struct settings *settings = settings_of(file.text);
    assert_defaults(settings);
    settings_free(settings);
    for (char *at = file.text; at != NULL; at = strchr(at + 1, '\n'))
        if (at[1] == ';' && (at[2] == '[' || (at[2] >= 'a' && at[2] <= 'z')))
            at[1] = ' ';
    assert_non_null(strstr(file.text, "\n [service qmgr]\n class"));
    settings = settings_of(file.text);
    assert_defaults(settings);
    settings_free(settings);
    free(file.text);
}

/* Compares the warnings; returns whether the service acts on a part of the request. */
static bool assert_warnings(struct settings *settings, const char *class, const char *service,
                            const char *request, const char *expected)
{
    UT_array *targets, *warnings;

    utarray_new(targets, &target_icd);
    utarray_new(warnings, &strings_icd);
    target_append(targets, class, service, request);
    bool acts = settings_check(settings, target_item(targets, 0), warnings);
    fixture_assert_lines(warnings, expected);
    utarray_free(warnings);
    utarray_free(targets);
    return acts;
}

/* Compares the targets of an action: "CLASS|SERVICE|REQUEST" and a newline for each. */
static void assert_targets(struct settings *settings, const char *action, const char *expected)
{
    UT_array *targets = settings_action(settings, action, NULL), *lines;

    utarray_new(lines, &strings_icd);
    for (size_t i = 0; i < utarray_len(targets); i++)
        strings_append(lines, "%s|%s|%s", target_item(targets, i)->class,
                       target_item(targets, i)->service, target_item(targets, i)->request);
    fixture_assert_lines(lines, expected);
    utarray_free(lines);
    utarray_free(targets);
}

TEST(sections_are_replaced_as_a_whole)
{
    struct settings *settings = settings_of("[service qmgr]\nclass = public\n"
                                            "[service new]\nclass = public\nrequests = X\n"
                                            "[action flush]\nkick = public a b\n");

    assert_warnings(settings, "public", "qmgr", "anything", "");
    assert_string_equal(settings_class(settings, "new"), "public");
    const char *about = "";
    utarray_free(settings_action(settings, "flush", &about));
    assert_null(about);
    UT_array *actions = settings_actions(settings);
    fixture_assert_lines(actions, "flush\nincoming\ndeferred\npickup\n");
    utarray_free(actions);
    settings_free(settings);
}

TEST(requests)
{
    static const struct {
        const char *class, *service, *request;
        bool acts; /* the service, on a part of it */
        const char *warnings;
    } cases[] = {
        {"public", "qmgr", "W", true, ""},
        {"public", "qmgr", "FADI", true, ""},
        {"public", "qmgr", "DD", true, ""},
        {"public", "qmgr", "A", true, "request \"A\" starts nothing on its own: add one of DIW\n"},
        {"public", "qmgr", "FAF", true,
         "request \"FAF\" starts nothing on its own: add one of DIW\n"},
        {"public", "qmgr", "", false, "empty request is ignored: the service acts on ADFIW\n"},
        {"public", "qmgr", "d", false,
         "request \"d\": \"d\" is ignored: the service acts on ADFIW\n"},
        {"public", "qmgr", "WxyxW", true,
         "request \"WxyxW\": \"xy\" is ignored: the service acts on ADFIW\n"},
        {"public", "pickup", "", true, ""},
        {"public", "pickup", "anything at all", true, ""},
        {"private", "tlsmgr", "W", true, ""},
        {"private", "tlsmgr", "x", false,
         "request \"x\" is ignored: the service acts on \"W\" only\n"},
        {"public", "flush", "W", true, ""},
        {"public", "flush", "", false, "request \"\" is ignored: the service acts on \"W\" only\n"},
        {"public", "flush", "WW", false,
         "request \"WW\" is ignored: the service acts on \"W\" only\n"},
        {"private", "anvil", "refresh", false, "the service accepts no requests\n"},
        {"private", "scache", "flush", false, "the service accepts no requests\n"},
        {"public", "cleanup", "", false, "the service accepts no requests\n"},
        {"public", "mine", "anything", true, ""},  /* unknown */
        {"public", "anvil", "anything", true, ""}, /* another one of that name */
        {"private", "qmgr", "x", true, ""},
    };

    struct settings *settings = settings_of("");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(assert_warnings(settings, cases[i].class, cases[i].service,
                                         cases[i].request, cases[i].warnings),
                         cases[i].acts);
    settings_free(settings);
}

TEST(length)
{
    struct settings *settings = settings_of("");
    char *request = fixture_repeat("W", 1025);

    assert_warnings(settings, "public", "mine", request,
                    "request is 1025 bytes long: services read only the first 1024\n");
    assert_warnings(settings, "public", "qmgr", request,
                    "request is 1025 bytes long: services read only the first 1024\n");
    request[1024] = '\0';
    assert_warnings(settings, "public", "qmgr", request, "");
    free(request);
    settings_free(settings);
}

TEST(names_with_capitals)
{
    struct settings *settings =
        settings_of("[service mine]\nname = Mine\nclass = public\nrequests = X\n"
                    "[service qmgr]\nclass = public\nrequests = Q\n");

    assert_warnings(settings, "public", "Mine", "Y",
                    "request \"Y\": \"Y\" is ignored: the service acts on X\n");
    assert_warnings(settings, "public", "mine", "Y", "");
    assert_string_equal(settings_class(settings, "Mine"), "public");
    assert_null(settings_class(settings, "mine"));
    assert_warnings(settings, "public", "qmgr", "W",
                    "request \"W\": \"W\" is ignored: the service acts on Q\n");
    settings_free(settings);
}

TEST(classes)
{
    struct settings *settings = settings_of("");

    assert_string_equal(settings_class(settings, "qmgr"), "public");
    assert_string_equal(settings_class(settings, "anvil"), "private");
    assert_null(settings_class(settings, "nosuch"));
    assert_null(settings_class(settings, "QMGR"));
    settings_free(settings);
}

TEST(actions)
{
    struct settings *settings = settings_of(
        "[action both]\nkick = private tlsmgr R , public  qmgr\tW\nabout = two of them\n");
    UT_array *names = settings_actions(settings);
    const char *about;

    fixture_assert_lines(names, "flush\nincoming\ndeferred\npickup\nboth\n");
    utarray_free(settings_action(settings, "both", &about));
    assert_string_equal(about, "two of them");
    assert_null(settings_action(settings, "nosuch", NULL));
    utarray_free(names);
    settings_free(settings);
}

/* What we ship, we do not warn about. */
TEST(shipped_actions)
{
    struct settings *settings = settings_of("");

    assert_targets(settings, "flush", "public|qmgr|FADI\npublic|pickup|W\n");
    assert_targets(settings, "incoming", "public|qmgr|I\n");
    assert_targets(settings, "deferred", "public|qmgr|D\n");
    assert_targets(settings, "pickup", "public|pickup|W\n");
    assert_true(assert_warnings(settings, "public", "qmgr", "I", ""));
    assert_true(assert_warnings(settings, "public", "qmgr", "D", ""));
    settings_free(settings);
}

TEST(class)
{
    static const char *const invalid[] = {"",         "Public", "PRIVATE",   "public/", "publi",
                                          "maildrop", ".",      "../public", "public "};

    assert_true(target_class_is_valid("public"));
    assert_true(target_class_is_valid("private"));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(target_class_is_valid(invalid[i]));
}

TEST(service)
{
    static const char *const valid[] = {"qmgr", "Mine", "a b", "...", ".hidden", "-v", "a\n"};
    static const char *const invalid[] = {"", ".", "..", "/", "a/b", "/a", "a/", "../qmgr"};

    for (size_t i = 0; i < COUNT(valid); i++)
        assert_true(target_service_is_valid(valid[i]));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(target_service_is_valid(invalid[i]));
}

TEST(targets)
{
    static const struct {
        const char *list;
        const char *expected; /* NULL: it is malformed */
    } cases[] = {
        {"public qmgr W", "public|qmgr|W\n"},
        {"public\tqmgr  W ,private x y,", "public|qmgr|W\nprivate|x|y\n"},
        {"public qmgr W, public qmgr W", "public|qmgr|W\npublic|qmgr|W\n"},
        {"", NULL},
        {",", NULL},
        {"public qmgr", NULL},
        {"public qmgr W W", NULL},
        {"other qmgr W", NULL},
        {"public a/b W", NULL},
        {"public .. W", NULL},
        {"public qmgr W, nonsense", NULL},
        {"public qmgr W, ,", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = alloc_format("[action x]\nkick = %s\n", cases[i].list);
        struct settings *settings = settings_of_both(
            NULL, text,
            cases[i].expected != NULL
                ? ""
                : "@/postkick.ini, line 2: [action x] kick: must be \"class service "
                  "request\", or several with commas between\n");
        free(text);
        if (settings == NULL)
            continue;
        assert_targets(settings, "x", cases[i].expected);
        settings_free(settings);
    }
}

TEST(append_copies)
{
    char request[] = "W";
    UT_array *targets;

    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", request);
    request[0] = 'x';
    assert_string_equal(target_item(targets, 0)->request, "W");
    utarray_free(targets);
}
