/* SPDX-License-Identifier: MIT */
/* Questions to child processes, some of which never answer. */
#include "base/worker.h"
#include "fixture.h"
#include <dirent.h>
#include <limits.h>
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
#define MINUTE (60 * CLOCK_SECOND)
static struct worker_task tasks[TASKS];
static struct answer answers[TASKS];
static int lengths[TASKS];
static UT_array *words;

static void forget(void)
{
    if (words != NULL)
        utarray_free(words);
    words = NULL;
}

TEARDOWN(end)
{
    workers_end();
    forget();
}

/* Asks the words, and compares the results: A answered, L late, E ended, R refused, S stopped. */
static void ask_within(const char *list, int parallel, int64_t share, const struct limits *limits,
                       const char *expected)
{
    char results[TASKS + 1] = "";

    forget();
    words = strings_split(list, " ");
    size_t count = utarray_len(words);
    memset(answers, 0, sizeof(answers));
    for (size_t i = 0; i < count; i++) {
        lengths[i] = (int)strlen(strings_item(words, i));
        tasks[i] = (struct worker_task){.work = work,
                                        .path = strings_item(words, i),
                                        .question = &lengths[i],
                                        .length = sizeof(lengths[i]),
                                        .answer = &answers[i],
                                        .size = sizeof(answers[i])};
    }
    workers_run(tasks, count, parallel, share, limits);
    for (size_t i = 0; i < count; i++) {
        results[i] = "ALERS"[tasks[i].result];
        assert_true(tasks[i].fd == -1 || results[i] == 'A');
    }
    assert_string_equal(results, expected);
}

static void ask(const char *list, int parallel, const char *expected)
{
    ask_within(list, parallel, MINUTE, &fixture_no_limits, expected);
}

TEST(questions_are_answered_by_one_process)
{
    ask("one two three", 1, "AAA");
    assert_string_equal(answers[0].text, "one 3");
    assert_string_equal(answers[2].text, "three 5");
    assert_true(answers[0].pid != getpid());
    assert_int_equal(answers[0].pid, answers[2].pid);
    assert_int_equal(tasks[0].fd, -1);
    pid_t first = answers[0].pid;
    ask("one", 1, "A");
    assert_int_equal(answers[0].pid, first);
    workers_end();
    assert_int_equal(kill(first, 0), -1);
}

TEST(several_at_once)
{
    int64_t start = clock_now();

    ask("slow slow slow one", 3, "AAAA");
    assert_true(clock_now() - start < 10 * TENTH); /* one after the other: 12 */
    assert_true(answers[0].pid != answers[1].pid && answers[1].pid != answers[2].pid);
}

/* A worker that does not answer is killed, and the others are not held by it. */
TEST(stopped_ones_are_left_behind)
{
    int64_t start = clock_now();

    ask_within("one stop two stop three", 1, 8 * TENTH, &fixture_no_limits, "ALALA");
    int64_t duration = clock_now() - start;
    assert_string_equal(answers[2].text, "two 3");
    assert_string_equal(answers[4].text, "three 5");
    assert_true(duration >= 8 * TENTH && duration < 15 * TENTH); /* not both limits: 16 */
    assert_true(answers[2].pid != answers[0].pid);
    assert_true(fixture_ends_soon(answers[0].pid));
}

TEST(nobody_waits_for_one_that_cannot_be_ended)
{
    int64_t start = clock_now();

    ask_within("traced one", 1, 3 * TENTH, &fixture_no_limits, "LA");
    assert_true(clock_now() - start < 15 * TENTH); /* it is traced for 20 */
}

TEST(the_run_ends_before_their_time)
{
    struct limits limits = {.end = clock_now() + 3 * TENTH};

    ask_within("one stop stop", 2, MINUTE, &limits, "ASS");
    assert_true(clock_now() - limits.end < 5 * TENTH);
    limits.end = 0;
    ask_within("stop stop", 1, MINUTE, &limits, "SS");
}

/* More tasks than there may be workers, most of which do not answer. */
TEST(more_than_the_most)
{
    char *stops = fixture_repeat("stop ", WORKER_MAXIMUM),
         *late = fixture_repeat("L", WORKER_MAXIMUM);
    char *list = alloc_format("%slast last", stops), *expected = alloc_format("%sAA", late);

    ask_within(list, TASKS, 5 * TENTH, &fixture_no_limits, expected);
    free(list);
    free(expected);
    free(stops);
    free(late);
}

TEST(ending_without_an_answer)
{
    ask("exit one", 1, "EA");
    assert_string_equal(answers[1].text, "one 3");
}

TEST(a_path_that_is_too_long)
{
    char *fits = fixture_repeat("x", PATH_MAX - 1), *list = alloc_format("%s x%s", fits, fits);

    ask(list, 1, "AR");
    assert_string_equal(answers[0].text, "xxxxxxxxxxxxxxxxxxxx 4095");
    assert_int_equal(tasks[1].error, ENAMETOOLONG);
    free(list);
    free(fits);
}

/* One that was killed while idle; the next question finds out. */
TEST(killed_while_idle)
{
    ask("one", 1, "A");
    (void)kill(answers[0].pid, SIGKILL);
    (void)waitid(P_PID, (id_t)answers[0].pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
    ask("one", 1, "E");
    ask("one", 1, "A");
}

TEST(a_descriptor_comes_with_the_answer)
{
    char text[16] = "";

    ask("file", 1, "A");
    assert_int_equal(pread(tasks[0].fd, text, sizeof(text) - 1, 0), 9);
    assert_string_equal(text, "in a file");
    assert_int_equal(fcntl(tasks[0].fd, F_GETFD), FD_CLOEXEC);
    close(tasks[0].fd);
}

/* Whoever waits for the end of a pipe of ours does not wait for a worker that is left behind. */
TEST(descriptors_of_the_program_are_closed)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    ask("descriptors", 1, "A");
    assert_string_equal(answers[0].text, "4"); /* 0 to 2, and the socket */
    fixture_close(ends, 2);
}

TEST(no_descriptor_is_left)
{
    struct rlimit before = fixture_limit_descriptors(3);

    ask("one two", 1, "RR");
    fixture_restore_descriptors(before);
    for (int i = 0; i < 2; i++)
        assert_int_equal(tasks[i].error, EMFILE);
}

/* The worker could open it, and remains. */
TEST(no_descriptor_is_left_for_the_answer)
{
    int fds[64];

    ask("one", 1, "A");
    pid_t worker = answers[0].pid;
    struct rlimit before = fixture_limit_descriptors(50);
    size_t count = fixture_take_descriptors(fds);
    ask("file", 1, "R");
    fixture_restore_descriptors(before);
    fixture_close(fds, count);
    assert_int_equal(tasks[0].error, EMFILE);
    ask("one", 1, "A");
    assert_int_equal(answers[0].pid, worker);
}

/* ppoll(2) refuses more entries than there may be descriptors. */
TEST(fewer_descriptors_than_workers)
{
    struct rlimit before = fixture_limit_descriptors(40);

    ask_within("one slow", 2, CLOCK_SECOND * 2, &fixture_no_limits, "AA");
    fixture_restore_descriptors(before);
}

/* A program that is killed leaves no worker that waits for questions, or works. */
TEST(workers_end_with_the_program)
{
    int ends[2];
    pid_t left;

    assert_int_equal(pipe(ends), 0);
    pid_t program = fork();
    if (program == 0) {
        ask("one", 1, "A");
        (void)!write(ends[1], &answers[0].pid, sizeof(pid_t));
        ask("stop", 1, "A");
        _exit(0);
    }
    assert_int_equal(read(ends[0], &left, sizeof(left)), sizeof(left));
    usleep(100000);
    fixture_kill(program);
    assert_true(fixture_ends_soon(left));
    fixture_close(ends, 2);
}
