/* SPDX-License-Identifier: MIT */
/* Asks a connected socket whether the service has read the request, and drops what it sends. */
#include "wire/confirmation.h"
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* What is dropped in one go, so that a flood cannot hold up the others. */
#define DRAIN_BYTES 65536
#define DRAIN_CALLS 16

/* SIOCOUTQ first, SO_ERROR second: see confirmation.h. */
enum confirmation confirmation_look(int socket, int *error)
{
    int unread;
    socklen_t size = sizeof(*error);
    bool is_known = ioctl(socket, SIOCOUTQ, &unread) == 0;

    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, error, &size) < 0)
        *error = errno;
    if (*error != 0)
        return CONFIRMATION_ERROR;
    if (!is_known)
        return CONFIRMATION_UNKNOWN;
    return unread == 0 ? CONFIRMATION_READ : CONFIRMATION_UNREAD;
}

/* Descriptors have no room here: the kernel drops them, and reports MSG_CTRUNC. */
bool confirmation_drain(int socket, bool *passes_descriptors, int *error)
{
    static char dropped[DRAIN_BYTES]; /* nobody looks at it */

    *error = 0;
    for (int i = 0; i < DRAIN_CALLS && !*passes_descriptors; i++) {
        struct iovec room = {dropped, sizeof(dropped)};
        struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
        ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT);

        if (count == 0 || (count < 0 && errno == EAGAIN))
            return count == 0;
        if (count < 0 && errno != EINTR) {
            *error = errno;
            return false;
        }
        *passes_descriptors = count > 0 && (message.msg_flags & MSG_CTRUNC) != 0;
    }
    return false;
}
