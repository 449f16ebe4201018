/* Asking postconf(1), which may be anything. */
#include "base/clock.h"
#include "base/strings.h"
#include "fixture.h"
#include "postfix/postconf.h"

static bool wanted[PARAMETER_COUNT] = {
    [PARAMETER_QUEUE_DIRECTORY] = true, [PARAMETER_TRIGGER_TIMEOUT] = true};
static char *values[PARAMETER_COUNT];
static UT_array *overrides;

static int setup(void **state)
{
    utarray_new(overrides, &strings_icd);
    return fixture_setup(state);
}

static int teardown(void **state)
{
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        free(values[i]);
        values[i] = NULL;
    }
    utarray_free(overrides);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static bool ask(const char *script, int64_t stop, char **error)
{
    char *text = alloc_format("#!/bin/sh\n%s\n", script);

    (void)fixture_file("postconf", text);
    assert_int_equal(chmod(fixture_path("postconf"), 0755), 0);
    free(text);
    return postconf_ask(fixture_root, "/x y", overrides, wanted, &(struct limits){.end = stop},
                        values, error);
}

/* Nothing is taken from it, and why; %s is the program. */
static void assert_useless(const char *script, const char *why)
{
    char *error = NULL, *expected = alloc_format("%s/postconf %s", fixture_root, why);

    assert_false(ask(script, CLOCK_NEVER, &error));
    assert_string_equal(error, expected);
    for (int i = 0; i < PARAMETER_COUNT; i++)
        assert_null(values[i]);
    free(expected);
    free(error);
}

static void test_answer(void **state)
{
    (void)state;
    char *error = NULL;

    assert_true(ask("echo 'unasked = 1'\necho 'data_directory = /d'\n"
                    "echo 'queue_directory = /a = b '\necho 'trigger_timeout ='\n"
                    "echo 'queue_directory = /second'\nprintf 'no newline'",
                    CLOCK_NEVER, &error));
    assert_null(error);
    assert_string_equal(values[PARAMETER_QUEUE_DIRECTORY], "/a = b ");
    assert_string_equal(values[PARAMETER_TRIGGER_TIMEOUT], "");
    assert_null(values[PARAMETER_DATA_DIRECTORY]);
}

static void test_call(void **state)
{
    (void)state;
    char *error = NULL, text[4096] = "";

    strings_append(overrides, "a=b c");
    assert_int_equal(setenv("MAIL_CONFIG", "/elsewhere", 1), 0);
    assert_true(ask("d=${0%/*}\nenv | sort >$d/log\nprintf '<%s>' \"$@\" >>$d/log\n"
                    "echo queue_directory = x; echo trigger_timeout = y",
                    CLOCK_NEVER, &error));
    assert_int_equal(unsetenv("MAIL_CONFIG"), 0);
    int fd = open(fixture_path("log"), O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_null(strstr(text, "MAIL_CONFIG"));
    assert_non_null(strstr(text, "LC_ALL=C\n"));
    assert_null(strstr(text, "HOME="));
    assert_non_null(strstr(text, "\n<-c></x y><-x><-o><a=b c><queue_directory><trigger_timeout>"));
}

static void test_what_is_no_answer(void **state)
{
    static const char cannot[] = "cannot tell the parameters that main.cf refers to";

    (void)state;
    assert_useless("exit 0", cannot);
    assert_useless("echo queue_directory = x", cannot);
    assert_useless("echo queue_directory = x; echo trigger_timeout = y; exit 1", cannot);
    assert_useless("echo queue_directory = x; echo trigger_timeout = y; kill -9 $$", cannot);
    assert_useless("head -c 100000 /dev/urandom", cannot);
    assert_useless("echo queue_directory x; echo 'trigger_timeout: y'", cannot);
}

/* More than is kept: the end of a value may be lost. */
static void test_too_much(void **state)
{
    (void)state;
    assert_useless("echo trigger_timeout = 5\nprintf 'queue_directory = /'\n"
                   "head -c 3000000 /dev/zero | tr '\\0' x",
                   "cannot tell the parameters that main.cf refers to");
}

static void test_null_bytes(void **state)
{
    (void)state;
    assert_useless("echo trigger_timeout = 5\nprintf 'queue_directory = /a\\0b\\n'",
                   "cannot tell the parameters that main.cf refers to");
}

static void test_no_time(void **state)
{
    (void)state;
    char *error = NULL,
         *expected = alloc_format("%s/postconf did not answer in time", fixture_root);
    int64_t before = clock_now();

    assert_false(ask("trap '' TERM; sleep 60", clock_after(before, 1), &error));
    assert_true(clock_now() - before < 30 * CLOCK_SECOND);
    assert_string_equal(error, expected);
    free(expected);
    free(error);
}

static void test_cannot_be_run(void **state)
{
    (void)state;
    char *error = NULL;

    assert_false(
        postconf_ask("relative", "/x", overrides, wanted, &fixture_no_limits, values, &error));
    assert_string_equal(error, "command_directory is not an absolute path: relative");
    assert_false(
        postconf_ask("/nonexistent", "/x", overrides, wanted, &fixture_no_limits, values, &error));
    assert_string_equal(error, "run /nonexistent/postconf: No such file or directory");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer),        TEST(test_call),       TEST(test_what_is_no_answer),
        TEST(test_too_much),      TEST(test_null_bytes), TEST(test_no_time),
        TEST(test_cannot_be_run),
    };

    return cmocka_run_group_tests_name("postconf", tests, NULL, NULL);
}
