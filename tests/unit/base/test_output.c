/* SPDX-License-Identifier: MIT */
/* Standard output: written wholly, or a word why not. */
#include "base/descriptors.h"
#include "base/diag.h"
#include "base/signals.h"
#include "fixture.h"

static void flush_to_nobody(void)
{
    UT_string out;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    utstring_init(&out);
    bool empty = output_flush(&out);
    (void)dup2(full, STDOUT_FILENO);
    utstring_printf(&out, "x");
    bool written = output_flush(&out);
    _exit(empty && !written ? 7 : 8);
}

static void flush(void)
{
    UT_string out;

    utstring_init(&out);
    utstring_bincpy(&out, "a\0b", 3);
    (void)output_flush(&out);
}

TEST(flush)
{
    struct fixture_result full = fixture_run(flush_to_nobody, STDERR_FILENO);
    struct fixture_result well = fixture_run(flush, STDOUT_FILENO);

    assert_int_equal(WEXITSTATUS(full.status), 7);
    assert_string_equal(full.text,
                        "postkick: warning: write to standard output: No space left on device\n");
    assert_memory_equal(well.text, "a\0b", 4);
}

/* A pipe that is full; its writing end. */
static int full_pipe(bool blocking)
{
    char page[4096] = {0};
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(ends[1], page, sizeof(page)) > 0)
        ;
    if (blocking)
        assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    return ends[1]; /* the reading end stays open for the rest of the test */
}

TEST(nobody_reads)
{
    struct limits limits = fixture_no_limits;

    signals_start();
    descriptors_limit_writing(&limits);
    for (int blocking = 0; blocking <= 1; blocking++) {
        int fd = full_pipe(blocking != 0);
        int64_t started = clock_now();

        limits.end = started - CLOCK_SECOND; /* over: it has one second for its last words */
        assert_int_equal(descriptors_write(fd, "x", 1), ETIMEDOUT);
        assert_true(clock_now() - started >= CLOCK_SECOND);
        close(fd);
    }
    descriptors_limit_writing(NULL);
}

static volatile sig_atomic_t came, count;

static void note(int number)
{
    came = number;
    count++;
}

TEST(a_signal_ends_it)
{
    struct sigaction action = {.sa_handler = note};
    struct limits limits = {.end = CLOCK_NEVER, .interrupted = &came, .interruptions = &count};

    signals_start();
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    descriptors_limit_writing(&limits);
    (void)alarm(1);
    assert_int_equal(descriptors_write(full_pipe(true), "x", 1), EINTR);
    assert_int_equal(came, SIGALRM);
    descriptors_limit_writing(NULL);
}
