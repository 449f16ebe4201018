/* SPDX-License-Identifier: MIT */
/* Starting a child: what surrounds it, how it is confined, and what cannot be started. */
#include "base/descriptors.h"
#include "base/process.h"
#include "children.h"

TEST(surroundings)
{
    /* glibc's own signals, 32 and 33, are ignored in what posix_spawn(3) has started: make does. */
    static const char script[] =
        "umask; ulimit -Sn; ls /proc/self/fd | tr '\\n' ' '; echo;"
        "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t' | sed 's/00000018/00000000/';"
        "echo \"$A-$B-$HOME-\"";
    struct rlimit limit = {300, 300};
    sigset_t blocked;
    UT_array *settings;
    char *const environment[] = {(char *)(void *)(uintptr_t) "A=1",
                                 (char *)(void *)(uintptr_t) "B=2", NULL};

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 300;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    descriptors_raise_limit();
    int left_open = open("/dev/null", O_RDONLY);
    umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    sigfillset(&blocked);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    utarray_new(settings, &strings_icd);
    strings_append(settings, "B=3=4");
    struct process child = shell(script, PROCESS_CAPTURE);
    child.environment = environment;
    child.settings = settings;
    run(&child, 1, 1, 0);
    (void)sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    (void)signal(SIGHUP, SIG_DFL);
    umask(022);
    close(left_open);
    /* ls has 3 open for the directory */
    assert_text(&child, "0022\n300\n0 1 2 3 \nSigBlk:0000000000000000\n"
                        "SigIgn:0000000000000000\n1-3=4--\n");
    utarray_free(settings);
    assert_null(getenv("B"));
}

/* A script without #! is one of sh(1), as execvp(3) has it. */
TEST(script)
{
    char path[] = "/tmp/postkick-spawn-XXXXXX";
    char *const argv[] = {path, (char *)(void *)(uintptr_t) "a b", NULL};
    static const char text[] = "echo \"$1\"\n";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    struct process child = {.program = path, .argv = argv, .streams = PROCESS_CAPTURE};
    run(&child, 1, 1, 0);
    assert_int_equal(child.exit_status, 0);
    assert_text(&child, "a b\n");
    assert_int_equal(unlink(path), 0);
}

TEST(terminal)
{
    struct process child = shell("test -t 2 && ! test -t 1 || exit;"
                                 "printf 'a\\nb\\tc\\r\\n\\003\\004' >&2; exit 7",
                                 PROCESS_CAPTURE_AS_TERMINAL);

    run(&child, 1, 1, 0);
    assert_int_equal(child.exit_status, 7);
    assert_int_equal(child.errors.error, 0);
    assert_string_equal(utstring_body(&child.errors.text), "a\nb\tc\r\n\003\004");
    process_free(&child);
}

TEST(confinement)
{
    const struct process_confinement confinement = {.directory = "/usr/lib",
                                                    .memory = (rlim_t)1 << 30,
                                                    .processor_time = 7,
                                                    .ends_with_us = true};
    if (getenv("EMULATOR") != NULL)
        skip(); /* qemu-user does not limit memory */
    struct process child = shell("pwd; ulimit -v; ulimit -t", PROCESS_CAPTURE);

    child.confinement = &confinement;
    run(&child, 1, 1, 0);
    assert_int_equal(child.exit_status, 0);
    assert_text(&child, "/usr/lib\n1048576\n7\n");
    const struct process_confinement nowhere = {.directory = "/nonexistent"};
    child.confinement = &nowhere;
    run(&child, 1, 1, 0);
    assert_int_equal(child.outcome, PROCESS_NOT_STARTED);
    assert_int_equal(child.error, ENOENT);
    process_free(&child);
}

/* Too much computing, or memory, is the child's end. */
TEST(limits_hold)
{
    const struct process_confinement confinement = {.memory = (rlim_t)64 << 20,
                                                    .processor_time = 1};
    if (getenv("EMULATOR") != NULL)
        skip(); /* qemu-user does not limit memory */
    struct process child = shell("while :; do :; done", PROCESS_CAPTURE);

    child.confinement = &confinement;
    run(&child, 1, 1, 0);
    assert_int_equal(child.outcome, PROCESS_ENDED);
    assert_true(child.signal == SIGKILL || child.signal == SIGXCPU);
    process_free(&child);
    child = shell("head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null", PROCESS_CAPTURE);
    child.confinement = &confinement;
    run(&child, 1, 1, 0);
    assert_true(child.exit_status > 0);
    process_free(&child);
}

/* A child that is confined ends with its parent, even one that is killed. */
TEST(ends_with_us)
{
    const struct process_confinement confinement = {.ends_with_us = true};
    char line[32] = "";
    int output[2];

    assert_int_equal(pipe2(output, 0), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct process child = shell("echo $$; exec sleep 1000", PROCESS_INHERIT);
        child.confinement = &confinement;
        (void)dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        run(&child, 1, 1, 0);
        _exit(0);
    }
    close(output[1]);
    assert_true(read(output[0], line, sizeof(line) - 1) > 0);
    assert_int_equal(kill((pid_t)atol(line), 0), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(read(output[0], line, sizeof(line)), 0); /* closed by the child's end */
    close(output[0]);
}
