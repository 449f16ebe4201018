/* SPDX-License-Identifier: MIT */
/* Opening what paths of other users name, with openat2(2) and without, and reading files. */
#include "base/path.h"
#include "fixture.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

TEARDOWN(no_limits)
{
    limits_of_run = NULL;
    workers_end();
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

static void assert_same(const struct stat *found, const struct stat *expected)
{
    assert_int_equal(found->st_dev, expected->st_dev);
    assert_int_equal(found->st_ino, expected->st_ino);
    assert_int_equal(found->st_mode, expected->st_mode);
    assert_int_equal(found->st_nlink, expected->st_nlink);
    assert_int_equal(found->st_uid, expected->st_uid);
    assert_int_equal(found->st_gid, expected->st_gid);
    assert_int_equal(found->st_size, expected->st_size);
    assert_memory_equal(&found->st_mtim, &expected->st_mtim, sizeof(found->st_mtim));
    assert_memory_equal(&found->st_ctim, &expected->st_ctim, sizeof(found->st_ctim));
}

/* The path in the scratch directory, or absolute, leads to the file, or fails. */
static void assert_leads(const char *path, size_t typed, int flags, const char *to, int error)
{
    struct stat expected;
    const char *whole = path[0] == '/' ? path : fixture_path(path);
    struct path_details details;
    int fd = path_open(whole, typed, flags, &details);

    if (fd < 0 && errno != error)
        print_error("%s: %s\n", path, strerror(errno));
    assert_int_equal(fd < 0 ? errno : 0, error);
    if (error != 0)
        return;
    assert_int_equal(lstat(fixture_path(to), &expected), 0);
    assert_same(&details.status, &expected);
    assert_int_equal(fstat(fd, &details.status), 0);
    assert_same(&details.status, &expected);
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

static void check_direct(void)
{
    int directory = open(fixture_root, O_PATH);
    struct path_details found;
    int fd = path_open_direct(directory, "relative", 0, &found);

    assert_true(fd >= 0 && S_ISLNK(found.status.st_mode));
    close(fd);
    assert_int_equal(path_open_direct(directory, "relative", O_DIRECTORY, &found), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(path_open_direct(directory, "relative/file", 0, &found), -1);
    assert_true(errno == ELOOP || errno == ENOSYS);
    close(directory);
}

static void make_tree(void)
{
    (void)fixture_directory("a");
    (void)fixture_directory("a/b");
    (void)fixture_directory("other");
    (void)fixture_file("a/b/file", "x");
    fixture_link("a/b", "relative");
    fixture_link(fixture_path("a/b"), "absolute");
    fixture_link("../relative", "a/up");
    fixture_link("loop", "loop");
}

TEST(follows_links)
{
    make_tree();
    with_and_without(check_links);
    with_and_without(check_direct);
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

static bool belongs_to(int place, const struct stat *status, uid_t user)
{
    (void)place;
    return status->st_uid == user;
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
        struct stat status, found_status;

        assert_int_equal(lchown(fixture_path(cases[i].wanted), 65534, (gid_t)-1), 0);
        assert_int_equal(lstat(fixture_path(cases[i].wanted), &status), 0);
        char *found = path_find(fixture_path(cases[i].path), belongs_to, 65534, &found_status);
        assert_int_equal(found == NULL, cases[i].found == NULL);
        if (found != NULL) {
            assert_string_equal(found, fixture_path(cases[i].found));
            assert_int_equal(found_status.st_ino, status.st_ino);
        }
        free(found);
        assert_int_equal(lchown(fixture_path(cases[i].wanted), 0, (gid_t)-1), 0);
    }
}

TEST(finds_on_the_way)
{
    if (geteuid() != 0)
        skip();
    make_tree();
    with_and_without(check_find);
}

/* What is cached, on a local file system, is looked up here: no worker is started. */
TEST(warm)
{
    struct stat status;
    int fd = open(fixture_file("file", "x"), O_RDONLY | O_CLOEXEC);
    /* an earlier time of the last access would be set, and that is not done from the cache */
    const struct timespec times[] = {{.tv_sec = time(NULL) + 60}, {.tv_nsec = UTIME_OMIT}};
    struct path_file file;
    char *error = NULL;

    (void)fixture_directory("a");
    fixture_link("a", "link");
    assert_int_equal(utimensat(AT_FDCWD, fixture_path("link"), times, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(futimens(fd, times), 0);
    limits_of_run = &fixture_no_limits;
    if (!path_is_near(fd))
        skip();
    assert_int_equal(path_status(fixture_path("link"), 0, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(path_read(fixture_path("file"), 0, 1, &file, &error), PATH_OK);
    assert_string_equal(file.text, "x");
    free(file.text);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    close(fd);
}

static void check_asked(void)
{
    struct stat status, expected;
    struct statvfs room;

    limits_of_run = &fixture_no_limits;
    assert_int_equal(lstat(fixture_path("a/b/file"), &expected), 0);
    assert_int_equal(path_status(fixture_path("link"), 0, &status), 0);
    assert_int_equal(status.st_ino, expected.st_ino);
    assert_int_equal(path_status(fixture_path("link"), O_NOFOLLOW, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(path_status(fixture_path("nosuch"), 0, &status), ENOENT);
    assert_int_equal(path_status("/proc/self/root/tmp", 0, &status), EXDEV);
    int fd = path_place(fixture_path("link"), 0, &status, &room);
    assert_int_equal(status.st_ino, expected.st_ino);
    assert_true(room.f_blocks > 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    assert_int_equal(path_place(fixture_path("nosuch"), 0, &status, &room), -1);
    assert_int_equal(errno, ENOENT);
    assert_null(path_find(fixture_path("link"), belongs_to, 4294967294, &status));
    char *found = path_find(fixture_path("link"), belongs_to, 0, &status);
    assert_string_equal(found, "/");
    free(found);
}

/* Where nothing can be looked up in the cache, a worker finds the same. */
TEST(asked)
{
    make_tree();
    fixture_link("relative/file", "link");
    with_and_without(check_asked);
}

static int sleep_long(const char *path, const void *question, void *answer)
{
    (void)path;
    (void)question;
    (void)answer;
    (void)usleep(60000000);
    return -1;
}

static int answer_at_once(const char *path, const void *question, void *answer)
{
    (void)path;
    memcpy(answer, question, sizeof(int));
    return -1;
}

/* What did not answer is left, is not asked again, and takes the others no time. */
TEST(late)
{
    const struct limits limits = {.end = clock_after(clock_now(), 4), .seconds = 4};
    static const struct {
        worker_function *work;
        const char *path;
        int error;
    } cases[] = {{sleep_long, "/late", ETIMEDOUT},
                 {answer_at_once, "/late/below", ETIMEDOUT},
                 {answer_at_once, "/later", 0}};
    int question = 5, answer = 0;

    limits_of_run = &limits;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct worker_task task = {.work = cases[i].work,
                                   .path = cases[i].path,
                                   .question = &question,
                                   .length = sizeof(question),
                                   .answer = &answer,
                                   .size = sizeof(answer)};

        assert_int_equal(path_ask(&task, true), cases[i].error);
    }
    assert_true(clock_now() < limits.end);
    assert_int_equal(answer, 5);
    assert_string_equal(path_error(ETIMEDOUT), "the file system does not answer");
}

/* Reads the file: its text, or the error with fixture_root for each @. Returns whether others can
 * write it. */
static bool assert_reads(const char *path, size_t maximum, enum path_result expected,
                         const char *text)
{
    struct path_file file;
    char *error = NULL, *filled = fixture_fill(text);

    assert_int_equal(path_read(path, 0, maximum, &file, &error), expected);
    assert_string_equal(expected == PATH_OK ? file.text : error, filled);
    if (expected == PATH_OK)
        assert_int_equal(file.length, strlen(text));
    else
        assert_null(file.text);
    bool others_write = file.others_write;
    free(file.text);
    free(error);
    free(filled);
    return others_write;
}

TEST(reads)
{
    (void)fixture_file("file", "a = b\n");
    fixture_link("file", "link");
    (void)assert_reads(fixture_path("file"), 6, PATH_OK, "a = b\n");
    (void)assert_reads(fixture_path("link"), 10, PATH_OK, "a = b\n");
    (void)assert_reads(fixture_file("empty", ""), 0, PATH_OK, "");
}

/* Messages would show its text. */
TEST(follows_nobody_to_secrets)
{
    static const struct {
        mode_t mode;
        uid_t owner, link_owner;
        enum path_result result;
    } cases[] = {
        {0640, 0, 0, PATH_OK},
        {0640, 0, 65534, PATH_ERROR},
        {0644, 0, 65534, PATH_OK},
        {0600, 65534, 65534, PATH_OK}, /* its own */
    };

    if (geteuid() != 0)
        skip();
    const char *target = fixture_file("target", "secret");
    fixture_link("target", "link");
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(chmod(target, cases[i].mode), 0);
        assert_int_equal(chown(target, cases[i].owner, (gid_t)-1), 0);
        assert_int_equal(lchown(fixture_path("link"), cases[i].link_owner, (gid_t)-1), 0);
        (void)assert_reads(fixture_path("link"), 10, cases[i].result,
                           cases[i].result == PATH_OK
                               ? "secret"
                               : "open @/link: another user's link to a file that not everybody "
                                 "may read");
    }
}

TEST(who_can_write)
{
    static const struct {
        mode_t mode;
        uid_t owner;
        gid_t group;
        bool others;
    } cases[] = {
        {0644, 0, 0, false}, {0664, 0, 0, false}, {0644, 0, 1, false},
        {0664, 0, 1, true},  {0646, 0, 0, true},  {0444, 1, 0, true},
    };

    if (geteuid() != 0)
        skip();
    const char *path = fixture_file("file", "x");
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_int_equal(chown(path, cases[i].owner, cases[i].group), 0);
        assert_int_equal(assert_reads(path, 10, PATH_OK, "x"), cases[i].others);
    }
}

/* Somebody in its ACL, whatever has its name by now. Version 2; tag, permissions and id for the
 * owner, the user 65534, the group, the mask, others. */
TEST(access_control_list)
{
    static const uint16_t may_write[] = {2, 0, 1, 6,  0, 0, 2, 6,  65534, 0, 4,
                                         4, 0, 0, 16, 6, 0, 0, 32, 4,     0, 0};
    const char *path = fixture_file("file", "x");
    struct stat status;
    int place = open(path, O_PATH | O_CLOEXEC);

    if (geteuid() != 0 ||
        setxattr(path, "system.posix_acl_access", may_write, sizeof(may_write), 0) < 0)
        skip();
    assert_int_equal(rename(path, fixture_path("other")), 0);
    (void)fixture_file("file", "another");
    assert_int_equal(fstat(place, &status), 0);
    assert_true(path_others_write(place, &status));
    assert_int_equal(chmod(fixture_path("other"), 0640), 0); /* the mask */
    assert_int_equal(fstat(place, &status), 0);
    assert_false(path_others_write(place, &status));
    close(place);
}

TEST(refuses)
{
    (void)fixture_file("file", "12345678901");
    (void)fixture_directory("directory");
    fixture_link("loop", "loop");
    (void)fixture_bytes("null", "a\0b", 3);
    int server = fixture_socket("directory/socket", SOCK_STREAM, -1);
    static const struct {
        const char *name;
        enum path_result result;
        const char *error;
    } cases[] = {
        {"none", PATH_MISSING, "open @/none: No such file or directory"},
        {"file/none", PATH_MISSING, "open @/file/none: Not a directory"},
        {"file", PATH_ERROR, "open @/file: file is larger than 10 bytes"},
        {"directory", PATH_ERROR, "read @/directory: Is a directory"},
        {"directory/socket", PATH_ERROR, "open @/directory/socket: not a regular file"},
        {"null", PATH_ERROR, "read @/null: file contains a null byte"},
    };
    char *looped = alloc_format("open @/loop: %s", strerror(ELOOP));

    for (size_t i = 0; i < COUNT(cases); i++)
        (void)assert_reads(fixture_path(cases[i].name), 10, cases[i].result, cases[i].error);
    (void)assert_reads(fixture_path("loop"), 10, PATH_ERROR, looped);
    (void)assert_reads("/dev/null", 10, PATH_ERROR, "open /dev/null: not a regular file");
    close(server);
    free(looped);
}

/* What grows by a byte each time it is read, and how often. */
static const char *changing;
static int changes;

/* Stands before the C library's pread(2), under a name that its headers do not define. */
ssize_t pread_and_change(int fd, void *text, size_t length, off_t at) __asm__("pread");

ssize_t pread_and_change(int fd, void *text, size_t length, off_t at)
{
    if (changes > 0) {
        int writer = open(changing, O_WRONLY | O_APPEND | O_CLOEXEC);

        changes--;
        (void)!write(writer, "y", 1);
        close(writer);
    }
    return lseek(fd, at, SEEK_SET) < 0 ? -1 : read(fd, text, length);
}

TEST(a_file_that_changes)
{
    changing = fixture_file("changing", "x");
    changes = 2;
    (void)assert_reads(changing, 10, PATH_OK, "xyy");
    changes = 3;
    (void)assert_reads(changing, 10, PATH_ERROR,
                       "read @/changing: file keeps changing while it is read");
}

/* Opening a device can act. */
TEST(opens_regular_files_only)
{
    const char *path = fixture_fifo("fifo");
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char event[256];

    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    (void)assert_reads(path, 10, PATH_ERROR, "open @/fifo: not a regular file");
    assert_int_equal(read(watch, event, sizeof(event)), -1);
    close(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    assert_true(read(watch, event, sizeof(event)) > 0); /* it would have been seen */
    close(watch);
}

static bool is_file(int place, const struct stat *status, uid_t user)
{
    (void)place;
    (void)user;
    return S_ISREG(status->st_mode);
}

/* Reads "typed/file" by a worker, whatever the way to it is called. */
static void check_typed(void)
{
    static const char *const directories[] = {"typed", "/proc/self/cwd/typed", "@/typed", "link",
                                              "@/link"};
    struct path_file file;

    assert_int_equal(chdir(fixture_root), 0);
    limits_of_run = &fixture_no_limits;
    for (size_t i = 0; i < COUNT(directories); i++) {
        char *directory = fixture_fill(directories[i]), *error = NULL;
        char *path = alloc_format("%s/file", directory);

        assert_int_equal(path_read(path, strlen(directory), 10, &file, &error), PATH_OK);
        assert_string_equal(file.text, "a = b\n");
        free(file.text);
        free(path);
        free(directory);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* there is one */
        workers_end();
    }
    char *found = path_find("typed/file", is_file, 0, &file.status);
    assert_non_null(found);
    free(found);
    workers_end();
    limits_of_run = NULL;
    assert_int_equal(chdir("/"), 0);
}

static void without_openat2(void)
{
    forbid_openat2(ENOSYS);
    check_typed();
}

/* The current directory and /proc/self are the program's. */
TEST(typed_is_read_by_a_worker)
{
    (void)fixture_directory("typed");
    (void)fixture_file("typed/file", "a = b\n");
    assert_int_equal(symlink("/proc/self/cwd/typed", fixture_path("link")), 0);
    int status = fixture_run(without_openat2, STDOUT_FILENO).status;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

/* A worker reads what this process would have to wait for: all of it, or the same error. */
TEST(read_by_a_worker)
{
    if (access("/sys/kernel/mm", F_OK) < 0)
        skip(); /* a file system that does not count as local */
    limits_of_run = &fixture_no_limits;
    (void)assert_reads("/sys/kernel/mm/nosuch", 10, PATH_MISSING,
                       "open /sys/kernel/mm/nosuch: No such file or directory");
    (void)assert_reads("/sys/kernel/mm", 10, PATH_ERROR, "read /sys/kernel/mm: Is a directory");
}
