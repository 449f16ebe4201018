/* SPDX-License-Identifier: MIT */
/* What is in a queue directory: hand-made queue files, and what else may lie there. */
#include "postfix/queue.c" /* what is read in a worker has no other way in */

#include "fixture.h"
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static struct queue_contents contents;

SETUP(make_queue_directory)
{
    for (int i = 0; i < QUEUE_COUNT; i++)
        assert_int_equal(mkdir(fixture_path(queue_names[i]), 0700), 0);
}

/* Reads the whole, and compares the failure: where, and the errno. */
static void expect_failure(const char *where, int error)
{
    contents = (struct queue_contents){0};
    (void)read_queues(fixture_root, &(struct share){0, 1}, &contents);
    assert_string_equal(contents.where, where);
    assert_int_equal(contents.error, error);
}

static void read_well(void)
{
    expect_failure("", 0);
}

static void put(const char *name, mode_t mode, const char *text, size_t length)
{
    int fd = open(fixture_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* Appends a record as Postfix writes it. */
static size_t append_record(char *text, char type, const char *value)
{
    size_t length = strlen(value);

    text[0] = type;
    text[1] = (char)length;
    memcpy(text + 2, value, length);
    return length + 2;
}

/* A queue file of a message with that size, as cleanup(8) writes it. */
static size_t fill_queue_file(char *text, size_t room, long long size, const char *arrival)
{
    char value[128];
    size_t length;

    (void)snprintf(value, sizeof(value), "%15lld %15d %15d %15d %15lld %15d", size, 600, 1, 0, size,
                   0);
    length = append_record(text, 'C', value);
    length += append_record(text + length, 'T', arrival);
    memset(text + length, 'A', room - length);
    return room;
}

static void put_message(const char *name, long long size, const char *arrival)
{
    char text[2000];

    put(name, 0700, text, fill_queue_file(text, sizeof(text), size, arrival));
}

static void expect(enum queue queue, long long messages, long long bytes, long long oldest)
{
    const struct queue_tally *tally = &contents.queues[queue];

    assert_int_equal(tally->messages, messages);
    assert_int_equal(tally->bytes, bytes);
    assert_int_equal(tally->oldest, oldest);
}

TEST(empty_queues)
{
    struct statvfs system;
    struct stat status;

    read_well();
    for (int i = 0; i < QUEUE_COUNT; i++)
        expect((enum queue)i, 0, 0, 0);
    assert_int_equal(stat(fixture_root, &status), 0);
    assert_int_equal(statvfs(fixture_root, &system), 0);
    assert_int_equal(contents.device, status.st_dev);
    assert_int_equal(contents.inode, status.st_ino);
    assert_int_equal(contents.total_bytes, system.f_blocks * system.f_frsize);
    assert_int_equal(contents.total_inodes, system.f_files);
    assert_true(contents.free_bytes > 0 && contents.free_bytes <= contents.total_bytes);
}

/* Sizes are the first number of C, in maildrop the file's; the oldest is not the last. */
TEST(sums)
{
    static const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 2000000}};
    struct stat status;

    put_message("incoming/1D45A1F", 100, "1700000300 1");
    put_message("incoming/4CmZ7d3Gv0z7Q", 200, "1700000100 22");
    put_message("incoming/AAAAA", 300, "1700000200 333");
    put_message("active/1D45A1F", 1, "1 1");
    put_message("maildrop/1D45A1F", 100, "1700000300 1");
    assert_int_equal(utimensat(AT_FDCWD, fixture_path("active/1D45A1F"), times, 0), 0);
    read_well();
    expect(QUEUE_INCOMING, 3, 600, 1700000100);
    expect(QUEUE_ACTIVE, 1, 1, 1);
    expect(QUEUE_MAILDROP, 1, 2000, 1700000300);
    expect(QUEUE_DEFERRED, 0, 0, 0);
    /* reading changes nothing, not even the time of access */
    assert_int_equal(stat(fixture_path("active/1D45A1F"), &status), 0);
    assert_int_equal(status.st_atim.tv_sec, 1000000);
}

TEST(hashed_directories)
{
    static const char *const names[] = {"deferred/A",     "deferred/A/B", "deferred/A/B/C",
                                        "deferred/A/B/_", "maildrop/A",   "hold/long"};

    for (size_t i = 0; i < COUNT(names); i++)
        (void)fixture_directory(names[i]);
    put_message("deferred/1D45A1F", 1, "5 0");
    put_message("deferred/A/1D45A1F", 2, "4 0");
    put_message("deferred/A/B/1D45A1F", 4, "3 0");
    put_message("deferred/A/B/C/1D45A1F", 8, "2 0");
    put_message("deferred/A/B/_/1D45A1F", 16, "6 0");
    put_message("maildrop/A/1D45A1F", 1, "5 0");
    put_message("hold/long/1D45A1F", 1, "5 0");
    read_well();
    expect(QUEUE_DEFERRED, 5, 31, 2);
    expect(QUEUE_MAILDROP, 0, 0, 0);
    expect(QUEUE_HOLD, 0, 0, 0);
}

/* Only the owner's bits count: group's read and execute are marks of the queue manager. */
TEST(files_that_are_not_complete)
{
    static const mode_t modes[] = {0600, 0400, 0500, 0300, 0677, 0740, 0710, 0777};
    char name[64], text[2000];

    if (geteuid() != 0)
        skip(); /* which reads every file, whatever its mode */
    for (size_t i = 0; i < COUNT(modes); i++) {
        (void)snprintf(name, sizeof(name), "hold/AAAA%zu", i);
        put(name, modes[i], text, fill_queue_file(text, sizeof(text), 1, "7 0"));
        (void)snprintf(name, sizeof(name), "corrupt/AAAA%zu", i);
        put(name, modes[i], text, fill_queue_file(text, sizeof(text), 1, "7 0"));
    }
    read_well();
    expect(QUEUE_HOLD, 3, 3, 7);
    expect(QUEUE_CORRUPT, 8, 8, 7);
}

/* What is no queue file counts in corrupt only, with the size of the file. */
TEST(junk)
{
    static const struct {
        const char *text;
        size_t length;
    } files[] = {
        {"", 0},
        {"T", 1},
        {"T\012", 2},
        {"T\0121700000", 9}, /* longer than the file */
        {"T\002no", 4},      /* no number */
        {"T\0010", 3},       /* 0 is no time */
        {"T\021"
         "11111111111111111",
         19},                                     /* nor is that: 17 digits */
        {"T\377\377\377\377\377\377\377\377", 9}, /* a length without end */
        {"T\377", 2},
        {"hello, world, this is no queue file", 35},
    };
    char name[64], many[300];
    size_t bytes = 0;

    for (size_t i = 0; i < COUNT(files); i++) {
        for (int queue = 0; queue < QUEUE_COUNT; queue++) {
            (void)snprintf(name, sizeof(name), "%s/AAAA%zu", queue_names[queue], i);
            put(name, 0700, files[i].text, files[i].length);
        }
        bytes += files[i].length;
    }
    memset(many, 0, sizeof(many)); /* records of type 0, without contents, and T too late */
    memcpy(many + 128, "T\0011", 3);
    put("active/BBBB", 0700, many, sizeof(many));
    read_well();
    for (int queue = 0; queue < QUEUE_CORRUPT; queue++)
        expect((enum queue)queue, 0, 0, 0);
    expect(QUEUE_CORRUPT, COUNT(files), (long long)bytes, 0);
}

/* A size that is no number, or cannot be, is the file's. */
TEST(wrong_sizes)
{
    static const char *const sizes[] = {"      many", "  999999999999999 1", "   -5 1", NULL};
    char text[200], name[64];
    size_t bytes = 0;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t length = sizes[i] == NULL ? 0 : append_record(text, 'C', sizes[i]);

        length += append_record(text + length, 'T', "1700000000 5");
        (void)snprintf(name, sizeof(name), "hold/AAAA%zu", i);
        put(name, 0700, text, length);
        bytes += length;
    }
    read_well();
    expect(QUEUE_HOLD, COUNT(sizes), (long long)bytes, 1700000000);
}

/* Sparse files may be larger than all disks together. */
TEST(sums_do_not_overflow)
{
    struct queue_tally sum = {1, INT64_MAX - 5, 0};

    queue_add(&sum, &(struct queue_tally){1, 6, 9});
    assert_int_equal(sum.bytes, INT64_MAX);
    queue_add(&sum, &(struct queue_tally){1, INT64_MAX, 8});
    assert_int_equal(sum.bytes, INT64_MAX);
    assert_int_equal(sum.oldest, 8);
}

TEST(names_that_are_no_queue_ids)
{
    static const char *const names[] = {"123456.789", ".hidden",          "with space", "a-b",
                                        "tab\t1",     "\303\244\303\244", "A"};
    char name[300];

    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(name, sizeof(name), "incoming/%s", names[i]);
        put_message(name, 1, "5 0");
    }
    memset(name, 'A', sizeof(name));
    memcpy(name, "incoming/", 9);
    name[9 + 255] = '\0';
    put_message(name, 1, "5 0");
    put_message("maildrop/A", 1, "5 0");
    read_well();
    expect(QUEUE_INCOMING, 1, 1, 5); /* that of 255 letters */
    expect(QUEUE_MAILDROP, 1, 2000, 5);
}

/* Whether anything in the watched directory has been opened. */
static bool was_opened(int watch)
{
    char events[4096];
    ssize_t length = read(watch, events, sizeof(events));

    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(events + at);

        if (event->len > 0)
            return true;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return false;
}

/* Opening one could block, or act. */
TEST(other_than_files_and_directories)
{
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int listener = fixture_socket("hold/AAAA5", SOCK_STREAM, -1);

    put_message("outside", 1, "5 0");
    (void)fixture_directory("elsewhere");
    put_message("elsewhere/AAAA1", 1, "5 0");
    fixture_link("../outside", "hold/AAAA1");
    fixture_link("../elsewhere", "hold/E");
    fixture_link("AAAA3", "hold/AAAA3");
    (void)fixture_fifo("hold/AAAA2");
    (void)fixture_fifo("hold/F");
    (void)fixture_fifo("corrupt/AAAA2");
    (void)fixture_directory("hold/AAAA4");
    (void)mknod(fixture_path("hold/AAAA6"), S_IFCHR | 0700, makedev(1, 5)); /* /dev/zero */
    assert_true(inotify_add_watch(watch, fixture_path("hold"), IN_OPEN) >= 0);
    read_well();
    expect(QUEUE_HOLD, 0, 0, 0);
    expect(QUEUE_CORRUPT, 0, 0, 0);
    assert_false(was_opened(watch));
    put_message("hold/AAAA7", 1, "5 0");
    read_well();
    assert_true(was_opened(watch));
    close(watch);
    close(listener);
}

TEST(queues_that_are_links_or_missing)
{
    assert_int_equal(rmdir(fixture_path("corrupt")), 0);
    read_well(); /* Postfix needs it only when something is corrupt */
    assert_int_equal(rmdir(fixture_path("deferred")), 0);
    expect_failure("deferred", ENOENT);
    fixture_link("hold", "deferred");
    expect_failure("deferred", ENOTDIR);
    assert_int_equal(unlink(fixture_path("deferred")), 0);
    (void)fixture_fifo("deferred");
    expect_failure("deferred", ENOTDIR);
    assert_int_equal(rename(fixture_path("incoming"), fixture_path("outgoing")), 0);
    expect_failure("incoming", ENOENT);
}

/* Deeper than any that Postfix makes. */
TEST(directories_without_end)
{
    char path[64] = "hold";

    for (int i = 0; i < 17; i++) {
        memcpy(path + strlen(path), "/x", 3);
        (void)fixture_directory(path);
    }
    expect_failure("hold/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x", ELOOP);
    assert_int_equal(rmdir(fixture_path(path)), 0);
    read_well();
}

/* Moves a message, and makes what is a directory something else, until it is killed. */
static _Noreturn void keep_changing(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        (void)rename(fixture_path("hold/AAAA1"), fixture_path("deferred/Z/AAAA1"));
        usleep(100);
        (void)rename(fixture_path("deferred/Z/AAAA1"), fixture_path("hold/AAAA1"));
        (void)rmdir(fixture_path("deferred/Z"));
        usleep(100);
        (void)!symlink("../hold", fixture_path("deferred/Z"));
        usleep(100);
        (void)unlink(fixture_path("deferred/Z"));
        (void)mkdir(fixture_path("deferred/Z"), 0700);
    }
}

/* What vanishes or turns into something else meanwhile is left out. Other directories come between
 * the moment when the name is found and that when it is opened. */
TEST(changing_meanwhile)
{
    char name[] = "deferred/A";

    for (; name[9] <= 'Z'; name[9]++)
        (void)fixture_directory(name);
    put_message("hold/AAAA1", 1, "5 0");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        keep_changing();
    for (int64_t end = clock_now() + CLOCK_SECOND / 2; clock_now() < end;) {
        read_well();
        fixture_assert_between(contents.queues[QUEUE_HOLD].messages, 0, 1);
        fixture_assert_between(contents.queues[QUEUE_DEFERRED].messages, 0, 1);
    }
    fixture_kill(child);
}

/* Several at once, one of which never answers. */

static void read_as_nobody(void)
{
    struct queue_reading reading = {.directory = fixture_root};

    if (setgid(65534) < 0 || setuid(65534) < 0)
        _exit(1);
    queues_read(&reading, 1, 1, 30, &fixture_no_limits);
    (void)!write(1, reading.reason, strlen(reading.reason));
}

/* The reason says who may read them. */
TEST(permission_denied)
{
    static const struct {
        uid_t owner;
        const char *reason;
    } cases[] = {
        {1, "permission denied: @/incoming: only root and its owner daemon may read it"},
        {4242, "permission denied: @/incoming: only root and its owner may read it"},
    };

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(fixture_root, 0755), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(chown(fixture_path("incoming"), cases[i].owner, 0), 0);
        struct fixture_result result = fixture_run(read_as_nobody, STDOUT_FILENO);
        char *reason = fixture_fill(cases[i].reason);

        assert_string_equal(result.text, reason);
        free(reason);
    }
}

/* Any way to share directories and files out gives the same sums. */
TEST(several_directories)
{
    char *missing = fixture_fill("@/nosuch"), name[64];
    char *reason = fixture_fill("read @/nosuch: No such file or directory");

    (void)fixture_directory("deferred/A");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "deferred/%s%05X", i % 2 == 0 ? "A/" : "", i + 1);
        put_message(name, i, i == 50 ? "1600000000 0" : "1700000000 0");
    }
    for (int parallel = 1; parallel < 9; parallel++) {
        struct queue_reading readings[] = {{.directory = missing},
                                           {.directory = NULL},
                                           {.directory = fixture_root},
                                           {.directory = fixture_root}};

        queues_read(readings, COUNT(readings), parallel, 30, &fixture_no_limits);
        assert_string_equal(readings[0].reason, reason);
        assert_null(readings[2].reason);
        contents = readings[3].contents;
        expect(QUEUE_DEFERRED, 100, 4950, 1600000000);
        free(readings[0].reason);
    }
    queues_read(NULL, 0, 1, 30, &fixture_no_limits);
    free(missing);
    free(reason);
}

/* Mounts a file system of FUSE that nobody answers for. Returns its descriptor, or -1. */
static int mount_silent(const char *directory)
{
    char options[128];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    (void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    if (fd >= 0 && mount("silent", directory, "fuse", 0, options) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

TEST(file_system_that_does_not_answer)
{
    struct queue_reading readings[2] = {{.directory = fixture_root}, {.directory = fixture_root}};
    char *silent = fixture_fill("@/silent");
    struct limits limits = {.end = clock_after(clock_now(), 1)};

    (void)fixture_directory("silent");
    int fd = mount_silent(silent);
    if (fd < 0)
        skip();
    readings[0].directory = silent;
    queues_read(readings, 2, 1, 1, &fixture_no_limits);
    assert_string_equal(readings[0].reason, "queues not read within 1s");
    assert_null(readings[1].reason);
    free(readings[0].reason);
    readings[0].reason = NULL;
    queues_read(readings, 1, 1, 30, &limits);
    assert_string_equal(readings[0].reason, "queues not read: time limit reached");
    free(readings[0].reason);
    assert_int_equal(umount2(silent, MNT_DETACH), 0);
    close(fd);
    free(silent);
}
