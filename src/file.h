/*
 * file: reading a whole configuration file that somebody else may own, without being held up,
 * fooled or flooded.
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* The largest main.cf that is read, in bytes. */
#define FILE_MAXIMUM ((size_t)16 * 1024 * 1024)

enum file_result {
    FILE_OK,
    FILE_MISSING, /* open(2) said ENOENT or ENOTDIR */
    FILE_ERROR,   /* anything else */
};

struct file_text {
    char *text;        /* the bytes and a NUL after them; never NULL after FILE_OK */
    size_t length;     /* bytes, without that NUL */
    bool others_write; /* somebody other than root can write the file */
};

/*
 * Opens path for reading without blocking and without becoming its terminal; symbolic links are
 * followed. Only a regular file of at most maximum bytes is taken.
 * Returns a descriptor (close-on-exec) or -1 with the reason in *error ("open PATH: No such file
 * or directory", the wording of Postfix 3.7), which the caller frees, and in *missing, if not
 * NULL, whether the file does not exist. *status is what fstat(2) says of the descriptor.
 */
int file_open(const char *path, size_t maximum, struct stat *status, bool *missing, char **error);

/*
 * Reads the file at path, of at most maximum bytes. A file that changes while it is read (size,
 * modification time, inode change time) is read again, three times at most. Text with a NUL byte is
 * an error. Returns FILE_OK with *file filled in, to be emptied by file_free(); otherwise *error is
 * a new string, in Postfix's wording where Postfix has one, that the caller frees.
 */
enum file_result file_read(const char *path, size_t maximum, struct file_text *file, char **error);

/* Whether somebody other than root can write what the status describes: its owner, its group, or
 * everybody. */
bool file_others_write(const struct stat *status);

/* Frees the text. */
void file_free(struct file_text *file);

#endif
