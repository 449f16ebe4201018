/* SPDX-License-Identifier: MIT */
/*
 * The least that reading queues can cost: "floor_queue QUEUE_DIRECTORY..." reads the directories of
 * five queues, one-letter ones below them too, and the first 128 bytes of each file in them, and
 * prints how many there were. It checks nothing.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static long files, bytes;

static void read_directory(int parent, const char *name)
{
    static char entries[64 * 1024];
    bool below[256] = {false};
    char head[128];
    ssize_t length;
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY);

    if (directory < 0)
        err(1, "%s", name);
    while ((length = getdents64(directory, entries, sizeof(entries))) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct dirent64 *entry = (const void *)(entries + at);

            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            if (entry->d_name[1] == '\0') {
                below[(unsigned char)entry->d_name[0]] = true;
                continue;
            }
            int fd = openat(directory, entry->d_name, O_RDONLY);
            bytes += pread(fd, head, sizeof(head), 0);
            close(fd);
            files++;
        }
    }
    for (int i = 0; i < 256; i++)
        if (below[i])
            read_directory(directory, (char[]){(char)i, '\0'});
    close(directory);
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"incoming", "active", "deferred", "hold", "maildrop"};

    for (int i = 1; i < argc; i++) {
        int directory = open(argv[i], O_PATH | O_DIRECTORY);

        if (directory < 0)
            err(1, "%s", argv[i]);
        for (size_t j = 0; j < sizeof(queues) / sizeof(queues[0]); j++)
            read_directory(directory, queues[j]);
        close(directory);
    }
    printf("%ld files, %ld bytes\n", files, bytes);
    return 0;
}
