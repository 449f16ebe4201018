/* SPDX-License-Identifier: MIT */
/* postkick.ini: what it says, what it does not say, and every mistake in it. */
#include "base/ini.h"
#include "base/safe_read.h"
#include "base/text.h"
#include "fixture.h"
#include "postfix/settings.h"

/* The settings of a file; the lines of errors are compared, with @ for the file's path. */
static struct settings *load(const char *text, const char *expected)
{
    const char *path = fixture_file("postkick.ini", text);
    UT_array *errors;
    char *whole = alloc_string("");

    utarray_new(errors, &strings_icd);
    for (const char *at = expected; *at != '\0'; at++)
        alloc_set_text(&whole, *at == '@' ? "%s%s" : "%s%.1s", whole, *at == '@' ? path : at);
    struct settings *settings = settings_load(path, true, errors);
    fixture_assert_lines(errors, whole);
    assert_int_equal(settings == NULL, expected[0] != '\0');
    utarray_free(errors);
    free(whole);
    return settings;
}

TEST(a_missing_file)
{
    UT_array *errors;
    const char *path = fixture_path("none.ini");
    char *message = alloc_format("open %s: No such file or directory\n", path);

    utarray_new(errors, &strings_icd);
    struct settings *settings = settings_load(path, false, errors);
    assert_non_null(settings);
    assert_int_equal(utarray_len(errors), 0);
    assert_string_equal(settings_parameter(settings, PARAMETER_TRIGGER_TIMEOUT), "10s");
    assert_string_equal(settings_parameter(settings, PARAMETER_CONFIG_DIRECTORY), "/etc/postfix");
    assert_false(settings->strict);
    assert_int_equal(settings->connections, 0);
    assert_int_equal(settings->kick_limit, 100);
    assert_int_equal(settings->status_limit, 5);
    assert_false(settings->refuse_writable);
    assert_false(settings->others_write);
    settings_free(settings);
    assert_null(settings_load(path, true, errors));
    fixture_assert_lines(errors, message);
    utarray_free(errors);
    free(message);
    settings_free(NULL);
}

TEST(an_empty_file)
{
    struct settings *settings = load("", "");

    assert_string_equal(settings_parameter(settings, PARAMETER_QUEUE_SERVICE_NAME), "qmgr");
    settings_free(settings);
}

TEST(values)
{
    struct settings *settings = load("[postfix]\n"
                                     "trigger_timeout = 3m\n"
                                     "Config_Directory = /Opt/x\n"
                                     "[KICK]\n"
                                     "strict = YES\n"
                                     "connections = 17\n"
                                     "limit = 2m\n"
                                     "[status]\nlimit = 9\n"
                                     "[trust]\nwritable = refuse\n",
                                     "");

    assert_string_equal(settings_parameter(settings, PARAMETER_TRIGGER_TIMEOUT), "3m");
    assert_string_equal(settings_parameter(settings, PARAMETER_CONFIG_DIRECTORY), "/Opt/x");
    assert_string_equal(settings_parameter(settings, PARAMETER_QUEUE_DIRECTORY),
                        "/var/spool/postfix");
    assert_true(settings->strict);
    assert_int_equal(settings->connections, 17);
    assert_int_equal(settings->kick_limit, 120);
    assert_int_equal(settings->status_limit, 9);
    assert_true(settings->refuse_writable);
    settings_free(settings);
}

TEST(services_and_actions_are_taken_whole)
{
    struct settings *settings = load("[service qmgr]\nclass = private\n"
                                     "[service new]\nclass = public\nrequests = X\n"
                                     "[action flush]\nkick = public a b\n",
                                     "");

    assert_string_equal(settings_value(settings, "service qmgr", "class"), "private");
    assert_null(settings_value(settings, "service qmgr", "requests"));
    assert_string_equal(settings_value(settings, "service pickup", "requests"), "*");
    assert_string_equal(settings_value(settings, "service new", "requests"), "X");
    assert_string_equal(settings_value(settings, "action flush", "kick"), "public a b");
    assert_null(settings_value(settings, "action flush", "about"));
    UT_array *services = settings_sections(settings, SETTINGS_SERVICE);
    assert_true(strings_contain(services, "new"));
    assert_true(strings_contain(services, "qmgr"));
    UT_array *actions = settings_sections(settings, SETTINGS_ACTION);
    fixture_assert_lines(actions, "flush\nincoming\ndeferred\npickup\n");
    utarray_free(services);
    utarray_free(actions);
    settings_free(settings);
}

TEST(mistakes)
{
    static const struct {
        const char *text;
        const char *errors;
    } cases[] = {
        {"[postfix]\nnosuch = 1\n", "@, line 2: [postfix] nosuch: unknown parameter\n"},
        {"[postfix]\nmynetworks = 1\n", "@, line 2: [postfix] mynetworks: unknown parameter\n"},
        {"[postfix]\ntrigger_timeout = 5x\n",
         "@, line 2: [postfix] parameter trigger_timeout: bad time value or unit: 5x\n"},
        {"[postfix]\ntrigger_timeout = 0\n",
         "@, line 2: [postfix] invalid trigger_timeout: 0 (min 1)\n"},
        {"[postfix]\nqueue_directory =\n",
         "@, line 2: [postfix] bad string length 0 < 1: queue_directory = \n"},
        {"[postfix]\nmulti_instance_enable = maybe\n",
         "@, line 2: [postfix] bad boolean configuration: multi_instance_enable = maybe\n"},
        {"[kick]\nstrict = maybe\n", "@, line 2: [kick] strict: must be yes or no\n"},
        {"[kick]\nconnections = -1\n", "@, line 2: [kick] connections: must be a number\n"},
        {"[kick]\nconnections = many\n", "@, line 2: [kick] connections: must be a number\n"},
        {"[kick]\nnosuch = 1\n", "@, line 2: [kick] nosuch: unknown setting\n"},
        {"[kick]\nlimit = 5ms\n", "@, line 2: [kick] limit: must be a time of at least 1s, such "
                                  "as 90, 90s, 2m\n"},
        {"[status]\nlimit = 0\n", "@, line 2: [status] limit: must be a time of at least 1s, such "
                                  "as 90, 90s, 2m\n"},
        {"[trust]\nwritable = no\n", "@, line 2: [trust] writable: must be warn or refuse\n"},
        {"[nosuch]\n", "@, line 1: [nosuch]: unknown section\n"},
        {"[service]\nclass = public\n", "@, line 1: [service]: unknown section\n"
                                        "@, line 2: [service] class: unknown setting\n"},
        {"strict = yes\n", "@, line 1: strict: setting before the first section\n"},
        {"[service x]\n", "@, line 1: [service x]: class is missing\n"},
        {"[service x]\nclass = other\n",
         "@, line 2: [service x] class: must be public or private\n"},
        {"[service x]\nclass = public\nname = a/b\n",
         "@, line 3: [service x] name: must be a service name\n"},
        {"[service x]\nclass = public\nname =\n",
         "@, line 3: [service x] name: must be a service name\n"},
        {"[service x]\nclass = public\nnosuch = 1\n",
         "@, line 3: [service x] nosuch: unknown setting\n"},
        {"[action x]\nabout = y\n", "@, line 1: [action x]: kick is missing\n"},
        {"[action x]\nkick =\n",
         "@, line 2: [action x] kick: must be \"class service request\", or several "
         "with commas between\n"},
        {"[action x]\nkick = public qmgr\n", "@, line 2: [action x] kick: must be \"class service "
                                             "request\", or several with commas between\n"},
        {"[action x]\nkick = public qmgr W\nnosuch = 1\n",
         "@, line 3: [action x] nosuch: unknown setting\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        (void)load(cases[i].text, cases[i].errors);
}

TEST(all_mistakes_are_reported)
{
    (void)load("[postfix]\nnosuch = 1\ntrigger_timeout = x\n[kick]\nstrict = 2\n[other]\n",
               "@, line 2: [postfix] nosuch: unknown parameter\n"
               "@, line 3: [postfix] parameter trigger_timeout: bad time value or unit: x\n"
               "@, line 5: [kick] strict: must be yes or no\n"
               "@, line 6: [other]: unknown section\n");
    (void)load("[postfix\nqueue_directory\n", "@, line 1: not a section, a setting or a comment\n"
                                              "@, line 2: not a section, a setting or a comment\n");
}

TEST(what_is_no_file)
{
    UT_array *errors;
    char *expected;

    utarray_new(errors, &strings_icd);
    expected = alloc_format("read %s: Is a directory\nopen %s: not a regular file\n"
                            "read %s: file contains a null byte\n",
                            fixture_directory("directory"), fixture_path("fifo"),
                            fixture_bytes("null", "[kick]\0\n", 8));
    (void)fixture_fifo("fifo");
    assert_null(settings_load(fixture_path("directory"), false, errors));
    assert_null(settings_load(fixture_path("fifo"), false, errors));
    assert_null(settings_load(fixture_path("null"), false, errors));
    fixture_assert_lines(errors, expected);
    utarray_free(errors);
    free(expected);
}

TEST(who_can_write)
{
    UT_array *errors;
    const char *path = fixture_file("postkick.ini", "");

    utarray_new(errors, &strings_icd);
    assert_int_equal(chmod(path, 0666), 0);
    struct settings *settings = settings_load(path, true, errors);
    assert_true(settings->others_write);
    settings_free(settings);
    utarray_free(errors);
}

/* The shipped file says what is built in, all of it and nothing else. */
TEST(built_in_values)
{
    struct safe_read_file file;
    const struct ini_entry *entry;
    char *error = NULL;
    UT_array *errors;

    if (safe_read("conf/postkick.ini", 1 << 20, &file, &error) != SAFE_READ_OK) {
        free(error); /* not started from the top of the tree */
        skip();
    }
    utarray_new(errors, &strings_icd);
    struct ini *shipped = ini_parse("shipped", file.text, file.length, errors);
    assert_non_null(shipped);
    struct settings *settings = settings_load(fixture_path("none"), false, errors);
    for (size_t i = 0; (entry = ini_entry(shipped, i)) != NULL; i++)
        if (entry->key != NULL)
            assert_string_equal(settings_value(settings, entry->section, entry->key), entry->value);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        const char *name = parameter_name((enum parameter)i);

        assert_string_equal(ini_value(shipped, "postfix", name),
                            settings_parameter(settings, (enum parameter)i));
    }
    ini_free(shipped);
    safe_read_free(&file);
    struct settings *loaded = settings_load("conf/postkick.ini", true, errors);
    fixture_assert_lines(errors, "");
    settings_free(loaded);
    settings_free(settings);
    utarray_free(errors);
}
