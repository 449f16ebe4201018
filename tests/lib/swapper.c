/* SPDX-License-Identifier: MIT */
/*
 * swapper: exchanges the endpoints and class directories of queue directories for links, as fast as
 * it can, until SIGTERM; then prints how many times it did.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "swapper: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_directory(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        fail(path);
    return fd;
}

/* One changes its place with the link next to it, and changes it again. */
static void swap(int directory, const char *name, const char *link)
{
    for (int i = 0; i < 2; i++)
        if (renameat2(directory, name, directory, link, RENAME_EXCHANGE) < 0)
            fail(name);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = stop};
    long swaps = 0;

    if (argc < 5) {
        puts("usage: swapper SERVICE CLASS TARGET1 TARGET2 QUEUE_DIRECTORY...\n"
             "Swaps public/SERVICE for links to TARGET1 and TARGET2, and public for one to CLASS.");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    const char *service = argv[1];
    int count = argc - 5;
    int *queues = calloc((size_t)count + 1, sizeof(*queues));
    int *classes = calloc((size_t)count + 1, sizeof(*classes));
    if (queues == NULL || classes == NULL)
        fail("memory");
    for (int i = 0; i < count; i++) {
        queues[i] = open_directory(argv[5 + i]);
        classes[i] = openat(queues[i], "public", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (classes[i] < 0 || symlinkat(argv[2], queues[i], ".class") < 0 ||
            symlinkat(argv[3], classes[i], ".one") < 0 ||
            symlinkat(argv[4], classes[i], ".two") < 0)
            fail(argv[5 + i]);
    }
    while (stopped == 0 && count > 0) {
        for (int i = 0; i < count; i++) {
            swap(classes[i], service, ".one");
            swap(classes[i], service, ".two");
            swap(queues[i], "public", ".class");
        }
        swaps += 6L * count;
    }
    printf("%ld\n", swaps);
    return 0;
}
