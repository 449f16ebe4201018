/* SPDX-License-Identifier: MIT */
/* The signal that ends the wait for the close of a descriptor. */
#include "fixture.h"
#include "wire/guard.h"
#include <netinet/in.h>
#include <sys/epoll.h>

/* A TCP socket whose data nobody reads, and that waits for ten seconds when it is closed. */
static int make_lingering(int *peer)
{
    static const char data[65536];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger linger = {1, 10};
    socklen_t length = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    *peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        ;
    close(listening);
    return fd;
}

TEST(close_does_not_block)
{
    struct guard guard = {0};
    int peers[20], fds[20];

    for (size_t i = 0; i < 20; i++)
        fds[i] = make_lingering(&peers[i]);
    guard_start(&guard);
    guard_start(&guard); /* again is no harm */
    int64_t before = clock_now();
    for (size_t i = 0; i < 20; i++)
        close(fds[i]);
    int64_t took = clock_now() - before;
    guard_stop(&guard);
    guard_stop(&guard);
    for (size_t i = 0; i < 20; i++)
        close(peers[i]);
    assert_true(took < 5 * CLOCK_SECOND); /* without it, 200 s */
}

static void never(int number)
{
    fail_msg("signal %d after the guard", number);
}

/* What was before is again; the wait is not ended by the signal, and an alarm(2) goes on. */
TEST(what_was_before)
{
    struct guard guard = {0};
    struct sigaction action = {.sa_handler = never}, after;
    struct epoll_event event;
    sigset_t set, mask;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    assert_int_equal(sigaction(SIGRTMIN, &action, NULL), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    (void)alarm(100);
    sigset_t waiting = guard_wait_mask(NULL);
    assert_true(sigismember(&waiting, SIGUSR1) == 1 && sigismember(&waiting, SIGRTMIN) == 1);
    guard_start(&guard);
    assert_int_equal(epoll_pwait(epoll, &event, 1, 50, &waiting), 0);
    guard_stop(&guard);
    assert_int_not_equal(alarm(0), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_true(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGRTMIN) == 0);
    assert_int_equal(sigaction(SIGRTMIN, NULL, &after), 0);
    assert_true(after.sa_handler == never);
    struct timespec pause = {.tv_nsec = 10000000};
    assert_int_equal(nanosleep(&pause, NULL), 0);
    close(epoll);
}

TEST(nothing_is_interrupted_in_a_pause)
{
    struct guard guard = {0};
    const struct timespec while_ticking = {.tv_nsec = 50000000};

    guard_pause(NULL, true);
    guard_pause(&guard, false);
    guard_start(&guard);
    guard_pause(&guard, true);
    assert_int_equal(nanosleep(&while_ticking, NULL), 0);
    guard_pause(&guard, false);
    assert_int_equal(nanosleep(&while_ticking, NULL), -1);
    assert_int_equal(errno, EINTR);
    guard_stop(&guard);
}
