/* SPDX-License-Identifier: MIT */
/* Writes to standard error and standard output, within the limits of the run. */
#include "base/diag.h"
#include "base/text.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds that a run whose time is over may still take to write its report. */
#define LAST_WORDS 1

/* How often a write that blocks is interrupted, to check the limits. */
#define TICK_NANOSECONDS 50000000

/* Bytes of the program's name that are shown at most. */
#define NAME_MAXIMUM 256

/* The end of a line that is cut. */
#define CUT "... (%zu bytes more)"
#define CUT_MAXIMUM (sizeof("... (18446744073709551615 bytes more)") - 1)

static const struct limits *limits;

void diag_limit(const struct limits *to)
{
    limits = to;
}

static void interrupt(int number)
{
    (void)number; /* its only effect is that the system call returns */
}

/* While on, a signal interrupts system calls that block: they fail with EINTR, or return early. Not
 * SIGALRM: an alarm(2) may have been set before the program was started. The timer, the program's
 * only one, stays from the first use to its end. */
static void tick(bool on)
{
    static timer_t timer;
    static bool is_there;
    struct sigaction action = {.sa_handler = interrupt};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct timespec interval = {.tv_nsec = on ? TICK_NANOSECONDS : 0};
    struct itimerspec times = {interval, interval};

    sigemptyset(&action.sa_mask);
    if (!is_there && on)
        is_there = sigaction(SIGRTMIN, &action, NULL) == 0 &&
                   timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    if (is_there)
        (void)timer_settime(timer, 0, &times, NULL);
}

/* Returns when the wait for a reader ends: a clock_now() value. */
static int64_t last_moment(void)
{
    int64_t least = clock_after(clock_now(), LAST_WORDS);

    return signals_received() != 0 || limits->end < least ? least : limits->end;
}

/* Returns 0 when the write is to be repeated: after EINTR, and after EAGAIN once the descriptor can
 * be written to. Otherwise the error. */
static int wait_for_reader(int fd, int error)
{
    struct pollfd reader = {.fd = fd, .events = POLLOUT};

    if (error == EAGAIN || error == EWOULDBLOCK)
        return poll(&reader, 1, -1) < 0 && errno != EINTR ? errno : 0;
    return error == EINTR ? 0 : error;
}

/* Without limits, end and signals, how many had arrived before, do not matter. */
static int write_all(int fd, const char *text, size_t length, int64_t end, int signals)
{
    while (length > 0) {
        ssize_t count = write(fd, text, length);
        int error = count < 0 ? wait_for_reader(fd, errno) : 0;

        if (error != 0)
            return error;
        if (count > 0) {
            text += count;
            length -= (size_t)count;
        }
        if (length > 0 && limits != NULL && signals_count() != signals)
            return EINTR;
        if (length > 0 && limits != NULL && clock_now() >= end)
            return ETIMEDOUT;
    }
    return 0;
}

/* Writes to a descriptor, blocking or not. Returns 0 or an errno: ETIMEDOUT for the time, EINTR for
 * a signal. */
static int write_within_limits(int fd, const char *text, size_t length)
{
    sigset_t previous;

    if (limits == NULL)
        return write_all(fd, text, length, 0, 0);
    int64_t end = last_moment();
    int signals = signals_count();
    tick(true);
    (void)sigprocmask(SIG_SETMASK, signals_wait_mask(), &previous);
    int error = write_all(fd, text, length, end, signals);
    (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    tick(false);
    return error;
}

void diag_write(const char *text, size_t length)
{
    static bool is_given_up; /* standard error has no reader */

    if (!is_given_up)
        is_given_up = write_within_limits(STDERR_FILENO, text, length) == ETIMEDOUT;
}

/* Appends the text, cut where it does not fit into a line. */
static void append(UT_string *line, const char *text)
{
    size_t length = strlen(text), start = utstring_len(line);
    size_t room = start + 1 < DIAG_LINE_MAXIMUM ? DIAG_LINE_MAXIMUM - 1 - start : 0;
    size_t taken = text_printable_within(line, text, length, room);

    if (taken == length)
        return;
    line->i = start;
    taken = text_printable_within(line, text, length, room > CUT_MAXIMUM ? room - CUT_MAXIMUM : 0);
    utstring_printf(line, CUT, length - taken);
}

void diag_line(const char *level, const char *format, ...)
{
    UT_string line;
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    utstring_init(&line);
    text_printable_within(&line, program_invocation_short_name,
                          strlen(program_invocation_short_name), NAME_MAXIMUM);
    utstring_bincpy(&line, ": ", 2);
    if (level != NULL)
        utstring_printf(&line, "%s: ", level);
    append(&line, text);
    utstring_bincpy(&line, "\n", 1);
    diag_write(utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
    free(text);
}

bool output_flush(const UT_string *text)
{
    int error = write_within_limits(STDOUT_FILENO, utstring_body(text), utstring_len(text));

    if (error == ETIMEDOUT)
        diag_line("warning", "write to standard output: not read within the time limit");
    else if (error != 0)
        diag_line("warning", "write to standard output: %s", strerror(error));
    return error == 0;
}
