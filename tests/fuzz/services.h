/* SPDX-License-Identifier: MIT */
/* The services of a host with three instances, its locks and its postconf(1), in the process of the
 * fuzzer. */
#ifndef SERVICES_H
#define SERVICES_H

#include "base/alloc.h"
#include "postfix/postconf.h"
#include "scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define INSTANCES 3
#define ENDPOINTS 6 /* qmgr and pickup of the instances */

static const char *const names[] = {"default", "a", "b"};
static struct pollfd listening[ENDPOINTS];
static int reads;        /* requests that the services have read */
static char *locks_file; /* a copy of /proc/locks */

static void write_file(const char *name, const char *text)
{
    char *path = alloc_format("%s/%s", scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    free(path);
}

static int listen_at(const char *instance, const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s/public/%s", scratch, instance,
                   service);
    assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    assert(listen(fd, 100) == 0);
    return fd;
}

/* Takes what the program has sent. */
static void serve(void)
{
    char request[4096];

    if (poll(listening, ENDPOINTS, 0) <= 0)
        return;
    for (size_t i = 0; i < ENDPOINTS; i++) {
        int fd =
            listening[i].revents != 0 ? accept4(listening[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;

        if (fd < 0)
            continue;
        if (recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0)
            reads++;
        close(fd);
    }
}

/* Stands before the C library's: the services have their turn first. */
int epoll_pwait(int fd, struct epoll_event *events, int maximum, int timeout, const sigset_t *mask)
{
    serve();
    return (int)syscall(SYS_epoll_pwait, fd, events, maximum, timeout, mask, (size_t)(_NSIG / 8));
}

/* As if a master ran there. */
static void hold_lock(const char *instance)
{
    char *path = alloc_format("%s/%s/pid/master.pid", scratch, instance);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    free(path);
}

/* Stands before the C library's: for each reading of /proc/locks the kernel stops everybody who
 * locks, which takes milliseconds. */
int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (locks_file != NULL && strcmp(path, "/proc/locks") == 0)
        path = locks_file;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Copies /proc/locks as it is while all services run. */
static void copy_locks(void)
{
    FILE *file = fopen("/proc/locks", "re");
    char *text = NULL;
    size_t size = 0;

    assert(file != NULL && getdelim(&text, &size, '\0', file) > 0);
    (void)fclose(file);
    write_file("locks", text);
    free(text);
    locks_file = alloc_format("%s/locks", scratch);
}

static void start_services(void)
{
    for (size_t i = 0; i < INSTANCES; i++)
        hold_lock(names[i]);
    copy_locks();
    for (size_t i = 0; i < ENDPOINTS; i++)
        listening[i] = (struct pollfd){
            .fd = listen_at(names[i / 2], i % 2 == 0 ? "qmgr" : "pickup"), .events = POLLIN};
}

/* What postconf(1) would say, without running it: in place of postfix/postconf.c. */
struct postconf *postconf_ask(const char *command_directory, const struct limits *limits)
{
    static char text[] = "mydomain = example.net\nmyhostname = host.example.net\nx = $y\n"
                         "mynetworks = 127.0.0.0/8\ny = value\nloop = $loop\n";
    static char error[] = "command_directory is not an absolute path";
    static struct postconf answer, failure = {.error = error};
    UT_array *warnings = NULL;
    char *mistake = NULL;

    (void)limits;
    if (command_directory[0] != '/')
        return &failure;
    if (answer.parameters == NULL)
        answer.parameters = maincf_parse("postconf", NULL, text, strlen(text), &warnings, &mistake);
    return &answer;
}

void postconf_free(struct postconf *postconf)
{
    (void)postconf;
}

#endif
