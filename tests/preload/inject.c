/* SPDX-License-Identifier: MIT */
/*
 * inject: for LD_PRELOAD. Lets one call of one function fail, counts all calls, and says what is
 * open in the end. From the environment:
 *   INJECT=NAME:NUMBER:ERRNO   the NUMBERth call of NAME (0: every call) fails with ERRNO; ERRNO 0:
 *                              it transfers half of what it is asked to
 *   INJECT_REPORT=FILE         at a regular end gets a line "NAME COUNT" for each function that was
 *                              called, and "descriptors COUNT" for those left open beyond 0 to 2
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HALF (-1) /* what strike() returns for a short transfer */

struct call {
    const char *name;
    long count;
    struct call *next;
};

static struct call *met;
static bool disarmed;
static const char *wish, *report_file; /* after begin() */

/* What the program starts is spared. */
__attribute__((constructor)) static void begin(void)
{
    wish = getenv("INJECT");
    report_file = getenv("INJECT_REPORT");
    unsetenv("LD_PRELOAD");
    unsetenv("INJECT");
    unsetenv("INJECT_REPORT");
}

/* Counts the call. Returns the errno to fail with, HALF, or 0. */
static int strike(struct call *call)
{
    size_t length = strlen(call->name);
    long number;
    int error;

    if (disarmed)
        return 0;
    if (call->count++ == 0) {
        call->next = met;
        met = call;
    }
    if (wish == NULL || strncmp(wish, call->name, length) != 0 || wish[length] != ':' ||
        sscanf(wish + length, ":%ld:%d", &number, &error) != 2 ||
        (number != 0 && number != call->count))
        return 0;
    return error == 0 ? HALF : error;
}

/* The function of the same name that comes next: the C library's, or a sanitizer's. */
static void find(void *real, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    memcpy(real, &found, sizeof(found));
}

#define ENTER(type, function, parameters)                                                          \
    static struct call call = {.name = #function};                                                 \
    static type(*real) parameters;                                                                 \
    if (real == NULL)                                                                              \
        find((void *)&real, #function);                                                            \
    int error = strike(&call)

/* A function that fails without doing anything. */
#define CALL(type, function, parameters, arguments, failure)                                       \
    type function parameters                                                                       \
    {                                                                                              \
        ENTER(type, function, parameters);                                                         \
        if (error == 0)                                                                            \
            return real arguments;                                                                 \
        errno = error;                                                                             \
        return failure;                                                                            \
    }

/* One that transfers size bytes, or half of them. */
#define TRANSFER(function, parameters, arguments)                                                  \
    ssize_t function parameters                                                                    \
    {                                                                                              \
        ENTER(ssize_t, function, parameters);                                                      \
        if (error == HALF)                                                                         \
            size = (size + 1) / 2;                                                                 \
        if (error <= 0)                                                                            \
            return real arguments;                                                                 \
        errno = error;                                                                             \
        return -1;                                                                                 \
    }

CALL(void *, malloc, (size_t size), (size), NULL)

/* iniparser 4.1 does not check its memory for a new dictionary, which is the first that it asks
 * for. */
static bool is_for_dictionary(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) != 0 && info.dli_sname != NULL &&
           strcmp(info.dli_sname, "dictionary_new") == 0;
}

void *calloc(size_t count, size_t size)
{
    ENTER(void *, calloc, (size_t, size_t));
    if (error == 0 || is_for_dictionary(__builtin_return_address(0)))
        return real(count, size);
    errno = error;
    return NULL;
}

CALL(void *, realloc, (void *memory, size_t size), (memory, size), NULL)
CALL(int, setenv, (const char *name, const char *value, int replace), (name, value, replace), -1)

TRANSFER(read, (int fd, void *buffer, size_t size), (fd, buffer, size))
TRANSFER(pread, (int fd, void *buffer, size_t size, off_t at), (fd, buffer, size, at))
TRANSFER(write, (int fd, const void *buffer, size_t size), (fd, buffer, size))
TRANSFER(send, (int fd, const void *buffer, size_t size, int flags), (fd, buffer, size, flags))

CALL(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
CALL(char *, fgets, (char *line, int size, FILE *file), (line, size, file), NULL)
CALL(ssize_t, __getdelim, (char **line, size_t *size, int end, FILE *file), (line, size, end, file),
     -1)
CALL(int, fstat, (int fd, struct stat *status), (fd, status), -1)
CALL(int, stat, (const char *path, struct stat *status), (path, status), -1)
CALL(int, fstatat, (int fd, const char *path, struct stat *status, int flags),
     (fd, path, status, flags), -1)
CALL(int, access, (const char *path, int mode), (path, mode), -1)
CALL(int, faccessat, (int fd, const char *path, int mode, int flags), (fd, path, mode, flags), -1)

CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
CALL(int, connect, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length), (fd, address, length),
     -1)
CALL(int, shutdown, (int fd, int how), (fd, how), -1)
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), -1)
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1)
CALL(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags), -1)
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1)
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
     (fd, level, name, value, length), -1)
CALL(int, epoll_create1, (int flags), (flags), -1)
CALL(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event),
     (epoll, operation, fd, event), -1)
CALL(int, epoll_pwait,
     (int epoll, struct epoll_event *events, int most, int timeout, const sigset_t *mask),
     (epoll, events, most, timeout, mask), -1)

CALL(int, getrlimit, (__rlimit_resource_t resource, struct rlimit *limit), (resource, limit), -1)
CALL(int, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit), (resource, limit),
     -1)

CALL(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
CALL(int, poll, (struct pollfd * polls, nfds_t count, int timeout), (polls, count, timeout), -1)
CALL(int, pipe2, (int fds[2], int flags), (fds, flags), -1)
CALL(pid_t, fork, (void), (), -1)
CALL(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1)
CALL(int, execve, (const char *program, char *const *argv, char *const *environment),
     (program, argv, environment), -1)
CALL(int, ppoll,
     (struct pollfd * polls, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
     (polls, count, timeout, mask), -1)

/* The clocks: none of them fails, but only the first may be asked, and for CLOCK_MONOTONIC. */
CALL(time_t, time, (time_t * result), (result), -1)
CALL(int, gettimeofday, (struct timeval *restrict result, void *restrict zone), (result, zone), -1)

int clock_gettime(clockid_t clock, struct timespec *result)
{
    static struct call others = {.name = "wall_clock"};
    ENTER(int, clock_gettime, (clockid_t, struct timespec *));

    (void)error;
    if (clock != CLOCK_MONOTONIC)
        (void)strike(&others);
    return real(clock, result);
}

/* Linux closes the descriptor also when it reports an error. */
int close(int fd)
{
    ENTER(int, close, (int));
    int result = real(fd);

    if (error == 0)
        return result;
    errno = error;
    return -1;
}

/* The functions with one argument more or less, which is passed on whatever it is. */
#define CALL_WITH_MORE(function, parameters, last, arguments)                                      \
    int function parameters                                                                        \
    {                                                                                              \
        ENTER(int, function, parameters);                                                          \
        va_list more;                                                                              \
                                                                                                   \
        va_start(more, last);                                                                      \
        long argument = va_arg(more, long);                                                        \
        va_end(more);                                                                              \
        if (error == 0)                                                                            \
            return real arguments;                                                                 \
        errno = error;                                                                             \
        return -1;                                                                                 \
    }

CALL_WITH_MORE(open, (const char *path, int flags, ...), flags, (path, flags, (int)argument))
CALL_WITH_MORE(openat, (int directory, const char *path, int flags, ...), flags,
               (directory, path, flags, (int)argument))
CALL_WITH_MORE(ioctl, (int fd, unsigned long request, ...), request, (fd, request, argument))
CALL_WITH_MORE(fcntl, (int fd, int command, ...), command, (fd, command, argument))

/* What C libraries may lack: openat2(2), statx(2). */
long syscall(long number, ...)
{
    ENTER(long, syscall, (long, ...));
    long arguments[6];
    va_list more;

    va_start(more, number);
    for (size_t i = 0; i < 6; i++)
        arguments[i] = va_arg(more, long);
    va_end(more);
    if (error == 0)
        return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                    arguments[5]);
    errno = error;
    return -1;
}

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) > 2)
            count++;
    if (directory != NULL)
        closedir(directory);
    return count - 1; /* without the directory itself */
}

__attribute__((destructor)) static void report(void)
{
    disarmed = true;
    if (report_file == NULL)
        return;
    int descriptors = count_descriptors();
    FILE *file = fopen(report_file, "we");
    if (file == NULL)
        return;
    for (const struct call *call = met; call != NULL; call = call->next)
        fprintf(file, "%s %ld\n", call->name, call->count);
    fprintf(file, "descriptors %d\n", descriptors);
    fclose(file);
}
