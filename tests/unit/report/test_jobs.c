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

static struct jobs jobs = {.items = &job, .count = 1};
static struct jobs_report report = {.selection = &selection, .jobs = &jobs};

static void report_all(void)
{
    report_job_event(&report, PROCESS_FINISHED, &job);
    report_jobs(&report);
}

static void assert_output(void (*function)(void), const char *expected)
{
    struct fixture_result output = fixture_run(function, STDOUT_FILENO);

    assert_string_equal(output.text, expected);
}

#define INSTANCE                                                                                   \
    "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": \"/etc/a\", "   \
    "\"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"-\", "
#define COMMAND "\"command\": [\"/bin/x\", \"it's\"], "

TEST(json)
{
    report.locks = master_locks_new(&fixture_no_limits);
    report.json = true;
    assert_output(report_all, INSTANCE COMMAND
                  "\"exit_status\": 3, \"signal\": 0, \"stdout\": \"\\uFFFDout\\n\", "
                  "\"stderr\": \"err\", \"stdout_truncated\": false, \"stderr_truncated\": true, "
                  "\"seconds\": 2.5, \"status\": \"failed\", \"reason\": \"exit status 3\"}\n");
    job.child = NULL; /* not run */
    assert_output(report_all, INSTANCE COMMAND
                  "\"exit_status\": -1, \"signal\": 0, \"stdout\": \"\", \"stderr\": \"\", "
                  "\"stdout_truncated\": false, \"stderr_truncated\": false, \"seconds\": 0.0, "
                  "\"status\": \"failed\", \"reason\": \"exit status 3\"}\n");
    report.json = false;
    master_locks_free(report.locks);
}

static void report_plan(void)
{
    report_jobs_plan(&report);
}

TEST(plan)
{
    job.status = JOB_PLANNED;
    assert_output(report_plan, "/etc/a: run /bin/x 'it'\\''s'\n");
}

TEST(streams)
{
    fixture_assert_errors(report_all,
                          "==> /etc/a <==\nerr\n"
                          "postkick: warning: /etc/a: exit status 3\n"
                          "postkick: warning: /etc/a: standard error after the first 1048576 bytes "
                          "was dropped: run it without -P and -j\n");
    assert_output(report_all, "\377out\n");
}
