/* SPDX-License-Identifier: MIT */
/* Opening what paths of other users name, with openat2(2) and without. */
#include "base/path.h"
#include "fixture.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

TEARDOWN(no_limits)
{
    path_limit(NULL);
}

/* Makes openat2(2) fail in this process. */
static void forbid_openat2(unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {COUNT(code), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(77);
}

/* Runs check with openat2(2), and in child processes where it fails in the two ways that occur. */
static void with_and_without(void (*check)(void))
{
    static const unsigned errors[] = {ENOSYS, EPERM};

    check();
    for (size_t i = 0; i < COUNT(errors); i++) {
        int status;
        pid_t child = fork();

        if (child == 0) {
            forbid_openat2(errors[i]);
            check();
            _exit(0); /* a failed assertion exits otherwise */
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            skip();
        assert_int_equal(status, 0);
    }
}

/* The path in the scratch directory, or absolute, leads to the file, or fails. */
static void assert_leads(const char *path, size_t typed, int flags, const char *to, int error)
{
    struct stat found, expected;
    const char *whole = path[0] == '/' ? path : fixture_path(path);
    int fd = path_open(whole, typed, flags);

    if (fd < 0 && errno != error)
        print_error("%s: %s\n", path, strerror(errno));
    assert_int_equal(fd < 0 ? errno : 0, error);
    if (error != 0)
        return;
    assert_int_equal(fstat(fd, &found), 0);
    assert_int_equal(lstat(fixture_path(to), &expected), 0);
    assert_int_equal(found.st_ino, expected.st_ino);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void check_links(void)
{
    assert_leads("a/b/file", 0, 0, "a/b/file", 0);
    assert_leads("a//b/../b/./file", 0, 0, "a/b/file", 0);
    assert_leads("relative/file", 0, 0, "a/b/file", 0);
    assert_leads("absolute/file", 0, 0, "a/b/file", 0);
    assert_leads("a/up", 0, O_DIRECTORY, "a/b", 0);
    assert_leads("a/up", 0, O_NOFOLLOW, "a/up", 0);
    assert_leads("a/up/", 0, O_DIRECTORY, "a/b", 0);
    assert_leads("a/b/file", 0, O_DIRECTORY, NULL, ENOTDIR);
    assert_leads("a/b/file/x", 0, 0, NULL, ENOTDIR);
    assert_leads("a/nosuch/file", 0, 0, NULL, ENOENT);
    assert_leads("loop", 0, 0, NULL, ELOOP);
    assert_leads(fixture_path("/"), 0, O_NOFOLLOW, ".", 0);
}

TEST(follows_links)
{
    (void)fixture_directory("a");
    (void)fixture_directory("a/b");
    (void)fixture_file("a/b/file", "x");
    fixture_link("a/b", "relative");
    fixture_link(fixture_path("a/b"), "absolute");
    fixture_link("../relative", "a/up");
    fixture_link("loop", "loop");
    with_and_without(check_links);
}

static void check_proc(void)
{
    char through[160];
    int length = snprintf(through, sizeof(through), "/proc/self/root%s/file", fixture_root);

    assert_leads(through, 0, 0, NULL, EXDEV);
    assert_leads("/proc/self/cwd", 0, O_DIRECTORY, NULL, EXDEV);
    assert_leads("link/file", 0, 0, NULL, EXDEV);
    assert_string_equal(path_error(EXDEV), "leads through a link of /proc");
    /* what is typed may lead anywhere, what follows may not */
    assert_leads(through, (size_t)length, 0, "file", 0);
    assert_leads(through, (size_t)length - strlen("/file"), 0, "file", 0);
    assert_leads(fixture_path("link"), strlen(fixture_root), 0, NULL, EXDEV);
}

TEST(refuses_links_of_proc)
{
    (void)fixture_file("file", "x");
    fixture_link("/proc/self/root/tmp/..", "link");
    with_and_without(check_proc);
}

static void check_direct(void)
{
    int directory = open(fixture_root, O_PATH);
    int fd = path_open_direct(directory, "link", 0);
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    close(fd);
    assert_int_equal(path_open_direct(directory, "link", O_DIRECTORY), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(path_open_direct(directory, "link/file", 0), -1);
    assert_true(errno == ELOOP || errno == ENOSYS);
    close(directory);
}

TEST(follows_none_directly)
{
    (void)fixture_directory("a");
    fixture_link("a", "link");
    with_and_without(check_direct);
}

static bool is_named_by(int place, const struct stat *status, void *context)
{
    (void)place;
    return status->st_ino == *(const ino_t *)context;
}

static void check_find(void)
{
    static const struct {
        const char *wanted, *path, *found;
    } cases[] = {
        {"a", "a/b/file", "a"},           {"a/b", "relative/file", "a/b"},
        {"relative", "a/up", "relative"}, {"a/b/file", "a/up/../b/file", "a/b/file"},
        {"other", "a/b/file", NULL},      {"other", "a/nosuch", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stat status;

        assert_int_equal(lstat(fixture_path(cases[i].wanted), &status), 0);
        char *found = path_find(fixture_path(cases[i].path), is_named_by, &status.st_ino,
                                sizeof(status.st_ino));
        assert_int_equal(found == NULL, cases[i].found == NULL);
        if (found != NULL)
            assert_string_equal(found, fixture_path(cases[i].found));
        free(found);
    }
}

TEST(finds_on_the_way)
{
    (void)fixture_directory("a");
    (void)fixture_directory("a/b");
    (void)fixture_directory("other");
    (void)fixture_file("a/b/file", "x");
    fixture_link("a/b", "relative");
    fixture_link("../relative", "a/up");
    with_and_without(check_find);
}

/* What is cached, on a local file system, is looked up here: no worker is started. */
TEST(warm)
{
    struct stat status;
    int fd = open(fixture_file("file", "x"), O_RDONLY | O_CLOEXEC);
    /* an earlier time of the last access would be set, and that is not done from the cache */
    const struct timespec times[] = {{.tv_sec = time(NULL) + 60}, {.tv_nsec = UTIME_OMIT}};
    char byte;

    (void)fixture_directory("a");
    fixture_link("a", "link");
    assert_int_equal(utimensat(AT_FDCWD, fixture_path("link"), times, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(futimens(fd, times), 0);
    path_limit(&fixture_no_limits);
    if (!path_is_near(fd))
        skip();
    assert_int_equal(path_status(fixture_path("link"), 0, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(path_read(fd, &byte, 1, 0), 1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(fd);
}

static void check_asked(void)
{
    struct stat status, expected;
    struct statvfs room;

    path_limit(&fixture_no_limits);
    assert_int_equal(lstat(fixture_path("a/file"), &expected), 0);
    assert_int_equal(path_status(fixture_path("link"), 0, &status), 0);
    assert_int_equal(status.st_ino, expected.st_ino);
    assert_int_equal(path_status(fixture_path("link"), O_NOFOLLOW, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(path_status(fixture_path("nosuch"), 0, &status), ENOENT);
    assert_int_equal(path_status("/proc/self/root/tmp", 0, &status), EXDEV);
    assert_int_equal(path_room(fixture_path("link"), &room), 0);
    assert_true(room.f_blocks > 0);
    assert_int_equal(path_room(fixture_path("nosuch"), &room), ENOENT);
    assert_int_equal(path_room("/proc/self/root/tmp", &room), EXDEV);
    char *found =
        path_find(fixture_path("link"), is_named_by, &expected.st_ino, sizeof(expected.st_ino));
    assert_string_equal(found, fixture_path("a/file"));
    free(found);
}

/* Where nothing can be looked up in the cache, a worker finds the same. */
TEST(asked)
{
    (void)fixture_directory("a");
    (void)fixture_file("a/file", "x");
    fixture_link("a/file", "link");
    with_and_without(check_asked);
}

static int sleep_long(const void *question, size_t length, void *answer)
{
    (void)question;
    (void)length;
    (void)answer;
    (void)usleep(60000000);
    return -1;
}

static int answer_at_once(const void *question, size_t length, void *answer)
{
    (void)length;
    memcpy(answer, question, sizeof(int));
    return -1;
}

/* What did not answer is left, is not asked again, and takes the others no time. */
TEST(late)
{
    const struct limits limits = {.end = clock_after(clock_now(), 4), .seconds = 4};
    int question = 5, answer = 0;

    path_limit(&limits);
    assert_int_equal(
        path_ask(sleep_long, "/late", &question, sizeof(question), &answer, sizeof(answer), NULL),
        ETIMEDOUT);
    assert_true(clock_now() < limits.end);
    assert_int_equal(path_ask(answer_at_once, "/late/below", &question, sizeof(question), &answer,
                              sizeof(answer), NULL),
                     ETIMEDOUT);
    assert_int_equal(path_ask(answer_at_once, "/later", &question, sizeof(question), &answer,
                              sizeof(answer), NULL),
                     0);
    assert_int_equal(answer, 5);
    assert_string_equal(path_error(ETIMEDOUT), "the file system does not answer");
}
