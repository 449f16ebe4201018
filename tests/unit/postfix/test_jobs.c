/* SPDX-License-Identifier: MIT */
/* Jobs: which instances are served, in what order, and how results are described. */
#include "fixture.h"
#include "postfix/jobs.h"

enum { COUNT = 4 };

static struct instance instances[COUNT];
static struct selection_member members[COUNT];
static struct selection selection;
static UT_string log_text;

/* The default instance, one that is enabled, one that is not, one that has failed. */
SETUP(make_selection)
{
    static const enum selection_state states[] = {SELECTION_SERVE, SELECTION_SERVE,
                                                  SELECTION_DISABLED, SELECTION_FAILED};
    static const char *const names[] = {"default", "on", "off", "bad"};

    selection = (struct selection){.members = members, .member_count = COUNT};
    for (size_t i = 0; i < COUNT; i++) {
        instances[i] =
            (struct instance){.config_directory = alloc_string(names[i]), .is_default = i == 0};
        members[i] = (struct selection_member){.instance = &instances[i], .state = states[i]};
    }
    instances[3].error = alloc_string("it is broken");
    utstring_init(&log_text);
}

TEARDOWN(free_selection)
{
    for (size_t i = 0; i < COUNT; i++)
        instance_free(&instances[i]);
    utstring_done(&log_text);
}

static const char *const words[] = {
    [JOB_OK] = "ok", [JOB_FAILED] = "failed", [JOB_DISABLED] = "disabled"};

static void note(void *context, enum process_event event, struct job *job)
{
    (void)context;
    if (event == PROCESS_STARTS)
        utstring_printf(&log_text, "%s starts; ", job->member->instance->config_directory);
    if (event != PROCESS_FINISHED)
        return;
    utstring_printf(&log_text, "%s %s", job->member->instance->config_directory,
                    words[job->status]);
    if (job->child.started != 0)
        utstring_printf(&log_text, " <%s>", utstring_body(&job->child.output.text));
    utstring_printf(&log_text, "%s%s; ", job->reason == NULL ? "" : " ",
                    job->reason == NULL ? "" : job->reason);
}

static struct jobs_spec shell(const char *script, enum job_order order)
{
    static const char *argv[] = {"sh", "-c", NULL, NULL};

    argv[2] = script;
    return (struct jobs_spec){.order = order,
                              .program = "/bin/sh",
                              .argv = (char *const *)(void *)argv,
                              .parallel = 1,
                              .observe = note,
                              .streams = PROCESS_CAPTURE};
}

/* Runs the spec. Returns what is logged, until the next time. */
static const char *run(const struct jobs_spec *spec, const struct limits *limits)
{
    struct jobs jobs;

    utstring_clear(&log_text);
    jobs_plan(&jobs, &selection, spec);
    jobs_run(&jobs, limits);
    jobs_free(&jobs);
    return utstring_body(&log_text);
}

TEST(orders)
{
    static const struct {
        enum job_order order;
        int parallel;
        const char *expected;
    } table[] = {
        {JOB_IN_ORDER, 1,
         "default starts; default ok <default>; on starts; on ok <on>; "
         "off disabled not enabled; bad failed it is broken; "},
        {JOB_IN_ORDER, 4,
         "default starts; on starts; default ok <default>; on ok <on>; "
         "off disabled not enabled; bad failed it is broken; "},
        {JOB_DEFAULT_FIRST, 4,
         "default starts; default ok <default>; on starts; on ok <on>; "
         "off disabled not enabled; bad failed it is broken; "},
        {JOB_DEFAULT_LAST, 4,
         "on starts; default starts; default ok <default>; on ok <on>; "
         "off disabled not enabled; bad failed it is broken; "},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct jobs_spec spec = shell("printf $MAIL_CONFIG", table[i].order);

        spec.parallel = table[i].parallel;
        assert_string_equal(run(&spec, &fixture_no_limits), table[i].expected);
    }
}

/* The results come in the order of the instances: it notes itself that the other one has ended. */
TEST(the_default_instance_waits)
{
    char *script = fixture_fill(
        "[ $MAIL_CONFIG = on ] || exec cat @/ended; sleep 0.2; printf $MAIL_CONFIG >@/ended");
    struct jobs_spec spec = shell(script, JOB_DEFAULT_LAST);

    spec.parallel = 4;
    selection.member_count = 2;
    assert_string_equal(run(&spec, &fixture_no_limits),
                        "on starts; default starts; default ok <on>; on ok <>; ");
    free(script);
}

TEST(not_enabled)
{
    static char shell_name[] = "sh", option[] = "-c", script[] = "printf check";
    char *const check[] = {shell_name, option, script, NULL};
    struct jobs_spec spec = shell("printf start", JOB_DEFAULT_FIRST);

    spec.argv_not_enabled = check;
    selection.member_count = 3;
    assert_string_equal(run(&spec, &fixture_no_limits),
                        "default starts; default ok <start>; on starts; on ok <start>; "
                        "off starts; off ok <check>; ");
}

TEST(reasons)
{
    static const struct {
        const char *script;
        int seconds;
        size_t members;
        const char *expected;
    } table[] = {
        {"exit 3", 60, 1, "default starts; default failed <> exit status 3; "},
        {"kill -9 $$", 60, 1, "default starts; default failed <> killed by signal 9 (Killed); "},
        {"sleep 1000", 1, 2,
         "default starts; default failed <> not finished within 1s; "
         "on failed not started within 1s; "},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct jobs_spec spec = shell(table[i].script, JOB_IN_ORDER);
        struct limits limits = {.end = clock_after(clock_now(), table[i].seconds),
                                .seconds = table[i].seconds};

        selection.member_count = table[i].members;
        assert_string_equal(run(&spec, &limits), table[i].expected);
    }
}
