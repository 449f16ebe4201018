/* Rows, lists and what is said of kicks. */
#include "fixture.h"
#include "report/report.h"
#include "report/row.h"

static struct instance instances[2];
static struct selection_member members[2];
static struct selection selection;

static int setup(void **state)
{
    static const char *const names[] = {"/etc/a", "/etc/b\x1b"};

    (void)state;
    selection = (struct selection){
        .instances = instances, .count = 2, .members = members, .member_count = 2};
    for (size_t i = 0; i < 2; i++) {
        instances[i] = (struct instance){.config_directory = alloc_string(names[i]),
                                         .enabled = INSTANCE_ENABLED};
        members[i] = (struct selection_member){.instance = &instances[i]};
    }
    instances[0].values[PARAMETER_MULTI_INSTANCE_NAME] = alloc_string("postfix-a");
    instances[0].values[PARAMETER_MULTI_INSTANCE_GROUP] = alloc_string("");
    instances[1].enabled = INSTANCE_UNKNOWN;
    instances[1].error = alloc_string("it is\nbroken");
    instances[1].notice = alloc_string("note");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        instance_free(&instances[i]);
    return 0;
}

static void assert_text(UT_string *out, const char *expected)
{
    assert_string_equal(utstring_body(out), expected);
    utstring_clear(out);
}

static void test_strings(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *expected;
    } cases[] = {
        {"", 0, "\"\""},
        {"a\"b\\\n\x01", 6, "\"a\\\"b\\\\\\n\\u0001\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xc3\xa4", 2, "\"\\u00E4\""},
        {"\xf0\x9f\x93\xac", 4, "\"\\uD83D\\uDCEC\""},
        {"\xff", 1, "\"\\uFFFD\""},
        {"\xe2\x82", 2, "\"\\uFFFD\\uFFFD\""},
        {"\xed\xa0\x80", 3, "\"\\uFFFD\\uFFFD\\uFFFD\""},
    };

    (void)state;
    UT_string out;

    utstring_init(&out);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *row = json_object();
        char *expected = alloc_format("{\"x\": %s}\n", cases[i].expected);

        report_row_add_bytes(row, "x", cases[i].bytes, cases[i].length);
        report_row_finish(row, &out);
        assert_text(&out, expected);
        free(expected);
    }
    utstring_done(&out);
}

static void test_list(void **state)
{
    (void)state;
    UT_string out;

    utstring_init(&out);
    report_list(&selection, &out);
    assert_text(&out, "postfix-a       -               y         /etc/a\n"
                      "-               -               -         /etc/b\\033\n");
    struct master_locks *locks = master_locks_new();
    report_list_json(&selection, locks, &out);
    assert_text(
        &out,
        "{\"name\": \"postfix-a\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": "
        "\"/etc/a\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"-\", "
        "\"reason\": \"\"}\n"
        "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"-\", \"config_directory\": "
        "\"/etc/b\\u001B\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": "
        "\"-\", \"reason\": \"it is\\nbroken\"}\n");
    master_locks_free(locks);
    utstring_done(&out);
}

static void tell_single(void)
{
    selection.is_single = true;
    report_instance_error(&selection, &instances[1]);
}

static void tell_several(void)
{
    report_instance_error(&selection, &instances[1]);
}

static void test_instance_error(void **state)
{
    (void)state;
    struct fixture_result single = fixture_run(tell_single, STDERR_FILENO);
    struct fixture_result several = fixture_run(tell_several, STDERR_FILENO);

    assert_string_equal(single.text, "postkick: warning: note\n"
                                     "postkick: fatal: it is\\012broken\n");
    assert_string_equal(several.text, "postkick: warning: /etc/b\\033: note\n"
                                      "postkick: warning: /etc/b\\033: it is\\012broken\n");
}

static void flush_to_nobody(void)
{
    UT_string out;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    utstring_init(&out);
    bool empty = report_flush(&out);
    (void)dup2(full, STDOUT_FILENO);
    utstring_printf(&out, "x");
    bool written = report_flush(&out);
    _exit(empty && !written ? 7 : 8);
}

static void flush(void)
{
    UT_string out;

    utstring_init(&out);
    utstring_bincpy(&out, "a\0b", 3);
    (void)report_flush(&out);
}

static void test_flush(void **state)
{
    (void)state;
    struct fixture_result full = fixture_run(flush_to_nobody, STDERR_FILENO);
    struct fixture_result well = fixture_run(flush, STDOUT_FILENO);

    assert_int_equal(WEXITSTATUS(full.status), 7);
    assert_string_equal(full.text,
                        "postkick: warning: write to standard output: No space left on device\n");
    assert_memory_equal(well.text, "a\0b", 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_strings),
        TEST(test_list),
        TEST(test_instance_error),
        TEST(test_flush),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
