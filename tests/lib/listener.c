/* SPDX-License-Identifier: MIT */
/*
 * listener [-l LOG] SPECIFICATION: a stand-in for the listening side of Postfix services, well and
 * badly behaved, for tests and measurements. Makes the endpoints of the file, prints "ready", and
 * serves them until a signal, or until its parent ends. Once ready it holds no standard input and
 * output. It overwrites and removes no file; what it made stays when it ends, as a dead socket or a
 * FIFO without a reader.
 *
 * SPECIFICATION has a line "BEHAVIOUR PATH [N]" for each endpoint: one of behaviours[], an absolute
 * path, N in seconds (0.5 is a number too). LOG gets a line "PATH<tab>BYTES" for each read, before
 * the bytes are taken from a socket; bytes other than printable ASCII, and the backslash, as \ooo.
 * One thread and one epoll(7) loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_SIZE 1024 /* what a Postfix trigger server reads, once */
#define BUFFER_SIZE 65536
#define FILLERS 4 /* own connections that fill a listen queue of length 0 */

/* What is sent first: flush(8)'s greeting, then every value of a byte, 1 MiB in all. */
#define GREETING "protocol\0fast_flush_protocol\0"
#define GARBAGE 542
#define MEGABYTE 1048576
static char greeting[MEGABYTE] = GREETING;

/*
 * What an endpoint or a connection does is a string of steps, taken one after the other; its state
 * is the step that it is at. A step that has to wait is taken again when its descriptor is ready.
 *
 *   g m b  send a greeting, 1 MiB, every byte value   r  read once, up to 1024 bytes
 *   i      wait for input                             R  read until the client closes
 *   t      wait the behaviour's N seconds             h  read half of what is there
 *   u      wait for the client to close               p  read from the FIFO, forever
 *   s      shut down the writing side                 a  accept connections, forever
 *   c      close                                      f  empty the listen queue of our own
 * At the end of the string it stays as it is. N that was not given is forever.
 */
enum kind { STREAM, FULL_STREAM, DEAD_STREAM, DATAGRAM, FIFO, FULL_FIFO };

static const struct behaviour {
    const char *name;
    enum kind kind;
    const char *endpoint_steps;
    const char *connection_steps;
} behaviours[] = {
    {"read", STREAM, "a", "rc"},        /* reads once, up to 1024 bytes, closes (qmgr) */
    {"drain", STREAM, "a", "Rc"},       /* reads until the client closes */
    {"greet", STREAM, "a", "grc"},      /* greets, then as read (flush, tlsmgr) */
    {"garbage", STREAM, "a", "brc"},    /* sends every byte value, then as read */
    {"megabyte", STREAM, "a", "mrc"},   /* sends 1 MiB, then as read */
    {"late", STREAM, "a", "trc"},       /* as read, N seconds after the connection */
    {"work", STREAM, "a", "rtc"},       /* reads at once, closes N s later (pickup) */
    {"closeunread", STREAM, "a", "c"},  /* closes at once, unread */
    {"reset", STREAM, "a", "gic"},      /* greets, closes when the request is there, unread */
    {"half", STREAM, "a", "ihc"},       /* reads half of the request and closes */
    {"shutdown", STREAM, "a", "s"},     /* shuts down its writing side, never reads */
    {"never", STREAM, "a", "uc"},       /* accepts, never reads */
    {"closeafter", STREAM, "a", "tc"},  /* closes N s after the connection, unread */
    {"noaccept", STREAM, "", ""},       /* listens, never accepts */
    {"full", FULL_STREAM, "tfa", "rc"}, /* listen queue full, forever or N s, then as read */
    {"dead", DEAD_STREAM, "c", ""},     /* a socket that nobody listens on */
    {"dgram", DATAGRAM, "R", ""},       /* a datagram socket that is read */
    {"fifo", FIFO, "p", ""},            /* a FIFO that is read */
    {"fifofull", FULL_FIFO, "tp", ""},  /* a full FIFO, read never or after N s */
    {"fifoleave", FULL_FIFO, "tc", ""}, /* a full FIFO whose reader leaves after N s */
    {"fifonoreader", FIFO, "c", ""},    /* a FIFO that nobody reads */
};
#define BEHAVIOURS (sizeof(behaviours) / sizeof(behaviours[0]))

/* Anything with a descriptor: a listening socket, a FIFO, a connection. */
struct source {
    struct endpoint *endpoint;
    struct source *previous, *next;
    const char *step;
    int64_t due; /* milliseconds; 0: no timer */
    size_t sent; /* bytes of the greeting, or that fill the FIFO */
    int fd;
    bool watched;
};

struct endpoint {
    const struct behaviour *behaviour;
    char *path;
    double seconds; /* negative: none given */
    struct source source;
    int fillers[FILLERS];
};

static struct source sources = {.previous = &sources, .next = &sources}; /* all in use */
static int64_t next_due = INT64_MAX;
static int epoll_fd, log_fd = -1;

static _Noreturn void fail(const char *what, const char *which)
{
    fprintf(stderr, "listener: %s%s%s: %s\n", what, *which ? " " : "", which, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Sources: what they wait for. */

static void use(struct source *source, struct endpoint *endpoint, int fd, const char *step)
{
    *source = (struct source){
        .endpoint = endpoint, .previous = &sources, .next = sources.next, .fd = fd, .step = step};
    sources.next->previous = source;
    sources.next = source;
}

/* Closes a source, and frees it if it is a connection. */
static void drop(struct source *source)
{
    close(source->fd);
    source->previous->next = source->next;
    source->next->previous = source->previous;
    if (source != &source->endpoint->source)
        free(source);
}

static void watch(struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(epoll_fd, source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source->fd, &event))
        fail("epoll_ctl", source->endpoint->path);
    source->watched = true;
}

/* The step after this one follows when the time has passed. */
static void expire(struct source *source, double seconds)
{
    if (seconds < 0)
        return;
    if (source->watched)
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->watched = false;
    source->due = now() + (int64_t)(seconds * 1000);
    if (source->due < next_due)
        next_due = source->due;
}

/* Waits, unless one of the poll(2) events, or an error or hang-up, is there already. */
static bool await(struct source *source, short events, uint32_t epoll_events)
{
    struct pollfd wanted = {.fd = source->fd, .events = events};
    if (poll(&wanted, 1, 0) > 0)
        return true;
    watch(source, epoll_events);
    return false;
}

/* Steps. Each returns true when the next one can follow. */

static void log_bytes(const struct endpoint *endpoint, const char *bytes, size_t length)
{
    static char line[PATH_MAX + 4 * BUFFER_SIZE + 2];
    size_t used = (size_t)snprintf(line, PATH_MAX + 1, "%s\t", endpoint->path);
    if (log_fd < 0 || length == 0)
        return;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= ' ' && byte <= '~' && byte != '\\')
            line[used++] = (char)byte;
        else
            used += (size_t)snprintf(line + used, 5, "\\%03o", byte);
    }
    line[used++] = '\n';
    if (write(log_fd, line, used) != (ssize_t)used)
        fail("write", "log");
}

/* Receives up to size bytes and logs them before they are taken, so that a client that saw them
 * taken finds them in the log. Returns what recv(2) does. */
static ssize_t receive(struct source *source, size_t size)
{
    char buffer[BUFFER_SIZE];
    if (log_fd >= 0) {
        ssize_t seen = recv(source->fd, buffer, size, MSG_PEEK);
        if (seen <= 0)
            return seen;
        size = (size_t)seen;
        log_bytes(source->endpoint, buffer, size);
    }
    return recv(source->fd, buffer, size, 0);
}

static bool read_once(struct source *source)
{
    if (receive(source, REQUEST_SIZE) >= 0 || errno != EAGAIN)
        return true;
    watch(source, EPOLLIN);
    return false;
}

static bool read_all(struct source *source)
{
    ssize_t length;
    while ((length = receive(source, BUFFER_SIZE)) > 0)
        ;
    if (length == 0 || errno != EAGAIN)
        return true;
    watch(source, EPOLLIN);
    return false;
}

static bool read_half(struct source *source)
{
    int waiting = 0;
    ioctl(source->fd, FIONREAD, &waiting);
    if (waiting > 1)
        receive(source, (size_t)waiting / 2);
    return true;
}

static bool read_fifo(struct source *source)
{
    char buffer[BUFFER_SIZE];
    ssize_t length;
    while ((length = read(source->fd, buffer, sizeof(buffer))) > 0) {
        size_t own = (size_t)length < source->sent ? (size_t)length : source->sent;
        source->sent -= own;
        log_bytes(source->endpoint, buffer + own, (size_t)length - own);
    }
    watch(source, EPOLLIN);
    return false;
}

/* Sends the first size bytes of the greeting. */
static bool send_greeting(struct source *source, size_t size)
{
    while (source->sent < size) {
        ssize_t sent = send(source->fd, greeting + source->sent, size - source->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            watch(source, EPOLLOUT);
            return false;
        }
        source->sent += sent < 0 ? size : (size_t)sent; /* the client is gone: read on */
    }
    return true;
}

static void take_steps(struct source *source);

static bool accept_connection(struct source *listening)
{
    if (!listening->watched) {
        watch(listening, EPOLLIN);
        return false;
    }
    struct endpoint *endpoint = listening->endpoint;
    int fd = accept4(listening->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
        return false;
    struct source *source = malloc(sizeof(*source));
    if (fd < 0 || !source)
        fail("accept", endpoint->path);
    use(source, endpoint, fd, endpoint->behaviour->connection_steps);
    take_steps(source);
    return false;
}

static bool empty_queue(struct source *listening)
{
    for (size_t i = 0; i < FILLERS && listening->endpoint->fillers[i] > 0; i++)
        close(listening->endpoint->fillers[i]);
    return true;
}

static bool take_step(struct source *source)
{
    switch (*source->step) {
    case 'g':
        return send_greeting(source, sizeof(GREETING));
    case 'b':
        return send_greeting(source, GARBAGE);
    case 'm':
        return send_greeting(source, MEGABYTE);
    case 'r':
        return read_once(source);
    case 'R':
        return read_all(source);
    case 'h':
        return read_half(source);
    case 'p':
        return read_fifo(source);
    case 'i':
        return await(source, POLLIN, EPOLLIN);
    case 'u':
        return await(source, 0, EPOLLET);
    case 's':
        return shutdown(source->fd, SHUT_WR) == 0;
    case 'f':
        return empty_queue(source);
    case 'a':
        return accept_connection(source);
    case 't':
        expire(source, source->endpoint->seconds);
        return false;
    case 'c':
        drop(source);
        return false;
    default:
        return false;
    }
}

static void take_steps(struct source *source)
{
    while (take_step(source))
        source->step++;
}

/* Making sockets and FIFOs, under paths of any length. */

static int make_socket(struct endpoint *endpoint, enum kind kind)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *name = strrchr(endpoint->path, '/');
    int type = (kind == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(AF_UNIX, type, 0);

    *name = '\0';
    if (chdir(endpoint->path))
        fail("chdir", endpoint->path);
    *name = '/';
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
        fail("bind", endpoint->path);
    if (kind != DEAD_STREAM && kind != DATAGRAM && listen(fd, kind == FULL_STREAM ? 0 : SOMAXCONN))
        fail("listen", endpoint->path);
    for (int i = 0, full = kind != FULL_STREAM; !full; i++) {
        if (i == FILLERS)
            errno = EBUSY, fail("fill the listen queue", endpoint->path);
        endpoint->fillers[i] = socket(AF_UNIX, type, 0);
        full = connect(endpoint->fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    return fd;
}

/* The FIFO is open for writing too, so that it does not end when a client leaves. */
static int make_fifo(struct endpoint *endpoint)
{
    if (mkfifo(endpoint->path, 0622))
        fail("mkfifo", endpoint->path);
    int fd = open(endpoint->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fail("open", endpoint->path);
    return fd;
}

static void make(struct endpoint *endpoint)
{
    enum kind kind = endpoint->behaviour->kind;
    int fd = kind >= FIFO ? make_fifo(endpoint) : make_socket(endpoint, kind);
    use(&endpoint->source, endpoint, fd, endpoint->behaviour->endpoint_steps);
    ssize_t filled;
    while (kind == FULL_FIFO && (filled = write(fd, greeting, 4096)) > 0)
        endpoint->source.sent += (size_t)filled;
    take_steps(&endpoint->source);
}

/* The program. */

/* One line of the specification. */
static struct endpoint parse_line(char *line)
{
    const char *blanks = " \t\n";
    const char *name = strtok(line, blanks), *path = strtok(NULL, blanks);
    const char *number = strtok(NULL, blanks);
    const struct behaviour *each = behaviours;

    while (each < behaviours + BEHAVIOURS && strcmp(each->name, name) != 0)
        each++;
    if (each == behaviours + BEHAVIOURS || !path || strlen(path) >= PATH_MAX)
        errno = EINVAL, fail("endpoint", name);
    return (struct endpoint){
        .behaviour = each, .path = strdup(path), .seconds = number ? atof(number) : -1};
}

static void make_all(const char *name)
{
    FILE *file = fopen(name, "re");
    char *line = NULL;
    size_t size = 0;

    if (!file)
        fail("open", name);
    while (getline(&line, &size, file) > 0) {
        struct endpoint *endpoint = malloc(sizeof(*endpoint));

        if (!endpoint)
            fail("allocate", "");
        *endpoint = parse_line(line);
        make(endpoint);
    }
    free(line);
    fclose(file);
}

/* As many descriptors as can be had: root raises the hard limit. */
static void raise_limit(void)
{
    struct rlimit limit = {1 << 20, 1 << 20};

    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void run_timers(void)
{
    int64_t time = now();
    next_due = INT64_MAX;
    for (struct source *each = sources.next, *next; each != &sources; each = next) {
        next = each->next;
        if (each->due > time && each->due < next_due)
            next_due = each->due;
        if (each->due == 0 || each->due > time)
            continue;
        each->due = 0;
        each->step++;
        take_steps(each);
    }
}

static _Noreturn void serve(void)
{
    struct epoll_event events[256];

    while (true) {
        int64_t wait = next_due == INT64_MAX ? -1 : next_due - now();
        int count =
            epoll_wait(epoll_fd, events, 256, wait < 0 && next_due != INT64_MAX ? 0 : (int)wait);
        for (int i = 0; i < count; i++)
            take_steps(events[i].data.ptr);
        if (next_due <= now())
            run_timers();
    }
}

static void become_ready(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (puts("ready") == EOF || fflush(stdout) || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
        fail("stdout", "");
}

int main(int argc, char **argv)
{
    int option;

    for (int fd = 3; fd < 1024; fd++) /* keeps no inherited descriptor open */
        close(fd);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    while ((option = getopt(argc, argv, "l:")) != -1)
        if (option != 'l' ||
            (log_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
            fail("open", option == 'l' ? optarg : "");
    if (optind == argc)
        errno = EINVAL, fail("specification", "");
    for (size_t i = sizeof(GREETING); i < MEGABYTE; i++)
        greeting[i] = (char)(i * 167 + 27);
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    umask(0111); /* sockets for everybody, as Postfix makes them */
    make_all(argv[optind]);
    become_ready();
    serve();
}
