/* SPDX-License-Identifier: MIT */
/* Connects to endpoints, sends the requests, waits until they are read, and closes what lingers. */
#include "wire/trigger.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RETRY_FIRST (CLOCK_SECOND / 200) /* a full listen queue gives no event */
#define RETRY_LAST (CLOCK_SECOND / 10)
#define LOOK_FIRST (CLOCK_SECOND / 1000) /* whether the request was read, without an event */
#define LOOK_LAST (CLOCK_SECOND / 10)

/* Bytes that a service may send after it has read the request, when its close is waited for. So
 * many messages of one byte fit into any socket buffer that is not made smaller on purpose. */
#define REPLY_MAXIMUM 128

/* Events to register a descriptor for, with epoll(7). */
#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define EVENTS_AT_ONCE 256

/* A trigger is checked after that many others were started: most services have read the request by
 * then, and it need not be registered with epoll. */
#define LOOK_BEHIND 128

/* After the shutdown nothing more can arrive. Each descriptor that was passed needs a byte: without
 * input there is none. */
static bool may_hold_descriptors(int socket)
{
    int waiting;

    return shutdown(socket, SHUT_RD) < 0 || ioctl(socket, SIOCINQ, &waiting) < 0 || waiting > 0;
}

/* Closes what is open, and makes the trigger done; its outcome stays as it is. A socket with input
 * that was not received is only shut down: see lingers. */
static void abandon(struct trigger *trigger, int64_t now)
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

static void finish(struct trigger *trigger, enum trigger_outcome outcome, int error, int64_t now)
{
    bool hangs = outcome == TRIGGER_NOT_READ || outcome == TRIGGER_NOT_FINISHED;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    trigger->outcome = outcome;
    trigger->error = error;
    if (hangs && getsockopt(trigger->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        trigger->peer = peer.pid;
    abandon(trigger, now);
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

/* Opens, checks, connects and sends as far as possible without waiting. stop is the end of the
 * whole run. Returns false when the process is out of descriptors: nothing is open, the state is
 * TRIGGER_IDLE, and it can be started again later. */
static bool start(struct trigger *trigger, int64_t now, int64_t stop)
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
    abandon(trigger, now);
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

/* To be called when epoll(7) reports events on fd, and with 0 when due has come; may be called at
 * any time. Does what can be done without waiting. */
static void step(struct trigger *trigger, uint32_t events, int64_t now)
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

/* A batch under way. */
struct running {
    const struct trigger_batch *batch;
    int epoll;
    size_t next;          /* the first trigger that is not started */
    size_t watched;       /* the first one that is started and not yet watched */
    size_t live;          /* started and not done */
    size_t lingering;     /* done, with a socket that is still open */
    size_t connections;   /* that may be open at once */
    int64_t due;          /* when the next live trigger is due; may be too early, never too late */
    int64_t progress_due; /* when to call progress */
};

/* Registers the trigger's descriptor once it has one. */
static void watch(const struct running *running, struct trigger *trigger, int64_t now)
{
    struct epoll_event event = {.events = EVENTS, .data.ptr = trigger};

    if (trigger->fd >= 0 && epoll_ctl(running->epoll, EPOLL_CTL_ADD, trigger->fd, &event) < 0) {
        trigger->outcome = TRIGGER_SEND;
        trigger->error = errno;
        abandon(trigger, now);
    }
}

/* To be called after a trigger was started, or has had an event or a timer. */
static void account(struct running *running, const struct trigger *trigger)
{
    if (trigger->state == TRIGGER_DONE) {
        running->live--;
        if (trigger->lingers)
            running->lingering++;
    } else if (trigger->due < running->due) {
        running->due = trigger->due;
    }
}

static int compare(const void *left, const void *right)
{
    const int *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Holds the sockets until the parent has closed its own copies, as the end of the pipe shows, and
 * closes them by its end. Nobody waits for anything else that it has inherited: a reader of
 * standard output, above all. */
static _Noreturn void hold(int *kept, size_t count, int pipe)
{
    char byte;

    qsort(kept, count, sizeof(*kept), compare);
    descriptors_close_others(kept, count);
    signals_reset_for_child();
    while (read(pipe, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* Closes the sockets that linger, in a child of a child; here where there can be none. */
static void close_lingering(struct running *running)
{
    int ends[2] = {-1, -1};
    pid_t child = -1;
    size_t count = 0;

    if (running->lingering == 0)
        return;
    int *kept = alloc_zeroed(running->lingering + 1, sizeof(*kept));
    for (size_t i = 0; i < running->next; i++)
        if (running->batch->triggers[i].lingers)
            kept[count++] = running->batch->triggers[i].fd;
    if (pipe2(ends, O_CLOEXEC) == 0)
        child = fork();
    if (child == 0 && fork() == 0) {
        kept[count++] = ends[0];
        hold(kept, count, ends[0]);
    }
    if (child == 0)
        _exit(0); /* so that the other child is nobody's to wait for */
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    for (size_t i = 0; i < running->next; i++) {
        if (running->batch->triggers[i].lingers)
            descriptors_close(&running->batch->triggers[i].fd);
        running->batch->triggers[i].lingers = false;
    }
    running->lingering = 0;
    descriptors_close(&ends[0]);
    descriptors_close(&ends[1]);
    free(kept);
}

/* Starts a trigger, or ends it when the time is over. Returns false when it has to wait for
 * descriptors of others. */
static bool start_one(struct running *running, struct trigger *trigger)
{
    int64_t now = clock_now(), end = running->batch->limits->end;

    if (now >= end) {
        trigger->outcome = TRIGGER_NO_TIME;
        abandon(trigger, now);
    } else if (!start(trigger, now, end)) {
        if (running->live + running->lingering > 0)
            return false;
        trigger->outcome = TRIGGER_CONNECT;
        trigger->error = EMFILE;
        abandon(trigger, now);
    }
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

    if (trigger->state == TRIGGER_DONE)
        return;
    if (running->watched < running->next)
        step(trigger, 0, now);
    watch(running, trigger, now);
    account(running, trigger);
}

static bool has_room(const struct running *running)
{
    return running->next < running->batch->count &&
           running->live + running->lingering < running->connections;
}

/* Starts as many triggers as may be live at once, and checks the first ones meanwhile. */
static void start_more(struct running *running)
{
    if (running->next < running->batch->count && !has_room(running))
        close_lingering(running);
    while (has_room(running)) {
        struct trigger *trigger = &running->batch->triggers[running->next];

        if (trigger->state == TRIGGER_IDLE && !start_one(running, trigger)) {
            running->connections = running->live + running->lingering; /* no descriptors for more */
            close_lingering(running);
            break;
        }
        running->next++;
        if (running->next - running->watched > LOOK_BEHIND)
            watch_next(running);
    }
    while (running->watched < running->next)
        watch_next(running);
}

static bool is_renewed(const struct running *running)
{
    return running->batch->renewed != NULL && *running->batch->renewed;
}

/* Starts those that were renewed, as there is room. */
static void start_renewed(struct running *running)
{
    bool *renewed = running->batch->renewed;

    if (!is_renewed(running))
        return;
    *renewed = false;
    for (size_t i = 0; i < running->next; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (trigger->state != TRIGGER_IDLE)
            continue;
        if (running->live + running->lingering >= running->connections ||
            !start_one(running, trigger)) {
            close_lingering(running);
            *renewed = true;
            return;
        }
        watch(running, trigger, clock_now());
    }
}

/* Calls the timers that are due, and finds out when the next one is. */
static void run_timers(struct running *running, int64_t now)
{
    running->due = CLOCK_NEVER;
    for (size_t i = 0; i < running->next; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (trigger->state == TRIGGER_DONE || trigger->state == TRIGGER_IDLE)
            continue;
        if (trigger->due <= now) {
            bool had_descriptor = trigger->fd >= 0;
            step(trigger, 0, now);
            if (!had_descriptor)
                watch(running, trigger, now);
        }
        account(running, trigger);
    }
}

/* Waits for events or the next timer, and handles them. Returns 0 or an errno. */
static int wait_once(struct running *running)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t now = clock_now();
    int64_t due = running->due < running->progress_due ? running->due : running->progress_due;
    int count = epoll_pwait(running->epoll, events, EVENTS_AT_ONCE, clock_poll_timeout(now, due),
                            signals_wait_mask());

    if (count < 0 && errno != EINTR)
        return errno;
    now = clock_now();
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

static void abandon_all(struct running *running)
{
    int64_t now = clock_now();

    for (size_t i = 0; i < running->next; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (trigger->state == TRIGGER_DONE || trigger->state == TRIGGER_IDLE)
            continue;
        abandon(trigger, now);
        account(running, trigger);
    }
}

int trigger_run(const struct trigger_batch *batch)
{
    struct running running = {
        .batch = batch,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .connections = (size_t)batch->connections,
        .due = CLOCK_NEVER,
        .progress_due = batch->progress == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
    };
    int error = 0;

    if (running.epoll < 0)
        return errno;
    while (error == 0 && signals_received() == 0) {
        start_more(&running);
        start_renewed(&running);
        if (has_room(&running))
            continue; /* some were done at once */
        if (running.live == 0 && running.next == batch->count && !is_renewed(&running))
            break;
        if (running.live > 0)
            error = wait_once(&running);
    }
    abandon_all(&running);
    close_lingering(&running);
    close(running.epoll);
    return error;
}
