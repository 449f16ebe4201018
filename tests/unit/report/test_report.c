/* Writing to standard output. */
#include "fixture.h"
#include "report/report.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
