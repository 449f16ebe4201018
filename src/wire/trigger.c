/* SPDX-License-Identifier: MIT */
/* Connects to endpoints, sends the requests, waits until they are read, and closes what lingers. */
#include "wire/trigger.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

/* Between two looks without an event: whether the request was read, or the listen queue has room.
 */
#define LOOK_FIRST (CLOCK_SECOND / 1000)
#define LOOK_LAST (CLOCK_SECOND / 10)

/* Bytes that a service may send after it has read the request, when its close is waited for. So
 * many messages of one byte fit into any socket buffer that is not made smaller on purpose. */
#define REPLY_MAXIMUM 128

/* Events to register a descriptor for, with epoll(7). */
#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define EVENTS_AT_ONCE 256

/* Descriptors for the standard streams, epoll, and the lookup of an endpoint. */
#define KEPT_BACK 10

/* A trigger is checked after that many others were started: most services have read the request by
 * then, and it need not be registered with epoll. */
#define LOOK_BEHIND 128

/* A step that lasts longer, in microseconds, has waited for a file system. */
#define STEP_MAXIMUM (CLOCK_SECOND / 100)

/* After the shutdown nothing more can arrive. Each descriptor that was passed needs a byte: without
 * input there is none. */
static bool may_hold_descriptors(int socket)
{
    int waiting;

    return shutdown(socket, SHUT_RD) < 0 || ioctl(socket, SIOCINQ, &waiting) < 0 || waiting > 0;
}

/* Closes what is open, and makes the trigger done; its outcome stays as it is. A socket with input
 * that was not received is only shut down, and lingers. */
static void abandon(struct trigger *trigger, int64_t now)
{
    descriptors_close(&trigger->endpoint.fd);
    if (trigger->fd >= 0 && !trigger->is_socket) {
        trigger->shared->errands--;
    } else if (trigger->fd >= 0 && may_hold_descriptors(trigger->fd)) {
        (void)shutdown(trigger->fd, SHUT_WR); /* the service need not wait for the close */
        utarray_push_back(&trigger->shared->lingering, &trigger->fd);
        trigger->fd = -1;
    }
    descriptors_close(&trigger->fd);
    trigger->state = TRIGGER_DONE;
    trigger->due = CLOCK_NEVER;
    trigger->finished = now;
}

static void finish(struct trigger *trigger, enum trigger_outcome outcome, int error, int64_t now)
{
    bool hangs =
        trigger->is_socket && (outcome == TRIGGER_NOT_READ || outcome == TRIGGER_NOT_FINISHED);
    struct ucred peer;
    socklen_t size = sizeof(peer);

    trigger->outcome = outcome;
    trigger->error = error;
    if (hangs && getsockopt(trigger->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        trigger->peer = peer.pid;
    abandon(trigger, now);
}

static int64_t next_pause(int64_t pause)
{
    return pause * 2 < LOOK_LAST ? pause * 2 : LOOK_LAST;
}

/* At whole multiples of the pause, so that one pass over all triggers serves many. The pause grows
 * with the time since the step began, up to half of it: a read without an event is noticed that
 * much later at most. */
static void look_again(struct trigger *trigger, int64_t now)
{
    int64_t next = (now / trigger->pause + 1) * trigger->pause;

    trigger->due = next < trigger->ends ? next : trigger->ends;
    if (next - trigger->entered >= 4 * trigger->pause)
        trigger->pause = next_pause(trigger->pause);
}

static void set_limit(struct trigger *trigger)
{
    bool is_sent = trigger->state == TRIGGER_READING || trigger->state == TRIGGER_CLOSING;

    trigger->seconds = is_sent ? trigger->read_limit : trigger->send_limit;
    trigger->ends = clock_after(trigger->entered, trigger->seconds);
    if (trigger->ends > trigger->stop) {
        trigger->ends = trigger->stop;
        trigger->seconds =
            (int)((trigger->stop - trigger->entered + CLOCK_SECOND - 1) / CLOCK_SECOND);
    }
}

static void enter(struct trigger *trigger, enum trigger_state state, int64_t now)
{
    trigger->state = state;
    trigger->error = 0;
    trigger->entered = now;
    trigger->pause = LOOK_FIRST;
    set_limit(trigger);
    trigger->due = trigger->ends;
}

void trigger_renew(struct trigger *trigger)
{
    trigger->state = TRIGGER_IDLE;
    trigger->outcome = TRIGGER_PENDING;
    trigger->was_full = true;
    trigger->shared->has_renewed = true;
}

/* Whether it is started and not done. */
static bool is_live(const struct trigger *trigger)
{
    return trigger->state != TRIGGER_IDLE && trigger->state != TRIGGER_DONE;
}

void trigger_extend(struct trigger *trigger, int send_limit, int read_limit)
{
    if (send_limit > trigger->send_limit)
        trigger->send_limit = send_limit;
    if (read_limit > trigger->read_limit)
        trigger->read_limit = read_limit;
    if (is_live(trigger))
        set_limit(trigger);
}

/* The reset of a service that goes away with data unread is one outcome, whichever call reports
 * it. */
static void fail_socket(struct trigger *trigger, int error, int64_t now)
{
    bool is_reset = error == ECONNRESET || error == EPIPE;

    finish(trigger, is_reset ? TRIGGER_CLOSED : TRIGGER_SEND, error, now);
}

/* The request is read. EPOLLHUP is the service's close; an end of file alone may be a shutdown of
 * its writing side by a service that is still working. Nothing is received: a service that sends
 * more than it is allowed to fails to, instead of waiting for us. */
static void follow_closing(struct trigger *trigger, uint32_t events, int64_t now)
{
    int waiting;

    if ((events & EPOLLHUP) != 0)
        finish(trigger, TRIGGER_KICKED, 0, now);
    else if (ioctl(trigger->fd, SIOCINQ, &waiting) == 0 && waiting > REPLY_MAXIMUM)
        (void)shutdown(trigger->fd, SHUT_RD);
}

/*
 * The request is sent: finds out whether it is read, in the order that trigger.h gives. The error
 * of the socket shows once. Where SIOCOUTQ is missing, the answer is the service's close: Linux
 * sets the error a moment after EPOLLHUP, under a lock that shutdown(2) waits for.
 */
static void follow_socket(struct trigger *trigger, uint32_t events, int64_t now)
{
    int unread, error;
    socklen_t size = sizeof(error);
    bool is_known = ioctl(trigger->fd, SIOCOUTQ, &unread) == 0;
    bool is_closed = !is_known && (events & EPOLLHUP) != 0 && shutdown(trigger->fd, SHUT_RD) == 0;

    if (getsockopt(trigger->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0) {
        fail_socket(trigger, error, now);
    } else if ((!is_known || unread != 0) && !is_closed) {
        return;
    } else if (trigger->wait_for_close) {
        enter(trigger, TRIGGER_CLOSING, now);
        follow_closing(trigger, events, now);
    } else {
        finish(trigger, TRIGGER_KICKED, 0, now);
    }
}

/* Sends the request and its terminating NUL. */
static void follow_writing(struct trigger *trigger, int64_t now)
{
    size_t length = trigger->request_length + 1;
    ssize_t count = 0;

    while (count >= 0 && trigger->written < length) {
        count = send(trigger->fd, trigger->request + trigger->written, length - trigger->written,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0)
            trigger->written += (size_t)count;
    }
    if (count >= 0) {
        enter(trigger, TRIGGER_READING, now);
        look_again(trigger, now);
    } else if (errno != EAGAIN) {
        fail_socket(trigger, errno, now);
    }
}

/* A full listen queue gives no event. The error of the last attempt decides the outcome. */
static void retry(struct trigger *trigger, int error, int64_t now)
{
    trigger->error = error;
    look_again(trigger, now);
}

static void fail_to_connect(struct trigger *trigger, int error, int64_t now)
{
    if (error == EAGAIN || error == EINTR) {
        trigger->was_full = trigger->was_full || (error == EAGAIN && trigger->is_socket);
        retry(trigger, EAGAIN, now);
    } else if (error == ECONNREFUSED && trigger->was_full) {
        descriptors_close(&trigger->endpoint.fd); /* what listened is gone: look it up again */
        retry(trigger, error, now);
    } else {
        finish(trigger, TRIGGER_CONNECT, error, now);
    }
}

/*
 * A FIFO: open, write, FIONREAD and close can wait without end: see trigger.h. In the child that
 * does that, a trigger is as it was when the child was forked, except for its descriptors:
 * endpoint.fd is the FIFO's O_PATH descriptor, and fd a socket to our side, whose hang-up is the
 * end of the errand.
 */

/* What a thread reports. */
struct word {
    enum trigger_state state; /* TRIGGER_WRITING: the FIFO is full */
    enum trigger_outcome outcome;
    int error;
};

/* Small, for there can be many. */
#define THREAD_STACK ((size_t)256 * 1024)

/* Milliseconds until the next attempt to start a thread. */
#define THREAD_PAUSE 1

static void report(const struct trigger *trigger, enum trigger_state state,
                   enum trigger_outcome outcome, int error)
{
    struct word word = {state, outcome, error};

    (void)send(trigger->fd, &word, sizeof(word), MSG_NOSIGNAL);
}

/* Waits until the FIFO is as wanted, or has no reader. Returns whether the errand goes on. */
static bool wait_for(const struct trigger *trigger, int fifo, short events, int milliseconds)
{
    struct pollfd polls[] = {{.fd = fifo, .events = events}, {.fd = trigger->fd}};

    return poll(polls, 2, milliseconds) >= 0 && polls[1].revents == 0;
}

/* The next two return TRIGGER_KICKED when that is done, and TRIGGER_PENDING when the errand is
 * over; otherwise the outcome and errno are its result. */

/* Without the terminating NUL. */
static enum trigger_outcome write_request(const struct trigger *trigger, int fifo)
{
    bool is_byte = trigger->is_probe && trigger->request_length == 0;
    size_t length = is_byte ? 1 : trigger->request_length, written = 0;
    bool goes_on = wait_for(trigger, fifo, 0, 0), was_full = false;

    while (goes_on && written < length) {
        ssize_t count = write(fifo, trigger->request + written, length - written);

        if (count > 0) {
            written += (size_t)count;
        } else if (errno == EAGAIN) {
            if (!was_full) /* once: the socket has room for some hundred words */
                report(trigger, TRIGGER_WRITING, TRIGGER_PENDING, 0);
            was_full = true;
            goes_on = wait_for(trigger, fifo, POLLOUT, -1);
        } else {
            return errno == EPIPE ? TRIGGER_NO_READER : TRIGGER_SEND;
        }
    }
    return goes_on ? TRIGGER_KICKED : TRIGGER_PENDING;
}

/* Our own end keeps what nobody has read: 0 means that somebody has, and not that it was dropped.
 */
static enum trigger_outcome watch_request(const struct trigger *trigger, int fifo)
{
    struct pollfd reader = {.fd = fifo};
    int unread;

    for (int64_t pause = LOOK_FIRST;; pause = next_pause(pause)) {
        if (ioctl(fifo, FIONREAD, &unread) < 0)
            return TRIGGER_SEND;
        if (poll(&reader, 1, 0) != 0) { /* POLLERR */
            errno = EPIPE;
            return TRIGGER_CLOSED;
        }
        if (unread == 0)
            return TRIGGER_KICKED;
        if (!wait_for(trigger, fifo, 0, (int)(pause * 1000 / CLOCK_SECOND)))
            return TRIGGER_PENDING;
    }
}

/* Errands under way. */
static atomic_int at_work;

static void *do_errand(void *given)
{
    struct trigger *trigger = given;
    int fifo = open(descriptors_path(trigger->endpoint.fd).text,
                    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    enum trigger_outcome outcome = fifo >= 0        ? write_request(trigger, fifo)
                                   : errno == ENXIO ? TRIGGER_NO_READER
                                                    : TRIGGER_CONNECT;

    if (outcome == TRIGGER_KICKED) {
        report(trigger, TRIGGER_READING, TRIGGER_PENDING, 0);
        outcome = watch_request(trigger, fifo);
    }
    if (outcome != TRIGGER_PENDING)
        report(trigger, TRIGGER_DONE, outcome, outcome == TRIGGER_KICKED ? 0 : errno);
    close(trigger->endpoint.fd);
    close(trigger->fd);
    descriptors_close(&fifo); /* last: this can wait, too */
    at_work--;
    return NULL;
}

/* Where there can be no more threads, the end of another one makes room; where there can be none,
 * the errands are done here, one after the other. */
static void start_errand(struct trigger *trigger, const pthread_attr_t *attributes)
{
    pthread_t thread;
    bool goes_on = true;

    at_work++;
    while (goes_on && pthread_create(&thread, attributes, do_errand, trigger) != 0) {
        if (at_work == 1) {
            (void)do_errand(trigger);
            return;
        }
        goes_on = wait_for(trigger, -1, 0, THREAD_PAUSE);
    }
    if (!goes_on) {
        at_work--;
        close(trigger->endpoint.fd);
        close(trigger->fd);
    }
}

/* The child. It ends with our end of the socket, whatever holds its threads. */
static _Noreturn void do_errands(int control)
{
    pthread_attr_t attributes;
    sigset_t all;
    struct trigger *trigger;
    int passed[2];
    ssize_t length;

    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL) < 0 || chdir("/") < 0 ||
        descriptors_keep_only(&control, 1) != 0 || pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, THREAD_STACK) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0)
        _exit(1);
    while ((length = descriptors_receive(control, &trigger, sizeof(trigger), 0, passed, 2)) > 0 ||
           (length < 0 && errno == EMFILE)) {
        if (length < 0)
            continue;
        trigger->endpoint.fd = passed[0];
        trigger->fd = passed[1];
        start_errand(trigger, &attributes);
    }
    _exit(0);
}

/* Forks a child of a child, which is nobody's to wait for. Returns 0 in it, else a number above 0,
 * or -1 with errno. */
static pid_t fork_away(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        pid_t other = fork();
        if (other == 0)
            return 0;
        _exit(other < 0 ? errno : 0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0)
        return child;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
    return -1;
}

/* Starts the child, unless it is there. Returns 0 or an errno: EMFILE when it can do no more at the
 * moment. */
static int start_errands(struct trigger_shared *shared)
{
    int ends[2], error = 0;

    if (shared->control >= 0)
        return shared->errands < shared->most_errands ? 0 : EMFILE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    pid_t child = fork_away();
    if (child < 0)
        error = errno;
    else if (child == 0)
        do_errands(ends[1]);
    close(ends[1]);
    shared->control = ends[0];
    if (error != 0)
        descriptors_close(&shared->control);
    return error;
}

/* Has the child kick the FIFO. Returns our end of a socket to its thread, or -1 with errno. */
static int send_errand(struct trigger *trigger)
{
    int ends[2], error = start_errands(trigger->shared);

    if (error == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        error = errno;
    if (error == 0) {
        const int passed[] = {trigger->endpoint.fd, ends[1]};

        error = descriptors_send(trigger->shared->control, &trigger, sizeof(trigger), MSG_DONTWAIT,
                                 passed, 2);
        close(ends[1]);
        if (error != 0)
            close(ends[0]);
    }
    if (error == 0) {
        trigger->shared->errands++;
        return ends[0];
    }
    errno = error == ETOOMANYREFS ? EAGAIN : error;
    return -1;
}

/* Takes the words of the thread. */
static void follow_fifo(struct trigger *trigger, int64_t now)
{
    struct word word;

    while (trigger->state != TRIGGER_DONE) {
        ssize_t length = recv(trigger->fd, &word, sizeof(word), MSG_DONTWAIT);

        if (length < 0 && errno == EAGAIN)
            return;
        if (length != (ssize_t)sizeof(word))
            finish(trigger, TRIGGER_SEND, EPIPE, now);
        else if (word.state == TRIGGER_DONE)
            finish(trigger, word.outcome, word.error, now);
        else if (word.state == TRIGGER_READING)
            enter(trigger, TRIGGER_READING, now);
        else
            trigger->state = TRIGGER_WRITING;
    }
}

/* Looks the endpoint up and claims it. Returns false when out of descriptors. */
static bool look_up(struct trigger *trigger, int64_t now)
{
    static const enum trigger_outcome outcomes[] = {
        [ENDPOINT_SOCKET] = TRIGGER_PENDING,        [ENDPOINT_FIFO] = TRIGGER_PENDING,
        [ENDPOINT_LOOKUP] = TRIGGER_LOOKUP,         [ENDPOINT_LINK] = TRIGGER_LINK,
        [ENDPOINT_HARD_LINKS] = TRIGGER_HARD_LINKS, [ENDPOINT_WRONG_TYPE] = TRIGGER_WRONG_TYPE,
    };
    struct endpoint *endpoint = &trigger->endpoint;
    enum endpoint_result result =
        endpoint_open(endpoint, trigger->queue_directory, trigger->class, trigger->service);

    if (result == ENDPOINT_DESCRIPTORS)
        return false;
    trigger->is_socket = result == ENDPOINT_SOCKET;
    if (result == ENDPOINT_LOOKUP && endpoint->error == ENOENT && trigger->was_full)
        retry(trigger, ENOENT, now); /* it is being restarted */
    else if (outcomes[result] != TRIGGER_PENDING)
        finish(trigger, outcomes[result], endpoint->error, now);
    else if (trigger->claim != NULL && !trigger->claim(trigger->context, &endpoint->identity))
        finish(trigger, TRIGGER_DUPLICATE, 0, now);
    return true;
}

/* Attempts to reach the service, and sends as far as possible without waiting; a thread does so
 * with a FIFO. Returns false when out of descriptors. */
static bool attempt(struct trigger *trigger, int64_t now)
{
    struct endpoint *endpoint = &trigger->endpoint;

    if (endpoint->fd < 0 && !look_up(trigger, now))
        return false;
    if (endpoint->fd < 0)
        return true;
    trigger->fd = trigger->is_socket ? endpoint_reach(endpoint, true) : send_errand(trigger);
    if (trigger->fd < 0 && descriptors_exhausted(errno))
        return false;
    if (trigger->fd < 0) {
        fail_to_connect(trigger, errno, now);
        return true;
    }
    descriptors_close(&endpoint->fd);
    trigger->due = trigger->ends;
    if (trigger->is_socket) {
        trigger->state = TRIGGER_WRITING;
        follow_writing(trigger, now);
    }
    return true;
}

/* Opens, checks, connects and sends as far as possible without waiting. stop is the end of it, or
 * of the whole run. Returns false when the process is out of descriptors: nothing is open, the
 * state is TRIGGER_IDLE, and it can be started again later. */
static bool start(struct trigger *trigger, int64_t now, int64_t stop)
{
    trigger->fd = trigger->endpoint.fd = -1;
    trigger->outcome = TRIGGER_PENDING;
    trigger->started = now;
    trigger->stop = stop;
    trigger->written = 0;
    trigger->is_watched = false;
    enter(trigger, TRIGGER_CONNECTING, now);
    if (now >= stop) {
        finish(trigger, TRIGGER_NO_TIME, 0, now);
    } else if (!attempt(trigger, now)) {
        abandon(trigger, now);
        trigger->state = TRIGGER_IDLE;
    }
    return trigger->state != TRIGGER_IDLE;
}

void trigger_check(struct trigger *trigger)
{
    trigger->fd = trigger->endpoint.fd = -1;
    if (!look_up(trigger, 0))
        finish(trigger, TRIGGER_LOOKUP, trigger->endpoint.error, 0);
    else if (trigger->endpoint.fd >= 0 && endpoint_reach(&trigger->endpoint, false) < 0)
        finish(trigger, TRIGGER_CONNECT, errno, 0);
    descriptors_close(&trigger->endpoint.fd);
}

/* The time of the step is over, and it has just been checked whether it is done. */
static void time_is_up(struct trigger *trigger, int64_t now)
{
    enum trigger_outcome outcome = trigger->state == TRIGGER_WRITING   ? TRIGGER_NOT_WRITTEN
                                   : trigger->state == TRIGGER_READING ? TRIGGER_NOT_READ
                                   : trigger->state == TRIGGER_CLOSING ? TRIGGER_NOT_FINISHED
                                   : trigger->fd >= 0                  ? TRIGGER_HELD
                                   : trigger->error == ENOENT          ? TRIGGER_LOOKUP
                                   : trigger->was_full && trigger->error == EAGAIN
                                       ? TRIGGER_QUEUE_FULL
                                       : TRIGGER_CONNECT;

    finish(trigger, outcome, trigger->error, now);
}

/* To be called when epoll(7) reports events on fd, and with 0 when due has come; may be called at
 * any time. Does what can be done without waiting. */
static void step(struct trigger *trigger, uint32_t events, int64_t now)
{
    if (!trigger->is_socket && trigger->fd >= 0)
        follow_fifo(trigger, now);
    if (trigger->state == TRIGGER_CONNECTING && trigger->fd < 0 && now >= trigger->due &&
        now < trigger->ends && !attempt(trigger, now))
        retry(trigger, EAGAIN, now);
    if (trigger->state == TRIGGER_WRITING && trigger->is_socket)
        follow_writing(trigger, now);
    if (trigger->state == TRIGGER_READING && trigger->is_socket)
        follow_socket(trigger, events, now);
    else if (trigger->state == TRIGGER_CLOSING)
        follow_closing(trigger, events, now);
    if (is_live(trigger) && now >= trigger->ends)
        time_is_up(trigger, now);
    else if (trigger->state == TRIGGER_READING && trigger->is_socket && now >= trigger->due)
        look_again(trigger, now);
    else if (now >= trigger->due)
        trigger->due = trigger->ends; /* it was raised */
}

/* A batch under way. */
struct running {
    const struct trigger_batch *batch;
    int epoll;
    size_t next;          /* the first trigger that is not started */
    size_t watched;       /* the first one that is started and not yet watched */
    size_t live;          /* started and not done */
    size_t connections;   /* that may be open at once */
    int64_t due;          /* when the next live trigger is due; may be too early, never too late */
    int64_t progress_due; /* when to call progress */
    struct trigger_shared shared;
};

/* Registers the trigger's descriptor once it has one. */
static void watch(const struct running *running, struct trigger *trigger, int64_t now)
{
    struct epoll_event event = {.events = EVENTS, .data.ptr = trigger};

    if (trigger->fd < 0 || trigger->is_watched)
        return;
    trigger->is_watched = true;
    if (epoll_ctl(running->epoll, EPOLL_CTL_ADD, trigger->fd, &event) < 0)
        finish(trigger, TRIGGER_SEND, errno, now);
}

/* To be called after a trigger was started, or has had an event or a timer. */
static void account(struct running *running, const struct trigger *trigger)
{
    if (trigger->state == TRIGGER_DONE)
        running->live--;
    else if (trigger->due < running->due)
        running->due = trigger->due;
}

/* Holds the sockets until the parent has closed its own copies, as the end of the pipe shows, and
 * closes them by its end. Nobody waits for anything else that it has inherited: a reader of
 * standard output, above all. */
static _Noreturn void hold(UT_array *sockets, int pipe)
{
    char byte;

    utarray_push_back(sockets, &pipe);
    (void)descriptors_keep_only(utarray_front(sockets), utarray_len(sockets));
    while (read(pipe, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* Closes the sockets that linger, in a child of a child; here where there can be none. */
static void close_lingering(UT_array *sockets)
{
    int ends[2] = {-1, -1};

    if (utarray_len(sockets) == 0)
        return;
    if (pipe2(ends, O_CLOEXEC) == 0 && fork_away() == 0)
        hold(sockets, ends[0]);
    for (unsigned i = 0; i < utarray_len(sockets); i++)
        close(*(const int *)utarray_eltptr(sockets, i));
    utarray_clear(sockets);
    descriptors_close(&ends[0]);
    descriptors_close(&ends[1]);
}

/* Takes what one trigger's step, begun at the given time, has waited for a file system from the
 * seconds of the others: nobody looked whether their requests were read meanwhile. */
static void excuse_others(struct running *running, const struct trigger *waiting, int64_t begun)
{
    int64_t waited = clock_now() - begun;

    for (size_t i = 0; waited > STEP_MAXIMUM && i < running->batch->count; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (trigger != waiting && is_live(trigger))
            trigger->started += waited;
    }
}

static size_t count_open(const struct running *running)
{
    return running->live + utarray_len(&running->shared.lingering);
}

/* Starts a trigger, or ends it when the time is over. Returns false when it has to wait for
 * descriptors of others. */
static bool start_one(struct running *running, struct trigger *trigger)
{
    const struct trigger_batch *batch = running->batch;
    int64_t now = clock_now(), stop = batch->limits->end;

    if (batch->whole_limit > 0 && clock_after(now, batch->whole_limit) < stop)
        stop = clock_after(now, batch->whole_limit);
    trigger->shared = &running->shared;
    bool is_started = start(trigger, now, stop);
    excuse_others(running, trigger, now);
    if (!is_started && count_open(running) > 0)
        return false;
    if (!is_started)
        finish(trigger, TRIGGER_CONNECT, EMFILE, now);
    running->live++;
    account(running, trigger);
    return true;
}

/* Takes the next started trigger: checks it, unless it is the last one, which has just sent its
 * request, and registers it unless it is done. */
static void watch_next(struct running *running)
{
    struct trigger *trigger = &running->batch->triggers[running->watched++];
    int64_t now = clock_now();

    if (!is_live(trigger) || trigger->is_watched)
        return;
    if (running->watched < running->next)
        step(trigger, 0, now);
    watch(running, trigger, now);
    account(running, trigger);
}

static bool has_room(const struct running *running)
{
    return running->next < running->batch->count && count_open(running) < running->connections;
}

/* Starts as many triggers as may be live at once, those that were renewed too, and checks the first
 * ones meanwhile. */
static void start_more(struct running *running)
{
    if (running->shared.has_renewed)
        running->next = running->watched = 0;
    running->shared.has_renewed = false;
    if (running->next < running->batch->count && !has_room(running))
        close_lingering(&running->shared.lingering);
    while (has_room(running)) {
        struct trigger *trigger = &running->batch->triggers[running->next];

        if (trigger->state == TRIGGER_IDLE && !start_one(running, trigger)) {
            running->connections = count_open(running); /* no descriptors for more */
            close_lingering(&running->shared.lingering);
            break;
        }
        running->next++;
        if (running->next - running->watched > LOOK_BEHIND)
            watch_next(running);
    }
    while (running->watched < running->next)
        watch_next(running);
}

/* Calls the timers that are due, and finds out when the next one is. */
static void run_timers(struct running *running, int64_t now)
{
    running->due = CLOCK_NEVER;
    for (size_t i = 0; i < running->batch->count; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (!is_live(trigger))
            continue;
        if (trigger->due <= now) {
            int64_t begun = clock_now();
            step(trigger, 0, begun);
            excuse_others(running, trigger, begun);
            watch(running, trigger, now);
        }
        account(running, trigger);
    }
}

/* Waits for events or the next timer, and handles them. Returns 0 or an errno. */
static int wait_once(struct running *running)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t due = running->due < running->progress_due ? running->due : running->progress_due;
    int count = signals_epoll(running->epoll, events, EVENTS_AT_ONCE, due);
    int64_t now = clock_now();

    if (count < 0 && errno != EINTR)
        return errno;
    for (int i = 0; i < count; i++) {
        struct trigger *trigger = events[i].data.ptr;
        if (trigger->state == TRIGGER_DONE)
            continue; /* its socket lingers */
        step(trigger, events[i].events, now);
        account(running, trigger);
    }
    if (now >= running->due)
        run_timers(running, now);
    if (now >= running->progress_due && signals_received() == 0) {
        running->batch->progress(running->batch->context, now);
        running->progress_due = now + CLOCK_SECOND;
    }
    return 0;
}

int trigger_run(const struct trigger_batch *batch)
{
    long most = sysconf(_SC_OPEN_MAX) - KEPT_BACK;
    int error = 0;
    struct running running = {
        .batch = batch,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .due = CLOCK_NEVER,
        .progress_due = batch->progress == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
        .shared.control = -1,
    };

    if (running.epoll < 0)
        return errno;
    if (batch->connections > 0 && batch->connections < most)
        most = batch->connections;
    running.connections = most < 1 ? 1 : (size_t)most;
    running.shared.most_errands =
        (int)(running.connections + 3) / 4; /* a thread needs three descriptors */
    utarray_init(&running.shared.lingering, &ut_int_icd);
    while (error == 0 && signals_received() == 0) {
        start_more(&running);
        if (has_room(&running) || running.shared.has_renewed)
            continue; /* some were done at once */
        if (running.live == 0 && running.next == batch->count)
            break;
        if (running.live > 0)
            error = wait_once(&running);
    }
    for (size_t i = 0; i < batch->count; i++)
        if (is_live(&batch->triggers[i]))
            abandon(&batch->triggers[i], clock_now());
    close_lingering(&running.shared.lingering);
    utarray_done(&running.shared.lingering);
    descriptors_close(&running.shared.control);
    close(running.epoll);
    return error;
}
