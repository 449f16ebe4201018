/* SPDX-License-Identifier: MIT */
/* Whether a mail system runs: master's lock, looked up and never taken. */
#include "fixture.h"
#include "postfix/master.h"
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static enum master_state look(void)
{
    struct master_locks locks = {.limits = &fixture_no_limits};
    enum master_state state = master_state(&locks, fixture_root);

    assert_int_equal(master_state(&locks, fixture_root), state);
    master_locks_free(&locks);
    return state;
}

/* Opens master.pid, and locks it unless the operation of flock(2) is 0. */
static int lock_file(int operation)
{
    (void)mkdir(fixture_path("pid"), 0755);
    int fd = open(fixture_file("pid/master.pid", "1\n"), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    if (operation != 0)
        assert_int_equal(flock(fd, operation | LOCK_NB), 0);
    return fd;
}

/* The state of a mail system that does not run but may have run: in a PID namespace other than
 * the first one, /proc/locks does not show all locks. */
static enum master_state not_running(void)
{
    char namespace[64] = "";

    assert_true(readlink("/proc/self/ns/pid", namespace, sizeof(namespace) - 1) > 0);
    return strcmp(namespace, "pid:[4026531836]") == 0 ? MASTER_STOPPED : MASTER_UNKNOWN;
}

TEST(nothing_there)
{
    assert_int_equal(look(), MASTER_STOPPED);
    (void)fixture_directory("pid");
    assert_int_equal(look(), MASTER_STOPPED);
    (void)rmdir(fixture_path("pid"));
    (void)fixture_file("pid", "no directory");
    assert_int_equal(look(), MASTER_UNKNOWN);
}

/* A shared lock is of somebody who looks on, and one of fcntl(2), here in place of LOCK_UN, is not
 * master's. None is taken:
 * nobody who wants one notices us. */
TEST(locked)
{
    static const int operations[] = {0, LOCK_EX, LOCK_SH, LOCK_UN};

    for (size_t i = 0; i < COUNT(operations); i++) {
        int fd = lock_file(operations[i]);
        int other = open(fixture_path("pid/master.pid"), O_RDWR | O_CLOEXEC);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        bool is_free = operations[i] == 0 || operations[i] == LOCK_UN;

        if (operations[i] == LOCK_UN)
            assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
        assert_int_equal(look(), operations[i] == LOCK_EX ? MASTER_RUNNING : not_running());
        assert_int_equal(flock(other, LOCK_EX | LOCK_NB), is_free ? 0 : -1);
        close(other);
        close(fd);
    }
}

/* A process that takes so many locks, and drops them again, all in a row, so that the entries of
 * others move. */
static pid_t start_locking(int count)
{
    int *files = alloc_zeroed((size_t)count, sizeof(int));
    pid_t child = fork();

    if (child != 0) {
        free(files);
        return child;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < count; i++)
        files[i] = memfd_create("lock", MFD_CLOEXEC);
    for (int operation = LOCK_EX;; operation = operation == LOCK_EX ? LOCK_UN : LOCK_EX)
        for (int i = 0; i < count; i++)
            (void)flock(files[i], operation);
}

/* One reading in two hundred does not show the lock then. On a busy machine all of them together
 * may take too long. */
TEST(while_others_lock)
{
    int fd = lock_file(LOCK_EX);
    pid_t children[] = {start_locking(300), start_locking(300)};
    int64_t end = clock_after(clock_now(), 2);

    while (clock_now() < end) {
        int64_t before = clock_now();
        enum master_state seen = look();
        assert_true(seen == MASTER_RUNNING ||
                    (seen == MASTER_UNKNOWN && clock_now() - before >= 5 * CLOCK_SECOND));
    }
    fixture_kill(children[0]);
    fixture_kill(children[1]);
    close(fd);
}

/* What is read for /proc/locks, and counts as a file of /proc. */
static const char *stand_in;

/* What is read for the files of process 1, in the fixture's directory. */
static bool has_process;

static const char *stand_in_for(const char *path)
{
    if (stand_in != NULL && strcmp(path, "/proc/locks") == 0)
        return stand_in;
    return has_process && strncmp(path, "/proc/1/", 8) == 0 ? fixture_path(path + 8) : path;
}

FIXTURE_OPEN(stand_in_for)

int fstatfs(int fd, struct statfs *status)
{
    (void)fd;
    *status = (struct statfs){.f_type = PROC_SUPER_MAGIC};
    return 0;
}

#define LOCK "1: FLOCK  ADVISORY  WRITE 1 00:00:1 0 EOF\n"

TEST(no_more_than_a_mebibyte)
{
    static const int counts[] = {1000, 30000};
    char *text = alloc_zeroed(30000, sizeof(LOCK));
    int fd = lock_file(0);

    for (size_t i = 0; i < COUNT(counts); i++) {
        for (int line = 0; line < counts[i]; line++)
            memcpy(text + (size_t)line * (sizeof(LOCK) - 1), LOCK, sizeof(LOCK));
        stand_in = fixture_file("locks", text);
        assert_int_equal(look(), i == 0 ? not_running() : MASTER_UNKNOWN);
    }
    stand_in = NULL;
    free(text);
    close(fd);
}

/* A FIFO: hundreds of processes that read /proc/locks make it as slow. */
TEST(no_longer_than_a_second_at_the_end)
{
    const struct limits limits = {.end = clock_now()};
    struct master_locks locks = {.limits = &limits};
    int fd = lock_file(0);

    assert_int_equal(mkfifo(fixture_path("slow"), 0600), 0);
    int slow = open(fixture_path("slow"), O_RDWR);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (write(slow, LOCK, strlen(LOCK)) > 0)
            (void)usleep(50000);
        _exit(1);
    }
    close(slow);
    stand_in = alloc_string(fixture_path("slow"));
    int64_t started = clock_now();
    assert_int_equal(master_state(&locks, fixture_root), MASTER_UNKNOWN);
    assert_true(clock_now() - started < 4 * CLOCK_SECOND);
    fixture_kill(child);
    free((char *)(uintptr_t)stand_in);
    stand_in = NULL;
    master_locks_free(&locks);
    close(fd);
}

/* Lines as they stand in the master.cf of real hosts. */
TEST(services)
{
    static const struct {
        const char *text, *name;
        int expected;
    } cases[] = {
        {"qmgr unix n - n 300 1 qmgr\n", "qmgr", MASTER_SERVICE_PUBLIC},
        {"qmgr      fifo  n       -       n       300     1       qmgr\n", "qmgr",
         MASTER_SERVICE_PUBLIC},
        {"#qmgr fifo n - n 300 1 qmgr\nqmgr unix n - - 300 1 oqmgr\n", "qmgr",
         MASTER_SERVICE_PUBLIC},
        {"pickup\tfifo\tn\t-\t-\t60\t1\tpickup\n", "pickup", MASTER_SERVICE_PUBLIC},
        {"#pickup unix n - n 60 1 pickup\n", "pickup", MASTER_SERVICE_ABSENT},
        {"  # pickup unix n - n 60 1 pickup\n", "pickup", MASTER_SERVICE_ABSENT},
        {"", "qmgr", MASTER_SERVICE_ABSENT},
        {"# nothing\n\n \t\n", "qmgr", MASTER_SERVICE_ABSENT},
        {"qmgr-in unix n - n 300 1 qmgr\n", "qmgr", MASTER_SERVICE_ABSENT},
        {"qmgr-in unix n - n 300 1 qmgr\n", "qmgr-in", MASTER_SERVICE_PUBLIC},
        {"QMGR unix n - n 300 1 qmgr\n", "qmgr", MASTER_SERVICE_ABSENT},
        {"smtp inet n - n - - smtpd\n", "smtp", MASTER_SERVICE_ABSENT},
        {"smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n", "smtp", MASTER_SERVICE_PRIVATE},
        {"anvil unix y - n - 1 anvil\n", "anvil", MASTER_SERVICE_PRIVATE},
        {"anvil unix - - n - 1 anvil\n", "anvil", MASTER_SERVICE_PRIVATE},
        {"smtpd pass - - n - - smtpd\n", "smtpd", MASTER_SERVICE_PRIVATE},
        {"postlog unix-dgram n - n - 1 postlogd\n", "postlog", MASTER_SERVICE_PUBLIC},
        {"x unix n - n - - a\nx unix - - n - - b\n", "x",
         MASTER_SERVICE_PUBLIC | MASTER_SERVICE_PRIVATE},
        {"mine unix - n n - - pipe\n  flags=R user=x argv=/bin/y\n", "mine",
         MASTER_SERVICE_PRIVATE},
        {"mine unix - n n - - pipe\n flags=R\n# comment\nqmgr unix n - n 300 1 qmgr", "qmgr",
         MASTER_SERVICE_PUBLIC},
        {"qmgr\n\tunix\n#\n n - n 300 1 qmgr\n", "qmgr", MASTER_SERVICE_PUBLIC},
        {"mine unix - n n - - pipe\n qmgr unix n - n 300 1 qmgr\n", "qmgr", MASTER_SERVICE_ABSENT},
        {"qmgr unix\n", "qmgr", MASTER_SERVICE_ABSENT},
        {"qmgr unix n - n 300 1 qmgr\r\n", "qmgr", MASTER_SERVICE_PUBLIC},
        {"127.0.0.1:10025 inet n - n - - smtpd\nqmgr unix n - n 300 1 qmgr\n", "qmgr",
         MASTER_SERVICE_PUBLIC},
    };

    assert_int_equal(master_find_service(fixture_root, "qmgr"), MASTER_SERVICE_UNKNOWN);
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)fixture_file("master.cf", cases[i].text);
        assert_int_equal(master_find_service(fixture_root, cases[i].name), cases[i].expected);
    }
    assert_int_equal(unlink(fixture_path("master.cf")), 0);
    (void)fixture_directory("master.cf");
    assert_int_equal(master_find_service(fixture_root, "qmgr"), MASTER_SERVICE_UNKNOWN);
}

TEST(holder)
{
    struct master_locks locks = {.limits = &fixture_no_limits};
    int fd = lock_file(LOCK_EX);

    assert_int_equal(master_lock_holder(&locks, fixture_root, "pid/master.pid"), getpid());
    assert_int_equal(master_lock_holder(&locks, fixture_root, "master.lock"), 0);
    (void)fixture_file("master.lock", "");
    assert_int_equal(master_lock_holder(&locks, fixture_root, "master.lock"), 0);
    master_locks_free(&locks);
    close(fd);
}

/* No file of a test can be read like this: as if its writer held all readers but those that beware
 * of it. */
extern dev_t held; /* their device, or 0; not static: the C library's read() can be inline */
dev_t held;

ssize_t read(int fd, void *bytes, size_t length)
{
    struct stat status;

    if (held != 0 && fstat(fd, &status) == 0 && status.st_dev == held) {
        errno = EDEADLK;
        return -1;
    }
    return syscall(SYS_read, fd, bytes, length);
}

/* What master.pid has, and whether that is the ID of a process that is gone. */
static void assert_gone(const char *text, bool expected)
{
    (void)fixture_file("pid/master.pid", text);
    assert_int_equal(master_is_gone(fixture_root), expected);
}

static void assert_process_gone(pid_t process, bool expected)
{
    char *text = alloc_format("%21ld\n", (long)process); /* as master(8) writes it */

    assert_gone(text, expected);
    free(text);
}

TEST(process_gone)
{
    siginfo_t ended;

    assert_false(master_is_gone(fixture_root));
    (void)fixture_directory("pid");
    assert_false(master_is_gone(fixture_root));
    assert_gone("", false);
    assert_gone("x\n", false);
    assert_gone("0\n", false);
    assert_gone("-1\n", false);
    assert_process_gone(getpid(), false);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    /* a zombie, as where process 1 of a container waits for none */
    assert_process_gone(child, true);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct stat root;
    assert_int_equal(stat(fixture_root, &root), 0);
    held = root.st_dev;
    assert_process_gone(child, true);
    held = 0;
    assert_int_equal(rename(fixture_path("pid/master.pid"), fixture_path("other")), 0);
    assert_int_equal(symlink("../other", fixture_path("pid/master.pid")), 0);
    assert_false(master_is_gone(fixture_root));
}

TEST(stopped_process)
{
    pid_t child = fork();

    if (child == 0) {
        (void)prctl(PR_SET_NAME, "a) T 1 (", 0, 0, 0);
        for (;;)
            pause();
    }
    assert_false(master_is_stopped(child));
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_true(master_is_stopped(child));
    fixture_kill(child);
    assert_false(master_is_stopped(child));
}

/* Runs a program as a child of ours, as if we were master(8). */
static pid_t start(const char *const *argv)
{
    pid_t child = fork();

    if (child == 0) {
        execv("/usr/bin/tail", (char *const *)(void *)argv);
        _exit(127);
    }
    char *path = alloc_format("/proc/%ld/cmdline", (long)child), text[16] = "";
    do {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        close(fd);
    } while (strcmp(text, argv[0]) != 0);
    free(path);
    return child;
}

/* What is found among our children: one process, or none if that is 0. */
static void assert_process(const char *service, pid_t process, const char *state)
{
    char *found = master_find_process(getpid(), service);

    if (process == 0)
        assert_null(found);
    else
        fixture_assert_text(found, "%s, process %ld%s", service, (long)process, state);
    free(found);
}

TEST(processes)
{
    static const char *const plain[] = {"qmgr", "-f", "/dev/null", NULL};
    static const char *const named[] = {"smtp", "-f", "/dev/null", "-n", "5", NULL};
    pid_t first = start(plain), other = start(named);

    assert_process("qmgr", first, "");
    assert_process("pickup", 0, "");
    assert_process("smtp", 0, ""); /* its name is another */
    assert_process("5", other, "");
    assert_int_equal(kill(first, SIGSTOP), 0);
    assert_int_equal(waitpid(first, NULL, WUNTRACED), first);
    assert_process("qmgr", first, ", stopped");
    pid_t second = start(plain);
    char *found = master_find_process(getpid(), "qmgr");
    assert_string_equal(found, "qmgr, 2 processes");
    free(found);
    fixture_kill(first);
    fixture_kill(second);
    fixture_kill(other);
    assert_null(master_find_process(0x7fffffff, "qmgr"));
}

static void assert_unit(const char *users, const char *group, const char *expected)
{
    char *status = alloc_format("Name:\tmaster\nUmask:\t0077\nUid:\t%s\nGid:\t0\t0\t0\t0\n", users);

    (void)fixture_file("status", status);
    (void)fixture_file("cgroup", group);
    has_process = true;
    char *unit = master_find_unit(1);
    has_process = false;
    if (expected == NULL)
        assert_null(unit);
    else
        assert_string_equal(unit, expected);
    free(unit);
    free(status);
}

#define ROOT "0\t0\t0\t0"

/* With version 2 of control groups, and version 1. */
TEST(units)
{
    static const struct {
        const char *group, *expected;
    } cases[] = {
        {"0::/system.slice/system-postfix.slice/postfix@out.service\n", "postfix@out.service"},
        {"0::/system.slice/a\\x2db_1:2.service/sub\n", "a\\x2db_1:2.service"},
        {"2:cpu:/x.service\n1:name=systemd:/system.slice/postfix.service\n", "postfix.service"},
        {"0::/\n", NULL},
        {"0::/system.slice/x.scope\n", NULL},
        {"0::/system.slice/.service\n", NULL},
        {"0::/system.slice/-x.service\n", NULL},
        {"0::/system.slice/a;b.service\n", NULL},
        {"0::/system.slice/a b.service\n", NULL},
        {"0::/system.slice/$(b).service\n", NULL},
        {"0::/system.slice/postfix.service/a;b.service\n", "postfix.service"},
        {"0::/user.slice/x.service\n", NULL},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", NULL},
        {"0::/../user@1000.service\n", NULL},
        {"0::/../user@1000.service/app.slice/x.service\n", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_unit(ROOT, cases[i].group, cases[i].expected);
}

/* Any user may hold the lock, also as a set-user-ID program. */
TEST(units_of_users)
{
    static const char *const users[] = {"7\t7\t7\t7", "7\t0\t0\t0", "0\t7\t7\t7", "0\t0\t7\t0", ""};

    for (size_t i = 0; i < COUNT(users); i++)
        assert_unit(users[i], "0::/system.slice/cron.service\n", NULL);
}
