/* SPDX-License-Identifier: MIT */
/*
 * safe_read: reads a whole configuration file that another user may own, without being blocked (see
 * path.h), misled or flooded.
 */
#ifndef SAFE_READ_H
#define SAFE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum safe_read_result {
    SAFE_READ_OK,
    SAFE_READ_MISSING, /* ENOENT or ENOTDIR of open(2) */
    SAFE_READ_ERROR,   /* anything else */
};

struct safe_read_file {
    char *text;        /* the bytes and a NUL after them; never NULL after SAFE_READ_OK */
    size_t length;     /* bytes, without that NUL */
    bool others_write; /* users other than root can write the file */
    bool others_read;  /* everybody may read it */
    uid_t owner;
    int fd; /* the file, open for reading; -1 after an error */
};

/*
 * Reads the file at path, whose first typed bytes are what the administrator typed (see path.h).
 * Symbolic links are followed, except those of /proc, and another user's to a file that not
 * everybody may read: its text would appear in messages. Accepts only a regular file of at most
 * maximum bytes, and opens nothing else: opening a device can have effects. A file that changes
 * meanwhile (size, modification time, inode change time) is read again, three times at most. Text
 * with a NUL byte is an error. Returns SAFE_READ_OK with *file filled in, to be emptied by
 * safe_read_free(); otherwise *error is a new string, in Postfix's wording where Postfix has one
 * ("open PATH: No such file or directory", as Postfix 3.7 has it).
 */
enum safe_read_result safe_read(const char *path, size_t typed, size_t maximum,
                                struct safe_read_file *file, char **error);

/* Whether users other than root can write what the descriptor stands for, which may be of O_PATH
 * but not a link, and the status describes: its owner, its group, everybody, or somebody in its
 * ACL. */
bool safe_read_others_write(int fd, const struct stat *status);

/* Frees the text, and closes the file. */
void safe_read_free(struct safe_read_file *file);

#endif
