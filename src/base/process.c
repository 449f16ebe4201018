/* SPDX-License-Identifier: MIT */
/* Runs child processes: waits for output and SIGCHLD, passes signals on, ends what is late. */
#include "base/process.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/signals.h"
#include "base/spawn.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A batch under way. */
struct running {
    const struct process_batch *batch;
    struct process **active; /* started and not finished */
    size_t active_count;
    size_t next;                     /* the first child not yet started */
    bool holds_back;                 /* no room for another one until one has ended */
    bool ending;                     /* nothing more is started */
    enum process_outcome end_reason; /* why the running ones are ended */
    sig_atomic_t passed_on;          /* how many of the interruptions were passed on */
    int64_t kill_at;                 /* when the running ones get SIGKILL after SIGTERM */
    bool killed;                     /* SIGKILL was sent */
    int64_t progress_at;             /* when to call progress */
    sigset_t wait_mask;              /* admits SIGCHLD, too */
};

/* Sends a signal to the child's process group, and continues it so that it can receive it. */
static void send_signal(const struct process *child, int number)
{
    pid_t target = child->leads_group ? -child->pid : child->pid;

    (void)kill(target, number);
    (void)kill(target, SIGCONT);
}

/* A child that stops although it has to end is killed: nobody would continue it. ^Z on a shared
 * terminal stops us as well, and is not reported. */
static void note_stop(const struct running *running, struct process *child, int number)
{
    bool is_news = child->stopped_by == 0 && (child->leads_group || number != SIGTSTP);

    child->stopped_by = number;
    if (child->is_ending)
        send_signal(child, SIGKILL);
    else if (is_news && running->batch->stopped != NULL)
        running->batch->stopped(running->batch->context, child);
}

static void finish(const struct running *running, struct process *child, bool is_known, int status)
{
    capture_finish(&child->output);
    capture_finish(&child->errors);
    child->outcome = child->is_ending ? running->end_reason : PROCESS_ENDED;
    if (!is_known)
        child->outcome = PROCESS_LOST;
    else if (WIFEXITED(status))
        child->exit_status = WEXITSTATUS(status);
    else
        child->signal = WTERMSIG(status);
    child->finished = clock_now();
}

/* Finds out whether the child has stopped or ended. */
static void look_at(const struct running *running, struct process *child)
{
    pid_t found;

    while (child->outcome == PROCESS_PENDING) {
        int status = 0;

        found = waitpid(child->pid, &status, WNOHANG | WUNTRACED);
        if (found == 0)
            return;
        if (found > 0 && WIFSTOPPED(status))
            note_stop(running, child, WSTOPSIG(status));
        else if (found > 0 || errno != EINTR)
            finish(running, child, found > 0, status);
    }
}

static void signal_child(const struct running *running, struct process *child, int number)
{
    look_at(running, child);
    if (child->outcome != PROCESS_PENDING && !child->is_ending)
        return; /* it ended before we asked for it */
    child->is_ending = true;
    if (child->outcome == PROCESS_PENDING || child->leads_group)
        send_signal(child, number);
}

static void signal_children(const struct running *running, int number)
{
    for (size_t i = 0; i < running->active_count; i++)
        signal_child(running, running->active[i], number);
}

static void stop_starting(struct running *running, enum process_outcome reason)
{
    if (!running->ending)
        running->end_reason = reason;
    running->ending = true;
}

/* Passes on the signals since the last call. */
static void check_interrupted(struct running *running)
{
    const struct limits *limits = running->batch->limits;

    /* ppoll(2) delivers no signal if it need not wait, as during a flood of output */
    if (!limits_interrupted(limits) || *limits->interruptions == running->passed_on)
        return;
    running->passed_on = *limits->interruptions;
    stop_starting(running, PROCESS_INTERRUPTED);
    signal_children(running, *limits->interrupted);
}

/* When the time is over: SIGTERM first, SIGKILL after PROCESS_GRACE seconds. Orphans become our
 * children then, so that SIGCHLD reports their end too. */
static void check_time(struct running *running, int64_t now)
{
    if (now >= running->batch->limits->end && running->kill_at == CLOCK_NEVER) {
        stop_starting(running, PROCESS_TIMED_OUT);
        running->kill_at = clock_after(now, PROCESS_GRACE);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        signal_children(running, SIGTERM);
    }
    if (now >= running->kill_at && !running->killed) {
        signal_children(running, SIGKILL);
        running->killed = true;
    }
}

/* Whether processes of the child's group are left to be killed. The number of a group is not used
 * again while it has members, and the kernel uses all other numbers first. */
static bool leaves_group(const struct running *running, const struct process *child)
{
    if (running->kill_at == CLOCK_NEVER || running->killed || !child->is_ending ||
        !child->leads_group)
        return false;
    while (waitpid(-child->pid, NULL, WNOHANG) > 0)
        ;
    return kill(-child->pid, 0) == 0;
}

static void announce(const struct running *running, struct process *child)
{
    if (running->batch->finished != NULL)
        running->batch->finished(running->batch->context, child);
}

/* Removes the children that have finished. */
static void sweep(struct running *running)
{
    size_t kept = 0;

    for (size_t i = 0; i < running->active_count; i++) {
        struct process *child = running->active[i];

        look_at(running, child);
        if (child->outcome == PROCESS_PENDING || leaves_group(running, child)) {
            running->active[kept++] = child;
            continue;
        }
        running->holds_back = false;
        announce(running, child);
    }
    running->active_count = kept;
}

/* Resources that another child frees when it ends. */
static bool is_shortage(int error)
{
    return descriptors_exhausted(error) || error == EAGAIN || error == ENOMEM;
}

static void fail_to_start(const struct running *running, struct process *child, int error)
{
    child->outcome = PROCESS_NOT_STARTED;
    child->exit_status = -1;
    child->error = error;
    child->finished = clock_now();
    announce(running, child);
}

/* Starts the next child, or keeps it for later. */
static void start_next(struct running *running)
{
    const struct process_batch *batch = running->batch;
    struct process *child = &batch->processes[running->next];

    if (batch->starting != NULL)
        batch->starting(batch->context, child);
    child->exit_status = -1;
    int64_t now = clock_now();
    int error = spawn(child);
    if (is_shortage(error) && running->active_count > 0) {
        running->holds_back = true;
        return;
    }
    running->next++;
    child->started = now;
    if (error == 0)
        running->active[running->active_count++] = child;
    else
        fail_to_start(running, child, error);
}

/* Returns when the next deadline is, whatever the children do. */
static int64_t find_due(const struct running *running)
{
    int64_t due = running->batch->limits->end;

    if (running->kill_at != CLOCK_NEVER)
        due = running->killed ? CLOCK_NEVER : running->kill_at;
    return due < running->progress_at ? due : running->progress_at;
}

static void show_progress(struct running *running, int64_t now)
{
    if (now < running->progress_at)
        return;
    running->batch->progress(running->batch->context, now);
    running->progress_at = now + CLOCK_SECOND;
}

/* Lists the open captures: ppoll(2) refuses more entries than there may be descriptors. */
static nfds_t fill_polls(const struct running *running, struct pollfd *polls)
{
    nfds_t count = 0;

    for (size_t i = 0; i < running->active_count; i++) {
        const struct process *child = running->active[i];

        if (child->output.fd >= 0)
            polls[count++] = (struct pollfd){.fd = child->output.fd, .events = POLLIN};
        if (child->errors.fd >= 0)
            polls[count++] = (struct pollfd){.fd = child->errors.fd, .events = POLLIN};
    }
    return count;
}

/* Waits for an event, and reads what was written. polls has two places for each active child. */
static void wait_once(struct running *running, struct pollfd *polls)
{
    int64_t now = clock_now();
    int milliseconds = clock_poll_timeout(now, find_due(running));
    struct timespec timeout = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nfds_t count = fill_polls(running, polls);

    if (ppoll(polls, count, milliseconds < 0 ? NULL : &timeout, &running->wait_mask) <= 0)
        return; /* the caller checks all children */
    for (size_t i = 0, at = 0; i < running->active_count; i++) {
        struct process *child = running->active[i];

        if (child->output.fd >= 0 && polls[at++].revents != 0)
            capture_read(&child->output);
        if (child->errors.fd >= 0 && polls[at++].revents != 0)
            capture_read(&child->errors);
    }
}

static bool can_start(const struct running *running, size_t most)
{
    return !running->ending && !running->holds_back && running->next < running->batch->count &&
           running->active_count < most;
}

/* Whether a signal arrived during a callback: it would not end the wait that follows. */
static bool has_news(const struct running *running)
{
    const struct limits *limits = running->batch->limits;

    return signals_child != 0 ||
           (limits->interruptions != NULL && *limits->interruptions != running->passed_on);
}

static void run_all(struct running *running, size_t most, struct pollfd *polls)
{
    for (;;) {
        int64_t now = clock_now();

        check_interrupted(running);
        check_time(running, now);
        signals_child = 0;
        sweep(running);
        while (can_start(running, most))
            start_next(running);
        if (running->active_count == 0 && !can_start(running, most))
            return;
        show_progress(running, now);
        if (!has_news(running))
            wait_once(running, polls);
    }
}

void process_run(const struct process_batch *batch)
{
    size_t most = batch->count < (size_t)batch->parallel ? batch->count : (size_t)batch->parallel;
    struct running running = {
        .batch = batch,
        .kill_at = CLOCK_NEVER,
        .progress_at = batch->progress == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
    };
    struct signals_previous previous;
    int error = signals_catch_child(&previous);

    if (error != 0) {
        for (size_t i = 0; i < batch->count; i++)
            fail_to_start(&running, &batch->processes[i], error);
        return;
    }
    running.wait_mask =
        batch->limits->wait_mask != NULL ? *batch->limits->wait_mask : previous.mask;
    sigdelset(&running.wait_mask, SIGCHLD);
    struct pollfd *polls = alloc_zeroed(most * 2, sizeof(*polls));
    running.active = alloc_zeroed(most, sizeof(struct process *));
    run_all(&running, most, polls);
    free(polls);
    free(running.active);
    if (running.kill_at != CLOCK_NEVER)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
    signals_release_child(&previous);
}

void process_free(struct process *child)
{
    capture_free(&child->output);
    capture_free(&child->errors);
}
