/* One instance, from its main.cf. */
#include "base/clock.h"
#include "base/strings.h"
#include "fixture.h"
#include "postfix/instance.h"

static bool keep[PARAMETER_COUNT];
static struct settings *settings;
static UT_array *overrides;

static int setup(void **state)
{
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    utarray_new(overrides, &strings_icd);
    settings = settings_load("/nonexistent/postkick.ini", false, errors);
    utarray_free(errors);
    for (int i = 0; i < PARAMETER_COUNT; i++)
        keep[i] = true;
    return settings == NULL ? -1 : fixture_setup(state);
}

static int teardown(void **state)
{
    settings_free(settings);
    utarray_free(overrides);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const char *command_directory(void *context)
{
    return context;
}

static struct instance load(const char *main_cf)
{
    struct instance instance;
    struct instance_source source = {.settings = settings,
                                     .check_all = true,
                                     .overrides = overrides,
                                     .keep = keep,
                                     .limits = &fixture_no_limits,
                                     .may_run = true,
                                     .command_directory = command_directory,
                                     .context = fixture_root};

    (void)fixture_file("main.cf", main_cf);
    instance_load(&instance, fixture_root, false, &source);
    return instance;
}

static void test_built_in_values(void **state)
{
    (void)state;
    struct instance instance = load("");

    assert_null(instance.error);
    assert_null(instance.warnings);
    assert_string_equal(instance.config_directory, fixture_root);
    assert_string_equal(instance_value(&instance, PARAMETER_CONFIG_DIRECTORY), fixture_root);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/var/spool/postfix");
    assert_int_equal(instance.enabled, INSTANCE_DISABLED);
    assert_int_equal(instance.trigger_timeout, 10);
    assert_int_equal(instance.application_event_drain_time, 100);
    assert_true(instance.has_identity);
    instance_free(&instance);
    assert_null(instance.config_directory);
    instance_free(&instance);
}

static void test_values(void **state)
{
    (void)state;
    struct instance instance = load("base = /srv\n"
                                    "queue_directory = $base/spool\n"
                                    "multi_instance_name = postfix-a\n"
                                    "multi_instance_group = ${multi_instance_name?{g}:{h}}\n"
                                    "multi_instance_enable = YES\n"
                                    "trigger_timeout = 2m\n"
                                    "application_event_drain_time = $trigger_timeout\n");

    assert_null(instance.error);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/srv/spool");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "postfix-a");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_GROUP), "g");
    assert_int_equal(instance.enabled, INSTANCE_ENABLED);
    assert_int_equal(instance.trigger_timeout, 120);
    assert_int_equal(instance.application_event_drain_time, 120);
    instance_free(&instance);
}

/* What is not wanted is not kept: memory stays small. */
static void test_keeps_what_is_wanted(void **state)
{
    (void)state;
    keep[PARAMETER_DATA_DIRECTORY] = false;
    struct instance instance = load("data_directory = /x\n");

    assert_null(instance.values[PARAMETER_DATA_DIRECTORY]);
    assert_string_equal(instance_value(&instance, PARAMETER_DATA_DIRECTORY), "");
    instance_free(&instance);
}

static void test_overrides(void **state)
{
    (void)state;
    strings_append(overrides, "trigger_timeout=7");
    strings_append(overrides, "queue_directory=/a=b");
    strings_append(overrides, "trigger_timeout=8");
    struct instance instance = load("trigger_timeout = 1\nqueue_directory = /q\n");

    assert_int_equal(instance.trigger_timeout, 8);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/a=b");
    assert_null(instance.warnings);
    instance_free(&instance);
}

static void test_errors(void **state)
{
    static const struct {
        const char *main_cf;
        const char *error; /* @ is the directory */
        bool has_identity;
    } cases[] = {
        {"a b\n", "@/main.cf, line 1: missing '=' after attribute name: \"a b\"", false},
        {"trigger_timeout = 5x\n", "parameter trigger_timeout: bad time value or unit: 5x", true},
        {"trigger_timeout = 0\n", "invalid trigger_timeout: 0 (min 1)", true},
        {"queue_directory =\n", "bad string length 0 < 1: queue_directory = ", true},
        {"queue_directory = spool\n", "queue_directory is not an absolute path: spool", true},
        {"multi_instance_enable = maybe\n",
         "bad boolean configuration: multi_instance_enable = maybe", false},
        {"multi_instance_name = ${\n", "dictionary mail_dict: macro processing error", false},
        {"queue_directory = /$a\na = $b\nb = $a\n", "dictionary mail_dict: macro processing error",
         true},
        /* the first one counts, in Postfix's order of kinds: strings, times, booleans */
        {"multi_instance_enable = x\ntrigger_timeout = y\n",
         "parameter trigger_timeout: bad time value or unit: y", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct instance instance = load(cases[i].main_cf);
        char *expected = cases[i].error[0] == '@'
                             ? alloc_format("%s%s", fixture_root, cases[i].error + 1)
                             : alloc_string(cases[i].error);

        assert_non_null(instance.error);
        assert_string_equal(instance.error, expected);
        assert_int_equal(instance.has_identity, cases[i].has_identity);
        free(expected);
        instance_free(&instance);
    }
}

/* With what Postfix says before it gives up. */
static void test_notice(void **state)
{
    (void)state;
    struct instance instance = load("queue_directory = ${a\n");

    assert_non_null(instance.notice);
    assert_string_equal(instance.error, "dictionary mail_dict: macro processing error");
    instance_free(&instance);
}

static void test_warnings(void **state)
{
    (void)state;
    struct instance instance = load("a = 1\na = 2\n");
    char *expected =
        alloc_format("%s/main.cf, line 2: overriding earlier entry: a=1\n", fixture_root);

    fixture_assert_lines(instance.warnings, expected);
    free(expected);
    instance_free(&instance);
}

static void test_no_main_cf(void **state)
{
    (void)state;
    struct instance instance = load("");
    char *expected = alloc_format("open %s/main.cf: No such file or directory", fixture_root);
    struct instance_source source = {.settings = settings, .overrides = overrides, .keep = keep};

    instance_free(&instance);
    assert_int_equal(unlink(fixture_path("main.cf")), 0);
    instance_load(&instance, fixture_root, true, &source);
    assert_string_equal(instance.error, expected);
    assert_true(instance.is_default);
    assert_int_equal(instance.enabled, INSTANCE_UNKNOWN);
    assert_false(instance.has_identity);
    instance_free(&instance);
    instance_load_failed(&instance, "relative", expected);
    assert_string_equal(instance.config_directory, "relative");
    assert_ptr_equal(instance.error, expected);
    instance_free(&instance);
}

static void test_queue_directory(void **state)
{
    (void)state;
    char *main_cf = alloc_format("queue_directory = %s/queue\n", fixture_root);
    char *expected = alloc_format("chdir %s/queue: No such file or directory", fixture_root);
    struct instance instance = load(main_cf);

    instance_find_queue(&instance, false);
    assert_false(instance.has_queue);
    assert_null(instance.error);
    instance_find_queue(&instance, true);
    assert_string_equal(instance.error, expected);
    instance_free(&instance);
    free(expected);
    (void)fixture_file("queue", "");
    expected = alloc_format("chdir %s/queue: Not a directory", fixture_root);
    instance = load(main_cf);
    instance_find_queue(&instance, true);
    assert_string_equal(instance.error, expected);
    instance_free(&instance);
    free(expected);
    assert_int_equal(unlink(fixture_path("queue")), 0);
    (void)fixture_directory("queue");
    instance = load(main_cf);
    instance_find_queue(&instance, true);
    assert_null(instance.error);
    assert_true(instance.has_queue);
    instance_free(&instance);
    free(main_cf);
}

/* A postconf of our own, which logs how it was called. */
static void make_postconf(const char *answer)
{
    char *script = alloc_format("#!/bin/sh\necho \"$@\" >>%s/calls\n%s\n", fixture_root, answer);

    (void)fixture_file("postconf", script);
    assert_int_equal(chmod(fixture_path("postconf"), 0755), 0);
    free(script);
}

static void assert_calls(const char *expected)
{
    char text[1024] = "";
    int fd = open(fixture_path("calls"), O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
    }
    assert_string_equal(text, expected);
}

static void test_postconf_only_when_needed(void **state)
{
    (void)state;
    make_postconf("exit 1");
    struct instance instance = load("queue_directory = /srv/$multi_instance_name\n"
                                    "multi_instance_name = $own\nown = x\n"
                                    "mydestination = $myhostname, $nosuch\n");

    assert_null(instance.error);
    assert_calls("");
    instance_free(&instance);
}

static void test_postconf_once_for_all(void **state)
{
    (void)state;
    make_postconf("echo 'multi_instance_name = mx'; echo 'queue_directory =  /srv/mx'");
    struct instance instance = load("queue_directory = /srv/$myhostname\n"
                                    "multi_instance_name = ${myhostname}\n");
    char *expected = alloc_format("-c %s -x queue_directory multi_instance_name\n", fixture_root);

    assert_null(instance.error);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/srv/mx");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "mx");
    assert_true(instance.has_identity);
    assert_calls(expected);
    free(expected);
    instance_free(&instance);
}

static void test_postconf_fails(void **state)
{
    (void)state;
    make_postconf("exit 1");
    struct instance instance = load("multi_instance_name = $myhostname\n");
    char *expected =
        alloc_format("%s/postconf cannot tell the parameters that main.cf refers to", fixture_root);

    assert_string_equal(instance.error, expected);
    assert_false(instance.has_identity);
    free(expected);
    instance_free(&instance);
}

/* Its answers are checked like values from main.cf. */
static void test_postconf_lies(void **state)
{
    (void)state;
    make_postconf("echo 'trigger_timeout = never'");
    struct instance instance = load("trigger_timeout = $max_idle\n");

    assert_string_equal(instance.error, "parameter trigger_timeout: bad time value or unit: never");
    instance_free(&instance);
    make_postconf("echo 'queue_directory = not/absolute'");
    instance = load("queue_directory = $max_idle\n");
    assert_string_equal(instance.error, "queue_directory is not an absolute path: not/absolute");
    instance_free(&instance);
}

static void test_no_programs_under_raised_privilege(void **state)
{
    (void)state;
    struct instance_source source = {.settings = settings, .overrides = overrides, .keep = keep};
    struct instance instance;

    make_postconf("exit 1");
    (void)fixture_file("main.cf", "queue_directory = /$myhostname\n");
    instance_load(&instance, fixture_root, false, &source);
    assert_string_equal(instance.error, "main.cf refers to parameters that postconf(1) is not "
                                        "asked for under raised privilege");
    assert_calls("");
    instance_free(&instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_built_in_values),
        TEST(test_values),
        TEST(test_keeps_what_is_wanted),
        TEST(test_overrides),
        TEST(test_errors),
        TEST(test_notice),
        TEST(test_warnings),
        TEST(test_no_main_cf),
        TEST(test_queue_directory),
        TEST(test_postconf_only_when_needed),
        TEST(test_postconf_once_for_all),
        TEST(test_postconf_fails),
        TEST(test_postconf_lies),
        TEST(test_no_programs_under_raised_privilege),
    };

    return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
