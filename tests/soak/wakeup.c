/* SPDX-License-Identifier: MIT */
/*
 * wakeup: how long it takes until a kick is confirmed after the service has read the request and
 * holds the connection open: nothing but the kernel's wake-up says that it was read, and once in
 * ten thousand kicks that comes too early. usage: wakeup [KICKS]
 */
#include "base/limits.h"
#include "wire/trigger.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BATCH 1000
#define REQUEST "FADI"
#define LIMIT 100                 /* seconds, as application_event_drain_time is by default */
#define LATE (CLOCK_SECOND / 500) /* later than the second look */
#define TOO_LATE (CLOCK_SECOND)   /* on a busy machine */

/* When the service had read each request of a batch; written by its process. */
static _Atomic int64_t *read_at;

static char directory[] = "/tmp/postkick-wakeup.XXXXXX";

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "wakeup: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The service, in a process of its own: takes the request, and waits for the client to go. */
static _Noreturn void serve(int listening)
{
    char request[sizeof(REQUEST)];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t number = 0;; number++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

        (void)recv(fd, request, sizeof(request), 0);
        read_at[number % BATCH] = clock_now();
        (void)recv(fd, request, sizeof(request), 0);
        close(fd);
    }
}

static pid_t start_service(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (mkdtemp(directory) == NULL)
        fail(directory);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/public", directory);
    if (mkdir(address.sun_path, 0700) < 0)
        fail(address.sun_path);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/public/s", directory);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0)
        fail(address.sun_path);
    read_at = mmap(NULL, BATCH * sizeof(*read_at), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (read_at == MAP_FAILED)
        fail("mmap");
    pid_t child = fork();
    if (child == 0)
        serve(fd);
    if (child < 0)
        fail("fork");
    close(fd);
    return child;
}

static void clean_up(pid_t service)
{
    (void)kill(service, SIGKILL);
    if (chdir(directory) == 0) {
        (void)unlink("public/s");
        (void)rmdir("public");
        (void)rmdir(directory);
    }
}

struct figures {
    long kicks, unconfirmed, late;
    int64_t longest;
};

static void kick(struct figures *figures)
{
    static struct trigger triggers[BATCH];
    const struct limits limits = {.end = CLOCK_NEVER};
    struct trigger_batch batch = {
        .triggers = triggers, .count = BATCH, .connections = 1, .limits = &limits};

    for (int i = 0; i < BATCH; i++) {
        triggers[i] = (struct trigger){.queue_directory = directory,
                                       .class = "public",
                                       .service = "s",
                                       .request = REQUEST,
                                       .request_length = strlen(REQUEST),
                                       .send_limit = LIMIT,
                                       .read_limit = LIMIT};
    }
    if (trigger_run(&batch) != 0)
        fail("epoll");
    for (int i = 0; i < BATCH; i++) {
        int64_t read = read_at[i]; /* an older one: not yet written when the kick was confirmed */
        int64_t took = read < triggers[i].started ? 0 : triggers[i].finished - read;

        figures->kicks++;
        figures->unconfirmed += triggers[i].outcome != TRIGGER_KICKED;
        figures->late += took >= LATE;
        if (took > figures->longest)
            figures->longest = took;
    }
}

int main(int argc, char **argv)
{
    struct figures figures = {0};
    long wanted = argc > 1 ? atol(argv[1]) : 1000000;
    pid_t service = start_service();
    int64_t started = clock_now();

    while (figures.kicks < wanted)
        kick(&figures);
    double seconds = (double)(clock_now() - started) / (double)CLOCK_SECOND;
    clean_up(service);
    printf(
        "result: %ld kicks, %ld not confirmed, %ld more than %d ms after the read, at most %.3f s; "
        "%.0f s\n",
        figures.kicks, figures.unconfirmed, figures.late, (int)(LATE / 1000),
        (double)figures.longest / (double)CLOCK_SECOND, seconds);
    return figures.unconfirmed > 0 || figures.longest >= TOO_LATE ? 1 : 0;
}
