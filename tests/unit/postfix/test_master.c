/* SPDX-License-Identifier: MIT */
/* Whether a mail system runs: master's lock, looked up and never taken. */
#include "fixture.h"
#include "postfix/master.h"
#include <sys/file.h>
#include <sys/mman.h>

static enum master_state look(void)
{
    struct master_locks *locks = master_locks_new(&fixture_no_limits);
    enum master_state state = master_state(locks, fixture_root);

    assert_int_equal(master_state(locks, fixture_root), state);
    master_locks_free(locks);
    return state;
}

static int lock_file(int operation)
{
    (void)fixture_directory("pid");
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
}

TEST(not_locked)
{
    int fd = lock_file(0);

    assert_int_equal(look(), not_running());
    close(fd);
}

TEST(locked)
{
    int fd = lock_file(LOCK_EX);

    assert_int_equal(look(), MASTER_RUNNING);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    assert_int_equal(look(), not_running());
    close(fd);
}

/* Somebody looking on is not master. */
TEST(a_shared_lock)
{
    int fd = lock_file(LOCK_SH);

    assert_int_equal(look(), not_running());
    close(fd);
}

TEST(another_kind_of_lock)
{
    int fd = lock_file(0);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    assert_int_equal(look(), not_running());
    close(fd);
}

/* The lock is never taken: neither its holder nor anyone who wants it notices. */
TEST(no_lock_is_taken)
{
    int fd = lock_file(0);
    int other = open(fixture_path("pid/master.pid"), O_RDWR | O_CLOEXEC);

    (void)look();
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
    close(fd);
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

TEST(what_cannot_be_told)
{
    struct master_locks *locks = master_locks_new(&fixture_no_limits);

    (void)fixture_file("pid", "no directory");
    assert_int_equal(master_state(locks, fixture_root), MASTER_UNKNOWN);
    master_locks_free(locks);
    master_locks_free(NULL);
}
