/* SPDX-License-Identifier: MIT */
/*
 * endpoint: opens the socket or FIFO of a service, QUEUE_DIRECTORY/CLASS/SERVICE, so that only the
 * file that was checked is used. Symbolic links are followed in the path of the queue directory, as
 * by Postfix, and refused for class and service.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum endpoint_result {
    ENDPOINT_SOCKET,      /* a UNIX socket: usable */
    ENDPOINT_FIFO,        /* a FIFO with one hard link: usable */
    ENDPOINT_LOOKUP,      /* class or service cannot be looked up: see error */
    ENDPOINT_LINK,        /* class or service is a symbolic link */
    ENDPOINT_HARD_LINKS,  /* a FIFO with more than one hard link (Postfix: safe_open) */
    ENDPOINT_WRONG_TYPE,  /* regular file, directory, device */
    ENDPOINT_DESCRIPTORS, /* out of descriptors: repeat it when some are closed */
};

/* Identifies an endpoint, whatever its name; without padding, to be compared and hashed as bytes.
 * The time of birth is part of it because inode numbers of removed files are used again. */
struct endpoint_identity {
    uint64_t device;
    uint64_t inode;
    int64_t born; /* nanoseconds since 1970; 0 if the file system does not record it */
};

struct endpoint {
    enum endpoint_result result;
    int fd;    /* O_PATH descriptor of the socket or FIFO; -1 when not open */
    int error; /* errno of ENDPOINT_LOOKUP, ENDPOINT_DESCRIPTORS; of ENDPOINT_LINK: ENOTDIR when it
                  is the class, ELOOP when it is the service */
    bool is_far;                       /* on a file system that may not answer */
    struct endpoint_identity identity; /* of what is open */
};

/*
 * Looks up and checks the endpoint of class and service, each one path component, in the absolute
 * queue_directory. Connects to nothing. Returns the result; after ENDPOINT_SOCKET and ENDPOINT_FIFO
 * fd is open, to be closed by the caller.
 */
enum endpoint_result endpoint_open(struct endpoint *endpoint, const char *queue_directory,
                                   const char *class, const char *service);

/*
 * Connects to the open socket without blocking, through /proc/self/fd and never by a name, and
 * returns a descriptor; or only checks that this process may write to it, and returns 0. Otherwise
 * returns -1 with errno as from socket(2), connect(2) and access(2). (A FIFO can hold whoever opens
 * it: see trigger.h.)
 */
int endpoint_reach(const struct endpoint *endpoint, bool connects);

#endif
