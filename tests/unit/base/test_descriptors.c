/* SPDX-License-Identifier: MIT */
/* The process's own descriptors. */
#include "base/descriptors.h"
#include "fixture.h"
#include <dlfcn.h>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void close_all_and_open(void)
{
    char text[64];
    int spare = dup(STDERR_FILENO);

    close(0);
    close(1);
    close(2);
    char *error = descriptors_start();
    bool open_ones = fcntl(0, F_GETFD) == 0 && fcntl(1, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0;
    ssize_t in = read(0, text, 1);
    ssize_t out = write(1, "x", 1);
    int why = errno;
    (void)snprintf(text, sizeof(text), "%d %d %zd %zd %d", error == NULL, open_ones, in, out,
                   why == EBADF);
    (void)!write(spare, text, strlen(text));
}

/* Reading finds the end of file, and writing to standard output fails. */
TEST(closed_standard_descriptors)
{
    assert_string_equal(fixture_run(close_all_and_open, STDERR_FILENO).text, "1 1 0 -1 1");
}

/* The file itself, whatever has its name by now, and with other flags. */
TEST(reopening)
{
    char text[8] = "";
    const char *path = fixture_file("file", "this");
    int place = open(path, O_PATH | O_CLOEXEC);

    assert_null(descriptors_start());
    assert_int_equal(rename(fixture_path("file"), fixture_path("other")), 0);
    (void)fixture_file("file", "another");
    int fd = descriptors_reopen(place, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof(text) - 1), 4);
    assert_string_equal(text, "this");
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    close(place);
    assert_int_equal(descriptors_reopen(place, O_RDONLY | O_CLOEXEC), -1);
    assert_int_equal(errno, ENOENT);
}

static void show_limits(void)
{
    struct rlimit limit = {64, 128};

    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            (void)descriptors_start();
        else
            descriptors_restore_for_child();
        (void)getrlimit(RLIMIT_NOFILE, &limit);
        printf("%d %d ", (int)limit.rlim_cur, (int)limit.rlim_max);
    }
    (void)fflush(stdout);
}

/* Hard, then as at first. */
TEST(limits)
{
    assert_string_equal(fixture_run(show_limits, STDOUT_FILENO).text, "128 128 64 128 ");
}

/* Before Linux 5.9 there is none, and before 5.11 it cannot set FD_CLOEXEC; filters answer EPERM.
 */
static bool is_refused;

long syscall(long number, ...)
{
    long (*real)(long, ...), values[6];
    va_list arguments;

    va_start(arguments, number);
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = va_arg(arguments, long);
    va_end(arguments);
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (!is_refused || number != SYS_close_range)
        return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
    errno = EPERM;
    return -1;
}

/* Shows which are open, and close-on-exec. */
static void show(int output, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dprintf(output, "%d ", fcntl(fds[i], F_GETFD));
}

static void close_some(void)
{
    int fds[] = {STDOUT_FILENO, 50, 60, 61, 62}, kept[] = {61, 20};

    for (size_t i = 1; i < COUNT(fds); i++)
        (void)dup2(STDERR_FILENO, fds[i]);
    descriptors_restore_for_child();
    show(STDOUT_FILENO, fds, COUNT(fds));
    (void)dup2(STDOUT_FILENO, 20);
    int error = descriptors_keep_only(kept, 2);
    show(20, fds, COUNT(fds));
    dprintf(20, "%d %zd %zd", error, read(STDIN_FILENO, fds, 1), write(STDERR_FILENO, fds, 1));
}

static void close_some_one_by_one(void)
{
    is_refused = true;
    close_some();
}

TEST(closing)
{
    static const char expected[] = "0 1 1 1 1 0 -1 -1 1 -1 0 0 1";

    assert_string_equal(fixture_run(close_some, STDOUT_FILENO).text, expected);
    assert_string_equal(fixture_run(close_some_one_by_one, STDOUT_FILENO).text, expected);
}
