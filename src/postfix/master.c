/* SPDX-License-Identifier: MIT */
/* Looks up master's lock in /proc/locks. */
#include "postfix/master.h"
#include "base/descriptors.h"
#include "base/path.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

/* The inode of the first PID namespace: fixed by the kernel (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

/* How often /proc/locks is read before a lock counts as absent, and the pause between two readings
 * in nanoseconds. The kernel shows the list page by page, and an entry can move from one page to
 * another while other processes lock: with hundreds of locks that come and go without a pause, 76
 * of 15,000 readings missed one, and never eight in a row. */
#define READINGS 8
#define READING_PAUSE 200000

/* How much of /proc/locks is read in all, in bytes. The kernel goes through the whole list for each
 * page, so that whoever holds tens of thousands of locks would make it take minutes. Eight readings
 * of 2,000 locks fit in. */
#define READING_BYTES ((size_t)1024 * 1024)

/* How long that may take in all, and how long once the run has to end. For each read(2) of
 * /proc/locks the kernel stops all locking on the host, and admits its readers one after the other:
 * a user with hundreds of them could make the readings take minutes. */
#define READING_TIME (5 * CLOCK_SECOND)
#define READING_TIME_LEFT CLOCK_SECOND

/* More than the kernel gives at once, which is a page. Also the most that is read of other files of
 * /proc. */
#define READ_BYTES 16384

/* What holds a lock on what. */
struct lock {
    dev_t device; /* of the mount */
    ino_t inode;
    pid_t holder;
};

/* Sorted by compare(). */
static const UT_icd lock_icd = {sizeof(struct lock), NULL, NULL, NULL};

/* The most bytes that master.pid has. */
#define WRITER_MAXIMUM 64

struct mount {
    int id;
    dev_t device;
};

static const UT_icd mount_icd = {sizeof(struct mount), NULL, NULL, NULL};

void master_locks_free(struct master_locks *locks)
{
    if (locks->readings == 0)
        return;
    locks->readings = 0;
    utarray_free(locks->locked);
    utarray_free(locks->mounts);
}

static int compare(const void *left, const void *right)
{
    const struct lock *a = left, *b = right;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

/* Returns the mount with that device, or else, if the device is 0, with that ID; or NULL. */
static const struct mount *find_mount(const struct master_locks *locks, dev_t device, int id)
{
    for (size_t i = 0; i < utarray_len(locks->mounts); i++) {
        const struct mount *mount = (const struct mount *)(const void *)locks->mounts->d + i;

        if (device != 0 ? mount->device == device : mount->id == id)
            return mount;
    }
    return NULL;
}

static bool has_time(const struct master_locks *locks)
{
    return locks->spent < READING_TIME_LEFT ||
           (locks->spent < READING_TIME && !limits_reached(locks->limits));
}

/* Something else, such as an empty file, may be mounted there. */
static bool is_of_proc(int fd)
{
    struct statfs system;

    return fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* Appends a file in /proc to text, up to *left bytes, and while there is time. Nothing else is done
 * between two pages, so that few entries move meanwhile. Returns whether that was all. */
static bool read_pages(struct master_locks *locks, const char *path, size_t *left, UT_string *text)
{
    char page[READ_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_readable = fd >= 0 && is_of_proc(fd);
    ssize_t count = -1;

    while (is_readable && count != 0 && *left > 0 && has_time(locks)) {
        int64_t before = clock_now();

        count = read(fd, page, sizeof(page) < *left ? sizeof(page) : *left);
        locks->spent += clock_now() - before;
        is_readable = count >= 0 || errno == EINTR;
        text_append(text, page, count > 0 ? (size_t)count : 0);
        *left -= count > 0 ? (size_t)count : 0;
    }
    descriptors_close(&fd);
    return count == 0;
}

/* Calls take for every line of the file. Returns whether that was all. */
static bool read_lines(struct master_locks *locks, const char *path, size_t *left,
                       void (*take)(struct master_locks *locks, const char *line))
{
    UT_string text;

    utstring_init(&text);
    bool is_complete = read_pages(locks, path, left, &text);
    for (char *rest = utstring_body(&text), *line; (line = strsep(&rest, "\n")) != NULL;)
        take(locks, line);
    utstring_done(&text);
    return is_complete;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF": device in hexadecimal, inode in decimal. One
 * that somebody waits for has "->" before FLOCK. proc_locks(5) */
static void take_lock(struct master_locks *locks, const char *line)
{
    unsigned device_major, device_minor;
    unsigned long inode;
    int holder;

    if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &holder, &device_major, &device_minor,
               &inode) == 4) {
        struct lock lock = {makedev(device_major, device_minor), inode, holder != 0 ? holder : -1};
        utarray_push_back(locks->locked, &lock);
    }
}

/* "36 35 98:0 /mnt1 /mnt2 rw ...": ID, and device in decimal. proc_pid_mountinfo(5) */
static void take_mount(struct master_locks *locks, const char *line)
{
    unsigned device_major, device_minor;
    int id;

    if (sscanf(line, "%d %*d %u:%u", &id, &device_major, &device_minor) == 3) {
        struct mount mount = {id, makedev(device_major, device_minor)};
        utarray_push_back(locks->mounts, &mount);
    }
}

/* Reads the locks, once more. Earlier findings are kept: the locks were held a moment ago. */
static void read_locks(struct master_locks *locks)
{
    size_t mounts_left = SIZE_MAX;
    struct stat status;

    if (locks->readings++ == 0) {
        locks->left = READING_BYTES;
        utarray_new(locks->locked, &lock_icd);
        utarray_new(locks->mounts, &mount_icd);
        utarray_reserve(locks->locked, 1); /* qsort(3) and bsearch(3) accept no NULL */
        locks->shows_all = read_lines(locks, "/proc/self/mountinfo", &mounts_left, take_mount) &&
                           stat("/proc/self/ns/pid", &status) == 0 &&
                           status.st_ino == FIRST_PID_NAMESPACE;
    } else {
        (void)nanosleep(&(struct timespec){.tv_nsec = READING_PAUSE}, NULL);
    }
    locks->shows_all =
        read_lines(locks, "/proc/locks", &locks->left, take_lock) && locks->shows_all;
    utarray_sort(locks->locked, compare);
}

/* Reads the beginning of a file of /proc/PROCESS, and ends it with a NUL. The process 0 is this
 * one: /proc may be of another PID namespace, where it has another number. Returns the length; 0 if
 * it cannot be read. */
static size_t read_process(pid_t process, const char *file, char text[READ_BYTES])
{
    char path[64];

    if (process == 0)
        (void)snprintf(path, sizeof(path), "/proc/self/%s", file);
    else
        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, READ_BYTES - 1);
    descriptors_close(&fd);
    text[length < 0 ? 0 : length] = '\0';
    return length < 0 ? 0 : (size_t)length;
}

/* Returns the last number of the line that begins with the word ("\nmnt_id:\t36"), or -1. */
static int find_number(pid_t process, const char *file, const char *word)
{
    char text[READ_BYTES];
    int number = -1;

    (void)read_process(process, file, text);
    char *line = strstr(text, word);
    if (line == NULL)
        return -1;
    line[1 + strcspn(line + 1, "\n")] = '\0';
    const char *last = strrchr(line, '\t');
    return last != NULL && sscanf(last, "%d", &number) == 1 ? number : -1;
}

/* Returns the process that master(8) has written into the file, or -1. The file may be another
 * user's, who can hold whoever reads it. */
static int read_writer(const char *path)
{
    struct path_file file;
    char *error = NULL;
    int writer = -1;

    if (path_read(path, 0, WRITER_MAXIMUM, &file, &error) == PATH_OK)
        (void)sscanf(file.text, "%d", &writer);
    free(file.text);
    free(error);
    return writer;
}

/* A file that may be locked. */
struct file {
    struct lock lock; /* on it, if there is one */
    bool is_known;    /* whether it is on a device that /proc/locks names */
    bool is_shared;   /* whether other files may have that device and inode */
    int writer;       /* the process that locks it, as it says there; -1 if that cannot be read */
};

/* On btrfs, stat(2) names a device of each subvolume, and /proc/locks that of the mount, which the
 * subvolumes share, and may have the same inodes: only together with the holder does it name the
 * file. The same holds for overlayfs. */
static void find_shared_device(const struct master_locks *locks, const char *path, int fd,
                               struct file *file)
{
    char about[32];

    (void)snprintf(about, sizeof(about), "fdinfo/%d", fd);
    const struct mount *mount = find_mount(locks, 0, find_number(0, about, "\nmnt_id:"));
    if (mount == NULL)
        return;
    file->is_known = file->is_shared = true;
    file->lock.device = mount->device;
    file->writer = read_writer(path);
}

/* Whether stat(2) and /proc/locks name the same device, even where mountinfo does not show the
 * mount to a process in a chroot: that of a disk, except for what overlayfs shows of it. */
static bool is_on_disk(int fd, const struct stat *status)
{
    struct statfs system;

    return major(status->st_dev) != 0 && path_is_near(fd) && fstatfs(fd, &system) == 0 &&
           system.f_type != OVERLAYFS_SUPER_MAGIC;
}

/* Fills in the file in a directory. Returns 0 or an errno. */
static int find_file(struct master_locks *locks, const char *directory, const char *name,
                     struct file *file)
{
    char *path = alloc_format("%s/%s", directory, name);
    struct stat status;
    int fd = path_place(path, O_NOFOLLOW, &status, NULL);
    int error = fd < 0 ? errno : 0;

    if (error == 0) {
        if (locks->readings == 0)
            read_locks(locks);
        *file = (struct file){.lock = {.device = status.st_dev, .inode = status.st_ino}};
        file->is_known = find_mount(locks, status.st_dev, 0) != NULL || is_on_disk(fd, &status);
        if (!file->is_known && S_ISREG(status.st_mode) && path_is_near(fd))
            find_shared_device(locks, path, fd, file);
    }
    free(path);
    descriptors_close(&fd);
    return error;
}

/* Returns the lock on the file, if it is among those that were read; or NULL. The process counts as
 * it does in its own PID namespace. */
static const struct lock *find_read(const struct master_locks *locks, const struct file *file)
{
    if (!file->is_shared)
        return utarray_find(locks->locked, &file->lock, compare);
    for (size_t i = 0; i < utarray_len(locks->locked); i++) {
        const struct lock *lock = utarray_eltptr(locks->locked, (unsigned)i);

        if (compare(lock, &file->lock) != 0)
            continue;
        if (file->writer > 0 && find_number(lock->holder, "status", "\nNSpid:") == file->writer)
            return lock;
    }
    return NULL;
}

/* The same, as far as all readings show. */
static const struct lock *find_lock(struct master_locks *locks, const struct file *file)
{
    const struct lock *found;

    while ((found = find_read(locks, file)) == NULL) {
        if (locks->readings == READINGS || locks->left == 0 || !has_time(locks))
            return NULL;
        read_locks(locks);
    }
    return found;
}

enum master_state master_state(struct master_locks *locks, const char *queue_directory)
{
    struct file file;
    int error = find_file(locks, queue_directory, "pid/master.pid", &file);

    if (error != 0)
        return error == ENOENT ? MASTER_STOPPED : MASTER_UNKNOWN;
    if (find_lock(locks, &file) != NULL)
        return MASTER_RUNNING;
    if (!locks->shows_all || !file.is_known)
        return MASTER_UNKNOWN;
    file.is_shared = false; /* who knows whose lock it is? */
    return file.writer < 0 && find_read(locks, &file) != NULL ? MASTER_UNKNOWN : MASTER_STOPPED;
}

pid_t master_lock_holder(struct master_locks *locks, const char *directory, const char *name)
{
    struct file file;

    if (find_file(locks, directory, name, &file) != 0)
        return 0;
    const struct lock *found = find_lock(locks, &file);
    return found == NULL || found->holder < 0 ? 0 : found->holder;
}

/* Returns the letter of the process's state (proc_pid_stat(5)), or a blank if it is not known.
 * "1234 (master) T 1 ...": the name may contain anything, the state follows its last ")". */
static char find_state(pid_t process)
{
    char text[READ_BYTES];

    (void)read_process(process, "stat", text);
    const char *state = strrchr(text, ')');
    return state != NULL && strlen(state) > 2 ? state[2] : ' ';
}

bool master_is_gone(const char *queue_directory)
{
    char *path = alloc_format("%s/pid/master.pid", queue_directory);
    struct stat status;
    bool is_file = path_status(path, O_NOFOLLOW, &status) == 0 && S_ISREG(status.st_mode);
    int writer = is_file ? read_writer(path) : -1;

    free(path);
    return writer > 0 && ((kill(writer, 0) != 0 && errno == ESRCH) || find_state(writer) == 'Z');
}

bool master_is_stopped(pid_t process)
{
    char state = find_state(process);

    return state == 'T' || state == 't';
}

/* Whether that is a process of the service: master(8) calls it by the program's name, and adds "-n
 * NAME" where the service has another one. */
static bool is_of_service(pid_t process, const char *service)
{
    char text[READ_BYTES];
    size_t length = read_process(process, "cmdline", text);
    const char *name = text;

    for (const char *word = text; word < text + length; word += strlen(word) + 1)
        if (strcmp(word, "-n") == 0 && word + 3 < text + length)
            name = word + 3;
    return length > 0 && strcmp(name, service) == 0;
}

char *master_find_process(pid_t master, const char *service)
{
    char list[READ_BYTES], *end = list, *file = alloc_format("task/%ld/children", (long)master);
    pid_t child, found = 0;
    int count = 0;

    (void)read_process(master, file, list);
    free(file);
    while ((child = (pid_t)strtol(end, &end, 10)) > 0) {
        if (!is_of_service(child, service))
            continue;
        found = child;
        count++;
    }
    if (count != 1)
        return count == 0 ? NULL : alloc_format("%s, %d processes", service, count);
    char state = find_state(found);
    return alloc_format("%s, process %ld%s", service, (long)found,
                        state == 'T'   ? ", stopped"
                        : state == 't' ? ", traced"
                        : state == 'D' ? ", waiting in the kernel"
                                       : "");
}

/* Returns the path of the process's control group in systemd's hierarchy, a new string; an empty
 * one if it cannot be found out. Lines are "0::/system.slice/cron.service", with version 1
 * "1:name=systemd:/..." (cgroups(7)). */
static char *find_group(pid_t process)
{
    char text[READ_BYTES];

    (void)read_process(process, "cgroup", text);
    const char *line = strstr(text, ":name=systemd:");
    if (line == NULL)
        line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    const char *group = line == NULL ? NULL : strchr(line, '/');
    return group == NULL ? alloc_string("") : alloc_span(group, strcspn(group, "\n"));
}

/* Whether it is root's, and was not made so by a set-user-ID program: real, effective and saved
 * user (proc_pid_status(5)). */
static bool is_of_root(pid_t process)
{
    char text[READ_BYTES];
    unsigned real, effective, saved;

    (void)read_process(process, "status", text);
    const char *line = strstr(text, "\nUid:");
    return line != NULL && sscanf(line, "\nUid: %u %u %u", &real, &effective, &saved) == 3 &&
           real == 0 && effective == 0 && saved == 0;
}

/* Whether that is the name of a service unit (systemd.unit(5)), so that systemctl(1) and a shell
 * take it for nothing else. */
static bool is_service_unit(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@\\-";
    const char *end = strrchr(name, '.');

    return end != NULL && end != name && strcmp(end, ".service") == 0 && name[0] != '-' &&
           name[strspn(name, allowed)] == '\0';
}

/* Whether a user may make and name groups below it. */
static bool is_of_users(const char *name)
{
    return strcmp(name, "user.slice") == 0 || strncmp(name, "user@", 5) == 0;
}

char *master_find_unit(pid_t process)
{
    char *group = find_group(process), *own = find_group(0), *unit = NULL;
    UT_array *names = strings_split(group, "/");

    if (strcmp(group, own) == 0 || !is_of_root(process))
        utarray_clear(names);
    for (size_t i = 0; i < utarray_len(names) && !is_of_users(strings_item(names, i)); i++)
        if (is_service_unit(strings_item(names, i)))
            alloc_set_text(&unit, "%s", strings_item(names, i));
    utarray_free(names);
    free(group);
    free(own);
    return unit;
}

enum master_service master_find_service(const char *config_directory, const char *name)
{
    struct path_file file;
    char *error = NULL, *path = alloc_format("%s/master.cf", config_directory), *line, *word;
    size_t typed = path[0] == '/' ? 0 : strlen(config_directory); /* only -c can be relative */
    enum path_result result = path_read(path, typed, MASTER_CF_MAXIMUM, &file, &error);
    int words = 0, found = MASTER_SERVICE_ABSENT; /* words of the logical line so far */
    bool is_wanted = false;

    free(path);
    free(error);
    if (result != PATH_OK)
        return MASTER_SERVICE_UNKNOWN;
    for (char *rest = file.text; (line = strsep(&rest, "\n")) != NULL;) {
        char first = line[strspn(line, TEXT_WHITE_SPACE)];
        if (first == '\0' || first == '#')
            continue; /* also within a logical line */
        if (!text_is_space(line[0]))
            words = 0;
        while ((word = strsep(&line, TEXT_WHITE_SPACE)) != NULL) {
            if (word[0] == '\0')
                continue;
            if (words == 0)
                is_wanted = strcmp(word, name) == 0;
            else if (words == 1)
                is_wanted = is_wanted && strcmp(word, "inet") != 0;
            else if (words == 2 && is_wanted) /* private */
                found |= strcmp(word, "n") == 0 ? MASTER_SERVICE_PUBLIC : MASTER_SERVICE_PRIVATE;
            words++;
        }
    }
    free(file.text);
    return (enum master_service)found;
}
