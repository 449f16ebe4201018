/* SPDX-License-Identifier: MIT */
/*
 * fixture: what the unit tests share. A file of tests has one line for each, and no main():
 *
 *     TEST(what_it_shows)
 *     {
 *         assert_true(...);
 *     }
 *
 * Each runs in a scratch directory of its own, between SETUP and TEARDOWN if the file has them, in
 * the order of the file. Includes cmocka.h and what most tests need.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "base/alloc.h"
#include "base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIXTURE_UNUSED __attribute__((unused))
#define FIXTURE_FIRST __attribute__((constructor)) static void
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Defines a test. */
#define TEST(name)                                                                                 \
    static void test_##name(void);                                                                 \
    static void run_##name(FIXTURE_UNUSED void **state)                                            \
    {                                                                                              \
        test_##name();                                                                             \
    }                                                                                              \
    FIXTURE_FIRST add_##name(void)                                                                 \
    {                                                                                              \
        fixture_add(#name, run_##name);                                                            \
    }                                                                                              \
    static void test_##name(void)

#define FIXTURE_HOOK(place, name)                                                                  \
    static void name(void);                                                                        \
    FIXTURE_FIRST add_##name(void)                                                                 \
    {                                                                                              \
        place = name;                                                                              \
    }                                                                                              \
    static void name(void)

/* Define what is done before each test, and after. */
#define SETUP(name) FIXTURE_HOOK(fixture_before, name)
#define TEARDOWN(name) FIXTURE_HOOK(fixture_after, name)

/* Defines a function before the C library's open(2), under a name that its headers do not define:
 * opens the path that change(path) returns, or fails with its errno if that is NULL. */
#define FIXTURE_OPEN(change)                                                                       \
    int fixture_open(const char *path, int flags, ...) __asm__("open");                            \
    int fixture_open(const char *path, int flags, ...)                                             \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        va_list arguments;                                                                         \
                                                                                                   \
        va_start(arguments, flags);                                                                \
        if ((flags & O_CREAT) != 0)                                                                \
            mode = va_arg(arguments, mode_t);                                                      \
        va_end(arguments);                                                                         \
        path = change(path);                                                                       \
        return path == NULL ? -1 : openat(AT_FDCWD, path, flags, mode);                            \
    }

/* For a run that nothing ends. */
FIXTURE_UNUSED static const struct limits fixture_no_limits = {.end = CLOCK_NEVER};

/* The directory of the test that runs. */
static char fixture_root[80];

static void (*fixture_before)(void), (*fixture_after)(void);

/* cmocka skips the places that are empty. */
static struct CMUnitTest fixture_tests[64];

static int fixture_start(FIXTURE_UNUSED void **state)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(fixture_root, sizeof(fixture_root), "%s/postkick-unit.XXXXXX",
                   parent != NULL ? parent : "/tmp");
    if (mkdtemp(fixture_root) == NULL)
        return -1;
    if (fixture_before != NULL)
        fixture_before();
    return 0;
}

static int fixture_remove(const char *path, FIXTURE_UNUSED const struct stat *status,
                          FIXTURE_UNUSED int type, FIXTURE_UNUSED struct FTW *ftw)
{
    return remove(path);
}

static int fixture_end(FIXTURE_UNUSED void **state)
{
    if (fixture_after != NULL)
        fixture_after();
    return nftw(fixture_root, fixture_remove, 64, FTW_DEPTH | FTW_PHYS);
}

static void fixture_add(const char *name, CMUnitTestFunction function)
{
    static size_t count;

    if (count == COUNT(fixture_tests))
        abort();
    fixture_tests[count++] =
        (struct CMUnitTest){name, function, fixture_start, fixture_end, .initial_state = NULL};
}

/* Messages start with the program's name, whatever the test is called; signals are not ignored,
 * whatever started it. */
int main(void)
{
    static char name[] = "postkick";

    for (const int *each = (const int[]){SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, 0}; *each != 0;
         each++)
        (void)signal(*each, SIG_DFL);
    program_invocation_short_name = name;
    return cmocka_run_group_tests_name(__BASE_FILE__, fixture_tests, NULL, NULL);
}

/* The path of a name in fixture_root, good until the eighth call after this. */
FIXTURE_UNUSED static const char *fixture_path(const char *name)
{
    static char paths[8][4096];
    static size_t next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", fixture_root, name);
    return path;
}

/* Makes a directory in fixture_root; returns its path. */
FIXTURE_UNUSED static const char *fixture_directory(const char *name)
{
    const char *path = fixture_path(name);

    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

/* Makes a file in fixture_root, of length bytes; returns its path. */
FIXTURE_UNUSED static const char *fixture_bytes(const char *name, const char *bytes, size_t length)
{
    const char *path = fixture_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_int_equal(close(fd), 0);
    return path;
}

/* The text, with fixture_root for each @: a new string. */
FIXTURE_UNUSED static char *fixture_fill(const char *text)
{
    UT_string filled;

    utstring_init(&filled);
    for (const char *at = text; *at != '\0'; at += *at == '@') {
        size_t length = strcspn(at, "@");

        utstring_bincpy(&filled, at, length);
        at += length;
        if (*at == '@')
            utstring_printf(&filled, "%s", fixture_root);
    }
    return utstring_body(&filled);
}

FIXTURE_UNUSED static const char *fixture_file(const char *name, const char *text)
{
    return fixture_bytes(name, text, strlen(text));
}

/* Makes a shell script in fixture_root. */
FIXTURE_UNUSED static const char *fixture_script(const char *name, const char *text)
{
    char *script = alloc_format("#!/bin/sh\n%s\n", text);
    const char *path = fixture_file(name, script);

    assert_int_equal(chmod(path, 0755), 0);
    free(script);
    return path;
}

FIXTURE_UNUSED static const char *fixture_fifo(const char *name)
{
    const char *path = fixture_path(name);

    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

FIXTURE_UNUSED static void fixture_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, fixture_path(name)), 0);
}

/* Makes a socket in fixture_root of type SOCK_STREAM or SOCK_DGRAM and maybe with flags, in a
 * directory that it makes too. Listens, unless backlog is negative. Names as long as an address
 * are taken from the directory. */
FIXTURE_UNUSED static int fixture_socket(const char *name, int type, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    char *directory = alloc_span(name, (size_t)(strrchr(name, '/') - name));

    (void)mkdir(fixture_path(directory), 0755);
    free(directory);
    assert_int_equal(chdir(fixture_root), 0);
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    assert_true(length > 0 && (size_t)length < sizeof(address.sun_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(chdir("/"), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

/* Ends a child process. */
FIXTURE_UNUSED static void fixture_kill(pid_t child)
{
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Whether the process has ended; a zombie has. */
FIXTURE_UNUSED static bool fixture_has_ended(pid_t process)
{
    char path[64], text[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    (void)!fgets(text, sizeof(text), file);
    (void)fclose(file);
    const char *name_end = strrchr(text, ')');
    return name_end == NULL || name_end[2] == 'Z' || name_end[2] == 'X';
}

/* Whether it ends within a minute. */
FIXTURE_UNUSED static bool fixture_ends_soon(pid_t process)
{
    for (int i = 0; i < 6000 && !fixture_has_ended(process); i++)
        usleep(10000);
    return fixture_has_ended(process);
}

/* Starts a service: a process that reads once from each connection, and writes that to a
 * descriptor, which may be -1. */
FIXTURE_UNUSED static pid_t fixture_reader(int listening, int log)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (child == 0) {
        char bytes[64];
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

        if (count > 0 && log >= 0)
            (void)!write(log, bytes, (size_t)count);
        close(fd);
    }
    return child;
}

/* Lets the process have fewer descriptors; returns the limit that there was. */
FIXTURE_UNUSED static struct rlimit fixture_limit_descriptors(rlim_t count)
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit limit = {count, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* Again as many as there were. */
FIXTURE_UNUSED static void fixture_restore_descriptors(struct rlimit before)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Takes all descriptors of 64 into fds, with room for so many; returns how many. */
FIXTURE_UNUSED static size_t fixture_take_descriptors(int *fds)
{
    size_t count = 0;

    while (count < 64 && (fds[count] = dup(STDERR_FILENO)) >= 0)
        count++;
    return count;
}

FIXTURE_UNUSED static void fixture_close(const int *fds, size_t count)
{
    while (count > 0)
        close(fds[--count]);
}

/* What a child process that ran the function left behind. */
struct fixture_result {
    int status; /* as from waitpid(2) */
    char text[16384];
};

/*
 * Runs the function in a child process and collects what it writes to the stream (a descriptor).
 * The child ends with status 0 unless the function ends it.
 */
FIXTURE_UNUSED static struct fixture_result fixture_run(void (*function)(void), int stream)
{
    struct fixture_result result = {0};
    int ends[2];
    size_t have = 0;
    ssize_t count;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], stream);
        function();
        _exit(0);
    }
    close(ends[1]);
    while (have < sizeof(result.text) - 1 &&
           (count = read(ends[0], result.text + have, sizeof(result.text) - 1 - have)) > 0)
        have += (size_t)count;
    close(ends[0]);
    assert_int_equal(waitpid(child, &result.status, 0), child);
    return result;
}

/* Compares what the function writes to standard error. */
FIXTURE_UNUSED static void fixture_assert_errors(void (*function)(void), const char *expected)
{
    struct fixture_result result = fixture_run(function, STDERR_FILENO);

    assert_int_equal(result.status, 0);
    assert_string_equal(result.text, expected);
}

/* cmocka's assert_in_range() is deprecated since 2.0, and what replaces it is not in older ones. */
FIXTURE_UNUSED static void fixture_assert_between(int64_t number, int64_t least, int64_t most)
{
    if (number < least || number > most)
        fail_msg("%lld is not between %lld and %lld", (long long)number, (long long)least,
                 (long long)most);
}

/* Compares a text with what the format makes. */
__attribute__((format(printf, 2, 3))) FIXTURE_UNUSED static void
fixture_assert_text(const char *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *expected = alloc_vformat(format, arguments);
    va_end(arguments);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(expected);
}

/* The strings of an array, each with a newline, in a new string. */
FIXTURE_UNUSED static char *fixture_lines(const UT_array *strings)
{
    UT_string lines;

    utstring_init(&lines);
    for (size_t i = 0; strings != NULL && i < utarray_len(strings); i++)
        utstring_printf(&lines, "%s\n", strings_item(strings, i));
    return utstring_body(&lines);
}

/* Compares an array of strings with lines. */
FIXTURE_UNUSED static void fixture_assert_lines(const UT_array *strings, const char *expected)
{
    char *lines = fixture_lines(strings);

    assert_string_equal(lines == NULL ? "" : lines, expected);
    free(lines);
}

/* count times text, in a new string. */
FIXTURE_UNUSED static char *fixture_repeat(const char *text, size_t count)
{
    size_t length = strlen(text);
    char *repeated = alloc_bytes(count * length + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(repeated + i * length, text, length);
    repeated[count * length] = '\0';
    return repeated;
}

#endif
