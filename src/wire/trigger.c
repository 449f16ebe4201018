/* SPDX-License-Identifier: MIT */
/* Connects to an endpoint, sends the request, and waits until it is read. */
#include "wire/trigger.h"
#include "base/descriptors.h"
#include "base/limits.h"
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_FIRST (CLOCK_SECOND / 200) /* a full listen queue gives no event */
#define RETRY_LAST (CLOCK_SECOND / 10)
#define LOOK_FIRST (CLOCK_SECOND / 1000) /* whether the request was read, without an event */
#define LOOK_LAST (CLOCK_SECOND / 10)

/* Bytes that a service may send after it has read the request, when its close is waited for. So
 * many messages of one byte fit into any socket buffer that is not made smaller on purpose. */
#define REPLY_MAXIMUM 128

static void finish(struct trigger *trigger, enum trigger_outcome outcome, int error, int64_t now)
{
    bool hangs = outcome == TRIGGER_NOT_READ || outcome == TRIGGER_NOT_FINISHED;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    trigger->outcome = outcome;
    trigger->error = error;
    if (hangs && getsockopt(trigger->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        trigger->peer = peer.pid;
    trigger_abandon(trigger, now);
}

/* After the shutdown nothing more can arrive. Each descriptor that was passed needs a byte: without
 * input there is none. */
static bool may_hold_descriptors(int socket)
{
    int waiting;

    return shutdown(socket, SHUT_RD) < 0 || ioctl(socket, SIOCINQ, &waiting) < 0 || waiting > 0;
}

void trigger_abandon(struct trigger *trigger, int64_t now)
{
    if (trigger->state == TRIGGER_IDLE)
        trigger->fd = trigger->endpoint.fd = -1;
    endpoint_close(&trigger->endpoint);
    trigger->lingers = trigger->fd >= 0 && trigger->is_socket && may_hold_descriptors(trigger->fd);
    if (trigger->lingers)
        (void)shutdown(trigger->fd, SHUT_WR); /* the service need not wait for the close */
    else
        descriptors_close(&trigger->fd);
    trigger->state = TRIGGER_DONE;
    trigger->due = CLOCK_NEVER;
    trigger->finished = now;
}

/* At whole multiples of the pause, so that one pass over all triggers serves many. */
static void look_again(struct trigger *trigger, int64_t now)
{
    int64_t next = (now / trigger->pause + 1) * trigger->pause;

    trigger->due = next < trigger->ends ? next : trigger->ends;
    trigger->pause = trigger->pause * 2 < LOOK_LAST ? trigger->pause * 2 : LOOK_LAST;
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
    trigger->entered = now;
    set_limit(trigger);
    trigger->due = trigger->ends;
}

void trigger_renew(struct trigger *trigger)
{
    trigger->state = TRIGGER_IDLE;
    trigger->outcome = TRIGGER_PENDING;
    trigger->was_full = true;
}

void trigger_extend(struct trigger *trigger, int send_limit, int read_limit)
{
    if (send_limit > trigger->send_limit)
        trigger->send_limit = send_limit;
    if (read_limit > trigger->read_limit)
        trigger->read_limit = read_limit;
    if (trigger->state != TRIGGER_IDLE && trigger->state != TRIGGER_DONE)
        set_limit(trigger);
}

/* The reset of a service that goes away with data unread is one outcome, whichever call reports
 * it. */
static void fail_socket(struct trigger *trigger, int error, int64_t now)
{
    if (error == ECONNRESET || error == EPIPE)
        finish(trigger, TRIGGER_CLOSED, error, now);
    else
        finish(trigger, TRIGGER_SEND, error, now);
}

/* Returns the errno of a failure of the socket, or 0. It shows once. */
static int take_error(int socket)
{
    int error;
    socklen_t size = sizeof(error);

    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
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

static bool has_reader(int fifo)
{
    struct pollfd reader = {.fd = fifo};

    return poll(&reader, 1, 0) == 0; /* else POLLERR */
}

/* Our own end keeps what nobody has read: 0 means that somebody has, and not that it was dropped.
 */
static void follow_fifo(struct trigger *trigger, int64_t now)
{
    int unread;

    if (ioctl(trigger->fd, FIONREAD, &unread) < 0)
        finish(trigger, TRIGGER_SEND, errno, now);
    else if (!has_reader(trigger->fd))
        finish(trigger, TRIGGER_CLOSED, EPIPE, now);
    else if (unread == 0)
        finish(trigger, TRIGGER_KICKED, 0, now);
}

/*
 * The request is sent: finds out whether it is read, in the order that trigger.h gives. Where
 * SIOCOUTQ is missing, the answer is the service's close: Linux sets the error a moment after
 * EPOLLHUP, under a lock that shutdown(2) waits for.
 */
static void follow_socket(struct trigger *trigger, uint32_t events, int64_t now)
{
    int unread;
    bool is_known = ioctl(trigger->fd, SIOCOUTQ, &unread) == 0;
    bool is_closed = !is_known && (events & EPOLLHUP) != 0 && shutdown(trigger->fd, SHUT_RD) == 0;
    int error = take_error(trigger->fd);

    if (error != 0) {
        fail_socket(trigger, error, now);
    } else if ((is_known && unread == 0) || is_closed) {
        if (trigger->wait_for_close) {
            enter(trigger, TRIGGER_CLOSING, now);
            follow_closing(trigger, events, now);
        } else {
            finish(trigger, TRIGGER_KICKED, 0, now);
        }
    }
}

static void follow_reading(struct trigger *trigger, uint32_t events, int64_t now)
{
    if (trigger->is_socket)
        follow_socket(trigger, events, now);
    else
        follow_fifo(trigger, now);
}

/* Bytes to be sent: a socket gets the terminating NUL in the same send, a FIFO none. */
static size_t left(const struct trigger *trigger)
{
    bool with_nul = trigger->is_socket || (trigger->is_probe && trigger->request_length == 0);

    return trigger->request_length + (with_nul ? 1 : 0) - trigger->written;
}

static ssize_t send_rest(const struct trigger *trigger)
{
    const char *rest = trigger->request + trigger->written;

    if (trigger->is_socket)
        return send(trigger->fd, rest, left(trigger), MSG_NOSIGNAL | MSG_DONTWAIT);
    return left(trigger) == 0 ? 0 : write(trigger->fd, rest, left(trigger));
}

static void follow_writing(struct trigger *trigger, int64_t now)
{
    ssize_t count;

    do {
        count = send_rest(trigger);
        if (count > 0)
            trigger->written += (size_t)count;
    } while ((count < 0 && errno == EINTR) || (count > 0 && left(trigger) > 0));
    if (count < 0 && errno == EAGAIN)
        return;
    if (count < 0 && trigger->is_socket) {
        fail_socket(trigger, errno, now);
    } else if (count < 0) {
        finish(trigger, errno == EPIPE ? TRIGGER_NO_READER : TRIGGER_SEND, errno, now);
    } else {
        enter(trigger, TRIGGER_READING, now);
        trigger->pause = LOOK_FIRST;
        look_again(trigger, now);
    }
}

static void wait_to_retry(struct trigger *trigger, int error, int64_t now)
{
    trigger->error = error;
    trigger->due = now + trigger->pause < trigger->ends ? now + trigger->pause : trigger->ends;
    trigger->pause = trigger->pause * 2 < RETRY_LAST ? trigger->pause * 2 : RETRY_LAST;
}

static void fail_to_connect(struct trigger *trigger, int error, int64_t now)
{
    if (error == EAGAIN || error == EINTR) {
        trigger->was_full = trigger->was_full || error == EAGAIN;
        wait_to_retry(trigger, EAGAIN, now);
    } else if (error == ECONNREFUSED && trigger->was_full) {
        endpoint_close(&trigger->endpoint); /* what listened there is gone: look it up again */
        wait_to_retry(trigger, error, now);
    } else {
        finish(trigger, error == ENXIO ? TRIGGER_NO_READER : TRIGGER_CONNECT, error, now);
    }
}

/* The service is reached, over fd. */
static void begin_writing(struct trigger *trigger, int fd, int64_t now)
{
    endpoint_close(&trigger->endpoint);
    trigger->fd = fd;
    trigger->state = TRIGGER_WRITING;
    trigger->due = trigger->ends;
    follow_writing(trigger, now);
}

enum trigger_outcome trigger_open_outcome(enum endpoint_result result)
{
    static const enum trigger_outcome outcomes[] = {
        [ENDPOINT_SOCKET] = TRIGGER_PENDING,        [ENDPOINT_FIFO] = TRIGGER_PENDING,
        [ENDPOINT_LOOKUP] = TRIGGER_LOOKUP,         [ENDPOINT_LINK] = TRIGGER_LINK,
        [ENDPOINT_HARD_LINKS] = TRIGGER_HARD_LINKS, [ENDPOINT_WRONG_TYPE] = TRIGGER_WRONG_TYPE,
        [ENDPOINT_DESCRIPTORS] = TRIGGER_LOOKUP,
    };

    return outcomes[result];
}

/* Looks the endpoint up and claims it. Returns false when out of descriptors. */
static bool look_up(struct trigger *trigger, int64_t now)
{
    struct endpoint *endpoint = &trigger->endpoint;

    enum endpoint_result result =
        endpoint_open(endpoint, trigger->queue_directory, trigger->class, trigger->service);
    enum trigger_outcome outcome = trigger_open_outcome(result);
    if (result == ENDPOINT_DESCRIPTORS)
        return false;
    trigger->is_socket = endpoint->is_socket;
    if (outcome == TRIGGER_LOOKUP && endpoint->error == ENOENT && trigger->was_full)
        wait_to_retry(trigger, ENOENT, now); /* it is being restarted */
    else if (outcome != TRIGGER_PENDING)
        finish(trigger, outcome, endpoint->error, now);
    else if (trigger->claim != NULL && !trigger->claim(trigger->context, &endpoint->identity))
        finish(trigger, TRIGGER_DUPLICATE, 0, now);
    return true;
}

/* Attempts to reach the service. Returns false when out of descriptors. */
static bool attempt(struct trigger *trigger, int64_t now)
{
    const struct endpoint *endpoint = &trigger->endpoint;

    if (endpoint->fd < 0 && !look_up(trigger, now))
        return false;
    if (endpoint->fd < 0)
        return true;
    int fd = endpoint_reach(endpoint);
    int error = errno;
    if (fd < 0 && descriptors_exhausted(error))
        return false;
    if (fd < 0)
        fail_to_connect(trigger, error, now);
    else
        begin_writing(trigger, fd, now);
    return true;
}

/* When it has to be over, whatever it waits for. */
static int64_t whole_end(const struct trigger *trigger, int64_t now, int64_t stop)
{
    int64_t end = trigger->whole_limit > 0 ? clock_after(now, trigger->whole_limit) : CLOCK_NEVER;

    return end < stop ? end : stop;
}

bool trigger_start(struct trigger *trigger, int64_t now, int64_t stop)
{
    trigger->fd = trigger->endpoint.fd = -1;
    trigger->outcome = TRIGGER_PENDING;
    trigger->started = now;
    trigger->stop = whole_end(trigger, now, stop);
    trigger->pause = RETRY_FIRST;
    trigger->written = 0;
    enter(trigger, TRIGGER_CONNECTING, now);
    if (attempt(trigger, now))
        return true;
    trigger_abandon(trigger, now);
    trigger->state = TRIGGER_IDLE;
    return false;
}

/* The error of the last attempt to connect decides the outcome. */
static void give_up_connecting(struct trigger *trigger, int64_t now)
{
    enum trigger_outcome outcome = trigger->error == ENOENT         ? TRIGGER_LOOKUP
                                   : trigger->error == ECONNREFUSED ? TRIGGER_CONNECT
                                                                    : TRIGGER_QUEUE_FULL;

    finish(trigger, outcome, trigger->error, now);
}

static void follow_connecting(struct trigger *trigger, int64_t now)
{
    if (now >= trigger->ends)
        give_up_connecting(trigger, now);
    else if (now >= trigger->due && !attempt(trigger, now))
        wait_to_retry(trigger, EAGAIN, now);
}

/* The time of the step is over, and it has just been checked whether it is done. */
static void time_is_up(struct trigger *trigger, int64_t now)
{
    if (trigger->state == TRIGGER_WRITING)
        finish(trigger, TRIGGER_NOT_WRITTEN, EAGAIN, now);
    else if (trigger->state == TRIGGER_READING)
        finish(trigger, TRIGGER_NOT_READ, 0, now);
    else if (trigger->state == TRIGGER_CLOSING)
        finish(trigger, TRIGGER_NOT_FINISHED, 0, now);
}

void trigger_step(struct trigger *trigger, uint32_t events, int64_t now)
{
    if (trigger->state == TRIGGER_CONNECTING)
        follow_connecting(trigger, now);
    if (trigger->state == TRIGGER_WRITING)
        follow_writing(trigger, now);
    if (trigger->state == TRIGGER_READING)
        follow_reading(trigger, events, now);
    else if (trigger->state == TRIGGER_CLOSING)
        follow_closing(trigger, events, now);
    if (trigger->state != TRIGGER_CONNECTING && now >= trigger->ends)
        time_is_up(trigger, now);
    else if (trigger->state == TRIGGER_READING && now >= trigger->due)
        look_again(trigger, now);
    else if (trigger->state != TRIGGER_CONNECTING && now >= trigger->due)
        trigger->due = trigger->ends; /* it was raised */
}
