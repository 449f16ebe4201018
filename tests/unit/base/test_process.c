/* SPDX-License-Identifier: MIT */
/* Child processes: what they get, how they end, and what is left of them. */
#include "base/descriptors.h"
#include "base/process.h"
#include "fixture.h"
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* Far more than anything here takes on a loaded machine. */
#define PATIENCE 60

/* A string for an array of arguments. */
#define WORD(text) (char *)(void *)(uintptr_t)(text)

/* A child that runs a shell script; argv is static, so eight at a time. */
static struct process shell(const char *script, enum process_streams streams)
{
    static const char *argv[8][4];
    static size_t next;
    const char **slot = argv[next++ % 8];

    slot[0] = "sh";
    slot[1] = "-c";
    slot[2] = script;
    slot[3] = NULL;
    return (struct process){
        .program = "/bin/sh", .argv = (char *const *)(void *)slot, .streams = streams};
}

static struct process *const *list(struct process *children, size_t number)
{
    static struct process *all[1024];

    assert_true(number <= COUNT(all));
    for (size_t i = 0; i < number; i++)
        all[i] = &children[i];
    return all;
}

typedef void observer(void *context, enum process_event event, struct process *child);

/* Runs them, for so many seconds at most, or 0. */
static void run_observed(struct process *children, size_t number, int parallel, int seconds,
                         observer *observe, void *context)
{
    const struct limits limits = {.end = seconds == 0 ? CLOCK_NEVER
                                                      : clock_after(clock_now(), seconds)};

    process_run(&(struct process_batch){.processes = list(children, number),
                                        .count = number,
                                        .parallel = parallel,
                                        .limits = &limits,
                                        .observe = observe,
                                        .context = context});
}

static void run(struct process *children, size_t number, int parallel, int seconds)
{
    run_observed(children, number, parallel, seconds, NULL, NULL);
}

/* Compares its output, and frees it. */
static void assert_text(struct process *child, const char *expected)
{
    assert_string_equal(utstring_body(&child->output.text), expected);
    process_free(child);
}

static struct process run_shell(const char *script)
{
    struct process child = shell(script, PROCESS_CAPTURE);

    run(&child, 1, 1, 0);
    return child;
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* Those that became our children while their group was ended. */
static void reap_adopted(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

TEST(ends)
{
    static const struct {
        const char *script;
        int exit_status;
        int signal;
    } table[] = {
        {"exit 0", 0, 0},
        {"exit 7", 7, 0},
        {"exit 255", 255, 0},
        {"kill -TERM $$", -1, SIGTERM},
        {"kill -KILL $$", -1, SIGKILL},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct process child = run_shell(table[i].script);

        assert_int_equal(child.outcome, PROCESS_ENDED);
        assert_int_equal(child.exit_status, table[i].exit_status);
        assert_int_equal(child.signal, table[i].signal);
        assert_true(child.finished >= child.started);
        process_free(&child);
    }
    assert_no_children();
}

TEST(not_started)
{
    char *const argv[] = {WORD("x"), NULL};
    struct process children[] = {
        {.program = "/nonexistent", .argv = argv, .streams = PROCESS_CAPTURE},
        {.program = "/etc/passwd", .argv = argv, .streams = PROCESS_CAPTURE},
        shell("echo on", PROCESS_CAPTURE),
    };

    run(children, 3, 1, 0);
    assert_int_equal(children[0].outcome, PROCESS_NOT_STARTED);
    assert_int_equal(children[0].error, ENOENT);
    assert_int_equal(children[0].exit_status, -1);
    assert_int_equal(children[1].error, EACCES);
    assert_int_equal(children[2].outcome, PROCESS_ENDED);
    assert_text(&children[2], "on\n");
    process_free(&children[0]);
    process_free(&children[1]);
    assert_no_children();
}

TEST(output)
{
    struct process both = run_shell("echo out; echo err >&2; cat; printf 'a\\0b'");

    assert_int_equal(utstring_len(&both.output.text), 7);
    assert_memory_equal(utstring_body(&both.output.text), "out\na\0b", 7);
    assert_string_equal(utstring_body(&both.errors.text), "err\n");
    process_free(&both);
}

/* Compares what is kept with what a shell writes, and its length. */
static void assert_kept(const struct process *child, const char *script, size_t length)
{
    char *expected = alloc_bytes(length + 1), *kept = alloc_bytes(length + 1);
    FILE *shell_output = popen(script, "r");
    size_t at = 0, count;

    assert_int_equal(child->output.length, length);
    assert_true(fread(expected, 1, length, shell_output) == length);
    (void)pclose(shell_output);
    while ((count = capture_read(&child->output, at, kept + at, 5000)) > 0)
        at += count;
    assert_int_equal(at, length);
    assert_memory_equal(kept, expected, length);
    free(expected);
    free(kept);
}

/* What is longer than memory is to hold is in a file without a name. */
TEST(output_of_any_length)
{
    static const char script[] = "seq 1000000";
    struct rusage before, after;

    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    struct process child = run_shell(script);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_kept(&child, script, 6888896);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4 * 1024);
    assert_int_equal(utstring_len(&child.output.text), CAPTURE_MEMORY);
    assert_false(child.output.truncated);
    assert_null(process_failure(&child, &fixture_no_limits));
    process_free(&child);
    child = run_shell("head -c 262144 /dev/zero | tr '\\0' x");
    assert_kept(&child, "head -c 262144 /dev/zero | tr '\\0' x", CAPTURE_MEMORY);
    process_free(&child);
}

TEST(output_is_bounded)
{
    struct process child = shell("seq 1000000; exit 3", PROCESS_CAPTURE);

    child.output_maximum = 300000;
    run(&child, 1, 1, 0);
    assert_kept(&child, "seq 1000000", 300000);
    assert_true(child.output.truncated);
    assert_int_equal(child.exit_status, 3);
    process_free(&child);
    child = shell("seq 1000000 | head -c 300000", PROCESS_CAPTURE);
    child.output_maximum = 300000;
    run(&child, 1, 1, 0);
    assert_false(child.output.truncated);
    process_free(&child);
}

static void assert_not_kept(const char *reason, size_t length)
{
    struct process child = run_shell("seq 1000000");
    char *failure = process_failure(&child, &fixture_no_limits);

    assert_string_equal(failure, reason);
    assert_kept(&child, "seq 1000000", length);
    free(failure);
    process_free(&child);
}

/* It has failed if its output could not be kept; the beginning is there. */
TEST(output_without_room)
{
    struct rlimit limit, small;

    assert_int_equal(setenv("TMPDIR", fixture_path("nosuch"), 1), 0);
    assert_not_kept("output cannot be kept in a temporary file: No such file or directory",
                    CAPTURE_MEMORY);
    assert_int_equal(setenv("TMPDIR", fixture_root, 1), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_not_kept("output cannot be kept in a temporary file: File too large", CAPTURE_MEMORY);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

/* A daemon that keeps the pipe open does not keep us. */
TEST(done_when_the_process_ends)
{
    struct process child = run_shell("echo started; setsid sleep 1000 & echo $!");
    int daemon = 0;

    assert_int_equal(sscanf(utstring_body(&child.output.text), "started\n%d", &daemon), 1);
    assert_true(clock_now() - child.started < PATIENCE * CLOCK_SECOND);
    assert_int_equal(kill(daemon, SIGKILL), 0); /* it was left alone */
    process_free(&child);
}

TEST(surroundings)
{
    /* glibc's own signals, 32 and 33, are ignored in what posix_spawn(3) has started: make does. */
    static const char script[] =
        "umask; ulimit -Sn; ls /proc/self/fd | tr '\\n' ' '; echo;"
        "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t' | sed 's/00000018/00000000/';"
        "echo \"$A-$B-$HOME-\"";
    sigset_t blocked;
    UT_array *settings;
    char *const environment[] = {WORD("A=1"), WORD("B=2"), NULL};

    (void)fixture_limit_descriptors(300);
    assert_null(descriptors_start());
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
    const char *path = fixture_file("script", "echo \"$1\"\n");
    char *const argv[] = {WORD(path), WORD("a b"), NULL};
    struct process child = {.program = path, .argv = argv, .streams = PROCESS_CAPTURE};

    assert_int_equal(chmod(path, 0700), 0);
    run(&child, 1, 1, 0);
    assert_int_equal(child.exit_status, 0);
    assert_text(&child, "a b\n");
}

static bool is_null_missing;

static const char *unless_null(const char *path)
{
    if (!is_null_missing || strcmp(path, "/dev/null") != 0)
        return path;
    errno = EACCES;
    return NULL;
}

FIXTURE_OPEN(unless_null)

/* A child that should read from /dev/null, or write to it, does not get our stream instead. */
TEST(no_null_device)
{
    struct process children[] = {shell("echo on", PROCESS_CAPTURE),
                                 shell("echo on", PROCESS_CAPTURE)};

    children[1].inherits_input = true;
    is_null_missing = true;
    run(children, 2, 1, 0);
    is_null_missing = false;
    assert_int_equal(children[0].outcome, PROCESS_NOT_STARTED);
    assert_int_equal(children[0].error, ENODEV);
    process_free(&children[0]);
    assert_int_equal(children[1].outcome, PROCESS_ENDED); /* needs none */
    assert_text(&children[1], "on\n");
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
    if (getenv("EMULATOR") != NULL)
        skip(); /* qemu-user does not limit memory */
    struct process child = shell("pwd; ulimit -v; ulimit -t", PROCESS_CAPTURE);

    child.memory = (rlim_t)1 << 30;
    child.processor_time = 7;
    assert_int_equal(chdir(fixture_root), 0);
    run(&child, 1, 1, 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(child.exit_status, 0);
    assert_text(&child, "/\n1048576\n7\n");
}

/* Too much computing, or memory, is the child's end. */
TEST(limits_hold)
{
    if (getenv("EMULATOR") != NULL)
        skip(); /* qemu-user does not limit memory */
    struct process child = shell("while :; do :; done", PROCESS_CAPTURE);

    child.memory = (rlim_t)64 << 20;
    child.processor_time = 1;
    run(&child, 1, 1, 0);
    assert_int_equal(child.outcome, PROCESS_ENDED);
    assert_true(child.signal == SIGKILL || child.signal == SIGXCPU);
    process_free(&child);
    child = shell("head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null", PROCESS_CAPTURE);
    child.memory = (rlim_t)64 << 20;
    child.processor_time = 1;
    run(&child, 1, 1, 0);
    assert_true(child.exit_status > 0);
    process_free(&child);
}

/* A child that is confined ends with its parent, even one that is killed. */
TEST(ends_with_us)
{
    char line[32] = "";
    int output[2];

    assert_int_equal(pipe2(output, 0), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct process child = shell("echo $$; exec sleep 1000", PROCESS_INHERIT);
        child.memory = (rlim_t)1 << 30;
        child.processor_time = 60;
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

/* One after the other, or two at once. */
TEST(order_and_parallel)
{
    for (int parallel = 1; parallel <= 2; parallel++) {
        struct process children[4];

        for (size_t i = 0; i < 4; i++)
            children[i] = shell("sleep 0.3", PROCESS_INHERIT);
        run(children, 4, parallel, 0);
        for (size_t i = 1; i < 4; i++)
            assert_true(parallel == 2 || children[i].started >= children[i - 1].finished);
        assert_true(children[2].started >= children[0].finished ||
                    children[2].started >= children[1].finished);
        assert_true(parallel == 1 || children[1].started < children[0].finished);
        assert_true(children[3].finished - children[3].started > CLOCK_SECOND / 4);
    }
}

TEST(time_limit_is_polite)
{
    struct process children[] = {
        shell("exec 2>/dev/null; trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done",
              PROCESS_CAPTURE),
        shell("echo never", PROCESS_CAPTURE),
    };

    run(children, 2, 1, 1);
    assert_int_equal(children[0].outcome, PROCESS_TIMED_OUT);
    assert_int_equal(children[0].exit_status, 0);
    assert_text(&children[0], "bye\n");
    assert_int_equal(children[1].outcome, PROCESS_PENDING);
    assert_int_equal(children[1].started, 0);
    process_free(&children[1]);
    assert_no_children();
}

TEST(time_limit_kills_the_group)
{
    struct process children[] = {
        /* the first process goes when asked, one that it started does not */
        shell("(trap '' TERM; echo $$; exec sh -c 'echo $$; exec sleep 1000') &"
              "wait; sleep 1000",
              PROCESS_CAPTURE),
        shell("trap '' TERM; while :; do sleep 1000; done", PROCESS_CAPTURE),
        shell("kill -STOP $$", PROCESS_CAPTURE),
        shell("exit 5", PROCESS_CAPTURE),
    };
    int parent = 0, grandchild = 0;

    run(children, 4, 4, 1);
    assert_int_equal(
        sscanf(utstring_body(&children[0].output.text), "%d\n%d", &parent, &grandchild), 2);
    assert_true(fixture_ends_soon(grandchild));
    assert_int_equal(children[0].outcome, PROCESS_TIMED_OUT);
    assert_int_equal(children[0].signal, SIGTERM);
    assert_int_equal(children[1].outcome, PROCESS_TIMED_OUT);
    assert_int_equal(children[1].signal, SIGKILL);
    assert_int_equal(children[2].signal, SIGTERM);
    assert_int_equal(children[3].outcome, PROCESS_ENDED);
    assert_int_equal(children[3].exit_status, 5);
    for (size_t i = 0; i < 4; i++)
        process_free(&children[i]);
    reap_adopted();
}

/* Traces the process without ever waiting for it: the tracer alone is told of its end. Returns the
 * tracer, or -1 where nothing may be traced. */
static pid_t trace(pid_t process)
{
    int ready[2];
    char byte = 0;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        byte = ptrace(PTRACE_SEIZE, process, NULL, NULL) == 0;
        (void)!write(ready[1], &byte, 1);
        while (byte == 1)
            (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    if (byte == 1)
        return tracer;
    assert_int_equal(waitpid(tracer, NULL, 0), tracer);
    return -1;
}

static pid_t tracer;

static void trace_first(void *context, enum process_event event, struct process *child)
{
    (void)context;
    if (event == PROCESS_WAITING && tracer == 0)
        tracer = trace(child == NULL ? ((struct process *)context)->pid : child->pid);
}

/* Returns whether the run ended within a second after its time; a busy machine is late. */
static bool leave_in_time(void)
{
    struct process children[] = {
        shell("echo here; sleep 1000", PROCESS_CAPTURE),
        shell("sleep 1000", PROCESS_CAPTURE),
    };

    tracer = 0;
    run_observed(children, 2, 2, 2, trace_first, children);
    bool was_in_time = clock_now() < clock_after(children[0].started, 3);
    if (tracer < 0)
        skip();
    assert_int_equal(children[0].outcome, PROCESS_LEFT);
    char *failure = process_failure(&children[0], &(struct limits){.seconds = 2});
    assert_string_equal(failure, "not finished within 2s and could not be ended");
    free(failure);
    assert_text(&children[0], "here\n");
    assert_int_equal(children[1].outcome, PROCESS_TIMED_OUT);
    process_free(&children[1]);
    fixture_kill(tracer);
    assert_int_equal(waitpid(children[0].pid, NULL, 0), children[0].pid);
    reap_adopted();
    return was_in_time;
}

/* Neither SIGTERM nor SIGKILL lets the program wait any longer for what does not go. */
TEST(left)
{
    bool was_in_time = false;

    for (int i = 0; i < 5 && !was_in_time; i++)
        was_in_time = leave_in_time();
    assert_true(was_in_time);
}

static void terminate(int number)
{
    (void)number;
    (void)raise(SIGTERM);
}

/* SIGTERM arrives after a while, again and again. */
static void interrupt_soon(void)
{
    struct itimerval timer = {{0, 200000}, {1, 0}};

    signals_start();
    signals_catch();
    (void)signal(SIGALRM, terminate);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void interrupt_no_more(void)
{
    struct itimerval timer = {{0, 0}, {0, 0}};

    (void)setitimer(ITIMER_REAL, &timer, NULL);
    assert_int_equal(signals_received(), SIGTERM);
    signals_start();
}

TEST(interrupted)
{
    struct process children[] = {
        /* waits for the second signal */
        shell("exec 2>/dev/null; n=0; trap 'n=$((n+1)); [ $n -lt 2 ] || { echo twice; exit 3; }' "
              "TERM;"
              "while :; do sleep 0.02; done",
              PROCESS_CAPTURE),
        /* a flood of output does not keep the signal out */
        shell("yes", PROCESS_CAPTURE),
        shell("echo never", PROCESS_CAPTURE),
    };

    interrupt_soon();
    run(children, 3, 2, PATIENCE);
    interrupt_no_more();
    assert_int_equal(children[0].outcome, PROCESS_INTERRUPTED);
    assert_int_equal(children[0].exit_status, 3);
    assert_text(&children[0], "twice\n");
    assert_int_equal(children[1].outcome, PROCESS_INTERRUPTED);
    assert_int_equal(children[1].signal, SIGTERM);
    process_free(&children[1]);
    assert_int_equal(children[2].outcome, PROCESS_PENDING);
    assert_no_children();
}

/* Ignored, SIGCHLD would leave no status; blocked, it would end no wait. */
TEST(inherited_signal)
{
    sigset_t blocked, now;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    for (int i = 0; i < 4; i++) {
        struct process children[] = {
            shell("exit 3", PROCESS_CAPTURE),
            shell("kill -KILL $$", PROCESS_INHERIT), /* no output that ends with it */
        };

        (void)signal(SIGCHLD, i & 1 ? SIG_IGN : SIG_DFL);
        (void)sigprocmask(i & 2 ? SIG_BLOCK : SIG_UNBLOCK, &blocked, NULL);
        run(children, 2, 1, 0);
        assert_int_equal(children[0].exit_status, 3);
        assert_int_equal(children[1].signal, SIGKILL);
        process_free(&children[0]);
        (void)sigprocmask(SIG_BLOCK, NULL, &now); /* as it was */
        assert_int_equal(sigismember(&now, SIGCHLD), i & 2 ? 1 : 0);
    }
    (void)sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

/* Waits for all other children, and so takes their status. */
static void steal(void *context, enum process_event event, struct process *child)
{
    (void)context;
    (void)child;
    while (event == PROCESS_FINISHED && waitpid(-1, NULL, 0) > 0)
        ;
}

TEST(lost_status)
{
    struct process children[] = {shell("exit 0", PROCESS_CAPTURE),
                                 shell("sleep 0.3; echo on", PROCESS_CAPTURE)};

    run_observed(children, 2, 2, 0, steal, NULL);
    assert_int_equal(children[0].outcome, PROCESS_ENDED);
    assert_int_equal(children[1].outcome, PROCESS_ENDED);
    assert_int_equal(children[1].exit_status, -1);
    process_free(&children[0]);
    assert_text(&children[1], "on\n");
}

/* A callback that waits admits SIGCHLD: the wait that follows must not miss it. */
static void wait_for_signals(void *context, enum process_event event, struct process *child)
{
    sigset_t none;

    (void)context;
    (void)child;
    if (event != PROCESS_FINISHED)
        return;
    sigemptyset(&none);
    for (int64_t end = clock_after(clock_now(), 1); clock_now() < end;)
        (void)ppoll(NULL, 0, &(struct timespec){.tv_nsec = 100000000}, &none);
}

TEST(signal_during_callback)
{
    struct process children[] = {shell("sleep 0.2", PROCESS_INHERIT),
                                 shell("exit 0", PROCESS_INHERIT)};

    run_observed(children, 2, 2, 20, wait_for_signals, NULL);
    assert_int_equal(children[0].outcome, PROCESS_ENDED);
    assert_int_equal(children[1].outcome, PROCESS_ENDED);
}

/* Orphans are waited for no longer than they live. */
TEST(time_limit_is_kept)
{
    bool was_in_time = false;

    for (int i = 0; i < 5 && !was_in_time; i++) {
        struct process child = shell("sleep 1000 & wait", PROCESS_CAPTURE);
        int64_t before = clock_now();

        run(&child, 1, 1, 1);
        was_in_time = clock_now() < clock_after(before, 1) + CLOCK_SECOND / 2;
        process_free(&child);
        reap_adopted();
    }
    assert_true(was_in_time);
}

static int stops;

static void note_stop(void *context, enum process_event event, struct process *child)
{
    (void)context;
    if (event != PROCESS_STOPPED)
        return;
    assert_int_equal(child->stopped_by, SIGTTOU);
    stops++;
    if (stops == 1)
        (void)kill(child->pid, SIGCONT); /* as an administrator would */
}

TEST(stopped)
{
    struct process children[] = {
        shell("kill -TTOU $$; exit 4", PROCESS_INHERIT),
        /* stops again, and again, whatever it is sent */
        shell("trap 'kill -TTIN $$' TERM; kill -TTOU $$; sleep 1000", PROCESS_INHERIT),
    };

    stops = 0;
    run_observed(children, 2, 1, 1, note_stop, NULL);
    assert_int_equal(stops, 2);
    assert_int_equal(children[0].outcome, PROCESS_ENDED);
    assert_int_equal(children[0].exit_status, 4);
    assert_int_equal(children[1].outcome, PROCESS_TIMED_OUT);
    assert_int_equal(children[1].signal, SIGKILL);
    assert_int_equal(children[1].stopped_by, SIGTTIN);
    reap_adopted();
}

/* A signal that is passed on reaches a child that is stopped. */
TEST(stopped_and_interrupted)
{
    struct process child = shell("kill -STOP $$; echo on; sleep 1000", PROCESS_CAPTURE);

    interrupt_soon();
    run(&child, 1, 1, PATIENCE);
    interrupt_no_more();
    assert_int_equal(child.outcome, PROCESS_INTERRUPTED);
    assert_int_equal(child.signal, SIGTERM);
    assert_text(&child, "");
}

/* More at once than there are descriptors for. */
TEST(holds_back)
{
    enum { MANY = 20 };
    static struct process children[MANY];
    struct rlimit before = fixture_limit_descriptors(24);

    for (size_t i = 0; i < MANY; i++)
        children[i] =
            shell("sleep 0.1; echo on", i % 2 == 0 ? PROCESS_CAPTURE : PROCESS_CAPTURE_AS_TERMINAL);
    for (size_t i = 0; i < MANY; i++)
        children[i].argv = children[0].argv;
    run(children, MANY, MANY, PATIENCE);
    fixture_restore_descriptors(before);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(children[i].outcome, PROCESS_ENDED);
        assert_int_equal(children[i].exit_status, 0);
        assert_text(&children[i], "on\n");
    }
    assert_no_children();
}

static void note_waiting(void *context, enum process_event event, struct process *child)
{
    int64_t *last = context, now = clock_now();

    if (event != PROCESS_WAITING)
        return;
    assert_null(child);
    assert_true(now - *last >= CLOCK_SECOND);
    *last = now;
}

TEST(waiting)
{
    int64_t before = clock_now(), last = before;
    struct process child = shell("sleep 1.2", PROCESS_CAPTURE);

    run_observed(&child, 1, 1, 0, note_waiting, &last);
    assert_true(last > before);
    process_free(&child);
}

/* Appends which child has ended. */
static void remember(void *context, enum process_event event, struct process *child)
{
    UT_string *order = context;

    if (event != PROCESS_FINISHED)
        return;
    utstring_printf(order, "%s ", child->argv[2]);
    if (utstring_len(order) == strlen("exit 1 /none "))
        (void)fixture_file("two", "");
}

TEST(tells_of_ends)
{
    char *last = alloc_format("for i in $(seq 600); do [ -e %s ] && exit; sleep 0.1; done",
                              fixture_path("two"));
    struct process children[] = {shell(last, PROCESS_CAPTURE), shell("exit 1", PROCESS_CAPTURE),
                                 shell("/none", PROCESS_CAPTURE)};
    UT_string order;

    utstring_init(&order);
    children[2].program = "/none";
    run_observed(children, 3, 3, 0, remember, &order);
    fixture_assert_text(utstring_body(&order), "/none exit 1 %s ", last);
    for (size_t i = 0; i < 3; i++) {
        process_free(&children[i]);
        process_free(&children[i]); /* once is enough, twice is harmless */
    }
    utstring_done(&order);
    free(last);
}

/* What the children of a test wrote, line by line: "CHILD: LINE;", standard error in brackets. */
struct heard {
    UT_string text;
    const struct process *children;
    size_t longest;
};

static void hear(struct process *child, bool is_error, const char *text, size_t length)
{
    struct heard *heard = child->owner;

    if (length > heard->longest)
        heard->longest = length;
    utstring_printf(&heard->text, is_error ? "[%zu: %.*s];" : "%zu: %.*s;",
                    (size_t)(child - heard->children), (int)(length > 100 ? 100 : length), text);
}

static struct process line_shell(const char *script, struct heard *heard)
{
    struct process child = shell(script, PROCESS_CAPTURE);

    child.line = hear;
    child.owner = heard;
    return child;
}

/* Runs them, and compares the lines. */
static void assert_lines(struct process *children, size_t number, int parallel, bool in_turn,
                         const char *expected)
{
    struct heard *heard = children->owner;

    heard->children = children;
    utstring_init(&heard->text);
    process_run(&(struct process_batch){.processes = list(children, number),
                                        .count = number,
                                        .parallel = parallel,
                                        .in_turn = in_turn,
                                        .limits = &fixture_no_limits});
    assert_string_equal(utstring_body(&heard->text), expected);
    utstring_done(&heard->text);
}

TEST(lines)
{
    struct heard heard = {.longest = 0};
    struct process child = line_shell(
        "printf 'a\\n\\n'; sleep 0.1; printf 'b'; sleep 0.1; printf ' c\\nd\\0e\\nhalf'", &heard);

    assert_lines(&child, 1, 1, false, "0: a;0: ;0: b c;0: d;");
    assert_int_equal(heard.longest, 3);
    assert_false(child.output.truncated);
    assert_text(&child, "half");
}

static struct limits shortened;

static void have_enough(struct process *child, bool is_error, const char *text, size_t length)
{
    (void)child;
    (void)is_error;
    (void)text;
    (void)length;
    shortened.end = clock_now();
}

/* As where nobody reads what is listed. */
TEST(a_callback_brings_the_end_nearer)
{
    struct process child = shell("exec yes", PROCESS_CAPTURE);

    shortened.end = clock_after(clock_now(), PATIENCE);
    child.line = have_enough;
    process_run(&(struct process_batch){
        .processes = list(&child, 1), .count = 1, .parallel = 1, .limits = &shortened});
    assert_int_equal(child.outcome, PROCESS_TIMED_OUT);
    assert_true(child.finished - child.started < PATIENCE * CLOCK_SECOND / 2);
    process_free(&child);
}

/* 100 MB without a newline: dropped, and the lines around it are there. */
TEST(a_line_that_is_too_long)
{
    struct heard heard = {.longest = 0};
    struct process child = line_shell(
        "echo a; head -c 100000000 /dev/zero; echo; echo b; sleep 0.1; echo c >&2", &heard);
    struct rusage before, after;

    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_lines(&child, 1, 1, false, "0: a;0: b;[0: c];");
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_int_equal(heard.longest, 1);
    assert_true(child.output.truncated);
    assert_false(child.errors.truncated);
    assert_true(after.ru_maxrss - before.ru_maxrss < 80 * 1024);
    process_free(&child);
}

TEST(input_from_us)
{
    char *text = fixture_repeat("a line of text\n", 100000); /* more than a pipe holds */
    struct process child = shell("wc -lc", PROCESS_CAPTURE);
    UT_string input;

    utstring_init(&input);
    utstring_bincpy(&input, text, strlen(text));
    child.input = &input;
    run(&child, 1, 1, 0);
    assert_int_equal(child.exit_status, 0);
    assert_text(&child, " 100000 1500000\n");
    utstring_done(&input);
    free(text);
}

/* In the order of the array. One that writes nothing for a second does not keep the others waiting.
 */
TEST(in_turn)
{
    struct heard heard = {.longest = 0};
    struct process children[] = {
        line_shell("sleep 0.2; echo a; sleep 0.3; echo b", &heard),
        line_shell("echo c; exit 3", &heard),
        line_shell("sleep 0.1; echo d", &heard),
    };
    struct process silent[] = {
        line_shell("sleep 3; echo a", &heard),
        line_shell("echo b; sleep 0.3; echo c; sleep 0.3; echo d", &heard),
        line_shell("echo e", &heard),
    };

    assert_lines(children, 3, 3, true, "0: a;0: b;1: c;2: d;");
    assert_int_equal(children[1].exit_status, 3);
    assert_lines(silent, 3, 2, true, "1: b;1: c;1: d;2: e;0: a;");
    for (size_t i = 0; i < COUNT(children); i++) {
        process_free(&children[i]);
        process_free(&silent[i]);
    }
}
