/* SPDX-License-Identifier: MIT */
/*
 * service: endpoints that read, half read, stay, close, reset, shut down, greet and delay at
 * random, and that write down what they have read. For tests/soak/kicks.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINTS 1000
#define DELAYED 4096
#define REQUEST 64
#define SPIN 10000 /* turns of an empty loop at most: about the time of a few system calls */
#define DELAY 10   /* milliseconds at most */
#define WAITED 4   /* requests divisible by that are sent with -w */

enum manner { READ, STAY, READ_SLOWLY, HALF, UNREAD, RESET, SHUT_READ, SHUT_UNREAD, MANNERS };
enum turn { SERVE, CLOSE, CLOSE_LAST };

/* A connection whose turn has not come, or that is to be closed later, or after the client. */
struct delayed {
    int64_t due; /* milliseconds */
    size_t endpoint;
    int fd;
    enum turn turn;
};

static struct pollfd listening[ENDPOINTS];
static volatile uint32_t *truth; /* for each endpoint, the last request that was read wholly */
static struct delayed delayed[DELAYED];
static size_t delayed_count;
static uint64_t random_state;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "service: %s: %s\n", what, strerror(errno));
    exit(1);
}

static unsigned next_random(unsigned most)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % most;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void spin(void)
{
    for (volatile unsigned i = next_random(SPIN); i > 0; i--)
        ;
}

static void delay(int fd, size_t endpoint, enum turn turn)
{
    if (delayed_count == DELAYED)
        fail("too many connections");
    delayed[delayed_count++] = (struct delayed){
        .due = now() + next_random(DELAY + 1), .endpoint = endpoint, .fd = fd, .turn = turn};
}

/* Takes the request, in two steps where it is slow, once it is written down as read. */
static void read_request(int fd, size_t endpoint, bool slowly)
{
    char request[REQUEST + 1] = "";
    ssize_t length = recv(fd, request, REQUEST, MSG_PEEK);

    if (length <= 0 || request[length - 1] != '\0')
        return; /* the client is gone */
    truth[endpoint] = (uint32_t)strtoul(request, NULL, 10);
    if (slowly) {
        (void)recv(fd, request, (size_t)length / 2, 0);
        spin();
    }
    (void)recv(fd, request, REQUEST, 0);
}

static void wait_for_request(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    (void)poll(&waiting, 1, 1000);
}

static void serve(int fd, size_t endpoint)
{
    enum manner manner = next_random(3) > 0 ? (enum manner)next_random(2) : next_random(MANNERS);
    char request[REQUEST];

    if (next_random(4) == 0 || manner == RESET)
        (void)send(fd, "greeting", 8, MSG_NOSIGNAL);
    if (manner == SHUT_READ || manner == SHUT_UNREAD)
        (void)shutdown(fd, SHUT_WR);
    spin();
    if (manner <= READ_SLOWLY || manner == SHUT_READ)
        read_request(fd, endpoint, manner == READ_SLOWLY);
    else if (manner == HALF)
        (void)recv(fd, request, 1, 0); /* of two or more */
    else if (manner == RESET)
        wait_for_request(fd);
    spin();
    /* Where the service stays, nothing but the kernel's wake-up says that the request was read, and
     * once in ten thousand kicks that comes too early. */
    if (manner == STAY && truth[endpoint] % WAITED != 0)
        delay(fd, endpoint, CLOSE_LAST);
    else if (next_random(4) == 0)
        delay(fd, endpoint, CLOSE);
    else
        close(fd);
}

static bool is_open(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void accept_one(size_t endpoint)
{
    int fd = accept4(listening[endpoint].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (next_random(8) == 0)
        delay(fd, endpoint, SERVE);
    else
        serve(fd, endpoint);
}

static void run_delayed(void)
{
    int64_t time = now();

    for (size_t i = 0; i < delayed_count;) {
        struct delayed each = delayed[i];

        if (each.turn == CLOSE_LAST ? is_open(each.fd) : each.due > time) {
            i++;
            continue;
        }
        delayed[i] = delayed[--delayed_count];
        if (each.turn == SERVE)
            serve(each.fd, each.endpoint);
        else
            close(each.fd);
    }
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        fail("path too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        fail(path);
    return fd;
}

int main(int argc, char **argv)
{
    nfds_t count = 0;

    if (argc < 4 || argc > ENDPOINTS + 3) {
        puts(
            "usage: service SEED TRUTH ENDPOINT...\n"
            "Serves until its parent ends. TRUTH, a file, gets a 32-bit number for each endpoint:\n"
            "the last request, a number too, that was read wholly, before it is taken.");
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    random_state = strtoull(argv[1], NULL, 10);
    size_t size = (size_t)(argc - 3) * sizeof(*truth);
    int file = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, (off_t)size) < 0)
        fail(argv[2]);
    truth = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (truth == MAP_FAILED)
        fail("mmap");
    for (char **path = argv + 3; *path != NULL; path++)
        listening[count++] = (struct pollfd){.fd = listen_at(*path), .events = POLLIN};
    puts("ready");
    (void)fflush(stdout);
    for (;;) {
        if (poll(listening, count, delayed_count > 0 ? 1 : -1) < 0 && errno != EINTR)
            fail("poll");
        for (nfds_t i = 0; i < count; i++)
            if (listening[i].revents != 0)
                accept_one(i);
        run_delayed();
    }
}
