#include "base/process.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/strings.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is taken of a child's output in one go, so that a flood cannot hold up the others. */
#define READ_BYTES 65536
#define READ_CALLS 16

/* How long to wait between looks, in nanoseconds, should ppoll(2) not work. */
#define WITHOUT_POLL 10000000

/* How often that is looked at for which there is no event: a process group whose first process has
 * ended, and every process where pidfd_open(2) is missing (old kernels, valgrind). */
#define LOOK_INTERVAL (CLOCK_SECOND / 50)

struct state {
    const struct process_batch *run;
    struct process **active; /* started, and not come to their end */
    size_t active_count;
    size_t next;                     /* the first child not yet started */
    bool ending;                     /* nothing more is started */
    sig_atomic_t passed_on;          /* how many of the interruptions */
    int64_t kill_at;                 /* when those that run are killed, once they have been asked */
    bool killed;                     /* that was done */
    enum process_outcome end_reason; /* why they are ended */
};

/* A child that reads from our terminal stays in our process group, or it would be stopped. */
static bool shares_terminal(const struct process *child)
{
    return child->inherits_input && isatty(STDIN_FILENO);
}

static void connect_streams(const struct process *child, int output)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (!child->inherits_input)
        (void)dup2(null, STDIN_FILENO);
    if (child->output == PROCESS_INHERIT)
        return;
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(child->output == PROCESS_BOTH ? output : null, STDERR_FILENO);
}

static char *const *make_environment(const struct process *child)
{
    if (child->environment != NULL)
        environ = (char **)child->environment;
    for (size_t i = 0; child->settings != NULL && i < utarray_len(child->settings); i++)
        if (putenv((char *)strings_item(child->settings, i)) != 0)
            alloc_fail();
    return environ;
}

static _Noreturn void exec_child(const struct process *child, int output, int failure)
{
    sigset_t none;

    if (!shares_terminal(child))
        (void)setpgid(0, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    umask(S_IWGRP | S_IWOTH);
    connect_streams(child, output);
    descriptors_restore_for_child();
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    execve(child->program, child->argv, make_environment(child));
    int error = errno;
    _exit(write(failure, &error, sizeof(error)) == sizeof(error) ? 127 : 126);
}

/* Waits until the child has become the program. Returns 0 or the errno of execve(2). */
static int read_failure(int failure)
{
    int error = 0;
    ssize_t count;

    do
        count = read(failure, &error, sizeof(error));
    while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof(error) ? error : 0;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Forks, with the pipes made. Returns 0 or an errno. */
static int fork_child(struct process *child, int output[2], int failure[2])
{
    child->pid = fork();
    if (child->pid < 0)
        return errno;
    if (child->pid == 0)
        exec_child(child, output[1], failure[1]);
    if (!shares_terminal(child))
        (void)setpgid(child->pid, child->pid); /* whoever of the two comes first */
    close_descriptor(&output[1]);
    close_descriptor(&failure[1]);
    int error = read_failure(failure[0]);
    child->process = error == 0 ? pidfd_open(child->pid, 0) : -1;
    if (error != 0)
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return error;
}

static void announce(const struct state *state, struct process *child)
{
    if (state->run->finished != NULL)
        state->run->finished(state->run->context, child);
}

static void start_child(struct state *state, struct process *child)
{
    int output[2] = {-1, -1}, failure[2] = {-1, -1};
    int error = 0;

    child->started = clock_now();
    child->process = child->pipe = child->exit_status = -1;
    utstring_init(&child->text);
    child->has_text = true;
    if (child->output != PROCESS_INHERIT && pipe2(output, O_CLOEXEC) < 0)
        error = errno;
    if (error == 0 && pipe2(failure, O_CLOEXEC) < 0)
        error = errno;
    if (error == 0)
        error = fork_child(child, output, failure);
    close_descriptor(&output[1]);
    close_descriptor(&failure[0]);
    close_descriptor(&failure[1]);
    if (error != 0) {
        close_descriptor(&output[0]);
        child->outcome = PROCESS_NOT_STARTED;
        child->error = error;
        child->finished = clock_now();
        announce(state, child);
        return;
    }
    child->pipe = output[0];
    if (child->pipe >= 0)
        (void)fcntl(child->pipe, F_SETFL, O_NONBLOCK);
    state->active[state->active_count++] = child;
}

/* Takes what is there, or a good part of it; false at the end of the output. */
static bool read_output(struct process *child)
{
    char text[READ_BYTES];

    for (int i = 0; i < READ_CALLS; i++) {
        ssize_t count = read(child->pipe, text, sizeof(text));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            child->error = errno;
        if (count <= 0)
            return count < 0 && errno == EAGAIN;
        size_t room = PROCESS_OUTPUT_MAXIMUM - utstring_len(&child->text);
        child->truncated = child->truncated || (size_t)count > room;
        utstring_bincpy(&child->text, text, (size_t)count < room ? (size_t)count : room);
    }
    return true;
}

/* The process has ended. */
static void reap(const struct state *state, struct process *child)
{
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (child->pipe >= 0)
        (void)read_output(child);
    close_descriptor(&child->pipe);
    close_descriptor(&child->process);
    child->outcome = child->is_told ? state->end_reason : PROCESS_ENDED;
    child->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    child->finished = clock_now();
}

/* Whether the process has ended although that was not yet looked at. */
static bool has_ended(const struct process *child)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child->pid;
}

static void signal_child(struct process *child, int number)
{
    if (child->outcome == PROCESS_PENDING && !child->is_told && has_ended(child))
        return; /* by itself, and in time */
    child->is_told = true;
    if (!shares_terminal(child))
        (void)kill(-child->pid, number);
    else if (child->outcome == PROCESS_PENDING)
        (void)kill(child->pid, number);
}

static void signal_children(const struct state *state, int number)
{
    for (size_t i = 0; i < state->active_count; i++)
        signal_child(state->active[i], number);
}

/* Whether processes of the child's group are left that have still to be killed. The number of a
 * group is not given to anybody else as long as it has a member, and the kernel goes through all
 * other numbers first. */
static bool leaves_group(const struct state *state, const struct process *child)
{
    return state->kill_at != CLOCK_NEVER && !state->killed && child->is_told &&
           !shares_terminal(child) && kill(-child->pid, 0) == 0;
}

/* Passes on what interrupted us since the last time. */
static void check_interrupted(struct state *state)
{
    const struct process_batch *run = state->run;
    sigset_t previous;

    if (run->limits->interruptions == NULL)
        return;
    /* ppoll(2) lets no signal through when it need not wait: a flood of output would keep it out */
    if (run->limits->wait_mask != NULL &&
        sigprocmask(SIG_SETMASK, run->limits->wait_mask, &previous) == 0)
        (void)sigprocmask(SIG_SETMASK, &previous, NULL);
    if (*run->limits->interruptions == state->passed_on)
        return;
    state->passed_on = *run->limits->interruptions;
    if (!state->ending)
        state->end_reason = PROCESS_STOPPED;
    state->ending = true;
    signal_children(state, *run->limits->interrupted);
}

/* Starts to end what runs: because we are told to, or because the time is over. */
static void check_end(struct state *state, int64_t now)
{
    check_interrupted(state);
    if (now >= state->run->limits->end && state->kill_at == CLOCK_NEVER) {
        if (!state->ending)
            state->end_reason = PROCESS_TIMED_OUT;
        state->ending = true;
        state->kill_at = clock_after(now, PROCESS_GRACE);
        signal_children(state, SIGTERM);
        signal_children(state, SIGCONT); /* one that is stopped could not hear it */
    }
    if (now >= state->kill_at && !state->killed) {
        signal_children(state, SIGKILL);
        state->killed = true;
    }
}

/* Takes those out of the active ones that have come to their end. */
static void sweep(struct state *state)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->active_count; i++) {
        struct process *child = state->active[i];

        if (child->outcome == PROCESS_PENDING || leaves_group(state, child))
            state->active[kept++] = child;
        else
            announce(state, child);
    }
    state->active_count = kept;
}

/* When something has to be done although no child moves. */
static int64_t find_due(const struct state *state, int64_t now)
{
    int64_t due = state->run->limits->end;

    if (state->kill_at != CLOCK_NEVER)
        due = state->killed ? CLOCK_NEVER : state->kill_at;
    for (size_t i = 0; i < state->active_count; i++)
        if (state->active[i]->process < 0 && due > now + LOOK_INTERVAL)
            due = now + LOOK_INTERVAL;
    return due;
}

/* Waits until something happens. polls has two places for each child that is active. */
static void wait_once(struct state *state, struct pollfd *polls)
{
    int64_t now = clock_now();
    int milliseconds = clock_poll_timeout(now, find_due(state, now));
    struct timespec timeout = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

    for (size_t i = 0; i < state->active_count; i++) {
        struct process *child = state->active[i];

        polls[2 * i] = (struct pollfd){.fd = child->process, .events = POLLIN};
        polls[2 * i + 1] = (struct pollfd){.fd = child->pipe, .events = POLLIN};
    }
    int count = ppoll(polls, state->active_count * 2, milliseconds < 0 ? NULL : &timeout,
                      state->run->limits->wait_mask);
    if (count < 0 && errno == EINTR)
        return; /* the caller looks */
    if (count < 0) {
        memset(polls, 0, state->active_count * 2 * sizeof(*polls));
        (void)nanosleep(&(struct timespec){.tv_nsec = WITHOUT_POLL}, NULL);
    }
    for (size_t i = 0; i < state->active_count; i++) {
        struct process *child = state->active[i];

        if (polls[2 * i + 1].revents != 0 && !read_output(child))
            close_descriptor(&child->pipe);
        if (polls[2 * i].revents != 0 || ((child->process < 0 || count < 0) &&
                                          child->outcome == PROCESS_PENDING && has_ended(child)))
            reap(state, child);
    }
}

void process_run(const struct process_batch *run)
{
    struct state state = {.run = run, .kill_at = CLOCK_NEVER};
    size_t most = run->count < (size_t)run->parallel ? run->count : (size_t)run->parallel;
    struct pollfd *polls = alloc_zeroed(most * 2, sizeof(*polls));

    state.active = alloc_zeroed(most, sizeof(struct process *));
    for (;;) {
        check_end(&state, clock_now());
        sweep(&state);
        while (!state.ending && state.next < run->count && state.active_count < most)
            start_child(&state, &run->processes[state.next++]);
        if (state.active_count == 0 && (state.ending || state.next == run->count))
            break;
        if (state.active_count > 0)
            wait_once(&state, polls);
    }
    free(polls);
    free(state.active);
}

void process_free(struct process *child)
{
    if (child->has_text)
        utstring_done(&child->text);
    child->has_text = false;
}
