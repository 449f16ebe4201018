/* SPDX-License-Identifier: MIT */
/*
 * floor_honest: the least that a program could do to kick every instance of a list and to know
 * that each was read, as a measure for postkick: the same safe opens and the same confirmation,
 * but nothing parsed, nothing decided, nothing reported.
 * usage: floor_honest LIST, with a line "CONFIG_DIR QUEUE_DIR" for each instance.
 */
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

static int own_directory; /* /proc/self/fd */

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool read_main_cf(const char *config_directory)
{
    static char buffer[MAIN_CF_MAXIMUM];
    struct stat before, after;
    char path[4096];
    snprintf(path, sizeof(path), "%s/main.cf", config_directory);
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0)
        return false;
    snprintf(path, sizeof(path), "%d", place);
    int fd = fstat(place, &before) == 0 && S_ISREG(before.st_mode)
                 ? openat(own_directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
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

/* Opens queue_directory/public/qmgr, where no link is on the way. Returns a descriptor that only
 * names the socket, or -1. */
static int open_endpoint(const char *queue_directory)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS};
    struct stat status;
    char path[4096];
    snprintf(path, sizeof(path), "%s/public/qmgr", queue_directory);
    int service = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    if (service >= 0 && (fstat(service, &status) || !S_ISSOCK(status.st_mode))) {
        close(service);
        return -1;
    }
    return service;
}

/* Returns a socket on which the request is sent, or -1. */
static int kick(const char *queue_directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int service = open_endpoint(queue_directory);
    if (service < 0)
        return -1;
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", service);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool sent = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
                send(fd, "I", 2, MSG_NOSIGNAL) == 2;
    close(service);
    if (!sent) {
        close(fd);
        return -1;
    }
    return fd;
}

enum answer { WAITING, CONFIRMED, LOST };

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
static void end(int fd)
{
    int waiting;
    if (shutdown(fd, SHUT_RD) || ioctl(fd, SIOCINQ, &waiting) || waiting > 0)
        fputs("floor_honest: input is left\n", stderr);
    close(fd);
}

/* Waits until count sockets have an answer. Returns how many were confirmed. */
static size_t wait_for_answers(int epoll_fd, size_t count)
{
    struct epoll_event events[EVENTS];
    size_t good = 0;
    while (count > 0) {
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (ready < 0)
            break;
        for (int i = 0; i < ready; i++) {
            enum answer answer = look(events[i].data.fd);
            if (answer == WAITING)
                continue;
            good += answer == CONFIRMED;
            end(events[i].data.fd);
            count--;
        }
    }
    return good;
}

/* Looks at a socket once, and lets epoll watch it when it has no answer yet. Returns what look()
 * returned. */
static enum answer look_or_watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    enum answer answer = look(fd);
    if (answer == WAITING && !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
        return WAITING;
    end(fd);
    return answer;
}

int main(int argc, char **argv)
{
    static int sockets[LOOK_BEHIND];
    struct rlimit limit;
    char config_directory[4000], queue_directory[4000];
    size_t instances = 0, sent = 0, looked_at = 0, answers[LOST + 1] = {0};
    FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    own_directory = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!list) {
        fputs("usage: floor_honest LIST\n", stderr);
        return 1;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (fscanf(list, "%3999s %3999s", config_directory, queue_directory) == 2) {
        int fd = read_main_cf(config_directory) ? kick(queue_directory) : -1;
        instances++;
        if (fd < 0)
            continue;
        if (sent - looked_at == LOOK_BEHIND)
            answers[look_or_watch(epoll_fd, sockets[looked_at++ % LOOK_BEHIND])]++;
        sockets[sent++ % LOOK_BEHIND] = fd;
    }
    fclose(list);
    while (looked_at < sent)
        answers[look_or_watch(epoll_fd, sockets[looked_at++ % LOOK_BEHIND])]++;
    return answers[CONFIRMED] + wait_for_answers(epoll_fd, answers[WAITING]) == instances ? 0 : 1;
}
