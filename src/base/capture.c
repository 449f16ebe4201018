/* SPDX-License-Identifier: MIT */
/* Captures what a child process writes to a pipe or a pseudo-terminal. */
#include "base/capture.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define READ_BYTES 65536

/* The most that a pipe can hold: the default of fs.pipe-max-size. A daemon that goes on writing
 * after the child has ended is not waited for. */
#define LEFT_BEHIND ((size_t)1024 * 1024)

static int open_pipe(struct capture *capture, int *writer)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    capture->fd = ends[0];
    *writer = ends[1];
    return 0;
}

/* The child's side comes from the descriptor: it may have no path here. */
static int open_terminal(struct capture *capture, int *writer)
{
    int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    int fd = posix_openpt(flags);
    struct termios modes;

    if (fd < 0)
        return errno;
    int peer = unlockpt(fd) == 0 ? ioctl(fd, TIOCGPTPEER, flags) : -1;
    if (peer < 0 || tcgetattr(peer, &modes) < 0) {
        int error = errno;
        close(fd);
        if (peer >= 0)
            close(peer);
        return error;
    }
    cfmakeraw(&modes);
    (void)tcsetattr(peer, TCSANOW, &modes);
    capture->fd = fd;
    capture->is_terminal = true;
    *writer = peer;
    return 0;
}

int capture_open(struct capture *capture, enum capture_kind kind, int *writer)
{
    int error = ENOTTY;

    *capture = (struct capture){.fd = -1};
    if (kind == CAPTURE_TERMINAL)
        error = open_terminal(capture, writer);
    if (error != 0 && !descriptors_exhausted(error))
        error = open_pipe(capture, writer);
    if (error != 0)
        return error;
    utstring_init(&capture->text);
    (void)fcntl(capture->fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static void keep(struct capture *capture, const char *text, size_t length)
{
    size_t room = CAPTURE_MAXIMUM - utstring_len(&capture->text);

    capture->truncated = capture->truncated || length > room;
    utstring_bincpy(&capture->text, text, length < room ? length : room);
}

/* Reads about that many bytes at most, and closes at the end of the output, which for a terminal
 * is EIO: nobody has the other side open. */
static void read_most(struct capture *capture, size_t most)
{
    char text[READ_BYTES];

    for (size_t total = 0; total < most && capture->fd >= 0;) {
        ssize_t count = read(capture->fd, text, sizeof(text));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0 && (errno != EIO || !capture->is_terminal))
            capture->error = errno;
        if (count <= 0) {
            descriptors_close(&capture->fd);
            return;
        }
        keep(capture, text, (size_t)count);
        total += (size_t)count;
    }
}

void capture_read(struct capture *capture)
{
    read_most(capture, READ_BYTES);
}

void capture_finish(struct capture *capture)
{
    read_most(capture, LEFT_BEHIND);
    descriptors_close(&capture->fd);
}

void capture_free(struct capture *capture)
{
    if (capture->text.d == NULL)
        return;
    descriptors_close(&capture->fd);
    utstring_done(&capture->text);
    memset(&capture->text, 0, sizeof(capture->text));
}
