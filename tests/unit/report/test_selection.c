/* What is said of instances that cannot be served. */
#include "fixture.h"
#include "report/selection.h"

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

static void report_single(void)
{
    selection.is_single = true;
    report_instance_error(&selection, &instances[1]);
}

static void report_several(void)
{
    report_instance_error(&selection, &instances[1]);
}

static void test_instance_error(void **state)
{
    (void)state;
    struct fixture_result single = fixture_run(report_single, STDERR_FILENO);
    struct fixture_result several = fixture_run(report_several, STDERR_FILENO);

    assert_string_equal(single.text, "postkick: warning: note\n"
                                     "postkick: fatal: it is\\012broken\n");
    assert_string_equal(several.text, "postkick: warning: /etc/b\\033: note\n"
                                      "postkick: warning: /etc/b\\033: it is\\012broken\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_instance_error),
    };

    return cmocka_run_group_tests_name("report_selection", tests, NULL, NULL);
}
