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
 * that was not received is only shut down: see lingers. */
static void abandon(struct trigger *trigger, int64_t now)
{
    if (trigger->state == TRIGGER_IDLE)
        trigger->fd = trigger->endpoint.fd = -1;
    endpoint_close(&trigger->endpoint);
    trigger->lingers = trigger->fd >= 0 && trigger->is_socket && may_hold_descriptors(trigger->fd);
    if (!trigger->is_socket && trigger->fd >= 0)
        trigger->errands->count--;
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

/* At whole multiples of the pause, so that one pass over all triggers serves many. The pause grows
 * with the time since the request was sent, up to half of it: a read without an event is noticed
 * that much later at most. */
static void look_again(struct trigger *trigger, int64_t now)
{
    int64_t next = (now / trigger->pause + 1) * trigger->pause;

    trigger->due = next < trigger->ends ? next : trigger->ends;
    if (next - trigger->entered >= 4 * trigger->pause)
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

/* Sends the request and its terminating NUL. */
static void follow_writing(struct trigger *trigger, int64_t now)
{
    size_t length = trigger->request_length + 1;
    ssize_t count;

    do {
        count = send(trigger->fd, trigger->request + trigger->written, length - trigger->written,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0)
            trigger->written += (size_t)count;
    } while ((count < 0 && errno == EINTR) || (count > 0 && trigger->written < length));
    if (count < 0 && errno != EAGAIN) {
        fail_socket(trigger, errno, now);
    } else if (count >= 0) {
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
        trigger->was_full = trigger->was_full || (error == EAGAIN && trigger->is_socket);
        wait_to_retry(trigger, EAGAIN, now);
    } else if (error == ECONNREFUSED && trigger->was_full) {
        endpoint_close(&trigger->endpoint); /* what listened there is gone: look it up again */
        wait_to_retry(trigger, error, now);
    } else {
        finish(trigger, TRIGGER_CONNECT, error, now);
    }
}

/*
 * A FIFO: open, write, FIONREAD and close wait for whoever is reading or writing it at the moment,
 * maybe to or from memory that is a file of a file system that does not answer, and no signal ends
 * that. So a child process does it, with a thread for each FIFO: one that is held holds no other.
 */

/* What a thread is to do. */
struct errand {
    const struct trigger *trigger; /* as it was when the child was forked: it has the request */
    int place;                     /* O_PATH descriptor of the FIFO */
    int socket;                    /* to our side; its hang-up is the end of the errand */
};

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

static void report(const struct errand *errand, enum trigger_state state,
                   enum trigger_outcome outcome, int error)
{
    struct word word = {state, outcome, error};

    (void)send(errand->socket, &word, sizeof(word), MSG_NOSIGNAL);
}

/* Waits until the FIFO is as wanted, or has no reader. Returns whether the errand goes on. */
static bool wait_for(const struct errand *errand, int fifo, short events, int milliseconds)
{
    struct pollfd polls[] = {{.fd = fifo, .events = events}, {.fd = errand->socket}};

    return poll(polls, 2, milliseconds) >= 0 && polls[1].revents == 0;
}

/* Without the terminating NUL. Returns whether it is written. */
static bool write_request(const struct errand *errand, int fifo)
{
    const struct trigger *trigger = errand->trigger;
    bool is_byte = trigger->is_probe && trigger->request_length == 0;
    size_t length = is_byte ? 1 : trigger->request_length, written = 0;
    bool goes_on = wait_for(errand, fifo, 0, 0), was_full = false;

    while (goes_on && written < length) {
        ssize_t count = write(fifo, trigger->request + written, length - written);

        if (count > 0) {
            written += (size_t)count;
        } else if (errno == EAGAIN) {
            if (!was_full) /* once: the socket has room for some hundred words */
                report(errand, TRIGGER_WRITING, TRIGGER_PENDING, 0);
            was_full = true;
            goes_on = wait_for(errand, fifo, POLLOUT, -1);
        } else {
            report(errand, TRIGGER_DONE, errno == EPIPE ? TRIGGER_NO_READER : TRIGGER_SEND, errno);
            return false;
        }
    }
    return goes_on;
}

static bool has_reader(int fifo)
{
    struct pollfd reader = {.fd = fifo};

    return poll(&reader, 1, 0) == 0; /* else POLLERR */
}

/* Our own end keeps what nobody has read: 0 means that somebody has, and not that it was dropped.
 */
static void watch_request(const struct errand *errand, int fifo)
{
    int unread = 1, error = 0;
    bool is_read = true;

    report(errand, TRIGGER_READING, TRIGGER_PENDING, 0);
    for (int64_t pause = LOOK_FIRST;; pause = pause * 2 < LOOK_LAST ? pause * 2 : LOOK_LAST) {
        error = ioctl(fifo, FIONREAD, &unread) < 0 ? errno : 0;
        is_read = has_reader(fifo);
        if (error != 0 || !is_read || unread == 0)
            break;
        if (!wait_for(errand, fifo, 0, (int)(pause * 1000 / CLOCK_SECOND)))
            return;
    }
    if (error != 0)
        report(errand, TRIGGER_DONE, TRIGGER_SEND, error);
    else if (!is_read)
        report(errand, TRIGGER_DONE, TRIGGER_CLOSED, EPIPE);
    else
        report(errand, TRIGGER_DONE, TRIGGER_KICKED, 0);
}

/* Errands under way. */
static atomic_int at_work;

static void *do_errand(void *given)
{
    struct errand *errand = given;
    int fifo =
        open(descriptors_path(errand->place).text, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = errno;

    close(errand->place);
    if (fifo >= 0 && write_request(errand, fifo))
        watch_request(errand, fifo);
    else if (fifo < 0)
        report(errand, TRIGGER_DONE, error == ENXIO ? TRIGGER_NO_READER : TRIGGER_CONNECT, error);
    close(errand->socket);
    descriptors_close(&fifo); /* last: this can wait, too */
    free(errand);
    at_work--;
    return NULL;
}

/* Where there can be no more threads, the end of another one makes room; where there can be none,
 * the errands are done here, one after the other. */
static void start_errand(struct errand errand, const pthread_attr_t *attributes)
{
    struct errand *own = malloc(sizeof(*own));
    pthread_t thread;
    int error = ENOMEM;

    if (own != NULL) {
        *own = errand;
        do
            error = pthread_create(&thread, attributes, do_errand, own);
        while (error == EAGAIN && at_work > 0 && wait_for(own, -1, 0, THREAD_PAUSE));
    }
    bool is_alone = own != NULL && error != 0 && at_work == 0;
    if (error == 0 || is_alone)
        at_work++;
    if (is_alone) {
        (void)do_errand(own);
    } else if (error != 0) {
        report(&errand, TRIGGER_DONE, TRIGGER_CONNECT, error);
        close(errand.place);
        close(errand.socket);
        free(own);
    }
}

/* The child. It ends with our end of the socket, whatever holds its threads. */
static _Noreturn void do_errands(int control)
{
    pthread_attr_t attributes;
    sigset_t all;
    struct errand errand;
    int passed[2];
    ssize_t length;

    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL) < 0 || chdir("/") < 0 ||
        descriptors_keep_only(&control) != 0 || pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, THREAD_STACK) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0)
        _exit(1);
    while ((length = descriptors_receive(control, &errand, sizeof(errand), 0, passed, 2)) > 0 ||
           (length < 0 && errno == EMFILE)) {
        if (length > 0)
            start_errand((struct errand){errand.trigger, passed[0], passed[1]}, &attributes);
    }
    _exit(0);
}

/* Forks a child of a child, which is nobody's to wait for. Returns 0 in it, else a number above 0,
 * or -1 with errno. */
static pid_t fork_away(void)
{
    pid_t child = fork(), found;
    int status = 0;

    if (child == 0) {
        pid_t other = fork();
        if (other == 0)
            return 0;
        _exit(other < 0 ? errno : 0);
    }
    do
        found = child < 0 ? child : waitpid(child, &status, 0);
    while (child > 0 && found < 0 && errno == EINTR);
    if (child < 0 || status == 0)
        return child;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
    return -1;
}

/* Starts the child, unless it is there. Returns 0 or an errno: EMFILE when it can do no more at the
 * moment. */
static int start_errands(struct trigger_errands *errands)
{
    int ends[2];

    if (errands->control >= 0)
        return errands->count < errands->most ? 0 : EMFILE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    pid_t child = fork_away();
    int error = child < 0 ? errno : 0;
    if (child == 0)
        do_errands(ends[1]);
    close(ends[1]);
    if (error != 0)
        close(ends[0]);
    else
        errands->control = ends[0];
    return error;
}

/* Has the child kick the FIFO. Returns our end of a socket to its thread, or -1 with errno. */
static int send_errand(const struct trigger *trigger)
{
    int ends[2], error = start_errands(trigger->errands);

    if (error == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        error = errno;
    if (error == 0) {
        const struct errand errand = {.trigger = trigger};
        const int passed[] = {trigger->endpoint.fd, ends[1]};

        error = descriptors_send(trigger->errands->control, &errand, sizeof(errand), MSG_DONTWAIT,
                                 passed, 2);
        close(ends[1]);
        trigger->errands->count += error == 0 ? 1 : 0;
        if (error == 0)
            return ends[0];
        close(ends[0]);
    }
    errno = error == ETOOMANYREFS ? EAGAIN : error;
    return -1;
}

/* Takes the words of the thread. */
static void follow_fifo(struct trigger *trigger, int64_t now)
{
    struct word word;
    ssize_t length = 1;

    while (trigger->state != TRIGGER_DONE && length > 0) {
        length = recv(trigger->fd, &word, sizeof(word), MSG_DONTWAIT);
        if (length > 0 && word.state == TRIGGER_DONE) {
            finish(trigger, word.outcome, word.error, now);
        } else if (length > 0 && word.state == TRIGGER_READING) {
            enter(trigger, TRIGGER_READING, now);
        } else if (length > 0) {
            trigger->state = TRIGGER_WRITING;
        } else if (length < 0 && errno == EINTR) {
            look_again(trigger, now);
        } else if (length == 0 || errno != EAGAIN) {
            finish(trigger, TRIGGER_SEND, EPIPE, now);
        }
    }
}

/* The service is reached, over fd; or a thread is to reach it. */
static void begin_writing(struct trigger *trigger, int fd, int64_t now)
{
    endpoint_close(&trigger->endpoint);
    trigger->fd = fd;
    trigger->due = trigger->ends;
    if (!trigger->is_socket)
        return;
    trigger->state = TRIGGER_WRITING;
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
    int fd = endpoint->is_socket ? endpoint_connect(endpoint) : send_errand(trigger);
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
    enum trigger_outcome outcome = trigger->fd >= 0           ? TRIGGER_HELD
                                   : trigger->error == ENOENT ? TRIGGER_LOOKUP
                                   : trigger->was_full && trigger->error == EAGAIN
                                       ? TRIGGER_QUEUE_FULL
                                       : TRIGGER_CONNECT;

    finish(trigger, outcome, trigger->error, now);
}

static void follow_connecting(struct trigger *trigger, int64_t now)
{
    if (now >= trigger->ends)
        give_up_connecting(trigger, now);
    else if (trigger->fd < 0 && now >= trigger->due && !attempt(trigger, now))
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
    if (!trigger->is_socket && trigger->fd >= 0)
        follow_fifo(trigger, now);
    if (trigger->state == TRIGGER_CONNECTING)
        follow_connecting(trigger, now);
    if (trigger->state == TRIGGER_WRITING && trigger->is_socket)
        follow_writing(trigger, now);
    if (trigger->state == TRIGGER_READING && trigger->is_socket)
        follow_socket(trigger, events, now);
    else if (trigger->state == TRIGGER_CLOSING)
        follow_closing(trigger, events, now);
    if (trigger->state != TRIGGER_CONNECTING && now >= trigger->ends)
        time_is_up(trigger, now);
    else if (trigger->state == TRIGGER_READING && trigger->is_socket && now >= trigger->due)
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
    struct trigger_errands errands;
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
    size_t count = 0;

    if (running->lingering == 0)
        return;
    int *kept = alloc_zeroed(running->lingering + 1, sizeof(*kept));
    for (size_t i = 0; i < running->next; i++)
        if (running->batch->triggers[i].lingers)
            kept[count++] = running->batch->triggers[i].fd;
    if (pipe2(ends, O_CLOEXEC) == 0 && fork_away() == 0) {
        kept[count++] = ends[0];
        hold(kept, count, ends[0]);
    }
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

/* Takes what one trigger's step, begun at the given time, has waited for a file system from the
 * seconds of the others: nobody looked whether their requests were read meanwhile. */
static void excuse_others(struct running *running, const struct trigger *waiting, int64_t begun)
{
    int64_t waited = clock_now() - begun;

    for (size_t i = 0; waited > STEP_MAXIMUM && i < running->next; i++) {
        struct trigger *trigger = &running->batch->triggers[i];

        if (trigger != waiting && trigger->state != TRIGGER_DONE && trigger->state != TRIGGER_IDLE)
            trigger->started += waited;
    }
}

/* Starts a trigger, or ends it when the time is over. Returns false when it has to wait for
 * descriptors of others. */
static bool start_one(struct running *running, struct trigger *trigger)
{
    int64_t now = clock_now(), end = running->batch->limits->end;
    bool is_started = true;

    trigger->errands = &running->errands;
    if (now >= end) {
        trigger->outcome = TRIGGER_NO_TIME;
        abandon(trigger, now);
    } else {
        is_started = start(trigger, now, end);
        excuse_others(running, trigger, now);
    }
    if (!is_started && running->live + running->lingering > 0)
        return false;
    if (!is_started) {
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
            int64_t begun = clock_now();
            step(trigger, 0, begun);
            excuse_others(running, trigger, begun);
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

/* Returns how many triggers may be live at once. */
static int count_connections(const struct trigger_batch *batch)
{
    int most = descriptors_raise_limit();

    return batch->connections > 0 && batch->connections < most ? batch->connections : most;
}

int trigger_run(const struct trigger_batch *batch)
{
    int connections = count_connections(batch);
    struct running running = {
        .batch = batch,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .connections = (size_t)connections,
        .errands = {.control = -1,
                    .most = (connections + 3) / 4}, /* a thread needs three descriptors */
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
    descriptors_close(&running.errands.control);
    close(running.epoll);
    return error;
}
