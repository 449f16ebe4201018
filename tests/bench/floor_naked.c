/* SPDX-License-Identifier: MIT */
/*
 * floor_naked: the least that a program could do to kick every instance of a list, as a measure
 * for postkick: read each main.cf without looking at it, connect to qmgr, send the request, wait
 * for all to close. It follows links, trusts every name, takes a close for an answer and parses
 * nothing. usage: floor_naked LIST, with a line "CONFIG_DIR QUEUE_DIR" for each instance.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define EVENTS 512

static bool read_main_cf(const char *config_directory)
{
    static char buffer[BUFFER_SIZE];
    char path[4096];
    snprintf(path, sizeof(path), "%s/main.cf", config_directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length;
    while ((length = read(fd, buffer, sizeof(buffer))) == BUFFER_SIZE)
        ;
    close(fd);
    return length >= 0;
}

/* Returns a socket on which the request is sent, or -1. */
static int kick(const char *queue_directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/public/qmgr", queue_directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (size_t)length >= sizeof(address.sun_path) ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
        send(fd, "I", 2, MSG_NOSIGNAL) != 2) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Waits until count sockets are closed by the other side. Returns how many were closed well. */
static size_t wait_for_close(int epoll_fd, size_t count)
{
    struct epoll_event events[EVENTS];
    size_t good = 0;
    while (count > 0) {
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (ready < 0)
            break;
        for (int i = 0; i < ready; i++) {
            good += !(events[i].events & EPOLLERR);
            close(events[i].data.fd);
            count--;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    char config_directory[4000], queue_directory[4000];
    size_t instances = 0, sent = 0;
    FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!list) {
        fputs("usage: floor_naked LIST\n", stderr);
        return 1;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (fscanf(list, "%3999s %3999s", config_directory, queue_directory) == 2) {
        instances++;
        if (!read_main_cf(config_directory))
            continue;
        struct epoll_event event = {.events = EPOLLRDHUP, .data.fd = kick(queue_directory)};
        if (event.data.fd >= 0 && !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event))
            sent++;
    }
    fclose(list);
    return wait_for_close(epoll_fd, sent) == instances ? 0 : 1;
}
