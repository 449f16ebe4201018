/* SPDX-License-Identifier: MIT */
/* Many requests at the same time. The service is a child process that reads, or does not. */
#include "base/descriptors.h"
#include "fixture.h"
#include "wire/trigger.h"
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define MOST 64

static char names[MOST][32];
static struct trigger triggers[MOST];
static pid_t service;

/* Lays out triggers for the services "r0" to "r<reading - 1>", which read, every second one after a
 * greeting, and "s<n>", silent. The readers live in a child process until stop_services(). */
static void start_services(size_t reading, size_t silent)
{
    struct pollfd servers[MOST];

    for (size_t i = 0; i < reading + silent; i++) {
        bool reads = i < reading;
        (void)snprintf(names[i], sizeof(names[i]), "public/%c%zu", reads ? 'r' : 's', i);
        servers[i] = (struct pollfd){.fd = fixture_socket(names[i], SOCK_STREAM, MOST),
                                     .events = reads ? POLLIN : 0};
        triggers[i] = (struct trigger){.queue_directory = fixture_root,
                                       .class = "public",
                                       .service = strrchr(names[i], '/') + 1,
                                       .request = "W",
                                       .request_length = 1,
                                       .send_limit = 60,
                                       .read_limit = 60};
    }
    service = fork();
    assert_true(service >= 0);
    while (service == 0 && poll(servers, reading + silent, -1) > 0) {
        for (size_t i = 0; i < reading; i++) {
            char bytes[16];
            if (servers[i].revents == 0)
                continue;
            int fd = accept4(servers[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (i % 2 == 1)
                (void)send(fd, "hello", 5, MSG_NOSIGNAL);
            (void)!read(fd, bytes, sizeof(bytes));
            close(fd);
        }
    }
    if (service == 0)
        _exit(1);
    for (size_t i = 0; i < reading + silent; i++)
        close(servers[i].fd);
}

static void stop_services(void)
{
    fixture_kill(service);
    for (size_t i = 0; i < MOST; i++)
        (void)unlink(fixture_path(names[i]));
}

static size_t count_outcomes(size_t count, enum trigger_outcome outcome)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(triggers[i].state, TRIGGER_DONE);
        assert_int_equal(triggers[i].fd, -1);
        if (triggers[i].outcome == outcome)
            found++;
    }
    return found;
}

static struct limits limits;

SETUP(set_no_limits)
{
    limits.end = CLOCK_NEVER;
}

/* Runs the triggers, so many at once. */
static void run_all(size_t count, int connections)
{
    struct trigger_batch batch = {
        .triggers = triggers, .count = count, .connections = connections, .limits = &limits};

    for (size_t i = 0; i < count; i++)
        triggers[i].state = TRIGGER_IDLE;
    assert_int_equal(trigger_run(&batch), 0);
}

/* Sets the limits of so many, in seconds. */
static void limit_all(size_t count, int seconds)
{
    for (size_t i = 0; i < count; i++)
        triggers[i].send_limit = triggers[i].read_limit = seconds;
}

TEST(all_at_once_and_in_turns)
{
    static const int connections[] = {1, 2, 7, MOST};

    run_all(0, 1);
    start_services(MOST, 0);
    for (size_t i = 0; i < COUNT(connections); i++) {
        run_all(MOST, connections[i]);
        assert_int_equal(count_outcomes(MOST, TRIGGER_KICKED), MOST);
    }
    stop_services();
}

/* The time for several silent services is that of one. */
TEST(silent_services)
{
    start_services(3, 20);
    limit_all(23, 1);
    int64_t before = clock_now();
    run_all(23, MOST);
    int64_t took = clock_now() - before;
    assert_int_equal(count_outcomes(23, TRIGGER_KICKED), 3);
    assert_int_equal(count_outcomes(23, TRIGGER_NOT_READ), 20);
    assert_true(took >= CLOCK_SECOND);
    assert_true(took < 15 * CLOCK_SECOND); /* one after the other would be 20 */

    /* those whose turn does not come in time have an outcome of their own */
    limit_all(23, 60);
    limits.end = clock_after(clock_now(), 1);
    run_all(23, 4);
    stop_services();
    assert_int_equal(count_outcomes(23, TRIGGER_KICKED), 3);
    assert_int_equal(count_outcomes(23, TRIGGER_NOT_READ), 4);
    assert_int_equal(count_outcomes(23, TRIGGER_NO_TIME), 16);
    assert_true(triggers[22].finished == triggers[22].started);
}

/* The number of the next descriptor. */
static rlim_t lowest_descriptor(void)
{
    int lowest = dup(STDERR_FILENO);

    close(lowest);
    return (rlim_t)lowest;
}

/* Not even one connection: that is reported, not waited for. */
TEST(fewer_descriptors_than_connections)
{
    struct trigger_batch batch = {.triggers = triggers, .count = 40, .limits = &limits};

    start_services(40, 0);
    rlim_t lowest = lowest_descriptor();
    struct rlimit before = fixture_limit_descriptors(lowest + 6);
    int few = trigger_run(&batch);
    size_t kicked = count_outcomes(40, TRIGGER_KICKED);
    triggers[0].state = triggers[1].state = TRIGGER_IDLE;
    batch.count = 2;
    (void)fixture_limit_descriptors(lowest + 1);
    int one = trigger_run(&batch);
    (void)fixture_limit_descriptors(lowest);
    int none = trigger_run(&batch);
    fixture_restore_descriptors(before);
    stop_services();
    assert_int_equal(few, 0);
    assert_int_equal(kicked, 40);
    assert_int_equal(one, 0);
    assert_int_equal(count_outcomes(2, TRIGGER_CONNECT), 2);
    assert_int_equal(triggers[0].error, EMFILE);
    assert_int_equal(none, EMFILE);
}

/* The signal is blocked except during the wait, and ends it. */
TEST(interruption)
{
    start_services(1, 2);
    signals_start();
    signals_catch();
    pid_t killer = fork();
    if (killer == 0) {
        usleep(500000);
        _exit(kill(getppid(), SIGTERM));
    }
    run_all(3, 1);
    assert_int_equal(waitpid(killer, NULL, 0), killer);
    assert_int_equal(signals_received(), SIGTERM);
    signals_start();
    stop_services();
    assert_int_equal(triggers[0].outcome, TRIGGER_KICKED);
    assert_int_equal(triggers[1].outcome, TRIGGER_PENDING);
    assert_int_equal(triggers[1].state, TRIGGER_DONE);
    assert_int_equal(triggers[1].fd, -1);
    assert_int_equal(triggers[2].outcome, TRIGGER_PENDING);
    assert_int_equal(triggers[2].state, TRIGGER_IDLE); /* its turn never came */
}

static void count_calls(void *context, int64_t now)
{
    int *calls = context;

    assert_true(now > 0);
    ++*calls;
}

TEST(progress)
{
    int calls = 0;

    start_services(1, 1);
    struct trigger_batch batch = {.triggers = triggers,
                                  .count = 2,
                                  .whole_limit = 3,
                                  .limits = &limits,
                                  .progress = count_calls,
                                  .context = &calls};
    assert_int_equal(trigger_run(&batch), 0);
    stop_services();
    assert_int_equal(triggers[1].seconds, 3);
    assert_true(calls >= 1 && calls <= 3);
}

/* A TCP socket whose data nobody reads, so that its last close waits for a minute. */
static int make_lingering(int listening, const struct sockaddr_in *address)
{
    static const char data[65536];
    const struct linger linger = {1, 60};
    const int small = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        accept4(listening, NULL, NULL, SOCK_CLOEXEC) < 0)
        _exit(1);
    while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        ;
    return fd;
}

/* Serves "public/l": each connection is passed two such sockets, and is not read. */
static _Noreturn void serve_lingering(int server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int small = 1;
    socklen_t length = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (listen(listening, 1) < 0 ||
        getsockname(listening, (struct sockaddr *)&address, &length) < 0)
        _exit(3);
    for (;;) {
        int connection = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        int fds[] = {make_lingering(listening, &address), make_lingering(listening, &address)};

        if (descriptors_send(connection, "x", 1, 0, fds, 2) != 0)
            _exit(2);
        fixture_close(fds, 2);
    }
}

/* The closing child has to wait for a process that is slow to close its own descriptors. */
static bool is_slow;

int close(int fd)
{
    if (is_slow)
        usleep(20000);
    return (int)syscall(SYS_close, fd);
}

/* Ends with status 0 if the services were found silent, and no child is left. */
static void kick_lingering(void)
{
    is_slow = true;
    run_all(4, 4);
    if (count_outcomes(4, TRIGGER_NOT_READ) != 4)
        _exit(2);
    if (waitpid(-1, NULL, WNOHANG) != -1)
        _exit(3); /* there is a child */
}

/* Neither the program nor the reader of its output waits for the descriptors to be closed. */
TEST(passed_descriptors)
{
    int server = fixture_socket("public/l", SOCK_STREAM, MOST);

    service = fork();
    if (service == 0)
        serve_lingering(server);
    for (size_t i = 0; i < 4; i++)
        triggers[i] = (struct trigger){.queue_directory = fixture_root,
                                       .class = "public",
                                       .service = "l",
                                       .request = "W",
                                       .request_length = 1,
                                       .send_limit = 2,
                                       .read_limit = 2};
    int64_t started = clock_now();
    struct fixture_result result = fixture_run(kick_lingering, STDOUT_FILENO);
    int64_t took = clock_now() - started;
    assert_int_equal(waitpid(service, NULL, WNOHANG), 0);
    fixture_kill(service); /* and the descriptors can be closed */
    close(server);
    assert_int_equal(result.status, 0);
    assert_true(took < 30 * CLOCK_SECOND);
}

/* Waits for all children, which end soon; also for those of children that have ended. */
static void assert_no_children(void)
{
    pid_t found = 0;

    for (int i = 0; i < 1000 && found >= 0; i++) {
        found = waitpid(-1, NULL, WNOHANG);
        if (found == 0)
            usleep(10000);
    }
    assert_int_equal(found, -1);
}

/* Whoever writes to a FIFO waits without end, as if its reader held it. */
static bool is_held;

ssize_t write(int fd, const void *bytes, size_t length)
{
    struct stat status;

    while (is_held && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
        pause();
    return syscall(SYS_write, fd, bytes, length);
}

/* Makes "public/f<n>", with a reader each, and lays out triggers for them. */
static void make_fifos(size_t count, int *readers)
{
    (void)mkdir(fixture_path("public"), 0755);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "public/f%zu", i);
        readers[i] = open(fixture_fifo(names[i]), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        assert_true(readers[i] >= 0);
        triggers[i] = (struct trigger){.queue_directory = fixture_root,
                                       .class = "public",
                                       .service = names[i] + strlen("public/"),
                                       .request = "FADI",
                                       .request_length = 4,
                                       .send_limit = 1,
                                       .read_limit = 1};
    }
}

/* Starts a process that reads them all after some microseconds, for as long as it lives. */
static void read_fifos(size_t count, const int *readers, useconds_t pause)
{
    struct pollfd polls[MOST];
    char bytes[16];

    service = fork();
    if (service != 0) {
        fixture_close(readers, count);
        return;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    usleep(pause);
    for (size_t i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = readers[i], .events = POLLIN};
    while (poll(polls, count, -1) > 0)
        for (size_t i = 0; i < count; i++)
            if (polls[i].revents != 0 && read(readers[i], bytes, sizeof(bytes)) != 4)
                _exit(1);
    _exit(2);
}

/* Many at once, also with few descriptors. */
TEST(fifos)
{
    int readers[MOST];
    struct rlimit before = {0};

    make_fifos(MOST, readers);
    read_fifos(MOST, readers, 0);
    limit_all(MOST, 60);
    for (size_t i = 0; i < MOST; i++)
        triggers[i].wait_for_close = true; /* there is nothing to wait for */
    for (int few = 0; few < 2; few++) {
        if (few == 1)
            before = fixture_limit_descriptors(lowest_descriptor() + 30);
        run_all(MOST, few == 1 ? 20 : MOST);
        if (few == 1)
            fixture_restore_descriptors(before);
        assert_int_equal(count_outcomes(MOST, TRIGGER_KICKED), MOST);
    }
    assert_int_equal(waitpid(service, NULL, WNOHANG), 0);
    fixture_kill(service);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no other child, not even one that ended */
}

#ifndef __SANITIZE_ADDRESS__

/* Returns the size of the address space, in bytes. */
static rlim_t memory_in_use(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    (void)fclose(file);
    return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* No threads, as where a filter of a container does not know clone3(2). */
static bool is_filtered;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    __typeof__(&pthread_create) real;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return is_filtered ? EPERM : real(thread, attributes, run, context);
}

/* Each needs a thread until it is read, and there is memory for some threads, or for none, or there
 * can be none: they go in turns. */
TEST(fifos_with_few_threads)
{
    static const rlim_t room[] = {4 * 1024 * 1024, 192 * 1024, 64 * 1024 * 1024};
    int readers[MOST];
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    make_fifos(MOST, readers);
    read_fifos(MOST, readers, 200000);
    limit_all(MOST, 60);
    for (size_t i = 0; i < COUNT(room); i++) {
        struct rlimit limit = {memory_in_use() + room[i], before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        is_filtered = i == 2;
        run_all(MOST, 4 * MOST);
        is_filtered = false;
        assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
        assert_int_equal(count_outcomes(MOST, TRIGGER_KICKED), MOST);
    }
    fixture_kill(service);
}

#endif

/* One that is full, one that is not read, one that holds whoever comes, one without a reader. Each
 * has its own words, and the time for all is that of one. */
TEST(silent_fifos)
{
    static const enum trigger_outcome expected[] = {TRIGGER_NOT_WRITTEN, TRIGGER_NOT_READ,
                                                    TRIGGER_NO_READER};
    char page[4096] = {0};
    int readers[3];

    make_fifos(3, readers);
    while (write(readers[0], page, sizeof(page)) > 0)
        ;
    descriptors_close(&readers[2]);
    run_all(3, MOST);
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(triggers[i].outcome, expected[i]);
        assert_int_equal(triggers[i].peer, 0);
    }
    is_held = true;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    run_all(3, MOST);
    is_held = false;
    assert_int_equal(count_outcomes(3, TRIGGER_HELD), 2);
    assert_no_children(); /* the threads that are held have ended with it */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    assert_int_equal(triggers[2].outcome, TRIGGER_NO_READER);
    fixture_close(readers, 2);
}
