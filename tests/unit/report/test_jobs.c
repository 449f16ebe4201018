/* SPDX-License-Identifier: MIT */
/* What is reported of jobs: rows of JSON, the plan, the summary. */
#include "fixture.h"
#include "report/jobs.h"

static struct instance instance;
static struct selection_member member;
static struct selection selection;
static struct process child;
static struct job job;

SETUP(make_job)
{
    static char program[] = "/bin/x", word[] = "it's";
    static char *const argv[] = {program, word, NULL};

    instance =
        (struct instance){.config_directory = alloc_string("/etc/a"), .enabled = INSTANCE_ENABLED};
    member = (struct selection_member){.instance = &instance};
    selection = (struct selection){.members = &member, .member_count = 1};
    child = (struct process){.program = program,
                             .outcome = PROCESS_ENDED,
                             .exit_status = 3,
                             .started = 1000000,
                             .finished = 3500000};
    utstring_init(&child.output.text);
    utstring_init(&child.errors.text);
    utstring_printf(&child.output.text, "\377out\n");
    utstring_printf(&child.errors.text, "err");
    child.errors.truncated = true;
    job = (struct job){.member = &member,
                       .argv = argv,
                       .child = &child,
                       .status = JOB_FAILED,
                       .reason = alloc_string("exit status 3")};
}

TEARDOWN(free_job)
{
    process_free(&child);
    free(job.reason);
    instance_free(&instance);
}

TEST(json)
{
    UT_string out;

    utstring_init(&out);
    report_job_json(&job, &out);
    static const char expected[] =
        "\"command\": [\"/bin/x\", \"it's\"], \"exit_status\": 3, \"signal\": 0, "
        "\"stdout\": \"\\uFFFDout\\n\", \"stderr\": \"err\", \"stdout_truncated\": false, "
        "\"stderr_truncated\": true, \"seconds\": 2.5, \"status\": \"failed\", "
        "\"reason\": \"exit status 3\"}\n";
    const char *found = strstr(utstring_body(&out), "\"command\"");
    assert_non_null(found);
    assert_string_equal(found, expected);
    utstring_clear(&out);
    job.child = NULL; /* not run */
    report_job_json(&job, &out);
    assert_non_null(strstr(utstring_body(&out), "\"exit_status\": -1, \"signal\": 0, \"stdout\": "
                                                "\"\", \"stderr\": \"\""));
    utstring_done(&out);
}

TEST(plan)
{
    struct jobs jobs = {.items = &job, .count = 1};
    UT_string out;

    utstring_init(&out);
    job.status = JOB_PLANNED;
    report_jobs_plan(&jobs, &out);
    assert_string_equal(utstring_body(&out), "/etc/a: run /bin/x 'it'\\''s'\n");
    utstring_done(&out);
}

static void report_all(void)
{
    struct jobs jobs = {.items = &job, .count = 1};
    bool failed = false;

    report_job_output(&selection, &job, &failed);
    report_jobs(&selection, &jobs, 0);
}

TEST(streams)
{
    struct fixture_result errors = fixture_run(report_all, STDERR_FILENO);
    assert_string_equal(errors.text,
                        "==> /etc/a <==\nerr\n"
                        "postkick: warning: /etc/a: exit status 3\n"
                        "postkick: warning: /etc/a: standard error after the first 1048576 bytes "
                        "was dropped: run it without -P and -j\n");
    struct fixture_result output = fixture_run(report_all, STDOUT_FILENO);
    assert_string_equal(output.text, "\377out\n");
}
