#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

/* Standard streams, epoll, and what is open for a moment while an endpoint is looked up. */
#define KEPT_BACK 10

static struct rlimit original;
static bool raised;

/* Standard output becomes one that can only be read: a write to it fails, as to the closed one. */
int descriptors_open_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
            return errno;
    return 0;
}

void descriptors_raise_limit(void)
{
    if (raised || getrlimit(RLIMIT_NOFILE, &original) < 0)
        return;
    struct rlimit limit = {original.rlim_max, original.rlim_max};
    raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int descriptors_for_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= KEPT_BACK)
        return 1;
    rlim_t available = limit.rlim_cur - KEPT_BACK;
    return available > INT_MAX ? INT_MAX : (int)available;
}

bool descriptors_exhausted(int error)
{
    return error == EMFILE || error == ENFILE;
}

void descriptors_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void descriptors_restore_for_child(void)
{
    if (raised)
        (void)setrlimit(RLIMIT_NOFILE, &original);
    (void)close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}
