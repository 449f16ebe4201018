/* SPDX-License-Identifier: MIT */
/* One request to one endpoint, step by step: the test is the service, and owns the clock. In the
 * end, many requests and a service that goes away at random moments. */
#include "base/descriptors.h"
#include "fixture.h"
#include "wire/trigger.c" /* a step has no other way in */
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define START (1000 * CLOCK_SECOND)
#define ALL_EVENTS (EPOLLIN | EPOLLOUT)

static struct trigger_shared shared;

static struct trigger new_trigger(const char *service, const char *request)
{
    return (struct trigger){.shared = &shared,
                            .queue_directory = fixture_root,
                            .class = "public",
                            .service = service,
                            .request = request,
                            .request_length = strlen(request),
                            .send_limit = 10,
                            .read_limit = 100};
}

static int serve_stream(int backlog)
{
    return fixture_socket("public/qmgr", SOCK_STREAM | SOCK_NONBLOCK, backlog);
}

static void assert_done(const struct trigger *trigger, enum trigger_outcome outcome, int error)
{
    assert_int_equal(trigger->state, TRIGGER_DONE);
    assert_int_equal(trigger->outcome, outcome);
    assert_int_equal(trigger->error, error);
    assert_int_equal(trigger->fd, -1);
    assert_int_equal(utarray_len(&shared.lingering), 0);
    assert_int_equal(trigger->endpoint.fd, -1);
    assert_true(trigger->due == CLOCK_NEVER);
}

/* Both are closed after each test. */
static int server = -1, service = -1;

SETUP(set_up)
{
    utarray_init(&shared.lingering, &ut_int_icd);
}

TEARDOWN(tear_down)
{
    utarray_done(&shared.lingering);
    descriptors_close(&service);
    descriptors_close(&server);
}

/* Starts a trigger whose request arrives at service. */
static struct trigger start_sent(const char *request, bool wait_for_close)
{
    struct trigger trigger = new_trigger("qmgr", request);

    server = serve_stream(5);
    trigger.wait_for_close = wait_for_close;
    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_int_equal(trigger.state, TRIGGER_READING);
    assert_int_equal(trigger.seconds, trigger.read_limit);
    assert_true(trigger.ends == START + 100 * CLOCK_SECOND);
    service = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(service >= 0);
    return trigger;
}

static void take(int from, const char *expected, size_t length)
{
    char bytes[64];

    assert_int_equal(recv(from, bytes, sizeof(bytes), 0), (ssize_t)length);
    assert_memory_equal(bytes, expected, length);
}

TEST(read)
{
    struct trigger trigger = start_sent("FADI", false);

    step(&trigger, EPOLLOUT, START);
    assert_int_equal(trigger.state, TRIGGER_READING); /* not read: not confirmed */
    take(service, "FADI", 5);
    step(&trigger, EPOLLOUT, START + 5);
    assert_done(&trigger, TRIGGER_KICKED, 0);
    assert_true(trigger.finished == START + 5);
}

TEST(empty_request)
{
    struct trigger trigger = start_sent("", false);

    take(service, "", 1);
    descriptors_close(&service);
    step(&trigger, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP, START);
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

/* Returns how many sockets linger, and closes them. */
static size_t end_lingering(void)
{
    size_t count = utarray_len(&shared.lingering);

    fixture_close(utarray_front(&shared.lingering), count);
    utarray_clear(&shared.lingering);
    return count;
}

/* Ends with input that was not received: its socket is left to the caller, and the service can send
 * nothing more, and need not wait for the close. */
static void assert_lingering(void)
{
    char byte;

    assert_int_equal(send(service, "more", 4, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(recv(service, &byte, 1, 0), 0);
    assert_int_equal(end_lingering(), 1);
}

/* The greeting of a service is no answer, and is not received. */
TEST(greeting)
{
    struct trigger trigger = start_sent("W", false);

    assert_int_equal(send(service, "hello", 5, 0), 5);
    step(&trigger, EPOLLIN, START);
    assert_int_equal(trigger.state, TRIGGER_READING);
    take(service, "W", 2);
    step(&trigger, EPOLLOUT, START);
    assert_lingering();
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

/* Whatever way the service goes with the request unread, it is never a success. */
TEST(gone_unread)
{
    static const struct {
        const char *greeting;
        bool half;   /* reads part of the request first */
        bool accept; /* before it goes */
    } cases[] = {{"", false, true},
                 {"", false, false},
                 {"", true, true},
                 {"hello", false, true},
                 {"hello", true, true}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        server = serve_stream(5);
        struct trigger trigger = new_trigger("qmgr", "FADI");

        assert_true(start(&trigger, START, CLOCK_NEVER));
        if (cases[i].accept)
            service = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        if (cases[i].greeting[0] != '\0')
            assert_int_equal(send(service, cases[i].greeting, 5, 0), 5);
        if (cases[i].half) {
            char bytes[2];
            assert_int_equal(recv(service, bytes, 2, 0), 2);
        }
        descriptors_close(&service);
        descriptors_close(&server);
        step(&trigger, ALL_EVENTS | EPOLLRDHUP | EPOLLHUP | EPOLLERR, START);
        assert_int_equal(end_lingering(), cases[i].greeting[0] != '\0');
        assert_done(&trigger, TRIGGER_CLOSED, ECONNRESET);
        assert_int_equal(unlink(fixture_path("public/qmgr")), 0);
    }
}

/* End of file alone is no answer: the service may have shut down its writing side. */
TEST(shutdown)
{
    struct trigger trigger = start_sent("W", false);

    assert_int_equal(shutdown(service, SHUT_WR), 0);
    step(&trigger, EPOLLIN | EPOLLOUT | EPOLLRDHUP, START);
    assert_int_equal(trigger.state, TRIGGER_READING);
    step(&trigger, 0, trigger.ends);
    assert_done(&trigger, TRIGGER_NOT_READ, 0);
    assert_int_equal(trigger.seconds, 100);
}

TEST(not_read)
{
    struct trigger trigger = start_sent("W", false);

    step(&trigger, 0, trigger.ends - 1);
    assert_int_equal(trigger.state, TRIGGER_READING);
    step(&trigger, 0, trigger.ends);
    assert_done(&trigger, TRIGGER_NOT_READ, 0);
}

/* Read, and no event follows: the next look comes in 1 ms, or after half of the time that has gone
 * by, but in 100 ms at most; at round times, so that those of many triggers coincide. */
TEST(looked_at_again)
{
    struct trigger trigger = start_sent("W", false);
    const int64_t first = CLOCK_SECOND / 1000, last = CLOCK_SECOND / 10;
    int64_t now = START;
    int looks = 0;

    for (; now < START + CLOCK_SECOND; looks++) {
        int64_t most = (now - START) / 2 > last ? last : (now - START) / 2;

        assert_true(trigger.due > now && trigger.due <= now + (most < first ? first : most));
        assert_true(trigger.due % first == 0);
        now = trigger.due;
        step(&trigger, 0, now);
        assert_int_equal(trigger.state, TRIGGER_READING);
    }
    fixture_assert_between(looks, 15, 25);
    assert_true(trigger.due == now + last);
    take(service, "W", 2);
    step(&trigger, 0, trigger.due);
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

/* Read at the last moment, without an event so far. */
TEST(read_when_time_is_up)
{
    struct trigger trigger = start_sent("W", false);

    take(service, "W", 2);
    step(&trigger, 0, trigger.due);
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

TEST(wait_for_close)
{
    struct trigger trigger = start_sent("W", true);

    take(service, "W", 2);
    int64_t later = START + 30 * CLOCK_SECOND;
    step(&trigger, EPOLLOUT, later);
    assert_int_equal(trigger.state, TRIGGER_CLOSING);
    assert_true(trigger.due == later + 100 * CLOCK_SECOND); /* a limit of its own */
    assert_int_equal(shutdown(service, SHUT_WR), 0);
    step(&trigger, EPOLLIN | EPOLLRDHUP, later);
    assert_int_equal(trigger.state, TRIGGER_CLOSING); /* it may go on working */
    descriptors_close(&service);
    step(&trigger, EPOLLIN | EPOLLRDHUP | EPOLLHUP, later);
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

/* What it sends meanwhile is not received, and does not hold it up: a short reply has room, and
 * after that its sends fail. */
TEST(wait_for_close_of_a_talker)
{
    static const char reply[100] = "";
    int count = 0;

    for (size_t size = 1; size < sizeof(reply); size += sizeof(reply) - 2) {
        struct trigger trigger = start_sent("W", true);

        take(service, "W", 2);
        assert_int_equal(send(service, reply, sizeof(reply), 0), sizeof(reply));
        step(&trigger, EPOLLIN | EPOLLOUT, START);
        assert_int_equal(send(service, reply, 1, MSG_NOSIGNAL), 1);
        while (send(service, reply, size, MSG_NOSIGNAL) == (ssize_t)size) {
            step(&trigger, EPOLLIN, START);
            assert_true(++count < 1000);
        }
        assert_int_equal(errno, EPIPE);
        step(&trigger, EPOLLIN | EPOLLRDHUP, START);
        assert_int_equal(trigger.state, TRIGGER_CLOSING);
        descriptors_close(&service);
        step(&trigger, EPOLLIN | EPOLLRDHUP | EPOLLHUP, START);
        (void)end_lingering();
        assert_done(&trigger, TRIGGER_KICKED, 0);
        descriptors_close(&server);
        assert_int_equal(unlink(fixture_path("public/qmgr")), 0);
    }
}

TEST(not_finished)
{
    struct trigger trigger = start_sent("W", true);

    take(service, "W", 2);
    step(&trigger, 0, START + 100 * CLOCK_SECOND); /* read, but seen only now */
    assert_int_equal(trigger.state, TRIGGER_CLOSING);
    step(&trigger, 0, trigger.ends);
    assert_done(&trigger, TRIGGER_NOT_FINISHED, 0);
}

/* With a request that was read, an end that is a reset is an end too. */
TEST(reset_after_read)
{
    struct trigger trigger = start_sent("W", true);

    take(service, "W", 2);
    step(&trigger, EPOLLOUT, START);
    assert_int_equal(trigger.state, TRIGGER_CLOSING);
    assert_int_equal(send(trigger.fd, "x", 1, 0), 1);
    descriptors_close(&service);
    step(&trigger, EPOLLIN | EPOLLERR | EPOLLHUP, START);
    assert_done(&trigger, TRIGGER_KICKED, 0);
}

/* Fills the listen queue of "qmgr". Returns the number of clients. */
static size_t fill_queue(int *fillers)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int connected = 0;
    size_t count = 0;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture_path("public/qmgr"));
    while (connected == 0) {
        fillers[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connected = connect(fillers[count++], (struct sockaddr *)&address, sizeof(address));
    }
    return count;
}

TEST(full_listen_queue)
{
    int fillers[4];
    server = serve_stream(0);
    size_t count = fill_queue(fillers);
    struct trigger trigger = new_trigger("qmgr", "W"), late = trigger;

    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_true(start(&late, START, START + 3 * CLOCK_SECOND));
    int64_t now = START;
    for (int attempts = 0; trigger.state != TRIGGER_DONE; attempts++) {
        assert_int_equal(trigger.state, TRIGGER_CONNECTING);
        assert_int_equal(trigger.fd, -1);
        assert_true(trigger.due > now && trigger.due <= START + 10 * CLOCK_SECOND);
        assert_true(attempts < 1000);
        now = trigger.due;
        step(&trigger, 0, now);
    }
    assert_true(now == START + 10 * CLOCK_SECOND);
    assert_done(&trigger, TRIGGER_QUEUE_FULL, EAGAIN);
    assert_int_equal(trigger.seconds, 10);

    int accepted;
    while ((accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        close(accepted);
    step(&late, 0, late.due); /* there is room now */
    assert_int_equal(late.state, TRIGGER_READING);
    assert_true(late.ends == START + 3 * CLOCK_SECOND); /* one limit for both steps */
    accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    take(accepted, "W", 2);
    step(&late, EPOLLOUT, now);
    assert_done(&late, TRIGGER_KICKED, 0);
    close(accepted);
    fixture_close(fillers, count);
}

/* The service restarts while its listen queue is full: it is looked up again. */
TEST(restart_while_full)
{
    int fillers[4];
    server = serve_stream(0);
    size_t count = fill_queue(fillers);
    struct trigger trigger = new_trigger("qmgr", "W");

    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_int_equal(trigger.state, TRIGGER_CONNECTING);
    descriptors_close(&server);
    step(&trigger, 0, trigger.due); /* refused */
    assert_int_equal(trigger.state, TRIGGER_CONNECTING);
    assert_int_equal(unlink(fixture_path("public/qmgr")), 0);
    step(&trigger, 0, trigger.due); /* not there */
    assert_int_equal(trigger.state, TRIGGER_CONNECTING);
    server = serve_stream(5);
    step(&trigger, 0, trigger.due);
    assert_int_equal(trigger.state, TRIGGER_READING);
    service = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    take(service, "W", 2);
    step(&trigger, EPOLLOUT, START);
    assert_done(&trigger, TRIGGER_KICKED, 0);
    fixture_close(fillers, count);
}

/* It does not come back: the outcome is what was found last. */
TEST(gone_while_full)
{
    int fillers[4];
    server = serve_stream(0);
    size_t count = fill_queue(fillers);
    struct trigger refused = new_trigger("qmgr", "W"), gone = refused, other = refused;

    assert_true(start(&refused, START, CLOCK_NEVER));
    assert_true(start(&gone, START, CLOCK_NEVER));
    assert_true(start(&other, START, CLOCK_NEVER));
    descriptors_close(&server);
    for (int i = 0; i < 2; i++) {
        step(&refused, 0, refused.due);
        step(&gone, 0, gone.due);
        step(&other, 0, other.due);
        (void)unlink(fixture_path("public/qmgr"));
        if (i == 0) {
            step(&refused, 0, refused.ends);
            assert_done(&refused, TRIGGER_CONNECT, ECONNREFUSED);
        }
    }
    step(&gone, 0, gone.ends);
    assert_done(&gone, TRIGGER_LOOKUP, ENOENT);
    (void)fixture_file("public/qmgr", "no service");
    step(&other, 0, other.due);
    assert_done(&other, TRIGGER_WRONG_TYPE, 0);
    fixture_close(fillers, count);
}

TEST(extended)
{
    struct trigger trigger = start_sent("W", false);

    trigger_extend(&trigger, 5, 50); /* shorter than its own */
    assert_true(trigger.ends == START + 100 * CLOCK_SECOND);
    trigger_extend(&trigger, 5, 200);
    assert_true(trigger.ends == START + 200 * CLOCK_SECOND);
    step(&trigger, 0, START + 100 * CLOCK_SECOND);
    assert_int_equal(trigger.state, TRIGGER_READING);
    step(&trigger, 0, trigger.ends);
    assert_done(&trigger, TRIGGER_NOT_READ, 0);
    assert_int_equal(trigger.seconds, 200);
}

static bool refuse(void *context, const struct endpoint_identity *identity)
{
    struct endpoint_identity *seen = context;

    *seen = *identity;
    return false;
}

TEST(claimed_by_another)
{
    server = serve_stream(5);
    struct trigger trigger = new_trigger("qmgr", "W");
    struct endpoint_identity identity = {0};
    struct stat status;

    trigger.claim = refuse;
    trigger.context = &identity;
    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_done(&trigger, TRIGGER_DUPLICATE, 0);
    assert_int_equal(stat(fixture_path("public/qmgr"), &status), 0);
    assert_true(identity.inode == status.st_ino);
    assert_int_equal(accept4(server, NULL, NULL, SOCK_NONBLOCK), -1); /* not even connected */
}

/* A descriptor that a service passes is closed with the socket that is left, and not before. */
static void assert_passed_closed(int flags)
{
    int ends[2];
    char byte;

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    struct trigger trigger = start_sent("W", false);
    assert_int_equal(descriptors_send(service, "x", 1, flags, &ends[1], 1), 0);
    close(ends[1]);
    step(&trigger, EPOLLIN, START);
    assert_int_equal(trigger.state, TRIGGER_READING);
    take(service, "W", 2);
    step(&trigger, EPOLLOUT, START);
    assert_int_equal(read(ends[0], &byte, 1), -1);
    assert_lingering();
    assert_done(&trigger, TRIGGER_KICKED, 0);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* end of file: it is closed everywhere */
    close(ends[0]);
}

TEST(passed_descriptor)
{
    assert_passed_closed(0);
}

TEST(descriptor_passed_out_of_band)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    bool is_supported = send(ends[0], "x", 1, MSG_OOB | MSG_NOSIGNAL) == 1;
    fixture_close(ends, 2);
    if (!is_supported)
        skip(); /* before Linux 5.15 */
    assert_passed_closed(MSG_OOB);
}

/* The end of the whole run comes before the limit of any step. */
TEST(stop)
{
    server = serve_stream(5);
    struct trigger trigger = new_trigger("qmgr", "W");

    assert_true(start(&trigger, START, START + 3 * CLOCK_SECOND / 2));
    assert_true(trigger.ends == START + 3 * CLOCK_SECOND / 2);
    assert_int_equal(trigger.seconds, 2); /* rounded up for people */
    step(&trigger, 0, trigger.ends);
    assert_done(&trigger, TRIGGER_NOT_READ, 0);
}

/* The reader of "public/fifo". Before each look of the thread it reads so many bytes, or leaves. */
#define LEAVE 100
static int reader = -1, own_end = -1;
static const int *steps;

static void step_reader(void)
{
    char bytes[16];
    int count = steps == NULL ? 0 : *steps++;

    if (count % LEAVE > 0)
        assert_int_equal(read(reader, bytes, (size_t)(count % LEAVE)), count % LEAVE);
    if (count >= LEAVE)
        descriptors_close(&reader);
    if (count < 0)
        descriptors_close(&own_end); /* we do */
}

static int open_reader(void)
{
    (void)mkdir(fixture_path("public"), 0755);
    (void)mkfifo(fixture_path("public/fifo"), 0600);
    return open(fixture_path("public/fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Does the work of a thread here. Returns its last word; *count of them came. */
static struct word run_errand(struct trigger *trigger, size_t *count)
{
    struct word word = {.outcome = TRIGGER_PENDING};
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    own_end = ends[0];
    trigger->endpoint.fd = open(fixture_path("public/fifo"), O_PATH | O_CLOEXEC);
    trigger->fd = ends[1];
    (void)signal(SIGPIPE, SIG_IGN);
    (void)do_errand(trigger);
    (void)signal(SIGPIPE, SIG_DFL);
    for (*count = 0; own_end >= 0 && recv(own_end, &word, sizeof(word), 0) > 0; ++*count)
        ;
    descriptors_close(&own_end);
    return word;
}

/* What the thread says is so, whatever the reader does; between the looks are 1, 2, 4 ms. */
TEST(errands)
{
    static const struct {
        const char *request;
        bool is_probe;
        int steps[5];
        size_t looks, words; /* with that of the request written */
        enum trigger_outcome outcome;
        int error;
    } cases[] = {
        {"FADI", false, {0, 3, 0, 1}, 4, 2, TRIGGER_KICKED, 0}, /* without the NUL */
        {"FADI", false, {4}, 1, 2, TRIGGER_KICKED, 0},
        {"W", false, {0, LEAVE}, 2, 2, TRIGGER_CLOSED, EPIPE},
        {"W", false, {LEAVE + 1}, 1, 2, TRIGGER_CLOSED, EPIPE}, /* read, or dropped: who knows */
        {"", false, {0}, 1, 2, TRIGGER_KICKED, 0},              /* nothing was written */
        {"", true, {0, 1}, 2, 2, TRIGGER_KICKED, 0},            /* a NUL was */
        {"W", false, {0, 0, -1}, 3, 0, TRIGGER_PENDING, 0},     /* we have given up */
    };
    size_t count;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trigger trigger = new_trigger("fifo", cases[i].request);

        trigger.is_probe = cases[i].is_probe;
        reader = open_reader();
        steps = cases[i].steps;
        struct word word = run_errand(&trigger, &count);
        assert_int_equal(steps - cases[i].steps, cases[i].looks);
        steps = NULL;
        assert_int_equal(word.outcome, cases[i].outcome);
        assert_int_equal(word.error, cases[i].error);
        assert_int_equal(count, cases[i].words);
        descriptors_close(&reader);
    }
}

TEST(errand_without_reader)
{
    struct trigger trigger = new_trigger("fifo", "W");
    size_t count;

    descriptors_close((reader = open_reader(), &reader));
    struct word word = run_errand(&trigger, &count);
    assert_int_equal(word.outcome, TRIGGER_NO_READER);
    assert_int_equal(word.error, ENXIO);
}

/* Bytes of others are waited for, too: they stand before ours. */
TEST(errand_behind_another)
{
    struct trigger trigger = new_trigger("fifo", "W");
    size_t count;

    reader = open_reader();
    int other = open(fixture_path("public/fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(write(other, "FADI", 4), 4);
    steps = (const int[]){0, 1, 3, 0, 1};
    struct word word = run_errand(&trigger, &count);
    assert_true(steps[-1] == 1); /* the last one was needed */
    steps = NULL;
    assert_int_equal(word.outcome, TRIGGER_KICKED);
    close(other);
    descriptors_close(&reader);
}

/* Fills the FIFO. */
static void fill_fifo(void)
{
    char page[4096] = {0};
    int fd = open(fixture_path("public/fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);

    while (write(fd, page, sizeof(page)) > 0)
        ;
    close(fd);
}

/* The reader of a full FIFO comes late and reads page by page, or leaves. */
TEST(errand_to_a_full_fifo)
{
    char *request = fixture_repeat("W", 200000), bytes[4096];
    struct trigger trigger = new_trigger("fifo", request);
    size_t count;

    for (int leaves = 0; leaves < 2; leaves++) {
        reader = open_reader();
        fill_fifo();
        pid_t child = fork();
        useconds_t pause = 100000;
        while (child == 0) {
            usleep(pause);
            pause = 500;
            if (leaves == 1 || read(reader, bytes, sizeof(bytes)) == 0)
                _exit(0);
        }
        descriptors_close(&reader);
        struct word word = run_errand(&trigger, &count);
        fixture_kill(child);
        assert_int_equal(word.outcome, leaves == 1 ? TRIGGER_NO_READER : TRIGGER_KICKED);
        assert_int_equal(count, leaves == 1 ? 2 : 3); /* the first said that it is full */
        assert_int_equal(unlink(fixture_path("public/fifo")), 0);
    }
    free(request);
}

/* Whose time was over before the FIFO let us in is not written any more. */
TEST(errand_that_comes_too_late)
{
    struct trigger trigger = new_trigger("fifo", "W");
    int ends[2];
    char byte;

    reader = open_reader();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    trigger.endpoint.fd = open(fixture_path("public/fifo"), O_PATH | O_CLOEXEC);
    trigger.fd = ends[1];
    close(ends[0]);
    (void)do_errand(&trigger);
    assert_int_equal(read(reader, &byte, 1), 0);
    descriptors_close(&reader);
}

TEST(refusals)
{
    static const struct {
        const char *service;
        enum trigger_outcome outcome;
        int error;
    } cases[] = {
        {"nosuch", TRIGGER_LOOKUP, ENOENT},      {"link", TRIGGER_LINK, ELOOP},
        {"file", TRIGGER_WRONG_TYPE, 0},         {"two", TRIGGER_HARD_LINKS, 0},
        {"dead", TRIGGER_CONNECT, ECONNREFUSED}, {"datagram", TRIGGER_CONNECT, EPROTOTYPE},
    };
    int dead = fixture_socket("public/dead", SOCK_STREAM, -1);
    int datagram = fixture_socket("public/datagram", SOCK_DGRAM, -1);

    (void)fixture_file("public/file", "");
    fixture_link("dead", "public/link");
    (void)fixture_fifo("public/two");
    assert_int_equal(link(fixture_path("public/two"), fixture_path("public/names")), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trigger trigger = new_trigger(cases[i].service, "W");

        assert_true(start(&trigger, START, CLOCK_NEVER));
        assert_done(&trigger, cases[i].outcome, cases[i].error);
    }
    close(dead);
    close(datagram);
}

TEST(out_of_descriptors)
{
    int taken[64];
    struct trigger trigger = new_trigger("qmgr", "W");

    server = serve_stream(5);
    struct rlimit before = fixture_limit_descriptors(64);
    size_t count = fixture_take_descriptors(taken);
    for (int spare = 0; spare < 2; spare++) {
        assert_false(start(&trigger, START, CLOCK_NEVER));
        assert_int_equal(trigger.state, TRIGGER_IDLE);
        close(taken[--count]);
    }
    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_int_equal(trigger.state, TRIGGER_READING);
    abandon(&trigger, START);
    assert_done(&trigger, TRIGGER_PENDING, 0);
    fixture_close(taken, count);
    fixture_restore_descriptors(before);
}

/*
 * The promise of the program: what it reports as read was read. A process accepts and closes
 * without reading, at random moments, as fast as it can, while the real code looks for the answer.
 */

/* Under a sanitizer, which is slow, and without optimisation, a sample. */
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define CLOSES 30000
#else
#define CLOSES 50000
#endif

#define BATCH 1000
#define CONNECTIONS 1 /* at once, so that each close meets the one that looks */

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
 * happens there more often; or always, before the look of that number. */
static unsigned own_seed = 1;
static bool is_racing, is_siocoutq_missing;
static int looks_until_close;

static void pass_time_before_look(void)
{
    if (is_racing)
        pass_time(next_random(&own_seed) % TURNS);
    if (looks_until_close > 0 && --looks_until_close == 0)
        descriptors_close(&service);
}

#ifdef __GLIBC__
typedef unsigned long request_type;
#else
typedef int request_type; /* of musl and POSIX */
#endif

int ioctl(int fd, request_type request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    pass_time_before_look();
    if (request == FIONREAD)
        step_reader();
    if (is_siocoutq_missing && request == SIOCOUTQ) {
        errno = ENOTTY;
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
    pass_time_before_look();
    return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}

/* What comes before the close wakes the client, so that it looks while the close happens. */
static void serve_one(int fd, enum manner manner, unsigned turns)
{
    char request[sizeof("FADI")];

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
    pid_t process = fork();

    if (process == 0)
        serve(listening, reads);
    assert_true(process > 0);
    close(listening);
    return process;
}

static void stop_service(pid_t process)
{
    assert_int_equal(unlink(fixture_path("public/x")), 0);
    fixture_kill(process);
}

/* How many outcomes of each kind a batch of kicks had. */
static void kick(bool wait, int *outcomes)
{
    static struct trigger triggers[BATCH];
    struct trigger_batch batch = {.triggers = triggers,
                                  .count = BATCH,
                                  .connections = CONNECTIONS,
                                  .limits = &fixture_no_limits};

    is_racing = true;
    for (int i = 0; i < BATCH; i++) {
        triggers[i] = new_trigger("x", "FADI");
        triggers[i].wait_for_close = wait;
    }
    assert_int_equal(trigger_run(&batch), 0);
    is_racing = false;
    for (int i = 0; i < BATCH; i++)
        outcomes[triggers[i].outcome]++;
}

static void kick_closer(int times)
{
    int outcomes[TRIGGER_SEND + 1] = {0};
    pid_t process = start_service(false);

    for (int i = 0; i < times / BATCH; i++)
        kick(i % 2 == 1, outcomes);
    stop_service(process);
    printf("# result: closes without reading: %d, said to be read: %d\n", outcomes[TRIGGER_CLOSED],
           outcomes[TRIGGER_KICKED]);
    assert_int_equal(outcomes[TRIGGER_KICKED], 0);
    assert_int_equal(outcomes[TRIGGER_CLOSED], times);
}

static void kick_reader(int times)
{
    int outcomes[TRIGGER_SEND + 1] = {0};
    pid_t process = start_service(true);

    for (int i = 0; i < times / BATCH; i++)
        kick(i % 2 == 1, outcomes);
    stop_service(process);
    assert_int_equal(outcomes[TRIGGER_KICKED], times);
}

/* The close comes before, between and after the two looks. */
TEST(gone_between_looks)
{
    for (int look = 1; look <= 3; look++) {
        struct trigger trigger = start_sent("FADI", false);

        looks_until_close = look;
        step(&trigger, EPOLLOUT, START);
        assert_int_equal(trigger.state == TRIGGER_READING, service >= 0);
        looks_until_close = 0;
        descriptors_close(&service);
        step(&trigger, EPOLLHUP | EPOLLERR, START);
        assert_done(&trigger, TRIGGER_CLOSED, ECONNRESET);
        descriptors_close(&server);
        assert_int_equal(unlink(fixture_path("public/qmgr")), 0);
    }
}

TEST(no_close_is_taken_for_a_read)
{
    kick_closer(CLOSES);
}

TEST(every_read_is_seen)
{
    kick_reader(CLOSES / 10);
}

/* Where the kernel does not report what is unread, the process's close is the answer. */
TEST(without_siocoutq)
{
    is_siocoutq_missing = true;
    kick_closer(CLOSES / 10);
    kick_reader(CLOSES / 10);
    is_siocoutq_missing = false;
}
