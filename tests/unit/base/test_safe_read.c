/* SPDX-License-Identifier: MIT */
/* Reading a file that another user may own. */
#include "base/path.h"
#include "base/safe_read.h"
#include "fixture.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/xattr.h>
#include <time.h>

static void assert_refused(const char *path, size_t maximum, enum safe_read_result expected,
                           const char *format)
{
    struct safe_read_file file;
    char *error = NULL;
    char message[8192];

    /* the format has one %s for the path */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(message, sizeof(message), format, path);
#pragma GCC diagnostic pop
    assert_int_equal(safe_read(path, 0, maximum, &file, &error), expected);
    assert_null(file.text);
    assert_string_equal(error, message);
    free(error);
}

TEST(reads)
{
    struct safe_read_file file;
    char *error = NULL;
    const char *path = fixture_file("plain", "a = b\n");

    assert_int_equal(safe_read(path, 0, 6, &file, &error), SAFE_READ_OK);
    assert_null(error);
    assert_int_equal(file.length, 6);
    assert_string_equal(file.text, "a = b\n");
    assert_int_equal(file.others_write, geteuid() != 0); /* then the owner is not root */
    safe_read_free(&file);
    assert_null(file.text);
}

TEST(reads_nothing)
{
    struct safe_read_file file;
    char *error = NULL;

    assert_int_equal(safe_read(fixture_file("empty", ""), 0, 0, &file, &error), SAFE_READ_OK);
    assert_int_equal(file.length, 0);
    assert_string_equal(file.text, "");
    safe_read_free(&file);
}

TEST(follows_links)
{
    struct safe_read_file file;
    char *error = NULL;

    (void)fixture_file("target", "x");
    fixture_link("target", "link");
    assert_int_equal(safe_read(fixture_path("link"), 0, 10, &file, &error), SAFE_READ_OK);
    assert_string_equal(file.text, "x");
    safe_read_free(&file);
}

/* Messages would show its text. */
TEST(follows_nobody_to_secrets)
{
    struct safe_read_file file;
    char *error = NULL;

    if (geteuid() != 0)
        skip();
    const char *target = fixture_file("target", "secret");
    fixture_link("target", "link");
    assert_int_equal(chmod(target, 0640), 0);
    assert_int_equal(safe_read(fixture_path("link"), 0, 10, &file, &error), SAFE_READ_OK);
    safe_read_free(&file);
    assert_int_equal(lchown(fixture_path("link"), 65534, (gid_t)-1), 0);
    assert_int_equal(safe_read(fixture_path("link"), 0, 10, &file, &error), SAFE_READ_ERROR);
    assert_non_null(strstr(error, "another user's link to a file that not everybody may read"));
    free(error);
    assert_int_equal(chmod(target, 0644), 0);
    assert_int_equal(safe_read(fixture_path("link"), 0, 10, &file, &error), SAFE_READ_OK);
    safe_read_free(&file);
    assert_int_equal(chmod(target, 0600), 0);
    assert_int_equal(chown(target, 65534, (gid_t)-1), 0); /* its own */
    assert_int_equal(safe_read(fixture_path("link"), 0, 10, &file, &error), SAFE_READ_OK);
    safe_read_free(&file);
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
        struct safe_read_file file;
        char *error = NULL;

        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_int_equal(chown(path, cases[i].owner, cases[i].group), 0);
        assert_int_equal(safe_read(path, 0, 10, &file, &error), SAFE_READ_OK);
        assert_int_equal(file.others_write, cases[i].others);
        safe_read_free(&file);
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
    assert_true(safe_read_others_write(place, &status));
    assert_int_equal(chmod(fixture_path("other"), 0640), 0); /* the mask */
    assert_int_equal(fstat(place, &status), 0);
    assert_false(safe_read_others_write(place, &status));
    close(place);
}

TEST(refuses)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_refused(fixture_path("none"), 10, SAFE_READ_MISSING,
                   "open %s: No such file or directory");
    (void)fixture_file("file", "12345678901");
    assert_refused(fixture_path("file/none"), 10, SAFE_READ_MISSING, "open %s: Not a directory");
    assert_refused(fixture_path("file"), 10, SAFE_READ_ERROR,
                   "open %s: file is larger than 10 bytes");
    assert_refused(fixture_directory("directory"), 10, SAFE_READ_ERROR, "read %s: Is a directory");
    (void)fixture_fifo("fifo");
    assert_refused(fixture_path("fifo"), 10, SAFE_READ_ERROR, "open %s: not a regular file");
    assert_refused("/dev/null", 10, SAFE_READ_ERROR, "open %s: not a regular file");
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture_path("socket"));
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_refused(fixture_path("socket"), 10, SAFE_READ_ERROR, "open %s: not a regular file");
    close(server);
    fixture_link("loop", "loop");
    char *looped = alloc_format("open %%s: %s", strerror(ELOOP));
    assert_refused(fixture_path("loop"), 10, SAFE_READ_ERROR, looped);
    free(looped);
    assert_refused(fixture_bytes("null", "a\0b", 3), 10, SAFE_READ_ERROR,
                   "read %s: file contains a null byte");
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
    struct safe_read_file file;
    char *error = NULL;

    changing = fixture_file("changing", "x");
    changes = 2;
    assert_int_equal(safe_read(changing, 0, 10, &file, &error), SAFE_READ_OK);
    assert_string_equal(file.text, "xyy");
    safe_read_free(&file);
    changes = 3;
    assert_refused(changing, 10, SAFE_READ_ERROR, "read %s: file keeps changing while it is read");
}

static atomic_bool fifo_was_opened;

static void *wait_for_reader(void *context)
{
    int fd = open(context, O_WRONLY | O_CLOEXEC);

    fifo_was_opened = true;
    close(fd);
    return NULL;
}

/* Opening a device can act. A FIFO shows whether it was opened: its writer goes on. */
TEST(opens_regular_files_only)
{
    pthread_t writer;
    char *path = alloc_string(fixture_path("fifo"));
    const struct timespec moment = {.tv_nsec = 50000000};

    assert_int_equal(mkfifo(path, 0600), 0);
    fifo_was_opened = false;
    assert_int_equal(pthread_create(&writer, NULL, wait_for_reader, path), 0);
    (void)nanosleep(&moment, NULL);
    assert_refused(path, 10, SAFE_READ_ERROR, "open %s: not a regular file");
    (void)nanosleep(&moment, NULL);
    bool opened = fifo_was_opened;
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    (void)pthread_join(writer, NULL);
    close(reader);
    free(path);
    assert_false(opened);
}

/* A worker reads what this process would have to wait for: all of it, or the same error. */
TEST(read_by_a_worker)
{
    struct safe_read_file file;
    char *error = NULL;

    if (access("/sys/kernel/mm", F_OK) < 0)
        skip(); /* a file system that does not count as local */
    path_limit(&fixture_no_limits);
    assert_int_equal(safe_read("/sys/kernel/mm/nosuch", 0, 10, &file, &error), SAFE_READ_MISSING);
    assert_string_equal(error, "open /sys/kernel/mm/nosuch: No such file or directory");
    free(error);
    error = NULL;
    assert_int_equal(safe_read("/sys/kernel/mm", 0, 10, &file, &error), SAFE_READ_ERROR);
    assert_string_equal(error, "read /sys/kernel/mm: Is a directory");
    free(error);
    path_limit(NULL);
}
