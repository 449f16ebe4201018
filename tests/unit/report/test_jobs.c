/* SPDX-License-Identifier: MIT */
/* What is reported of jobs: rows of JSON, the plan, the summary. */
#include "fixture.h"
#include "report/jobs.h"
#include <sys/file.h>

static struct instance instance;
static struct selection_member member;
static struct selection selection;
static struct jobs_spec spec;
static struct job job;
static struct jobs jobs = {.items = &job, .count = 1, .spec = &spec};
static struct jobs_report report;

SETUP(make_job)
{
    static char program[] = "/bin/x", word[] = "it's";
    static char *const argv[] = {program, word, NULL};

    instance =
        (struct instance){.config_directory = alloc_string("/etc/a"), .enabled = INSTANCE_ENABLED};
    member = (struct selection_member){.instance = &instance};
    selection = (struct selection){.members = &member, .member_count = 1};
    spec = (struct jobs_spec){.program = program, .parallel = 1};
    job = (struct job){.member = &member,
                       .argv = argv,
                       .spec = &spec,
                       .child = {.program = program,
                                 .outcome = PROCESS_ENDED,
                                 .exit_status = 3,
                                 .started = 1000000,
                                 .finished = 3500000,
                                 .output = {.file = -1, .fd = -1},
                                 .errors = {.file = -1, .fd = -1}},
                       .status = JOB_FAILED,
                       .reason = alloc_string("exit status 3")};
    utstring_init(&job.child.output.text);
    utstring_init(&job.child.errors.text);
    utstring_printf(&job.child.output.text, "\377out\n");
    utstring_printf(&job.child.errors.text, "err");
    job.child.output.length = utstring_len(&job.child.output.text);
    job.child.errors.length = utstring_len(&job.child.errors.text);
    report =
        (struct jobs_report){.selection = &selection, .jobs = &jobs, .limits = &fixture_no_limits};
    report_jobs_start(&report, &spec);
}

TEARDOWN(free_job)
{
    report_jobs_end(&report);
    process_free(&job.child);
    free(job.reason);
    instance_free(&instance);
}

static void report_all(void)
{
    spec.observe(&report, PROCESS_FINISHED, &job);
    report_jobs(&report);
}

static void assert_output(void (*function)(void), const char *expected)
{
    struct fixture_result output = fixture_run(function, STDOUT_FILENO);

    assert_string_equal(output.text, expected);
}

#define INSTANCE                                                                                   \
    "{\"name\": \"-\", \"group\": \"-\", \"enabled\": \"y\", \"config_directory\": \"/etc/a\", "   \
    "\"queue_directory\": \"\", \"data_directory\": \"\", \"running\": \"-\", "                    \
    "\"identity\": \"none\", \"conflicts\": [], "
#define COMMAND "\"command\": [\"/bin/x\", \"it's\"], "

TEST(json)
{
    report.json = true;
    assert_output(report_all, INSTANCE COMMAND
                  "\"exit_status\": 3, \"signal\": 0, \"stdout\": \"\\uFFFDout\\n\", "
                  "\"stderr\": \"err\", \"seconds\": 2.5, \"status\": \"failed\", \"reason\": "
                  "\"exit status 3\"}\n");
    process_free(&job.child); /* not run */
    job.child = (struct process){0};
    assert_output(report_all, INSTANCE COMMAND
                  "\"exit_status\": -1, \"signal\": 0, \"stdout\": \"\", \"stderr\": \"\", "
                  "\"seconds\": 0.0, "
                  "\"status\": \"failed\", \"reason\": \"exit status 3\"}\n");
}

/* Before and after the instance starts, and once more where commands start it. */
static void report_thrice(void)
{
    int lock = open(fixture_file("pid/master.pid", ""), O_RDWR | O_CLOEXEC);

    spec.observe(&report, PROCESS_FINISHED, &job);
    (void)flock(lock, LOCK_EX);
    spec.observe(&report, PROCESS_FINISHED, &job);
    report.changes_running = true;
    spec.observe(&report, PROCESS_FINISHED, &job);
}

/* Locks are looked up once in a run, unless commands change them. */
TEST(running)
{
    (void)fixture_directory("pid");
    instance.values[PARAMETER_QUEUE_DIRECTORY] = alloc_string(fixture_root);
    report.json = true;
    struct fixture_result rows = fixture_run(report_thrice, STDOUT_FILENO);
    const char *found = strstr(rows.text, "\"running\": \"y\"");
    assert_non_null(found);
    assert_ptr_equal(strchr(found, '\n'), strrchr(rows.text, '\n')); /* in the last row only */
}

TEST(plan)
{
    report.dry_run = true;
    process_free(&job.child); /* not run yet */
    job.status = JOB_PLANNED;
    assert_output(report_all, "/etc/a: run /bin/x 'it'\\''s'\n");
}

TEST(streams)
{
    fixture_assert_errors(report_all, "==> /etc/a <==\nerr\n"
                                      "postkick: warning: /etc/a: exit status 3\n");
    assert_output(report_all, "\377out\n");
}

/* Those that were not to be run do not count; an instance that a restart did not reach does. */
TEST(success)
{
    static const bool is_well[] = {
        [JOB_OK] = true,        [JOB_FAILED] = false, [JOB_DISABLED] = true,
        [JOB_DUPLICATE] = true, [JOB_PLANNED] = true, [JOB_UNTOUCHED] = false};

    report.quiet = true;
    for (size_t i = 0; i < COUNT(is_well); i++) {
        job.status = (enum job_status)i;
        assert_int_equal(report_jobs(&report), is_well[i]);
    }
    report.failed = true;
    assert_false(report_jobs(&report));
}
