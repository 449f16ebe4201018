/* SPDX-License-Identifier: MIT */
/* Looking up a service's socket or FIFO. */
#include "base/descriptors.h"
#include "base/path.h"
#include "fixture.h"
#include "wire/endpoint.h"

static void assert_lookup(const char *class, const char *service, enum endpoint_result expected,
                          int error)
{
    struct endpoint endpoint;

    assert_int_equal(endpoint_open(&endpoint, fixture_root, class, service), expected);
    assert_int_equal(endpoint.error, error);
    bool is_open = expected == ENDPOINT_SOCKET || expected == ENDPOINT_FIFO;
    assert_int_equal(endpoint.fd >= 0, is_open);
    descriptors_close(&endpoint.fd);
}

TEST(kinds)
{
    int server = fixture_socket("public/socket", SOCK_STREAM, 5);
    assert_int_equal(link(fixture_path("public/socket"), fixture_path("public/other")), 0);
    (void)fixture_fifo("public/fifo");
    (void)fixture_fifo("public/two");
    assert_int_equal(link(fixture_path("public/two"), fixture_path("public/names")), 0);
    (void)fixture_file("public/file", "");
    (void)fixture_directory("public/directory");
    fixture_link("socket", "public/link");
    fixture_link("nowhere", "public/dangling");

    assert_lookup("public", "socket", ENDPOINT_SOCKET, 0);
    assert_lookup("public", "other", ENDPOINT_SOCKET, 0); /* Postfix refuses only FIFOs */
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

TEST(the_class)
{
    (void)fixture_directory("elsewhere");
    (void)fixture_file("elsewhere/socket", "");
    fixture_link("elsewhere", "public");
    (void)fixture_file("private", "no directory");
    assert_lookup("public", "socket", ENDPOINT_LINK, ENOTDIR);
    assert_lookup("private", "socket", ENDPOINT_LOOKUP, ENOTDIR);
}

TEST(the_queue_directory)
{
    struct endpoint endpoint;
    char path[5000];

    (void)fixture_directory("queue");
    (void)fixture_directory("queue/public");
    (void)fixture_fifo("queue/public/fifo");
    fixture_link("queue", "link");
    /* links on the way are the site's own business */
    assert_int_equal(endpoint_open(&endpoint, fixture_path("link"), "public", "fifo"),
                     ENDPOINT_FIFO);
    descriptors_close(&endpoint.fd);
    /* and those in place of a service are refused there too */
    fixture_link("fifo", "queue/public/other");
    assert_int_equal(endpoint_open(&endpoint, fixture_path("link"), "public", "other"),
                     ENDPOINT_LINK);
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
TEST(connect)
{
    struct endpoint endpoint;
    char *long_name = fixture_repeat("n", 100), *name = alloc_format("public/%s", long_name);
    int server = fixture_socket(name, SOCK_STREAM, 5);

    assert_int_equal(endpoint_open(&endpoint, fixture_root, "public", long_name), ENDPOINT_SOCKET);
    assert_int_equal(rename(fixture_path(name), fixture_path("public/renamed")), 0);
    (void)fixture_file(name, "somebody else's");
    int client = endpoint_reach(&endpoint, true);
    assert_true(client >= 0);
    assert_int_equal(endpoint_reach(&endpoint, false), 0);
    descriptors_close(&endpoint.fd);
    close(client);
    close(server);
    free(long_name);
    free(name);
}

/* Where there are links on the way, the class directory needs a descriptor too. */
static void check_out_of_descriptors(const char *queue_directory, int needed)
{
    int taken[64];
    struct endpoint endpoint;
    struct rlimit before = fixture_limit_descriptors(64);
    size_t count = fixture_take_descriptors(taken);

    for (int spare = 0; spare < needed; spare++) {
        enum endpoint_result result = endpoint_open(&endpoint, queue_directory, "public", "fifo");
        int error = endpoint.error;

        descriptors_close(&endpoint.fd);
        close(taken[--count]);
        assert_int_equal(result, ENDPOINT_DESCRIPTORS);
        assert_int_equal(error, EMFILE);
    }
    assert_int_equal(endpoint_open(&endpoint, queue_directory, "public", "fifo"), ENDPOINT_FIFO);
    descriptors_close(&endpoint.fd);
    fixture_close(taken, count);
    fixture_restore_descriptors(before);
}

TEST(out_of_descriptors)
{
    (void)fixture_directory("queue");
    (void)fixture_directory("queue/public");
    (void)fixture_fifo("queue/public/fifo");
    fixture_link("queue", "link");
    check_out_of_descriptors(fixture_path("queue"), 1);
    check_out_of_descriptors(fixture_path("link"), 2);
}

/* A worker connects where that may have to wait. */
TEST(connected_by_a_worker)
{
    int server = fixture_socket("public/far", SOCK_STREAM, 5), fd;
    struct endpoint endpoint;
    char bytes[8] = {0};

    limits_of_run = &fixture_no_limits;
    assert_int_equal(endpoint_open(&endpoint, fixture_root, "public", "far"), ENDPOINT_SOCKET);
    endpoint.is_far = true;
    assert_int_equal(endpoint_reach(&endpoint, false), 0);
    fd = endpoint_reach(&endpoint, true);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(send(fd, "D", 2, 0), 2);
    int service = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(read(service, bytes, sizeof(bytes)), 2);
    close(service);
    close(fd);
    close(server);
    assert_int_equal(endpoint_reach(&endpoint, true), -1);
    assert_int_equal(errno, ECONNREFUSED);
    descriptors_close(&endpoint.fd);
    limits_of_run = NULL;
    workers_end();
}
