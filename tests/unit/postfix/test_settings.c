/* SPDX-License-Identifier: MIT */
/* What the settings files say, what they do not say, and every mistake in them. */
#include "base/path.h"
#include "settings.h"

static void assert_defaults(void)
{
    for (int i = 0; i < PARAMETER_COUNT; i++)
        assert_non_null(settings->parameters[i]);
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
    settings = settings_load(fixture_path("none.ini"), false, fixture_path("none"), errors);
    fixture_assert_lines(errors, "");
    assert_defaults();
    assert_null(settings_load(fixture_path("none.ini"), true, fixture_path("none"), errors));
    fixture_assert_lines(errors, message);
    utarray_free(errors);
    free(message);
}

/* The file overrides the generated one, which overrides what is built in. */
TEST(values)
{
    use_both("[postfix]\n"
             "mail_version = \"3.7.11\"\n"
             "trigger_timeout = \"2m\"\n"
             "queue_service_name = \"queue\"\n",
             "[postfix]\n"
             "trigger_timeout = 3m\n"
             "Config_Directory = /Opt/x\n"
             "[KICK]\n"
             "strict = YES\n"
             "connections = 17\n"
             "limit = 2m\n"
             "[status]\nlimit = 9\n"
             "[queues]\nlimit = 1m\n"
             "[trust]\nwritable = refuse\n"
             "[commands]\nwithout_operands = stop, Mine\n",
             "");
    assert_int_equal(settings->version, SETTINGS_VERSION(3, 7));
    assert_string_equal(settings->parameters[PARAMETER_TRIGGER_TIMEOUT], "3m");
    assert_string_equal(settings->parameters[PARAMETER_CONFIG_DIRECTORY], "/Opt/x");
    assert_string_equal(settings->parameters[PARAMETER_QUEUE_SERVICE_NAME], "queue");
    assert_string_equal(settings->parameters[PARAMETER_QUEUE_DIRECTORY], "/var/spool/postfix");
    assert_int_equal(settings->strict, SETTINGS_STRICT_YES);
    assert_int_equal(settings->connections, 17);
    assert_int_equal(settings->kick_limit, 120);
    assert_int_equal(settings->status_limit, 9);
    assert_int_equal(settings->queues_limit, 60);
    assert_true(settings->refuse_writable);
    assert_string_equal(settings->commands, "stop, Mine");
    assert_non_null(strstr(settings->commands_with_operands, " tls "));
    use_settings("[kick]\nstrict = No\n");
    assert_int_equal(settings->strict, SETTINGS_STRICT_NO);
    use_settings("[kick]\nstrict =\n");
    assert_int_equal(settings->strict, SETTINGS_STRICT_UNSET);
    use_settings("[postfix]\nmail_version = 3000000.1\n"); /* no int holds it */
    assert_int_equal(settings->version, SETTINGS_VERSION_UNKNOWN);
}

TEST(others_write)
{
    if (geteuid() != 0)
        skip(); /* then the owner is another user than root */
    for (int i = 0; i < 3; i++) {
        const char *files[] = {fixture_file("generated.ini", ""), fixture_file("postkick.ini", "")};
        UT_array *errors;

        utarray_new(errors, &strings_icd);
        for (int j = 0; j < 2; j++)
            assert_int_equal(chmod(files[j], i == j ? 0666 : 0644), 0);
        free_settings();
        settings = settings_load(files[1], true, files[0], errors);
        assert_ptr_equal(settings->others_write, i < 2 ? files[i] : NULL);
        utarray_free(errors);
    }
}

/* All are reported, of both files, in the order in which they are read. */
TEST(mistakes)
{
    use_both("[postfix]\nnosuch = 1\n[kick]\nstrict = no\n[service x]\nclass = public\n",
             "strict = yes\n"
             "[postfix]\nnosuch = 1\ntrigger_timeout = 5x\n"
             "[kick]\nstrict = maybe\nconnections = -1\nlimit = 5ms\nnosuch = 1\n"
             "[status]\nlimit = 0\n"
             "[trust]\nwritable = no\nmail_version = 3.7\n"
             "[nosuch]\n"
             "[service]\nclass = public\n"
             "[service a]\nname = a/b\n"
             "[service b]\nclass = other\nname =\nnosuch = 1\n"
             "[action a]\nabout = y\nnosuch = 1\n",
             "@/generated.ini, line 2: [postfix] nosuch: unknown parameter\n"
             "@/generated.ini, line 3: [kick]: unknown section\n"
             "@/generated.ini, line 5: [service x]: unknown section\n"
             "@/postkick.ini, line 1: strict: setting before the first section\n"
             "@/postkick.ini, line 3: [postfix] nosuch: unknown parameter\n"
             "@/postkick.ini, line 4: [postfix] parameter trigger_timeout: bad time value or unit: "
             "5x\n"
             "@/postkick.ini, line 6: [kick] strict: must be yes or no\n"
             "@/postkick.ini, line 7: [kick] connections: must be a number\n"
             "@/postkick.ini, line 8: [kick] limit: must be a time of at least 1s, such as 90, "
             "90s, 2m\n"
             "@/postkick.ini, line 9: [kick] nosuch: unknown setting\n"
             "@/postkick.ini, line 11: [status] limit: must be a time of at least 1s, such as 90, "
             "90s, 2m\n"
             "@/postkick.ini, line 13: [trust] writable: must be warn or refuse\n"
             "@/postkick.ini, line 14: [trust] mail_version: unknown setting\n"
             "@/postkick.ini, line 15: [nosuch]: unknown section\n"
             "@/postkick.ini, line 16: [service]: unknown section\n"
             "@/postkick.ini, line 17: [service] class: unknown setting\n"
             "@/postkick.ini, line 18: [service a]: class is missing\n"
             "@/postkick.ini, line 19: [service a] name: must be a service name\n"
             "@/postkick.ini, line 21: [service b] class: must be public or private\n"
             "@/postkick.ini, line 22: [service b] name: must be a service name\n"
             "@/postkick.ini, line 23: [service b] nosuch: unknown setting\n"
             "@/postkick.ini, line 24: [action a]: kick is missing\n"
             "@/postkick.ini, line 26: [action a] nosuch: unknown setting\n");
    use_both("[postfix\n", "queue_directory\n",
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
    use_settings(file.text);
    assert_defaults();
    for (char *at = file.text; at != NULL; at = strchr(at + 1, '\n'))
        if (at[1] == ';' && (at[2] == '[' || (at[2] >= 'a' && at[2] <= 'z')))
            at[1] = ' ';
    assert_non_null(strstr(file.text, "\n [service qmgr]\n class"));
    use_settings(file.text);
    assert_defaults();
    free(file.text);
}

/* Compares the warnings; returns whether the service acts on a part of the request. */
static bool assert_warnings(const char *class, const char *service, const char *request,
                            const char *expected)
{
    UT_array *targets, *warnings;

    utarray_new(targets, &target_icd);
    utarray_new(warnings, &strings_icd);
    target_append(targets, class, service, request);
    bool acts = settings_check(settings, utarray_front(targets), warnings);
    fixture_assert_lines(warnings, expected);
    utarray_free(warnings);
    utarray_free(targets);
    return acts;
}

/* Compares the targets of an action: "CLASS|SERVICE|REQUEST" and a newline for each; and what is
 * said about it. */
static void assert_action(const char *action, const char *expected, const char *expected_about)
{
    const char *about = "";
    UT_array *targets = settings_action(settings, action, &about), *lines;

    utarray_new(lines, &strings_icd);
    for (size_t i = 0; i < utarray_len(targets); i++) {
        const struct target *target = utarray_eltptr(targets, i);

        strings_append(lines, "%s|%s|%s", target->class, target->service, target->request);
    }
    fixture_assert_lines(lines, expected);
    if (expected_about == NULL)
        assert_null(about);
    else
        assert_string_equal(about, expected_about);
    utarray_free(lines);
    utarray_free(targets);
}

/* A section of the file replaces the built-in one as a whole. */
TEST(sections)
{
    use_settings("[service qmgr]\nclass = public\n"
                 "[service mine]\nname = Mine\nclass = private\nrequests = X\n"
                 "[service pickup]\nclass = public\nrequests = Q\n"
                 "[action both]\nkick = private tlsmgr R , public  qmgr\tW,\nabout = two of them\n"
                 "[action flush]\nkick = public a b, public a b\n");
    assert_warnings("public", "qmgr", "anything", "");
    assert_warnings("private", "Mine", "Y",
                    "request \"Y\": \"Y\" is ignored: the service acts on X\n");
    assert_warnings("private", "mine", "Y", "");
    assert_warnings("public", "pickup", "W",
                    "request \"W\": \"W\" is ignored: the service acts on Q\n");
    assert_string_equal(settings_class(settings, "Mine"), "private");
    assert_string_equal(settings_class(settings, "qmgr"), "public");
    assert_string_equal(settings_class(settings, "anvil"), "private");
    assert_null(settings_class(settings, "mine"));
    assert_null(settings_class(settings, "nosuch"));
    assert_null(settings_class(settings, "QMGR"));
    UT_array *actions = settings_actions(settings);
    fixture_assert_lines(actions, "flush\nincoming\ndeferred\npickup\nboth\n");
    utarray_free(actions);
    assert_action("flush", "public|a|b\npublic|a|b\n", NULL);
    assert_action("both", "private|tlsmgr|R\npublic|qmgr|W\n", "two of them");
    assert_null(settings_action(settings, "nosuch", NULL));
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

    use_settings("");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            assert_warnings(cases[i].class, cases[i].service, cases[i].request, cases[i].warnings),
            cases[i].acts);
}

TEST(length)
{
    static const char warning[] = "request is 1025 bytes long: services read only the first 1024\n";
    char *request = fixture_repeat("W", 1025);

    use_settings("");
    assert_warnings("public", "mine", request, warning);
    assert_warnings("public", "qmgr", request, warning);
    request[1024] = '\0';
    assert_warnings("public", "qmgr", request, "");
    free(request);
}

/* What we ship, we do not warn about. */
TEST(shipped_actions)
{
    use_settings("");
    assert_action("flush", "public|qmgr|FADI\npublic|pickup|W\n",
                  "deliver everything now, as postqueue -f does");
    assert_action("incoming", "public|qmgr|I\n", "scan the incoming queue");
    assert_action("deferred", "public|qmgr|D\n", "scan the deferred queue, respecting retry times");
    assert_action("pickup", "public|pickup|W\n", "scan the maildrop queue");
    assert_true(assert_warnings("public", "qmgr", "I", ""));
    assert_true(assert_warnings("public", "qmgr", "D", ""));
}

TEST(malformed_targets)
{
    static const char *const lists[] = {
        "",
        ",",
        "public qmgr",
        "public qmgr W W",
        "other qmgr W",
        "Public qmgr W",
        "public a/b W",
        "public . W",
        "public .. W",
        "public qmgr W, nonsense",
        "public qmgr W, ,",
    };

    for (size_t i = 0; i < COUNT(lists); i++) {
        char *text = alloc_format("[action x]\nkick = %s\n", lists[i]);

        use_both(NULL, text,
                 "@/postkick.ini, line 2: [action x] kick: must be \"class service request\", or "
                 "several with commas between\n");
        free(text);
    }
}
