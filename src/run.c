#include "run.h"
#include "descriptors.h"
#include "monotonic.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is taken of a child's output in one go, so that a flood cannot hold up the others. */
#define READ_BYTES 65536
#define READ_CALLS 16

struct state {
    const struct run *run;
    size_t next; /* the first child not yet started */
    size_t running;
    bool ending;             /* nothing more is started */
    int64_t kill_at;         /* when those that run are killed, once they have been asked */
    enum run_outcome reason; /* why they are ended */
};

/* A child that shares our terminal stays in our process group, or it could not read from it and
 * would not stop and go on with us. */
static bool shares_terminal(const struct run_child *child)
{
    return child->output == RUN_INHERIT && isatty(STDIN_FILENO);
}

static _Noreturn void exec_child(const struct run_child *child, int output, int failure)
{
    sigset_t none;
    int null = -1;

    if (!shares_terminal(child))
        (void)setpgid(0, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    umask(S_IWGRP | S_IWOTH);
    if (child->output != RUN_INHERIT) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(output, STDOUT_FILENO);
        (void)dup2(child->output == RUN_BOTH ? output : null, STDERR_FILENO);
    }
    descriptors_restore_for_child();
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    execve(child->program, child->argv, child->environment);
    int error = errno;
    ssize_t written = write(failure, &error, sizeof(error));
    (void)written;
    _exit(127);
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
static int fork_child(struct run_child *child, int output[2], int failure[2])
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
    if (error == 0 && child->process < 0) {
        error = errno;
        (void)kill(child->pid, SIGKILL);
    }
    if (error != 0)
        (void)waitpid(child->pid, NULL, 0);
    return error;
}

static void start_child(struct state *state, struct run_child *child)
{
    int output[2] = {-1, -1}, failure[2] = {-1, -1};
    int error = 0;

    child->started = monotonic_now();
    child->process = child->pipe = -1;
    utstring_init(&child->text);
    if (child->output != RUN_INHERIT && pipe2(output, O_CLOEXEC) < 0)
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
        child->outcome = RUN_NOT_FOUND;
        child->error = error;
        child->finished = monotonic_now();
        return;
    }
    child->pipe = output[0];
    if (child->pipe >= 0)
        (void)fcntl(child->pipe, F_SETFL, O_NONBLOCK);
    state->running++;
}

/* Takes what is there, or a good part of it; false at the end of the output. */
static bool read_output(struct run_child *child)
{
    char text[READ_BYTES];

    for (int i = 0; i < READ_CALLS; i++) {
        ssize_t count = read(child->pipe, text, sizeof(text));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN;
        if (count == 0)
            return false;
        size_t room = RUN_OUTPUT_MAXIMUM - utstring_len(&child->text);
        utstring_bincpy(&child->text, text, (size_t)count < room ? (size_t)count : room);
    }
    return true;
}

static void reap(struct state *state, struct run_child *child)
{
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (child->pipe >= 0)
        (void)read_output(child);
    close_descriptor(&child->pipe);
    close_descriptor(&child->process);
    child->outcome = child->terminated ? state->reason : RUN_ENDED;
    child->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    child->finished = monotonic_now();
    state->running--;
}

static bool is_running(const struct run_child *child)
{
    return child->outcome == RUN_PENDING && child->started != 0;
}

static void signal_children(const struct state *state, int number)
{
    for (size_t i = 0; i < state->next; i++) {
        struct run_child *child = &state->run->children[i];

        if (!is_running(child))
            continue;
        child->terminated = true;
        (void)kill(shares_terminal(child) ? child->pid : -child->pid, number);
    }
}

/* Starts to end what runs: because we are told to, or because the time is over. */
static void check_end(struct state *state, int64_t now)
{
    const struct run *run = state->run;
    bool interrupted = run->interrupted != NULL && *run->interrupted != 0;

    if (!state->ending && interrupted) {
        state->ending = true;
        state->reason = RUN_STOPPED;
        signal_children(state, *run->interrupted);
    }
    if (now >= run->stop && state->kill_at == MONOTONIC_NEVER) {
        state->reason = state->ending ? RUN_STOPPED : RUN_TIMED_OUT;
        state->ending = true;
        state->kill_at = monotonic_after(now, RUN_GRACE);
        signal_children(state, SIGTERM);
    }
    if (now >= state->kill_at) {
        signal_children(state, SIGKILL);
        state->kill_at = monotonic_after(now, RUN_GRACE);
    }
}

/* Fills in what to wait for: two places for each child that runs. */
static size_t fill_polls(const struct state *state, struct pollfd *polls, struct run_child **owners)
{
    size_t count = 0;

    for (size_t i = 0; i < state->next; i++) {
        struct run_child *child = &state->run->children[i];

        if (!is_running(child))
            continue;
        owners[count / 2] = child;
        polls[count++] = (struct pollfd){.fd = child->process, .events = POLLIN};
        polls[count++] = (struct pollfd){.fd = child->pipe, .events = POLLIN};
    }
    return count;
}

static void wait_once(struct state *state, struct pollfd *polls, struct run_child **owners)
{
    size_t count = fill_polls(state, polls, owners);
    int64_t now = monotonic_now();
    int64_t due = state->kill_at != MONOTONIC_NEVER ? state->kill_at : state->run->stop;
    int milliseconds = monotonic_poll_timeout(now, due);
    struct timespec timeout = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

    if (ppoll(polls, count, milliseconds < 0 ? NULL : &timeout, state->run->signals) < 0)
        return; /* interrupted: the caller looks */
    for (size_t i = 0; i < count; i += 2) {
        struct run_child *child = owners[i / 2];

        if (polls[i + 1].revents != 0 && !read_output(child))
            close_descriptor(&child->pipe);
        if (polls[i].revents != 0)
            reap(state, child);
    }
}

void run_all(const struct run *run)
{
    struct state state = {.run = run, .kill_at = MONOTONIC_NEVER};
    size_t most = run->count < (size_t)run->parallel ? run->count : (size_t)run->parallel;
    struct pollfd *polls = alloc_zeroed(most * 2, sizeof(*polls));
    struct run_child **owners = alloc_zeroed(most, sizeof(struct run_child *));

    for (;;) {
        check_end(&state, monotonic_now());
        while (!state.ending && state.next < run->count && state.running < most)
            start_child(&state, &run->children[state.next++]);
        if (state.running == 0 && (state.ending || state.next == run->count))
            break;
        if (state.running > 0)
            wait_once(&state, polls, owners);
    }
    free(polls);
    free(owners);
}

void run_free(struct run_child *child)
{
    if (child->started != 0)
        utstring_done(&child->text);
}
