/* SPDX-License-Identifier: MIT */
/* Whether a mail system runs: master's lock, looked up and never taken. */
#include "base/clock.h"
#include "fixture.h"
#include "postfix/master.h"
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static enum master_state look(void)
{
    struct master_locks *locks = master_locks_new();
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

/* What is said of a mail system that does not run but may have run: in a PID namespace other than
 * the first one, /proc/locks does not show all locks. */
static enum master_state not_running(void)
{
    char namespace[64] = "";

    assert_true(readlink("/proc/self/ns/pid", namespace, sizeof(namespace) - 1) > 0);
    return strcmp(namespace, "pid:[4026531836]") == 0 ? MASTER_STOPPED : MASTER_UNKNOWN;
}

static void test_nothing_there(void **state)
{
    (void)state;
    assert_int_equal(look(), MASTER_STOPPED);
    (void)fixture_directory("pid");
    assert_int_equal(look(), MASTER_STOPPED);
}

static void test_not_locked(void **state)
{
    (void)state;
    int fd = lock_file(0);

    assert_int_equal(look(), not_running());
    close(fd);
}

static void test_locked(void **state)
{
    (void)state;
    int fd = lock_file(LOCK_EX);

    assert_int_equal(look(), MASTER_RUNNING);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    assert_int_equal(look(), not_running());
    close(fd);
}

/* Somebody looking on is not master. */
static void test_a_shared_lock(void **state)
{
    (void)state;
    int fd = lock_file(LOCK_SH);

    assert_int_equal(look(), not_running());
    close(fd);
}

static void test_another_kind_of_lock(void **state)
{
    (void)state;
    int fd = lock_file(0);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    assert_int_equal(look(), not_running());
    close(fd);
}

/* The lock is never taken: whoever holds it, or wants it, does not notice. */
static void test_no_lock_is_taken(void **state)
{
    (void)state;
    int fd = lock_file(0);
    int other = open(fixture_path("pid/master.pid"), O_RDWR | O_CLOEXEC);

    (void)look();
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
    close(fd);
}

/* Takes locks and drops them again, all in a row, so that the entries of others move. */
static pid_t start_locking(void)
{
    pid_t child = fork();
    int files[300];

    if (child != 0)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        files[i] = memfd_create("lock", MFD_CLOEXEC);
    for (int operation = LOCK_EX;; operation = operation == LOCK_EX ? LOCK_UN : LOCK_EX)
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
            (void)flock(files[i], operation);
}

/* One reading in two hundred does not show the lock then. */
static void test_while_others_lock(void **state)
{
    (void)state;
    int fd = lock_file(LOCK_EX);
    pid_t children[] = {start_locking(), start_locking()};
    int64_t end = clock_after(clock_now(), 2);

    while (clock_now() < end)
        assert_int_equal(look(), MASTER_RUNNING);
    for (size_t i = 0; i < 2; i++) {
        (void)kill(children[i], SIGKILL);
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    }
    close(fd);
}

static void test_what_cannot_be_told(void **state)
{
    (void)state;
    struct master_locks *locks = master_locks_new();

    (void)fixture_file("pid", "no directory");
    assert_int_equal(master_state(locks, fixture_root), MASTER_UNKNOWN);
    master_locks_free(locks);
    master_locks_free(NULL);
}

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(master_state_text(MASTER_RUNNING), "y");
    assert_string_equal(master_state_text(MASTER_STOPPED), "n");
    assert_string_equal(master_state_text(MASTER_UNKNOWN), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_nothing_there),
        FIXTURE_TEST(test_not_locked),
        FIXTURE_TEST(test_locked),
        FIXTURE_TEST(test_a_shared_lock),
        FIXTURE_TEST(test_another_kind_of_lock),
        FIXTURE_TEST(test_no_lock_is_taken),
        FIXTURE_TEST(test_while_others_lock),
        FIXTURE_TEST(test_what_cannot_be_told),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests_name("master", tests, NULL, NULL);
}
