/* SPDX-License-Identifier: MIT */
/* Looking up a service's socket or FIFO. */
#include "fixture.h"
#include "wire/endpoint.h"
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LIMIT 64

static int make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(chdir(fixture_path("public")), 0); /* the path may be too long */
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(chdir("/"), 0);
    return fd;
}

static void assert_lookup(const char *class, const char *service, enum endpoint_result expected,
                          int error)
{
    struct endpoint endpoint;

    assert_int_equal(endpoint_open(&endpoint, fixture_root, class, service), expected);
    assert_int_equal(endpoint.error, error);
    bool is_open = expected == ENDPOINT_SOCKET || expected == ENDPOINT_FIFO;
    assert_int_equal(endpoint.fd >= 0, is_open);
    endpoint_close(&endpoint);
    assert_int_equal(endpoint.fd, -1);
    endpoint_close(&endpoint); /* again is no harm */
}

static void test_kinds(void **state)
{
    (void)state;
    (void)fixture_directory("public");
    int server = make_socket("socket");
    assert_int_equal(mkfifo(fixture_path("public/fifo"), 0600), 0);
    assert_int_equal(mkfifo(fixture_path("public/two"), 0600), 0);
    assert_int_equal(link(fixture_path("public/two"), fixture_path("public/names")), 0);
    (void)fixture_file("public/file", "");
    (void)fixture_directory("public/directory");
    assert_int_equal(symlink("socket", fixture_path("public/link")), 0);
    assert_int_equal(symlink("nowhere", fixture_path("public/dangling")), 0);

    assert_lookup("public", "socket", ENDPOINT_SOCKET, 0);
    assert_lookup("public", "fifo", ENDPOINT_FIFO, 0);
    assert_lookup("public", "two", ENDPOINT_HARD_LINKS, 0);
    assert_lookup("public", "file", ENDPOINT_WRONG_TYPE, 0);
    assert_lookup("public", "directory", ENDPOINT_WRONG_TYPE, 0);
    assert_lookup("public", "link", ENDPOINT_LINK, ELOOP);
    assert_lookup("public", "dangling", ENDPOINT_LINK, ELOOP);
    assert_lookup("public", "nosuch", ENDPOINT_LOOKUP, ENOENT);
    assert_lookup("private", "socket", ENDPOINT_LOOKUP, ENOENT);
    close(server);
}

/* A socket may well have several names: Postfix refuses only FIFOs. */
static void test_socket_with_two_names(void **state)
{
    (void)state;
    (void)fixture_directory("public");
    int server = make_socket("socket");

    assert_int_equal(link(fixture_path("public/socket"), fixture_path("public/other")), 0);
    assert_lookup("public", "other", ENDPOINT_SOCKET, 0);
    close(server);
}

static void test_the_class(void **state)
{
    (void)state;
    (void)fixture_directory("elsewhere");
    (void)fixture_file("elsewhere/socket", "");
    assert_int_equal(symlink("elsewhere", fixture_path("public")), 0);
    (void)fixture_file("private", "no directory");
    assert_lookup("public", "socket", ENDPOINT_LINK, ENOTDIR);
    assert_lookup("private", "socket", ENDPOINT_LOOKUP, ENOTDIR);
}

static void test_the_queue_directory(void **state)
{
    (void)state;
    struct endpoint endpoint;
    char path[5000];

    (void)fixture_directory("queue");
    (void)fixture_directory("queue/public");
    assert_int_equal(mkfifo(fixture_path("queue/public/fifo"), 0600), 0);
    assert_int_equal(symlink("queue", fixture_path("link")), 0);
    /* links on the way are the site's own business */
    assert_int_equal(endpoint_open(&endpoint, fixture_path("link"), "public", "fifo"),
                     ENDPOINT_FIFO);
    endpoint_close(&endpoint);
    assert_int_equal(endpoint_open(&endpoint, fixture_path("nosuch"), "public", "fifo"),
                     ENDPOINT_LOOKUP);
    assert_int_equal(endpoint.error, ENOENT);
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(endpoint_open(&endpoint, path, "public", "fifo"), ENDPOINT_LOOKUP);
    assert_int_equal(endpoint.error, ENAMETOOLONG);
}

/* Longer than any socket's address, and renamed after it was checked. */
static void test_connect(void **state)
{
    (void)state;
    struct endpoint endpoint;
    char name[200], long_name[128] = {0};

    memset(long_name, 'n', 100);
    (void)fixture_directory("public");
    int server = make_socket(long_name);
    assert_int_equal(endpoint_open(&endpoint, fixture_root, "public", long_name), ENDPOINT_SOCKET);
    (void)snprintf(name, sizeof(name), "public/%s", long_name);
    assert_int_equal(rename(fixture_path(name), fixture_path("public/renamed")), 0);
    (void)fixture_file(name, "somebody else's");
    int client = endpoint_connect(&endpoint, NULL);
    assert_true(client >= 0);
    assert_true(endpoint_writable(&endpoint));
    endpoint_close(&endpoint);
    close(client);
    close(server);
}

static void test_fifo(void **state)
{
    (void)state;
    struct endpoint endpoint;

    (void)fixture_directory("public");
    assert_int_equal(mkfifo(fixture_path("public/fifo"), 0600), 0);
    assert_int_equal(endpoint_open(&endpoint, fixture_root, "public", "fifo"), ENDPOINT_FIFO);
    assert_int_equal(endpoint_open_fifo(&endpoint), -1);
    assert_int_equal(errno, ENXIO);
    int reader = open(fixture_path("public/fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = endpoint_open_fifo(&endpoint);
    assert_true(writer >= 0);
    assert_int_equal(fcntl(writer, F_GETFD), FD_CLOEXEC);
    assert_true((fcntl(writer, F_GETFL) & O_NONBLOCK) != 0);
    close(writer);
    close(reader);
    endpoint_close(&endpoint);
}

/* Where there are links on the way, the class directory needs a descriptor too. */
static void check_out_of_descriptors(const char *queue_directory, int needed)
{
    struct rlimit before;
    int taken[LIMIT];
    size_t count = 0;
    struct endpoint endpoint;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit limit = {LIMIT, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count < LIMIT && (taken[count] = dup(STDERR_FILENO)) >= 0)
        count++;
    for (int spare = 0; spare < needed; spare++) {
        enum endpoint_result result = endpoint_open(&endpoint, queue_directory, "public", "fifo");
        int error = endpoint.error;

        endpoint_close(&endpoint);
        close(taken[--count]);
        assert_int_equal(result, ENDPOINT_DESCRIPTORS);
        assert_int_equal(error, EMFILE);
    }
    assert_int_equal(endpoint_open(&endpoint, queue_directory, "public", "fifo"), ENDPOINT_FIFO);
    endpoint_close(&endpoint);
    while (count > 0)
        close(taken[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_out_of_descriptors(void **state)
{
    (void)state;
    char queue[200];

    (void)fixture_directory("queue");
    (void)fixture_directory("queue/public");
    assert_int_equal(mkfifo(fixture_path("queue/public/fifo"), 0600), 0);
    assert_int_equal(symlink("queue", fixture_path("link")), 0);
    (void)snprintf(queue, sizeof(queue), "%s", fixture_path("queue"));
    check_out_of_descriptors(queue, 1);
    (void)snprintf(queue, sizeof(queue), "%s", fixture_path("link"));
    check_out_of_descriptors(queue, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_kinds),
        FIXTURE_TEST(test_socket_with_two_names),
        FIXTURE_TEST(test_the_class),
        FIXTURE_TEST(test_the_queue_directory),
        FIXTURE_TEST(test_connect),
        FIXTURE_TEST(test_fifo),
        FIXTURE_TEST(test_out_of_descriptors),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
