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

static int server = -1, service = -1;

SETUP(set_up)
{
    utarray_init(&shared.lingering, &ut_int_icd);
}

static void end_service(void)
{
    descriptors_close(&service);
    descriptors_close(&server);
    (void)unlink(fixture_path("public/qmgr"));
}

TEARDOWN(tear_down)
{
    utarray_done(&shared.lingering);
    end_service();
}

static void accept_service(void)
{
    service = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(service >= 0);
}

/* Starts a trigger whose request waits in the listen queue of server. */
static struct trigger start_queued(const char *request, bool wait_for_close)
{
    struct trigger trigger = new_trigger("qmgr", request);

    server = serve_stream(5);
    trigger.wait_for_close = wait_for_close;
    assert_true(start(&trigger, START, CLOCK_NEVER));
    assert_int_equal(trigger.state, TRIGGER_READING);
    assert_int_equal(trigger.seconds, trigger.read_limit);
    assert_true(trigger.ends == START + 100 * CLOCK_SECOND);
    return trigger;
}

/* Starts one whose request arrives at service. */
static struct trigger start_sent(const char *request, bool wait_for_close)
{
    struct trigger trigger = start_queued(request, wait_for_close);

    accept_service();
    return trigger;
}

static void take(int from, const char *expected, size_t length)
{
    char bytes[64];

    assert_int_equal(recv(from, bytes, sizeof(bytes), 0), (ssize_t)length);
    assert_memory_equal(bytes, expected, length);
}

/* Returns how many sockets linger, and closes them. */
static size_t end_lingering(void)
{
    size_t count = utarray_len(&shared.lingering);

    fixture_close(utarray_front(&shared.lingering), count);
    utarray_clear(&shared.lingering);
    return count;
}

/* A pipe whose other end the service passes, if it can. */
static int passed = -1;
static bool is_passed;

static void pass_descriptor(int flags)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    is_passed = descriptors_send(service, "x", 1, flags, &ends[1], 1) == 0;
    close(ends[1]);
    passed = ends[0];
}

/* Steps the trigger with the events that epoll(7) would report. */
static void look(struct trigger *trigger, int64_t now)
{
    struct pollfd waiting = {.fd = trigger->fd, .events = POLLIN | POLLOUT | POLLRDHUP};

    assert_true(poll(&waiting, 1, 0) >= 0);
    step(trigger, (uint32_t)waiting.revents, now);
}

/* The trigger and its service do so, in turns. */
static void act(struct trigger *trigger, char what, int64_t *now)
{
    char bytes[2];
    int waiting;

    switch (what) {
    case 'a': /* the service accepts */
        accept_service();
        break;
    case 'r': /* reads the request */
        take(service, trigger->request, trigger->request_length + 1);
        break;
    case 'h': /* reads half of it */
        assert_int_equal(recv(service, bytes, 2, 0), 2);
        break;
    case 'g': /* greets */
        assert_int_equal(send(service, "hello", 5, 0), 5);
        break;
    case 'd': /* passes a descriptor */
        pass_descriptor(0);
        break;
    case 'o': /* passes one out of band, where Linux can do so (5.15) */
        pass_descriptor(MSG_OOB);
        break;
    case 's': /* shuts down its writing side */
        assert_int_equal(shutdown(service, SHUT_WR), 0);
        break;
    case 'c': /* goes away */
        descriptors_close(&service);
        descriptors_close(&server);
        break;
    case 'e': /* empties its listen queue */
        while ((waiting = accept4(server, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            close(waiting);
        break;
    case 'n': /* comes anew */
        server = serve_stream(5);
        break;
    case 'u': /* its socket is removed */
        assert_int_equal(unlink(fixture_path("public/qmgr")), 0);
        break;
    case 'f': /* a file comes in its place */
        (void)fixture_file("public/qmgr", "no service");
        break;
    case 'x': /* we send more */
        assert_int_equal(send(trigger->fd, "x", 1, 0), 1);
        break;
    case 'p': /* the next pause passes without an event */
        assert_true(trigger->due > *now && trigger->due <= trigger->ends);
        *now = trigger->due;
        step(trigger, 0, *now);
        break;
    case 't': /* the time passes without an event */
        *now = trigger->ends;
        step(trigger, 0, *now);
        break;
    default: /* a look */
        look(trigger, *now += 5);
        break;
    }
}

/* What was not received is left to the caller, with a socket over which the service can send
 * nothing more, and for whose close it need not wait. A descriptor is closed with it. */
static void assert_lingering(void)
{
    ssize_t count = 1;
    char byte;

    if (service >= 0) {
        assert_int_equal(send(service, "more", 4, MSG_NOSIGNAL), -1);
        assert_int_equal(errno, EPIPE);
        while (count > 0) /* the request, maybe */
            count = recv(service, &byte, 1, 0);
        assert_int_equal(count, 0);
    }
    if (passed >= 0)
        assert_int_equal(read(passed, &byte, 1), -1);
    assert_int_equal(end_lingering(), 1);
    if (passed >= 0)
        assert_int_equal(read(passed, &byte, 1), 0); /* end of file: it is closed everywhere */
}

/* A request counts as read when it is, whatever else the service does, and never otherwise: not
 * for a greeting, nor for an end of file or a hang-up. */
TEST(what_services_do)
{
    static const struct {
        const char *request;
        const char *acts; /* all of them, to the end: see act() */
        enum trigger_outcome outcome;
        bool wait_for_close, lingers;
    } cases[] = {
        {"FADI", "a.r.", TRIGGER_KICKED, false, false},
        {"", "arc.", TRIGGER_KICKED, false, false},
        {"W", "ag.r.", TRIGGER_KICKED, false, true},
        {"W", "ad.r.", TRIGGER_KICKED, false, true},
        {"W", "ao.r.", TRIGGER_KICKED, false, true},
        {"W", "ards.", TRIGGER_KICKED, false, true},
        {"W", "arsd.", TRIGGER_KICKED, false, false},
        {"W", "ardc.", TRIGGER_KICKED, false, true},
        {"W", "arogsc.", TRIGGER_KICKED, false, true},
        {"FADI", "c.", TRIGGER_CLOSED, false, false},
        {"FADI", "ac.", TRIGGER_CLOSED, false, false},
        {"FADI", "ahc.", TRIGGER_CLOSED, false, false},
        {"FADI", "agc.", TRIGGER_CLOSED, false, true},
        {"FADI", "aghc.", TRIGGER_CLOSED, false, true},
        {"W", "as.t", TRIGGER_NOT_READ, false, false},
        {"W", "a.t", TRIGGER_NOT_READ, false, false},
        {"W", "adt", TRIGGER_NOT_READ, false, true},
        {"W", "art", TRIGGER_KICKED, false, false},    /* at the last moment */
        {"W", "ar.s.c.", TRIGGER_KICKED, true, false}, /* it may go on working */
        {"W", "ar.xc.", TRIGGER_KICKED, true, false},  /* an end that is a reset is one, too */
        {"W", "ar.d.c.", TRIGGER_KICKED, true, true},
        {"W", "at", TRIGGER_NOT_READ, true, false},
        {"W", "artt", TRIGGER_NOT_FINISHED, true, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trigger trigger = start_queued(cases[i].request, cases[i].wait_for_close);
        enum trigger_state expected = TRIGGER_READING;
        int64_t now = START;
        bool is_read = false;

        for (const char *each = cases[i].acts; *each != '\0'; each++) {
            assert_int_equal(trigger.state, expected);
            act(&trigger, *each, &now);
            is_read = is_read || *each == 'r';
            if (expected == TRIGGER_READING && is_read && (*each == '.' || *each == 't')) {
                expected = TRIGGER_CLOSING;
                assert_true(trigger.state != expected || /* a limit of its own */
                            trigger.ends == now + 100 * CLOCK_SECOND);
            }
        }
        assert_true(trigger.finished == now);
        if (cases[i].lingers && (passed < 0 || is_passed))
            assert_lingering();
        assert_done(&trigger, cases[i].outcome,
                    cases[i].outcome == TRIGGER_CLOSED ? ECONNRESET : 0);
        descriptors_close(&passed);
        end_service();
    }
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
        end_service();
    }
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

/* The connection is attempted again, and the endpoint looked up again when the service restarts;
 * the outcome is what was found last. */
TEST(full_listen_queue)
{
    static const struct {
        const char *acts; /* see act() */
        enum trigger_outcome outcome;
        int error;
    } cases[] = {
        {"", TRIGGER_QUEUE_FULL, EAGAIN}, {"peparp", TRIGGER_KICKED, 0},
        {"cpupnparp", TRIGGER_KICKED, 0}, {"cp", TRIGGER_CONNECT, ECONNREFUSED},
        {"cpup", TRIGGER_LOOKUP, ENOENT}, {"cpufp", TRIGGER_WRONG_TYPE, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trigger trigger = new_trigger("qmgr", "W");
        int64_t now = START;
        int fillers[4], pauses = 0;

        server = serve_stream(0);
        size_t count = fill_queue(fillers);
        assert_true(start(&trigger, START, CLOCK_NEVER));
        for (const char *each = cases[i].acts; *each != '\0'; each++) {
            assert_int_not_equal(trigger.state, TRIGGER_DONE);
            act(&trigger, *each, &now);
        }
        for (; trigger.state != TRIGGER_DONE; pauses++) {
            assert_int_equal(trigger.state, TRIGGER_CONNECTING);
            act(&trigger, 'p', &now);
        }
        fixture_assert_between(pauses, 0, 1000);
        assert_true(trigger.finished == now);
        assert_true(pauses == 0 || now == START + 10 * CLOCK_SECOND);
        assert_done(&trigger, cases[i].outcome, cases[i].error);
        fixture_close(fillers, count);
        end_service();
    }
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
static struct word run_errand(struct trigger *trigger, bool is_given_up, size_t *count)
{
    struct word word = {.outcome = TRIGGER_PENDING};
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    own_end = ends[0];
    trigger->endpoint.fd = open(fixture_path("public/fifo"), O_PATH | O_CLOEXEC);
    trigger->fd = ends[1];
    if (is_given_up)
        descriptors_close(&own_end);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)do_errand(trigger);
    (void)signal(SIGPIPE, SIG_DFL);
    for (*count = 0; own_end >= 0 && recv(own_end, &word, sizeof(word), 0) > 0; ++*count)
        ;
    descriptors_close(&own_end);
    return word;
}

/* What the thread says is so, whatever the reader does; between the looks are 1, 2, 4 ms. The bytes
 * of another writer stand before ours. */
TEST(errands)
{
    static const struct {
        const char *request;
        int steps[6];
        size_t looks, words; /* with that of the request written */
        enum trigger_outcome outcome;
        int error;
        bool is_probe, has_other, has_no_reader, is_given_up;
    } cases[] = {
        {"FADI", {0, 3, 0, 1}, 4, 2, .outcome = TRIGGER_KICKED}, /* without the NUL */
        {"FADI", {4}, 1, 2, .outcome = TRIGGER_KICKED},
        {"W", {0, LEAVE}, 2, 2, .outcome = TRIGGER_CLOSED, .error = EPIPE},
        {"W", {LEAVE + 1}, 1, 2, .outcome = TRIGGER_CLOSED, .error = EPIPE}, /* read, or dropped? */
        {"", {0}, 1, 2, .outcome = TRIGGER_KICKED},                        /* nothing was written */
        {"", {0, 1}, 2, 2, .outcome = TRIGGER_KICKED, .is_probe = true},   /* a NUL was */
        {"W", {0, 0, -1}, 3, 0, .outcome = TRIGGER_PENDING},               /* we have given up */
        {"W", {0}, 0, 0, .outcome = TRIGGER_PENDING, .is_given_up = true}, /* before it began */
        {"W", {0}, 0, 1, .outcome = TRIGGER_NO_READER, .error = ENXIO, .has_no_reader = true},
        {"W", {0, 1, 3, 0, 1}, 5, 2, .outcome = TRIGGER_KICKED, .has_other = true},
    };
    size_t count;
    char byte;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trigger trigger = new_trigger("fifo", cases[i].request);
        int other = -1;

        trigger.is_probe = cases[i].is_probe;
        reader = open_reader();
        if (cases[i].has_other) {
            other = open(fixture_path("public/fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
            assert_int_equal(write(other, "FADI", 4), 4);
        }
        if (cases[i].has_no_reader)
            descriptors_close(&reader);
        steps = cases[i].steps;
        struct word word = run_errand(&trigger, cases[i].is_given_up, &count);
        assert_int_equal(steps - cases[i].steps, cases[i].looks);
        steps = NULL;
        assert_int_equal(word.outcome, cases[i].outcome);
        assert_int_equal(word.error, cases[i].error);
        assert_int_equal(count, cases[i].words);
        if (cases[i].is_given_up)
            assert_int_equal(read(reader, &byte, 1), 0); /* nothing was written */
        descriptors_close(&other);
        descriptors_close(&reader);
    }
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
        struct word word = run_errand(&trigger, false, &count);
        fixture_kill(child);
        assert_int_equal(word.outcome, leaves == 1 ? TRIGGER_NO_READER : TRIGGER_KICKED);
        assert_int_equal(count, leaves == 1 ? 2 : 3); /* the first said that it is full */
        assert_int_equal(unlink(fixture_path("public/fifo")), 0);
    }
    free(request);
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

/* Kicks a service that reads, or goes away without it: the outcomes are all the same. Every second
 * batch waits for the close. */
static void kick_many(bool reads, int times)
{
    static struct trigger triggers[BATCH];
    const struct trigger_batch batch = {.triggers = triggers,
                                        .count = BATCH,
                                        .connections = CONNECTIONS,
                                        .limits = &fixture_no_limits};
    int outcomes[TRIGGER_SEND + 1] = {0};
    int listening = fixture_socket("public/x", SOCK_STREAM, CONNECTIONS);
    pid_t process = fork();

    if (process == 0)
        serve(listening, reads);
    assert_true(process > 0);
    close(listening);
    is_racing = true;
    for (int i = 0; i < times / BATCH; i++) {
        for (int j = 0; j < BATCH; j++) {
            triggers[j] = new_trigger("x", "FADI");
            triggers[j].wait_for_close = i % 2 == 1;
        }
        assert_int_equal(trigger_run(&batch), 0);
        for (int j = 0; j < BATCH; j++)
            outcomes[triggers[j].outcome]++;
    }
    is_racing = false;
    assert_int_equal(unlink(fixture_path("public/x")), 0);
    fixture_kill(process);
    printf("# result: %d were read: %d, %d closed\n", reads ? times : 0, outcomes[TRIGGER_KICKED],
           outcomes[TRIGGER_CLOSED]);
    assert_int_equal(outcomes[TRIGGER_KICKED], reads ? times : 0);
    assert_int_equal(outcomes[TRIGGER_CLOSED], reads ? 0 : times);
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
        end_service();
    }
}

TEST(no_close_is_taken_for_a_read)
{
    kick_many(false, CLOSES);
    kick_many(true, CLOSES / 10);
}

/* Where the kernel does not report what is unread, the process's close is the answer. */
TEST(without_siocoutq)
{
    is_siocoutq_missing = true;
    kick_many(false, CLOSES / 10);
    kick_many(true, CLOSES / 10);
    is_siocoutq_missing = false;
}
