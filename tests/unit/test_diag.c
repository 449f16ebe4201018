/* The lines for people. */
#include "diag.h"
#include "fixture.h"
#include "name.h"

static void test_name(void **state)
{
    static const struct {
        const char *argv0;
        const char *name;
    } cases[] = {
        {"/usr/sbin/postkick", "postkick"},
        {"kick-all", "kick-all"},
        {"./x/y", "y"},
        {"dir/", "dir/"},
        {NULL, "dir/"},
        {"", "dir/"},
    };

    (void)state;
    assert_string_equal(name_get(), "postkick");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        name_set(cases[i].argv0);
        assert_string_equal(name_get(), cases[i].name);
    }
    name_set("postkick");
}

static void write_lines(void)
{
    diag_line(NULL, "info 1");
    diag_warning("hm: %s", "a\nb\x1b");
    diag_line("fatal", "100% as it stands %s");
    name_set("odd\tname");
    diag_line(NULL, "");
}

static void write_fatal(void)
{
    diag_fatal("no %s", "way");
}

static void test_lines(void **state)
{
    (void)state;
    struct fixture_result result = fixture_run(write_lines, STDERR_FILENO);

    assert_string_equal(result.text, "postkick: info 1\n"
                                     "postkick: warning: hm: a\\012b\\033\n"
                                     "postkick: fatal: 100% as it stands %s\n"
                                     "odd\\011name: \n");
    assert_int_equal(result.status, 0);
}

static void test_fatal(void **state)
{
    (void)state;
    struct fixture_result result = fixture_run(write_fatal, STDERR_FILENO);

    assert_string_equal(result.text, "postkick: fatal: no way\n");
    assert_true(WIFEXITED(result.status));
    assert_int_equal(WEXITSTATUS(result.status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_fatal),
    };

    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
