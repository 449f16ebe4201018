/* Reading a file that somebody else may own. */
#include "base/safe_read.h"
#include "fixture.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

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
    assert_int_equal(safe_read(path, maximum, &file, &error), expected);
    assert_null(file.text);
    assert_string_equal(error, message);
    free(error);
}

static void test_reads(void **state)
{
    (void)state;
    struct safe_read_file file;
    char *error = NULL;
    const char *path = fixture_file("plain", "a = b\n");

    assert_int_equal(safe_read(path, 6, &file, &error), SAFE_READ_OK);
    assert_null(error);
    assert_int_equal(file.length, 6);
    assert_string_equal(file.text, "a = b\n");
    assert_false(file.others_write);
    safe_read_free(&file);
    assert_null(file.text);
}

static void test_reads_nothing(void **state)
{
    (void)state;
    struct safe_read_file file;
    char *error = NULL;

    assert_int_equal(safe_read(fixture_file("empty", ""), 0, &file, &error), SAFE_READ_OK);
    assert_int_equal(file.length, 0);
    assert_string_equal(file.text, "");
    safe_read_free(&file);
}

static void test_follows_links(void **state)
{
    (void)state;
    struct safe_read_file file;
    char *error = NULL;

    (void)fixture_file("target", "x");
    assert_int_equal(symlink("target", fixture_path("link")), 0);
    assert_int_equal(safe_read(fixture_path("link"), 10, &file, &error), SAFE_READ_OK);
    assert_string_equal(file.text, "x");
    safe_read_free(&file);
}

static void test_tells_who_can_write(void **state)
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

    (void)state;
    if (geteuid() != 0)
        skip();
    const char *path = fixture_file("file", "x");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct safe_read_file file;
        char *error = NULL;

        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_int_equal(chown(path, cases[i].owner, cases[i].group), 0);
        assert_int_equal(safe_read(path, 10, &file, &error), SAFE_READ_OK);
        assert_int_equal(file.others_write, cases[i].others);
        safe_read_free(&file);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_refused(fixture_path("none"), 10, SAFE_READ_MISSING,
                   "open %s: No such file or directory");
    (void)fixture_file("file", "12345678901");
    assert_refused(fixture_path("file/none"), 10, SAFE_READ_MISSING, "open %s: Not a directory");
    assert_refused(fixture_path("file"), 10, SAFE_READ_ERROR,
                   "open %s: file is larger than 10 bytes");
    assert_refused(fixture_directory("directory"), 10, SAFE_READ_ERROR, "read %s: Is a directory");
    assert_int_equal(mkfifo(fixture_path("fifo"), 0600), 0);
    assert_refused(fixture_path("fifo"), 10, SAFE_READ_ERROR, "open %s: not a regular file");
    assert_refused("/dev/null", 10, SAFE_READ_ERROR, "open %s: not a regular file");
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture_path("socket"));
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_refused(fixture_path("socket"), 10, SAFE_READ_ERROR,
                   "open %s: No such device or address");
    close(server);
    assert_int_equal(symlink("loop", fixture_path("loop")), 0);
    assert_refused(fixture_path("loop"), 10, SAFE_READ_ERROR,
                   "open %s: Too many levels of symbolic links");
    assert_refused(fixture_bytes("null", "a\0b", 3), 10, SAFE_READ_ERROR,
                   "read %s: file contains a null byte");
}

/* Writes to the file for ever: one byte again and again. */
static atomic_bool stop_writing;

static void *keep_writing(void *context)
{
    int fd = open(context, O_WRONLY | O_CLOEXEC);

    while (fd >= 0 && !stop_writing)
        (void)!pwrite(fd, "y", 1, 0);
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* Reading 16 MiB takes longer than the ticks in which the kernel counts modification times. */
static void test_a_file_that_changes(void **state)
{
    (void)state;
    pthread_t writer;
    bool changed = false;
    char *path = alloc_string(fixture_file("changing", "x"));
    char *message = alloc_format("read %s: file keeps changing while it is read", path);

    assert_int_equal(truncate(path, (off_t)SAFE_READ_MAXIMUM), 0);
    stop_writing = false;
    assert_int_equal(pthread_create(&writer, NULL, keep_writing, path), 0);
    for (int i = 0; i < 200 && !changed; i++) {
        struct safe_read_file file;
        char *error = NULL;

        assert_int_equal(safe_read(path, SAFE_READ_MAXIMUM, &file, &error), SAFE_READ_ERROR);
        changed = strcmp(error, message) == 0; /* otherwise: it contains null bytes */
        free(error);
    }
    stop_writing = true;
    (void)pthread_join(writer, NULL);
    free(path);
    free(message);
    assert_true(changed);
}

static void test_open_tells_what_it_is(void **state)
{
    (void)state;
    struct stat status;
    char *error = NULL;
    bool missing = true;
    int fd = safe_read_open(fixture_file("file", "abc"), 3, &status, &missing, &error);

    assert_true(fd >= 0);
    assert_false(missing);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    assert_int_equal(safe_read_open(fixture_path("none"), 3, &status, NULL, &error), -1);
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_reads),
        FIXTURE_TEST(test_reads_nothing),
        FIXTURE_TEST(test_follows_links),
        FIXTURE_TEST(test_tells_who_can_write),
        FIXTURE_TEST(test_refuses),
        FIXTURE_TEST(test_a_file_that_changes),
        FIXTURE_TEST(test_open_tells_what_it_is),
    };

    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
