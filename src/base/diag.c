/* SPDX-License-Identifier: MIT */
/* Writes to standard error and standard output, within the limits of the run. */
#include "base/diag.h"
#include "base/descriptors.h"
#include "base/limits.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Bytes of the program's name that are shown at most. */
#define NAME_MAXIMUM 256

/* The end of a line that is cut. */
#define CUT "... (%zu bytes more)"
#define CUT_MAXIMUM (sizeof("... (18446744073709551615 bytes more)") - 1)

/* Even where the end of the run was late. */
#define LEAST_PATIENCE (CLOCK_SECOND / 10)

/* Moves to the first column, and erases the line. */
#define CLEAR "\r\033[K"

/* The device of every master side of a terminal, in Linux's list of devices. */
#define TERMINAL_MASTER makedev(5, 2)

/* Returns how long a run may still wait for its readers, for all writing together, in microseconds:
 * a second after a signal, and what is left of the second after the end of its time. */
static int64_t last_patience(const struct limits *limits, int64_t now)
{
    int64_t left = signals_received() != 0 ? CLOCK_SECOND : limits->end + CLOCK_SECOND - now;

    return left > LEAST_PATIENCE ? left : LEAST_PATIENCE;
}

/* Waits until the descriptor can be written to. Returns 0, also after a signal; ETIMEDOUT, or
 * another errno. */
static int wait_for_reader(int fd)
{
    static int64_t patience = CLOCK_NEVER;
    const struct limits *limits = limits_of_run;
    struct pollfd reader = {.fd = fd, .events = POLLOUT};
    bool is_over = limits != NULL && limits_reached(limits);
    int64_t now = clock_now();

    if (is_over && patience == CLOCK_NEVER)
        patience = last_patience(limits, now);
    int64_t until = limits == NULL ? CLOCK_NEVER : is_over ? now + patience : limits->end;

    if (is_over && patience <= 0)
        return signals_received() != 0 ? EINTR : ETIMEDOUT;
    int error = signals_poll(&reader, 1, until) < 0 && errno != EINTR ? errno : 0;
    if (is_over)
        patience -= clock_now() - now;
    return error;
}

/* Opens a pipe or a terminal again, to write without blocking although the descriptor blocks, and
 * others who have it may want that. Not the master side of a terminal, which would be another.
 * Returns -1 for anything else. */
static int open_again(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0 ||
        (!S_ISFIFO(status.st_mode) && (isatty(fd) != 1 || status.st_rdev == TERMINAL_MASTER)))
        return -1;
    return descriptors_reopen(fd, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Writes to a descriptor, blocking or not, within the limits. Returns 0 or an errno, as
 * wait_for_reader() does. A descriptor that may block does so for more than PIPE_BUF bytes, even if
 * there is room for some. */
static int write_all(int fd, const char *text, size_t length)
{
    int again = open_again(fd), error = 0;
    size_t most = again < 0 ? PIPE_BUF : SIZE_MAX;

    while (error == 0 && length > 0) {
        error = again < 0 ? wait_for_reader(fd) : 0;
        ssize_t count = 0;

        if (error == 0)
            count = write(again < 0 ? fd : again, text, length < most ? length : most);
        if (count > 0) {
            text += count;
            length -= (size_t)count;
        } else if (count < 0 && errno == EAGAIN) {
            error = wait_for_reader(fd);
        } else if (count < 0 && errno != EINTR) {
            error = errno;
        }
    }
    descriptors_close(&again);
    return error;
}

static bool shows_progress;

static void write_error(const char *text, size_t length)
{
    static bool is_given_up; /* standard error has no reader */

    if (!is_given_up)
        is_given_up = write_all(STDERR_FILENO, text, length) == ETIMEDOUT;
}

void diag_progress(const char *text, size_t length)
{
    if (shows_progress || length > 0)
        write_error(CLEAR, sizeof(CLEAR) - 1);
    if (length > 0)
        write_error(text, length);
    shows_progress = length > 0;
}

void diag_write(const char *text, size_t length)
{
    diag_progress("", 0);
    write_error(text, length);
}

/* Appends the text, cut where it does not fit into a line. */
static void append(UT_string *line, const char *text)
{
    size_t length = strlen(text), start = utstring_len(line);
    size_t room = start + 1 < DIAG_LINE_MAXIMUM ? DIAG_LINE_MAXIMUM - 1 - start : 0;
    size_t taken = text_printable(line, text, length, room);

    if (taken == length)
        return;
    line->i = start;
    taken = text_printable(line, text, length, room > CUT_MAXIMUM ? room - CUT_MAXIMUM : 0);
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
    (void)text_printable(&line, program_invocation_short_name,
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
    diag_progress("", 0);
    int error = write_all(STDOUT_FILENO, utstring_body(text), utstring_len(text));

    if (error == ETIMEDOUT)
        diag_line("warning", "write to standard output: not read within the time limit");
    else if (error != 0)
        diag_line("warning", "write to standard output: %s", strerror(error));
    return error == 0;
}
