/* The listing of -l. */
#include "fixture.h"
#include "report/list.h"

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

static void test_list(void **state)
{
    (void)state;
    UT_string out;

    utstring_init(&out);
    report_list_text(&selection, &out);
    assert_text(&out, "postfix-a       -               y         /etc/a\n"
                      "-               -               -         /etc/b\\033\n");
    report_list_json(&selection, &out);
    assert_text(
        &out,
        "{\"name\": \"postfix-a\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": "
        "\"/etc/a\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"-\", "
        "\"reason\": \"\"}\n"
        "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"-\", \"config_directory\": "
        "\"/etc/b\\u001B\", \"queue_directory\": \"\", \"data_directory\": \"\", \"running\": "
        "\"-\", \"reason\": \"it is\\nbroken\"}\n");
    utstring_done(&out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
