/* SPDX-License-Identifier: MIT */
/*
 * The promise of the program: what it reports as read was read. A process accepts and closes
 * without reading, at random moments, as fast as it can, while the real code looks for the answer.
 */
#include "fixture.h"
#include "wire/fanout.h"
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* Under a sanitizer, which is slow, and without optimisation, a sample. */
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define CLOSES 30000
#else
#define CLOSES 50000
#endif

#define BATCH 1000
#define CONNECTIONS 1 /* at once, so that each close meets the one that looks */
#define REQUEST "FADI"
#define LIMIT 60 /* seconds */

/* So many turns of an empty loop at most, before a close: about the time of a few system calls. */
#define TURNS 10000

enum manner { UNREAD, HALF_READ, SHUT_DOWN, GREETED, READ };

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

static void pass_time(unsigned turns)
{
    for (volatile unsigned i = 0; i < turns; i++)
        ;
}

/* The program's own two looks, with some time between them: whatever their order is, the close
 * happens there more often. */
static unsigned own_seed = 1;
static bool is_ioctl_missing;

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    pass_time(next_random(&own_seed) % TURNS);
    if (is_ioctl_missing) {
        errno = ENOTTY;
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
    pass_time(next_random(&own_seed) % TURNS);
    return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}

/* What comes before the close wakes the client, so that it looks while the close happens. */
static void serve_one(int fd, enum manner manner, unsigned turns)
{
    char request[sizeof(REQUEST)];

    if (manner == HALF_READ)
        (void)recv(fd, request, sizeof(request) / 2, MSG_DONTWAIT);
    else if (manner == SHUT_DOWN)
        (void)shutdown(fd, SHUT_WR);
    else if (manner == GREETED)
        (void)send(fd, "x", 1, MSG_NOSIGNAL);
    else if (manner == READ)
        (void)recv(fd, request, sizeof(request), MSG_WAITALL);
    pass_time(turns);
    close(fd);
}

/* The service: a process of its own, that ends with this one. */
static _Noreturn void serve(int listening, bool reads)
{
    unsigned seed = 1;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listening, NULL, NULL);
        unsigned turns = next_random(&seed) % TURNS;
        enum manner manner = (enum manner)(next_random(&seed) % READ);

        if (fd >= 0)
            serve_one(fd, reads ? READ : manner, turns);
    }
}

static pid_t start_service(bool reads)
{
    int listening = fixture_socket("public/x", SOCK_STREAM, CONNECTIONS);
    pid_t service = fork();

    if (service == 0)
        serve(listening, reads);
    assert_true(service > 0);
    close(listening);
    return service;
}

static void stop_service(pid_t service)
{
    assert_int_equal(unlink(fixture_path("public/x")), 0);
    fixture_kill(service);
}

/* How many outcomes of each kind a batch of kicks had. */
static void kick(bool wait, int *outcomes)
{
    static struct trigger triggers[BATCH];
    struct fanout fanout = {.triggers = triggers,
                            .count = BATCH,
                            .connections = CONNECTIONS,
                            .limits = &fixture_no_limits};

    for (int i = 0; i < BATCH; i++) {
        trigger_init(&triggers[i]);
        triggers[i].queue_directory = fixture_root;
        triggers[i].class = "public";
        triggers[i].service = "x";
        triggers[i].request = REQUEST;
        triggers[i].request_length = strlen(REQUEST);
        triggers[i].send_limit = triggers[i].read_limit = LIMIT;
        triggers[i].wait_for_close = wait;
    }
    assert_int_equal(fanout_run(&fanout), 0);
    for (int i = 0; i < BATCH; i++)
        outcomes[triggers[i].outcome]++;
}

static void kick_closer(int times)
{
    int outcomes[TRIGGER_SEND + 1] = {0};
    pid_t service = start_service(false);

    for (int i = 0; i < times / BATCH; i++)
        kick(i % 2 == 1, outcomes);
    stop_service(service);
    printf("# result: closes without reading: %d, said to be read: %d\n", outcomes[TRIGGER_CLOSED],
           outcomes[TRIGGER_KICKED]);
    assert_int_equal(outcomes[TRIGGER_KICKED], 0);
    assert_int_equal(outcomes[TRIGGER_CLOSED], times);
}

static void kick_reader(int times)
{
    int outcomes[TRIGGER_SEND + 1] = {0};
    pid_t service = start_service(true);

    for (int i = 0; i < times / BATCH; i++)
        kick(i % 2 == 1, outcomes);
    stop_service(service);
    assert_int_equal(outcomes[TRIGGER_KICKED], times);
}

TEST(no_close_is_taken_for_a_read)
{
    kick_closer(CLOSES);
}

TEST(every_read_is_seen)
{
    kick_reader(CLOSES / 10);
}

/* Where the kernel does not report what is unread, the service's close is the answer. */
TEST(without_siocoutq)
{
    is_ioctl_missing = true;
    kick_closer(CLOSES / 10);
    kick_reader(CLOSES / 10);
    is_ioctl_missing = false;
}
