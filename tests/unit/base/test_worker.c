/* SPDX-License-Identifier: MIT */
/* Questions to child processes, some of which never answer. */
#include "base/worker.h"
#include "fixture.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#define TENTH (CLOCK_SECOND / 10)

struct answer {
    pid_t pid;
    char text[32];
};

static void list_descriptors(char *text, size_t size)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory);
    if (directory != NULL)
        closedir(directory);
    (void)snprintf(text, size, "%d", count);
}

static int pass_file(void)
{
    int fd = memfd_create("passed", MFD_CLOEXEC);

    (void)!pwrite(fd, "in a file", 9, 0);
    return fd;
}

/* While another process traces this one, it cannot be waited for, even when it has been killed. */
static void be_traced(void)
{
    pid_t self = getpid();

    if (fork() == 0) {
        (void)prctl(PR_SET_PDEATHSIG, 0);
        (void)ptrace(PTRACE_SEIZE, self, NULL, NULL);
        usleep(2000000);
        _exit(0);
    }
    for (;;)
        (void)pause();
}

/* The question says what is to happen. */
static int work(const char *word, const void *question, void *place)
{
    struct answer *answer = place;

    answer->pid = getpid();
    if (strcmp(word, "stop") == 0) /* no signal but SIGKILL helps, as in an uninterruptible wait */
        (void)raise(SIGSTOP);
    if (strcmp(word, "traced") == 0)
        be_traced();
    if (strcmp(word, "exit") == 0)
        _exit(3);
    if (strcmp(word, "slow") == 0)
        usleep(400000);
    if (strcmp(word, "descriptors") == 0)
        list_descriptors(answer->text, sizeof(answer->text));
    else
        (void)snprintf(answer->text, sizeof(answer->text), "%.20s %d", word,
                       *(const int *)question);
    return strcmp(word, "file") == 0 ? pass_file() : -1;
}

#define TASKS 80
static struct worker_task tasks[TASKS];
static struct answer answers[TASKS];
static int lengths[TASKS];

SETUP(start)
{
    memset(tasks, 0, sizeof(tasks));
    memset(answers, 0, sizeof(answers));
}

TEARDOWN(end)
{
    workers_end();
}

static void ask(const char *const *words, size_t count, int parallel, int64_t share,
                const struct limits *limits)
{
    for (size_t i = 0; i < count; i++) {
        lengths[i] = (int)strlen(words[i]);
        tasks[i] = (struct worker_task){.work = work,
                                        .path = words[i],
                                        .question = &lengths[i],
                                        .length = sizeof(lengths[i]),
                                        .answer = &answers[i],
                                        .size = sizeof(answers[i])};
    }
    workers_run(tasks, count, parallel, share, limits);
}

TEST(questions_are_answered_by_one_process)
{
    static const char *const words[] = {"one", "two", "three"};

    ask(words, 3, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_string_equal(answers[0].text, "one 3");
    assert_string_equal(answers[2].text, "three 5");
    assert_true(answers[0].pid != getpid());
    assert_int_equal(answers[0].pid, answers[2].pid);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tasks[i].result, WORKER_ANSWERED);
        assert_int_equal(tasks[i].fd, -1);
    }
    pid_t first = answers[0].pid;
    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(answers[0].pid, first);
    workers_end();
    assert_int_equal(kill(first, 0), -1);
}

TEST(several_at_once)
{
    static const char *const words[] = {"slow", "slow", "slow", "one"};
    int64_t start = clock_now();

    ask(words, 4, 3, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_true(clock_now() - start < 10 * TENTH); /* one after the other: 12 */
    assert_true(answers[0].pid != answers[1].pid && answers[1].pid != answers[2].pid);
}

/* A worker that does not answer is killed, and the others are not held by it. */
TEST(stopped_ones_are_left_behind)
{
    static const char *const words[] = {"one", "stop", "two", "stop", "three"};
    int64_t start = clock_now();

    ask(words, 5, 1, 8 * TENTH, &fixture_no_limits);
    int64_t duration = clock_now() - start;
    assert_int_equal(tasks[1].result, WORKER_LATE);
    assert_int_equal(tasks[3].result, WORKER_LATE);
    assert_string_equal(answers[2].text, "two 3");
    assert_string_equal(answers[4].text, "three 5");
    assert_true(duration >= 8 * TENTH && duration < 15 * TENTH); /* not both limits: 16 */
    assert_true(answers[2].pid != answers[0].pid);
    assert_true(fixture_ends_soon(answers[0].pid));
}

TEST(nobody_waits_for_one_that_cannot_be_ended)
{
    static const char *const words[] = {"traced", "one"};
    int64_t start = clock_now();

    ask(words, 2, 1, 3 * TENTH, &fixture_no_limits);
    assert_int_equal(tasks[0].result, WORKER_LATE);
    assert_int_equal(tasks[1].result, WORKER_ANSWERED);
    assert_true(clock_now() - start < 15 * TENTH); /* it is traced for 20 */
}

TEST(the_run_ends_before_their_time)
{
    static const char *const words[] = {"one", "stop", "stop"};
    struct limits limits = {.end = clock_now() + 3 * TENTH};

    ask(words, 3, 2, CLOCK_SECOND * 60, &limits);
    assert_int_equal(tasks[0].result, WORKER_ANSWERED);
    assert_int_equal(tasks[1].result, WORKER_STOPPED);
    assert_int_equal(tasks[2].result, WORKER_STOPPED);
    assert_true(clock_now() - limits.end < 5 * TENTH);
    limits.end = 0;
    ask(words, 2, 1, CLOCK_SECOND * 60, &limits);
    assert_int_equal(tasks[1].result, WORKER_STOPPED);
    assert_int_equal(tasks[1].fd, -1);
}

/* More tasks than there may be workers, none of which answers. */
TEST(more_than_the_most)
{
    const char *words[TASKS];

    for (int i = 0; i < TASKS; i++)
        words[i] = i < WORKER_MAXIMUM ? "stop" : "last";
    ask(words, TASKS, TASKS, 5 * TENTH, &fixture_no_limits);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(tasks[i].result, i < WORKER_MAXIMUM ? WORKER_LATE : WORKER_ANSWERED);
}

TEST(ending_without_an_answer)
{
    static const char *const words[] = {"exit", "one"};

    ask(words, 2, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(tasks[0].result, WORKER_ENDED);
    assert_string_equal(answers[1].text, "one 3");
}

TEST(a_path_that_is_too_long)
{
    static char longest[PATH_MAX + 1];
    const char *words[] = {longest + 1, longest};

    memset(longest, 'x', sizeof(longest) - 1);
    ask(words, 2, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_string_equal(answers[0].text, "xxxxxxxxxxxxxxxxxxxx 4095");
    assert_int_equal(tasks[1].result, WORKER_REFUSED);
    assert_int_equal(tasks[1].error, ENAMETOOLONG);
}

/* One that was killed while idle; the next question finds out. */
TEST(killed_while_idle)
{
    static const char *const words[] = {"one"};

    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    (void)kill(answers[0].pid, SIGKILL);
    (void)waitid(P_PID, (id_t)answers[0].pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(tasks[0].result, WORKER_ENDED);
    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(tasks[0].result, WORKER_ANSWERED);
}

TEST(a_descriptor_comes_with_the_answer)
{
    static const char *const words[] = {"file"};
    char text[16] = "";

    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(pread(tasks[0].fd, text, sizeof(text) - 1, 0), 9);
    assert_string_equal(text, "in a file");
    assert_int_equal(fcntl(tasks[0].fd, F_GETFD), FD_CLOEXEC);
    close(tasks[0].fd);
}

/* Whoever waits for the end of a pipe of ours does not wait for a worker that is left behind. */
TEST(descriptors_of_the_program_are_closed)
{
    static const char *const words[] = {"descriptors"};
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_string_equal(answers[0].text, "4"); /* 0 to 2, and the socket */
    close(ends[0]);
    close(ends[1]);
}

TEST(no_descriptor_is_left)
{
    static const char *const words[] = {"one", "two"};
    struct rlimit before = fixture_limit_descriptors(3);

    ask(words, 2, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    fixture_restore_descriptors(before);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tasks[i].result, WORKER_REFUSED);
        assert_int_equal(tasks[i].error, EMFILE);
    }
}

/* The worker could open it, and remains. */
TEST(no_descriptor_is_left_for_the_answer)
{
    static const char *const words[] = {"one", "file"};
    int fds[64];

    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    pid_t worker = answers[0].pid;
    struct rlimit before = fixture_limit_descriptors(50);
    size_t count = fixture_take_descriptors(fds);
    ask(words + 1, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    fixture_restore_descriptors(before);
    fixture_close(fds, count);
    assert_int_equal(tasks[0].result, WORKER_REFUSED);
    assert_int_equal(tasks[0].error, EMFILE);
    assert_int_equal(tasks[0].fd, -1);
    ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
    assert_int_equal(tasks[0].result, WORKER_ANSWERED);
    assert_int_equal(answers[0].pid, worker);
}

/* ppoll(2) refuses more entries than there may be descriptors. */
TEST(fewer_descriptors_than_workers)
{
    static const char *const words[] = {"one", "slow"};
    struct rlimit before = fixture_limit_descriptors(40);

    ask(words, 2, 2, CLOCK_SECOND * 2, &fixture_no_limits);
    fixture_restore_descriptors(before);
    assert_int_equal(tasks[0].result, WORKER_ANSWERED);
    assert_int_equal(tasks[1].result, WORKER_ANSWERED);
}

/* A program that is killed leaves no worker that waits for questions, or works. */
TEST(workers_end_with_the_program)
{
    static const char *const words[] = {"one", "stop"};
    int ends[2];
    pid_t left;

    assert_int_equal(pipe(ends), 0);
    pid_t program = fork();
    if (program == 0) {
        ask(words, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
        (void)!write(ends[1], &answers[0].pid, sizeof(pid_t));
        ask(words + 1, 1, 1, CLOCK_SECOND * 60, &fixture_no_limits);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &left, sizeof(left)), sizeof(left));
    usleep(100000);
    (void)kill(program, SIGKILL);
    assert_int_equal(waitpid(program, NULL, 0), program);
    assert_true(fixture_ends_soon(left));
    close(ends[0]);
    close(ends[1]);
}
