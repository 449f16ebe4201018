#include "postfix/master.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The inode of the first PID namespace: fixed by the kernel (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

struct lock {
    struct {
        dev_t device;
        ino_t inode;
    } key;
    UT_hash_handle hh;
};

struct master_locks {
    bool is_read;
    bool shows_all;      /* /proc/locks could be read, and we are in the first PID namespace */
    struct lock *locks;  /* exclusive flock(2) locks */
    struct lock *mounts; /* devices of mounted file systems; inode 0 */
};

struct master_locks *master_locks_new(void)
{
    return alloc_zeroed(1, sizeof(struct master_locks));
}

static void free_all(struct lock **all)
{
    struct lock *lock, *next;

    HASH_ITER (hh, *all, lock, next) {
        HASH_DEL(*all, lock); /* NOLINT(clang-analyzer-unix.Malloc): next is read first */
        free(lock);
    }
}

void master_locks_free(struct master_locks *locks)
{
    if (locks == NULL)
        return;
    free_all(&locks->locks);
    free_all(&locks->mounts);
    free(locks);
}

static bool contains(struct lock *all, dev_t device, ino_t inode)
{
    struct lock wanted, *found;

    memset(&wanted, 0, sizeof(wanted));
    wanted.key.device = device;
    wanted.key.inode = inode;
    HASH_FIND(hh, all, &wanted.key, sizeof(wanted.key), found);
    return found != NULL;
}

static void add(struct lock **all, dev_t device, ino_t inode)
{
    if (contains(*all, device, inode))
        return;
    struct lock *lock = alloc_zeroed(1, sizeof(*lock));
    lock->key.device = device;
    lock->key.inode = inode;
    HASH_ADD(hh, *all, key, sizeof(lock->key), lock);
}

/* Calls take for every line of a file in /proc. */
static bool read_lines(const char *path, struct master_locks *locks,
                       void (*take)(struct master_locks *locks, const char *line))
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    if (file == NULL && errno == ENOMEM)
        alloc_fail();
    if (file == NULL)
        return false;
    errno = 0;
    while (getline(&line, &size, file) > 0)
        take(locks, line);
    if (errno == ENOMEM)
        alloc_fail();
    bool complete = feof(file) != 0;
    free(line);
    (void)fclose(file);
    return complete;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF": device in hexadecimal, inode in decimal. One
 * that somebody waits for has "->" before FLOCK. proc_locks(5) */
static void take_lock(struct master_locks *locks, const char *line)
{
    unsigned device_major, device_minor;
    unsigned long inode;

    if (sscanf(line, "%*d: FLOCK %*s WRITE %*d %x:%x:%lu", &device_major, &device_minor, &inode) ==
        3)
        add(&locks->locks, makedev(device_major, device_minor), inode);
}

/* "36 35 98:0 /mnt1 /mnt2 rw ...": device in decimal. proc_pid_mountinfo(5) */
static void take_mount(struct master_locks *locks, const char *line)
{
    unsigned device_major, device_minor;

    if (sscanf(line, "%*d %*d %u:%u", &device_major, &device_minor) == 2)
        add(&locks->mounts, makedev(device_major, device_minor), 0);
}

static void read_locks(struct master_locks *locks)
{
    struct stat status;

    if (locks->is_read)
        return;
    locks->is_read = true;
    locks->shows_all = read_lines("/proc/locks", locks, take_lock) &&
                       read_lines("/proc/self/mountinfo", locks, take_mount) &&
                       stat("/proc/self/ns/pid", &status) == 0 &&
                       status.st_ino == FIRST_PID_NAMESPACE;
}

enum master_state master_state(struct master_locks *locks, const char *queue_directory)
{
    struct stat status;
    char *path = alloc_format("%s/pid/master.pid", queue_directory);
    int error = lstat(path, &status) < 0 ? errno : 0;

    free(path);
    if (error != 0)
        return error == ENOENT ? MASTER_STOPPED : MASTER_UNKNOWN;
    read_locks(locks);
    if (contains(locks->locks, status.st_dev, status.st_ino))
        return MASTER_RUNNING;
    if (locks->shows_all && contains(locks->mounts, status.st_dev, 0))
        return MASTER_STOPPED;
    return MASTER_UNKNOWN;
}

const char *master_state_text(enum master_state state)
{
    return state == MASTER_RUNNING ? "y" : state == MASTER_STOPPED ? "n" : "-";
}
