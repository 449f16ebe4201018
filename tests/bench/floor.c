/* SPDX-License-Identifier: MIT */
/*
 * floor: the least that a program could do for what postkick does, as a measure for it; nothing is
 * parsed, decided or reported. LIST has a line "CONFIG_DIR QUEUE_DIR" for each instance.
 *
 * floor honest LIST      kicks all, with the same safe opens, and knows that each request was read
 * floor naked LIST       kicks all: reads each main.cf without looking at it, follows links, trusts
 *                        every name and takes a close for an answer
 * floor queue QUEUE_DIR  reads the directories of five queues, one-letter ones below them too, and
 *                        the first 128 bytes of each file in them, and checks nothing
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAIN_CF_MAXIMUM (16 * 1024 * 1024)
#define EVENTS 512
#define LOOK_BEHIND 128 /* sockets of which most have an answer by now */

enum answer { WAITING, CONFIRMED, LOST };

static char buffer[MAIN_CF_MAXIMUM];
static bool is_honest;
static int own_directory; /* /proc/self/fd */
static int epoll_fd;
static size_t answers[LOST + 1];
static long files, bytes;

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool read_honestly(const char *path)
{
    struct stat before, after;
    char number[16];
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0)
        return false;
    snprintf(number, sizeof(number), "%d", place);
    int fd = fstat(place, &before) == 0 && S_ISREG(before.st_mode)
                 ? openat(own_directory, number, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                 : -1;
    close(place);
    if (fd < 0)
        return false;
    bool good = before.st_size <= MAIN_CF_MAXIMUM &&
                read(fd, buffer, (size_t)before.st_size) == before.st_size &&
                fstat(fd, &after) == 0 && same(&before, &after) &&
                memchr(buffer, '\0', (size_t)before.st_size) == NULL;
    close(fd);
    return good;
}

static bool read_nakedly(const char *path)
{
    const size_t size = 65536;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length;
    while ((length = read(fd, buffer, size)) == (ssize_t)size)
        ;
    close(fd);
    return length >= 0;
}

/* Opens an endpoint where no link is on the way. Returns a descriptor that only names the socket,
 * or -1. */
static int open_endpoint(const char *path)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS};
    struct stat status;
    int service = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    if (service >= 0 && (fstat(service, &status) || !S_ISSOCK(status.st_mode))) {
        close(service);
        return -1;
    }
    return service;
}

/* Returns a socket on which the request is sent, or -1. */
static int kick(const char *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char through[32];
    int service = is_honest ? open_endpoint(endpoint) : -1;
    if (is_honest && service < 0)
        return -1;
    snprintf(through, sizeof(through), "/proc/self/fd/%d", service);
    const char *path = is_honest ? through : endpoint;
    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (is_honest ? SOCK_NONBLOCK : 0), 0);
    bool sent = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
                send(fd, "I", 2, MSG_NOSIGNAL) == 2;
    if (is_honest)
        close(service);
    if (!sent) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The service has read everything: SIOCOUTQ first, the error second. */
static enum answer look(int fd)
{
    int unread, error;
    socklen_t size = sizeof(error);
    if (ioctl(fd, SIOCOUTQ, &unread) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ||
        error)
        return LOST;
    return unread == 0 ? CONFIRMED : WAITING;
}

/* Nothing can arrive any more, and nothing has: the close cannot block. */
static void end(int fd, enum answer answer)
{
    int waiting;
    if (is_honest && (shutdown(fd, SHUT_RD) || ioctl(fd, SIOCINQ, &waiting) || waiting > 0))
        fputs("floor: input is left\n", stderr);
    close(fd);
    answers[answer]++;
}

/* Looks at a socket once, if honest, and lets epoll watch it when it has no answer yet. */
static void look_or_watch(int fd)
{
    struct epoll_event event = {.events = is_honest ? EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
                                                    : EPOLLRDHUP,
                                .data.fd = fd};
    enum answer answer = is_honest ? look(fd) : WAITING;
    if (answer == WAITING && !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
        answers[WAITING]++;
    else
        end(fd, answer);
}

static void wait_for_answers(void)
{
    struct epoll_event events[EVENTS];
    while (answers[WAITING] > 0) {
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (ready < 0)
            break;
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            enum answer answer = is_honest                     ? look(fd)
                                 : events[i].events & EPOLLERR ? LOST
                                                               : CONFIRMED;
            if (answer == WAITING)
                continue;
            end(fd, answer);
            answers[WAITING]--;
        }
    }
}

static void read_directory(int parent, const char *name)
{
    static char entries[64 * 1024];
    bool below[256] = {false};
    char head[128];
    ssize_t length;
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY);

    if (directory < 0)
        err(1, "%s", name);
    while ((length = getdents64(directory, entries, sizeof(entries))) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct dirent64 *entry = (const void *)(entries + at);

            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            if (entry->d_name[1] == '\0') {
                below[(unsigned char)entry->d_name[0]] = true;
                continue;
            }
            int fd = openat(directory, entry->d_name, O_RDONLY);
            bytes += pread(fd, head, sizeof(head), 0);
            close(fd);
            files++;
        }
    }
    for (int i = 0; i < 256; i++)
        if (below[i])
            read_directory(directory, (char[]){(char)i, '\0'});
    close(directory);
}

static int read_queues(const char *queue_directory)
{
    static const char *const queues[] = {"incoming", "active", "deferred", "hold", "maildrop"};
    int directory = open(queue_directory, O_PATH | O_DIRECTORY);

    if (directory < 0)
        err(1, "%s", queue_directory);
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
        read_directory(directory, queues[i]);
    close(directory);
    printf("%ld files, %ld bytes\n", files, bytes);
    return 0;
}

int main(int argc, char **argv)
{
    static int sockets[LOOK_BEHIND];
    struct rlimit limit;
    char config_directory[4000], queue_directory[4000], path[4096];
    size_t instances = 0, sent = 0, looked_at = 0;
    if (argc == 3 && strcmp(argv[1], "queue") == 0)
        return read_queues(argv[2]);
    FILE *list = argc == 3 ? fopen(argv[2], "re") : NULL;
    if (!list) {
        fputs("usage: floor honest|naked LIST, floor queue QUEUE_DIR\n", stderr);
        return 1;
    }
    is_honest = strcmp(argv[1], "honest") == 0;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (is_honest)
        own_directory = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const size_t behind = is_honest ? LOOK_BEHIND : 1;
    while (fscanf(list, "%3999s %3999s", config_directory, queue_directory) == 2) {
        instances++;
        snprintf(path, sizeof(path), "%s/main.cf", config_directory);
        if (!(is_honest ? read_honestly(path) : read_nakedly(path)))
            continue;
        snprintf(path, sizeof(path), "%s/public/qmgr", queue_directory);
        int fd = kick(path);
        if (fd < 0)
            continue;
        if (sent - looked_at == behind)
            look_or_watch(sockets[looked_at++ % behind]);
        sockets[sent++ % behind] = fd;
    }
    fclose(list);
    while (looked_at < sent)
        look_or_watch(sockets[looked_at++ % behind]);
    wait_for_answers();
    return answers[CONFIRMED] == instances ? 0 : 1;
}
