#include "wire/trigger.h"
#include "base/clock.h"
#include <errno.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A full listen queue gives no event: it is tried again, at first soon. */
#define RETRY_FIRST (CLOCK_SECOND / 200)
#define RETRY_LAST (CLOCK_SECOND / 10)

/* What is dropped of a service's output in one go, so that a flood cannot hold up the others. */
#define DRAIN_BYTES 65536
#define DRAIN_CALLS 16

static void finish(struct trigger *trigger, enum trigger_outcome outcome, int error, int64_t now)
{
    trigger->outcome = outcome;
    trigger->error = error;
    trigger_abandon(trigger, now);
}

void trigger_init(struct trigger *trigger)
{
    *trigger = (struct trigger){.fd = -1, .endpoint = {.fd = -1, .directory = -1}};
}

void trigger_abandon(struct trigger *trigger, int64_t now)
{
    endpoint_close(&trigger->endpoint);
    if (trigger->fd >= 0)
        close(trigger->fd);
    trigger->fd = -1;
    trigger->state = TRIGGER_DONE;
    trigger->due = CLOCK_NEVER;
    trigger->finished = now;
}

static void enter(struct trigger *trigger, enum trigger_state state, int seconds, int64_t now)
{
    trigger->state = state;
    trigger->limit = clock_after(now, seconds);
    trigger->seconds = seconds;
    if (trigger->limit > trigger->stop) {
        trigger->limit = trigger->stop;
        trigger->seconds = (int)((trigger->stop - now + CLOCK_SECOND - 1) / CLOCK_SECOND);
    }
    trigger->due = trigger->limit;
}

/* A failed recv, or an error found on the socket. The reset that a service leaves when it goes away
 * with data unread is one outcome whichever call met it. */
static void fail_socket(struct trigger *trigger, int error, int64_t now)
{
    if (trigger->state == TRIGGER_CLOSING)
        finish(trigger, TRIGGER_KICKED, 0, now); /* it had read everything: this is its end */
    else if (error == ECONNRESET || error == EPIPE)
        finish(trigger, TRIGGER_CLOSED, error, now);
    else
        finish(trigger, TRIGGER_SEND, error, now);
}

/* SIOCOUTQ first, SO_ERROR second: see trigger.h. Returns false where there is no SIOCOUTQ. */
static bool check_confirmed(struct trigger *trigger, int64_t now)
{
    int unread, error;
    socklen_t size = sizeof(error);
    bool is_told = ioctl(trigger->fd, SIOCOUTQ, &unread) == 0;

    if (getsockopt(trigger->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0)
        fail_socket(trigger, error, now);
    else if (is_told && unread == 0 && trigger->wait_for_close)
        enter(trigger, TRIGGER_CLOSING, trigger->read_limit, now);
    else if (is_told && unread == 0)
        finish(trigger, TRIGGER_KICKED, 0, now);
    return is_told;
}

/*
 * Reads and drops what the service sent: it may not read before that is taken off its hands. It is
 * no loss to stop early: as long as the service has more to send, its next send is another edge.
 * Returns true at the end of file.
 */
static bool drain(struct trigger *trigger, int64_t now)
{
    char dropped[DRAIN_BYTES];

    for (int i = 0; i < DRAIN_CALLS; i++) {
        ssize_t count = recv(trigger->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

        if (count == 0 || (count < 0 && errno == EAGAIN))
            return count == 0;
        if (count < 0 && errno != EINTR) {
            fail_socket(trigger, errno, now);
            return false;
        }
    }
    return false;
}

/* The request is sent. Where SIOCOUTQ is missing, the service's close, without the reset that an
 * unread request leaves, is the answer: recv(2) looks at both at once. */
static void follow_reading(struct trigger *trigger, uint32_t events, int64_t now)
{
    bool is_ended = false, is_told = true;

    (void)check_confirmed(trigger, now);
    if (trigger->state == TRIGGER_READING)
        is_ended = drain(trigger, now);
    if (trigger->state == TRIGGER_READING)
        is_told = check_confirmed(trigger, now);
    if (trigger->state == TRIGGER_READING && !is_told && is_ended && (events & EPOLLHUP) != 0)
        finish(trigger, TRIGGER_KICKED, 0, now);
}

/* The request is read. EPOLLHUP is the service's close; end of file alone may be a shutdown of its
 * writing side, and it goes on working. */
static void follow_closing(struct trigger *trigger, uint32_t events, int64_t now)
{
    if ((events & EPOLLHUP) != 0)
        finish(trigger, TRIGGER_KICKED, 0, now);
    else
        (void)drain(trigger, now);
}

static ssize_t send_rest(const struct trigger *trigger)
{
    /* A socket gets the terminating NUL in the same send, a FIFO none. */
    size_t left = trigger->request_length + (trigger->is_socket ? 1 : 0) - trigger->written;
    const char *rest = trigger->request + trigger->written;

    if (trigger->is_socket)
        return send(trigger->fd, rest, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    return left == 0 ? 0 : write(trigger->fd, rest, left);
}

static void follow_writing(struct trigger *trigger, int64_t now)
{
    size_t whole = trigger->request_length + (trigger->is_socket ? 1 : 0);
    ssize_t count;

    do {
        count = send_rest(trigger);
        if (count > 0)
            trigger->written += (size_t)count;
    } while ((count < 0 && errno == EINTR) || (count > 0 && trigger->written < whole));
    if (count < 0 && errno == EAGAIN) {
        if (trigger->is_socket)
            (void)drain(trigger, now);
    } else if (count < 0 && trigger->is_socket) {
        fail_socket(trigger, errno, now);
    } else if (count < 0) {
        finish(trigger, errno == EPIPE ? TRIGGER_NO_READER : TRIGGER_SEND, errno, now);
    } else if (trigger->is_socket) {
        enter(trigger, TRIGGER_READING, trigger->read_limit, now);
    } else {
        finish(trigger, TRIGGER_KICKED, 0, now);
    }
}

static bool out_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE;
}

static void wait_to_retry(struct trigger *trigger, int64_t now)
{
    trigger->due = now + trigger->retry < trigger->limit ? now + trigger->retry : trigger->limit;
    trigger->retry = trigger->retry * 2 < RETRY_LAST ? trigger->retry * 2 : RETRY_LAST;
}

/* Returns false when out of descriptors. */
static bool try_connect(struct trigger *trigger, int64_t now)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        int error = errno;
        if (out_of_descriptors(error))
            return false;
        finish(trigger, TRIGGER_CONNECT, error, now);
    } else if (endpoint_connect(&trigger->endpoint, fd, trigger->service) == 0) {
        trigger->fd = fd;
        endpoint_close(&trigger->endpoint);
        trigger->state = TRIGGER_WRITING;
        trigger->due = trigger->limit;
        follow_writing(trigger, now);
    } else {
        int error = errno;
        close(fd);
        if (error != EAGAIN && error != EINTR) {
            finish(trigger, TRIGGER_CONNECT, error, now);
            return true;
        }
        wait_to_retry(trigger, now);
    }
    return true;
}

static bool try_fifo(struct trigger *trigger, int64_t now)
{
    int fd = endpoint_open_fifo(&trigger->endpoint, trigger->service);

    if (fd < 0) {
        int error = errno;
        if (out_of_descriptors(error))
            return false;
        finish(trigger, error == ENXIO ? TRIGGER_NO_READER : TRIGGER_CONNECT, error, now);
        return true;
    }
    endpoint_close(&trigger->endpoint);
    trigger->fd = fd;
    trigger->state = TRIGGER_WRITING;
    follow_writing(trigger, now);
    return true;
}

enum trigger_outcome trigger_open_outcome(enum endpoint_result result)
{
    switch (result) {
    case ENDPOINT_SOCKET:
    case ENDPOINT_FIFO:
        return TRIGGER_PENDING;
    case ENDPOINT_LINK:
        return TRIGGER_LINK;
    case ENDPOINT_HARD_LINKS:
        return TRIGGER_HARD_LINKS;
    case ENDPOINT_WRONG_TYPE:
        return TRIGGER_WRONG_TYPE;
    default:
        return TRIGGER_LOOKUP;
    }
}

bool trigger_start(struct trigger *trigger, int64_t now, int64_t stop)
{
    trigger->fd = -1;
    trigger->outcome = TRIGGER_PENDING;
    trigger->started = now;
    trigger->stop = stop;
    trigger->retry = RETRY_FIRST;
    trigger->written = 0;
    enum endpoint_result result = endpoint_open(&trigger->endpoint, trigger->queue_directory,
                                                trigger->class, trigger->service);
    trigger->is_socket = result == ENDPOINT_SOCKET;
    enter(trigger, TRIGGER_CONNECTING, trigger->send_limit, now);
    bool have_descriptors = true;
    if (result == ENDPOINT_DESCRIPTORS)
        have_descriptors = false;
    else if (result == ENDPOINT_SOCKET)
        have_descriptors = try_connect(trigger, now);
    else if (result == ENDPOINT_FIFO)
        have_descriptors = try_fifo(trigger, now);
    else
        finish(trigger, trigger_open_outcome(result), trigger->endpoint.error, now);
    if (!have_descriptors) {
        trigger_abandon(trigger, now);
        trigger->state = TRIGGER_IDLE;
    }
    return have_descriptors;
}

void trigger_event(struct trigger *trigger, uint32_t events, int64_t now)
{
    if (trigger->state == TRIGGER_WRITING)
        follow_writing(trigger, now);
    else if (trigger->state == TRIGGER_READING)
        follow_reading(trigger, events, now);
    if (trigger->state == TRIGGER_CLOSING)
        follow_closing(trigger, events, now);
}

static void time_is_up(struct trigger *trigger, int64_t now)
{
    switch (trigger->state) {
    case TRIGGER_CONNECTING:
        finish(trigger, TRIGGER_QUEUE_FULL, EAGAIN, now);
        break;
    case TRIGGER_WRITING:
        finish(trigger, TRIGGER_NOT_WRITTEN, EAGAIN, now);
        break;
    case TRIGGER_READING:
        (void)check_confirmed(trigger, now); /* read at the last moment */
        if (trigger->state == TRIGGER_READING)
            finish(trigger, TRIGGER_NOT_READ, 0, now);
        else if (trigger->state == TRIGGER_CLOSING && now >= trigger->limit)
            finish(trigger, TRIGGER_NOT_FINISHED, 0, now);
        break;
    case TRIGGER_CLOSING:
        finish(trigger, TRIGGER_NOT_FINISHED, 0, now);
        break;
    case TRIGGER_IDLE:
    case TRIGGER_DONE:
        break;
    }
}

void trigger_timer(struct trigger *trigger, int64_t now)
{
    if (now >= trigger->limit) {
        time_is_up(trigger, now);
    } else if (trigger->state == TRIGGER_CONNECTING) {
        if (!try_connect(trigger, now))
            wait_to_retry(trigger, now);
    }
}
