/* SPDX-License-Identifier: MIT */
/* The standard descriptors, how many there may be, and opening what one stands for. */
#include "base/descriptors.h"
#include "base/alloc.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library and its headers may be older than the kernel. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

#define OWN_DIRECTORY "/proc/self/fd"

static struct rlimit original; /* all 0: the limit was not raised */
static int own_directory = -1;

/* A closed standard output is opened for reading only: a write to it still fails. */
static int open_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
            return errno;
    return 0;
}

static int find_own(void)
{
    if (own_directory < 0)
        own_directory = open(OWN_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return own_directory < 0 ? errno : 0;
}

char *descriptors_start(void)
{
    struct rlimit limit;
    int error = open_standard();

    if (error != 0)
        return alloc_format("open /dev/null: %s", strerror(error));
    error = find_own();
    if (error != 0)
        return alloc_format(OWN_DIRECTORY ": %s: /proc must be mounted", strerror(error));
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit.rlim_max, limit.rlim_max}) == 0)
        original = limit;
    return NULL;
}

bool descriptors_exhausted(int error)
{
    return error == EMFILE || error == ENFILE;
}

/* Not with snprintf(3): of all that a kick does but system calls, that would be a tenth. */
struct descriptors_path descriptors_path(int fd)
{
    struct descriptors_path path = {OWN_DIRECTORY "/"};
    char *end = path.text + sizeof(OWN_DIRECTORY);
    int scale = 1;

    while (fd / scale >= 10)
        scale *= 10;
    for (; scale > 0; scale /= 10)
        *end++ = (char)('0' + fd / scale % 10);
    return path;
}

/* From the open directory: to look up the whole path each time takes a third longer. */
int descriptors_reopen(int fd, int flags)
{
    return find_own() != 0
               ? -1
               : openat(own_directory, descriptors_path(fd).text + sizeof(OWN_DIRECTORY), flags);
}

int descriptors_open_unnamed(bool in_memory)
{
    const char *directory = getenv("TMPDIR");
    int fd = in_memory ? memfd_create("unnamed", MFD_CLOEXEC) : -1;

    if (fd >= 0)
        return fd;
    char *path = alloc_format("%s/postkick.XXXXXX",
                              directory != NULL && directory[0] == '/' ? directory : P_tmpdir);
    fd = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (fd >= 0)
        (void)unlink(path);
    free(path);
    errno = error;
    return fd;
}

void descriptors_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A packet, with room for two descriptors. */
struct packet {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec text;
    struct msghdr message;
};

static void make_packet(struct packet *packet, const void *text, size_t length)
{
    memset(packet, 0, sizeof(*packet));
    packet->text = (struct iovec){(void *)text, length};
    packet->message.msg_iov = &packet->text;
    packet->message.msg_iovlen = 1;
    packet->message.msg_control = packet->control;
    packet->message.msg_controllen = sizeof(packet->control);
}

int descriptors_send(int socket, const void *text, size_t length, int flags, const int *passed,
                     size_t count)
{
    struct packet packet;

    make_packet(&packet, text, length);
    struct cmsghdr *header = CMSG_FIRSTHDR(&packet.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int)); /* of musl */
    memcpy(CMSG_DATA(header), passed, count * sizeof(int));
    packet.message.msg_controllen = count == 0 ? 0 : (socklen_t)CMSG_SPACE(count * sizeof(int));
    return sendmsg(socket, &packet.message, flags | MSG_NOSIGNAL) < 0 ? errno : 0;
}

ssize_t descriptors_receive(int socket, void *text, size_t length, int flags, int *passed,
                            size_t count)
{
    struct packet packet;

    make_packet(&packet, text, length);
    memset(passed, -1, count * sizeof(int));
    ssize_t received = recvmsg(socket, &packet.message, flags | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = received < 0 ? NULL : CMSG_FIRSTHDR(&packet.message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    if (received < 0 || (packet.message.msg_flags & MSG_CTRUNC) == 0)
        return received;
    for (size_t i = 0; i < count; i++)
        descriptors_close(&passed[i]);
    errno = EMFILE;
    return -1;
}

/* Returns a number that no open descriptor exceeds. */
static unsigned find_highest(void)
{
    DIR *list = opendir(OWN_DIRECTORY);
    unsigned highest = 0;

    if (list == NULL)
        return (unsigned)sysconf(_SC_OPEN_MAX);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        unsigned fd = (unsigned)strtoul(entry->d_name, NULL, 10);
        highest = fd > highest ? fd : highest;
    }
    closedir(list);
    return highest;
}

/* Closes them now, or by execve(2): one by one where Linux is older than 5.11, or where a filter
 * refuses close_range(2). */
static void close_all(unsigned first, unsigned last, unsigned flags)
{
    if (syscall(SYS_close_range, first, last, flags) == 0)
        return;
    unsigned highest = find_highest();
    for (unsigned fd = first; fd <= last && fd <= highest; fd++)
        if (flags == 0)
            close((int)fd);
        else
            (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

void descriptors_restore_for_child(void)
{
    close_all(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    if (original.rlim_max != 0)
        (void)setrlimit(RLIMIT_NOFILE, &original);
}

static int compare(const void *left, const void *right)
{
    const int *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

int descriptors_keep_only(int *kept, size_t count)
{
    unsigned first = 0;

    qsort(kept, count, sizeof(*kept), compare);
    for (size_t i = 0; i < count; i++) {
        unsigned fd = (unsigned)kept[i];

        if (fd > first)
            close_all(first, fd - 1, 0);
        first = fd + 1;
    }
    close_all(first, UINT_MAX, 0);
    own_directory = -1;
    return open_standard();
}
