/* SPDX-License-Identifier: MIT */
/*
 * fixture: what the unit tests share: a directory of their own that goes away afterwards, files in
 * it, and what a piece of code writes to a standard stream or ends the process with. Includes what
 * cmocka.h needs, and cmocka.h.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/strings.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIXTURE_UNUSED __attribute__((unused))

/* Messages start with this name, whatever the test is called. */
__attribute__((constructor)) static void fixture_name(void)
{
    static char name[] = "postkick";

    program_invocation_short_name = name;
}

/* For a run that nothing ends. */
FIXTURE_UNUSED static const struct limits fixture_no_limits = {.end = CLOCK_NEVER};

/* The directory of the test that runs. */
static char fixture_root[80];

/* For cmocka_unit_test_setup_teardown(): makes and removes fixture_root. */
FIXTURE_UNUSED static int fixture_setup(void **state)
{
    const char *parent = getenv("TMPDIR");

    (void)state;
    (void)snprintf(fixture_root, sizeof(fixture_root), "%s/postkick-unit.XXXXXX",
                   parent != NULL ? parent : "/tmp");
    return mkdtemp(fixture_root) == NULL ? -1 : 0;
}

static int fixture_remove(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

FIXTURE_UNUSED static int fixture_teardown(void **state)
{
    (void)state;
    return nftw(fixture_root, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#define FIXTURE_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

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

FIXTURE_UNUSED static const char *fixture_file(const char *name, const char *text)
{
    return fixture_bytes(name, text, strlen(text));
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
    while ((count = read(ends[0], result.text + have, sizeof(result.text) - 1 - have)) > 0)
        have += (size_t)count;
    close(ends[0]);
    assert_int_equal(waitpid(child, &result.status, 0), child);
    return result;
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

    assert_string_equal(lines, expected);
    free(lines);
}

#endif
