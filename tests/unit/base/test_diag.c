/* SPDX-License-Identifier: MIT */
/* The lines for people, and standard output: written wholly, or a word why not. */
#include "base/diag.h"
#include "fixture.h"
#include <poll.h>
#include <sys/time.h>

static char odd_name[] = "odd\tname";

static void write_lines(void)
{
    diag_line(NULL, "info 1");
    diag_line("warning", "hm: %s", "a\nb\x1b");
    diag_line("fatal", "%s", "100% as it stands %s");
    program_invocation_short_name = odd_name;
    diag_line(NULL, "%s", "");
}

TEST(lines)
{
    fixture_assert_errors(write_lines, "postkick: info 1\n"
                                       "postkick: warning: hm: a\\012b\\033\n"
                                       "postkick: fatal: 100% as it stands %s\n"
                                       "odd\\011name: \n");
}

static void write_long(void)
{
    char text[6000];

    memset(text, 'x', 5000);
    memset(text + 5000, 0, 1000);
    diag_line("warning", "%s", text);
    memset(text, 0x1b, 5000);
    diag_line(NULL, "%s", text);
    memset(text, 'x', 4085);
    text[4085] = '\0';
    diag_line(NULL, "%s", text); /* just fits */
}

TEST(a_long_line_is_cut)
{
    struct fixture_result result = fixture_run(write_long, STDERR_FILENO);
    const char *first = strchr(result.text, '\n'), *second = strchr(first + 1, '\n');

    assert_true(first - result.text < 4096);
    assert_non_null(strstr(result.text, "xxx... (961 bytes more)\n"));
    assert_true(second - first <= 4096);
    assert_non_null(strstr(first, "\\033\\033... ("));
    assert_int_equal(strlen(second + 1), 4096);
    assert_null(strstr(second + 1, "more"));
}

/* Writes to what standard output is now. Returns what output_flush() does. */
static bool flush(const char *text, size_t length)
{
    UT_string out;

    utstring_init(&out);
    utstring_bincpy(&out, text, length);
    bool written = output_flush(&out);
    utstring_done(&out);
    return written;
}

static void write_after_progress(void)
{
    diag_progress("1 of 2", 6);
    diag_progress("2 of 2", 6);
    diag_line(NULL, "a");
    diag_line(NULL, "b");
    diag_progress("last", 4);
    (void)flush("", 0);
    diag_progress("", 0);
    diag_progress("", 0);
}

/* Whatever is written next takes the place of the line of progress, once. */
TEST(progress)
{
    fixture_assert_errors(write_after_progress, "\r\033[K1 of 2\r\033[K2 of 2"
                                                "\r\033[Kpostkick: a\npostkick: b\n"
                                                "\r\033[Klast\r\033[K");
}

static void flush_nothing_and_to_nobody(void)
{
    bool empty = flush("", 0);

    (void)dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    _exit(empty && !flush("x", 1) ? 7 : 8);
}

static void flush_bytes(void)
{
    (void)flush("a\0b", 3);
}

TEST(output)
{
    struct fixture_result full = fixture_run(flush_nothing_and_to_nobody, STDERR_FILENO);
    struct fixture_result well = fixture_run(flush_bytes, STDOUT_FILENO);

    assert_int_equal(WEXITSTATUS(full.status), 7);
    assert_string_equal(full.text,
                        "postkick: warning: write to standard output: No space left on device\n");
    assert_memory_equal(well.text, "a\0b", 4);
}

/* Who opens the master side again has another terminal. */
static void flush_to_master_side(void)
{
    char read_there[2] = "";
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)grantpt(master);
    (void)unlockpt(master);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)dup2(master, STDOUT_FILENO);
    bool is_written = flush("x\n", 2);
    struct pollfd input = {.fd = terminal, .events = POLLIN};
    (void)poll(&input, 1, 1000);
    _exit(is_written && input.revents == POLLIN && read(terminal, read_there, 2) == 2 &&
                  memcmp(read_there, "x\n", 2) == 0
              ? 0
              : 1);
}

TEST(master_side_of_a_terminal)
{
    assert_int_equal(fixture_run(flush_to_master_side, STDERR_FILENO).status, 0);
}

/* Makes standard output, or standard error, a pipe that is full, and that nobody reads. */
static void fill_pipe(int stream, bool blocking)
{
    char page[4096] = {0};
    int ends[2];

    (void)!pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    while (write(ends[1], page, sizeof(page)) > 0)
        ;
    if (blocking)
        (void)fcntl(ends[1], F_SETFL, 0);
    (void)dup2(ends[1], stream);
}

/* A run that ends in so many microseconds, and is not interrupted. */
static struct limits *begin(int64_t left)
{
    static struct limits limits;

    signals_start();
    limits.end = clock_now() + left;
    limits_of_run = &limits;
    return &limits;
}

static bool is_blocking;

/* Its time is over: it has one second for its last words. After that nothing is interrupted. */
static void flush_late(void)
{
    const struct limits *limits = begin(0);

    fill_pipe(STDOUT_FILENO, is_blocking);
    bool failed = !flush("x", 1) && clock_now() >= clock_after(limits->end, 1);
    bool is_interrupted = poll(NULL, 0, 100) < 0;
    _exit(failed && !is_interrupted ? 0 : 1);
}

/* Makes standard output a pipe of one page, from which a process reads pages, one each time so many
 * microseconds have passed, after a first pause. */
static void read_slowly(unsigned first, unsigned pause)
{
    char page[4096];
    int ends[2];

    (void)!pipe2(ends, O_CLOEXEC);
    (void)fcntl(ends[1], F_SETPIPE_SZ, sizeof(page));
    (void)dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    if (fork() == 0) {
        close(STDOUT_FILENO);
        (void)usleep(first);
        while (read(ends[0], page, sizeof(page)) > 0)
            (void)usleep(pause);
        _exit(0);
    }
    close(ends[0]);
}

/* The time left after the end is one second for all writes together. */
static void flush_to_slow_reader(void)
{
    static char page[4096];
    const struct limits *limits = begin(CLOCK_SECOND);
    int count = 0;

    read_slowly(0, 300000);
    while (count < 100 && flush(page, sizeof(page)))
        count++;
    /* some were read, and a reader as slow as this would have taken half a minute for all */
    _exit(count >= 2 && clock_now() < clock_after(limits->end, 10) ? 0 : 1);
}

TEST(nobody_reads)
{
    static const char expected[] =
        "postkick: warning: write to standard output: not read within the time limit\n";

    fixture_assert_errors(flush_late, expected);
    is_blocking = true;
    fixture_assert_errors(flush_late, expected);
    fixture_assert_errors(flush_to_slow_reader, expected);
}

/* After a timeout, nothing more is written to standard error. The second was over before. */
static void write_late(void)
{
    int64_t started = clock_now();

    (void)begin(-CLOCK_SECOND);
    fill_pipe(STDERR_FILENO, true);
    for (int i = 0; i < 5; i++)
        diag_line(NULL, "nobody reads this");
    _exit(clock_now() - started < CLOCK_SECOND ? 0 : 1);
}

TEST(nobody_reads_errors)
{
    assert_int_equal(fixture_run(write_late, STDOUT_FILENO).status, 0);
}

static void terminate(int number)
{
    (void)number;
    (void)raise(SIGTERM);
}

/* SIGTERM arrives after so many microseconds. */
static void interrupt_after(int microseconds)
{
    const struct itimerval soon = {.it_value.tv_usec = microseconds};

    begin(0)->end = CLOCK_NEVER;
    signals_catch();
    (void)signal(SIGALRM, terminate);
    (void)setitimer(ITIMER_REAL, &soon, NULL);
}

static void flush_until_a_signal(void)
{
    interrupt_after(300000);
    fill_pipe(STDOUT_FILENO, true);
    _exit(flush("x", 1) || signals_received() != SIGTERM ? 1 : 0);
}

/* A row is not cut by the signal itself. */
static void flush_while_a_signal_arrives(void)
{
    static char text[65536];

    read_slowly(200000, 0);
    interrupt_after(50000);
    _exit(flush(text, sizeof(text)) && signals_received() == SIGTERM ? 0 : 1);
}

TEST(a_signal)
{
    assert_int_equal(fixture_run(flush_while_a_signal_arrives, STDERR_FILENO).status, 0);
    fixture_assert_errors(flush_until_a_signal, "postkick: warning: write to standard output: "
                                                "Interrupted system call\n");
}
