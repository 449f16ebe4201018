/* SPDX-License-Identifier: MIT */
/* Starts triggers, waits for events, calls timers, and closes what lingers. */
#include "wire/fanout.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256

/* A trigger is checked after that many others were started: most services have read the request by
 * then, and it need not be registered with epoll. */
#define LOOK_BEHIND 128

struct fanout_state {
    const struct fanout *fanout;
    int epoll;
    size_t next;          /* the first trigger that is not started */
    size_t watched;       /* the first one that is started and not yet watched */
    size_t live;          /* started and not done */
    size_t lingering;     /* done, with a socket that is still open */
    size_t connections;   /* that may be open at once */
    int64_t due;          /* when the next live trigger is due; may be too early, never too late */
    int64_t progress_due; /* when to call progress */
};

/* Registers the trigger's descriptor once it has one. */
static void watch(const struct fanout_state *state, struct trigger *trigger, int64_t now)
{
    struct epoll_event event = {.events = TRIGGER_EVENTS, .data.ptr = trigger};

    if (trigger->fd >= 0 && epoll_ctl(state->epoll, EPOLL_CTL_ADD, trigger->fd, &event) < 0) {
        trigger->outcome = TRIGGER_SEND;
        trigger->error = errno;
        trigger_abandon(trigger, now);
    }
}

/* To be called after a trigger was started, or has had an event or a timer. */
static void account(struct fanout_state *state, const struct trigger *trigger)
{
    if (trigger->state == TRIGGER_DONE) {
        state->live--;
        if (trigger->lingers)
            state->lingering++;
    } else if (trigger->due < state->due) {
        state->due = trigger->due;
    }
}

static int compare(const void *left, const void *right)
{
    const int *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Holds the sockets until the parent has closed its own copies, as the end of the pipe shows, and
 * closes them by its end. Nobody waits for anything else that it has inherited: a reader of
 * standard output, above all. */
static _Noreturn void hold(int *kept, size_t count, int pipe)
{
    char byte;

    qsort(kept, count, sizeof(*kept), compare);
    descriptors_close_others(kept, count);
    signals_reset_for_child();
    while (read(pipe, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* Closes the sockets that linger, in a child of a child; here where there can be none. */
static void close_lingering(struct fanout_state *state)
{
    int ends[2] = {-1, -1};
    pid_t child = -1;
    size_t count = 0;

    if (state->lingering == 0)
        return;
    int *kept = alloc_zeroed(state->lingering + 1, sizeof(*kept));
    for (size_t i = 0; i < state->next; i++)
        if (state->fanout->triggers[i].lingers)
            kept[count++] = state->fanout->triggers[i].fd;
    if (pipe2(ends, O_CLOEXEC) == 0)
        child = fork();
    if (child == 0 && fork() == 0) {
        kept[count++] = ends[0];
        hold(kept, count, ends[0]);
    }
    if (child == 0)
        _exit(0); /* so that the other child is nobody's to wait for */
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    for (size_t i = 0; i < state->next; i++) {
        if (state->fanout->triggers[i].lingers)
            descriptors_close(&state->fanout->triggers[i].fd);
        state->fanout->triggers[i].lingers = false;
    }
    state->lingering = 0;
    descriptors_close(&ends[0]);
    descriptors_close(&ends[1]);
    free(kept);
}

/* Starts a trigger, or ends it when the time is over. Returns false when it has to wait for
 * descriptors of others. */
static bool start_one(struct fanout_state *state, struct trigger *trigger)
{
    int64_t now = clock_now(), end = state->fanout->limits->end;

    if (now >= end) {
        trigger->outcome = TRIGGER_NO_TIME;
        trigger_abandon(trigger, now);
    } else if (!trigger_start(trigger, now, end)) {
        if (state->live + state->lingering > 0)
            return false;
        trigger->outcome = TRIGGER_CONNECT;
        trigger->error = EMFILE;
        trigger_abandon(trigger, now);
    }
    state->live++;
    account(state, trigger);
    return true;
}

/* Takes the next started trigger: checks it, unless it is the last one, which has just sent its
 * request, and registers it unless it is done. */
static void watch_next(struct fanout_state *state)
{
    struct trigger *trigger = &state->fanout->triggers[state->watched++];
    int64_t now = clock_now();

    if (trigger->state == TRIGGER_DONE)
        return;
    if (state->watched < state->next)
        trigger_step(trigger, 0, now);
    watch(state, trigger, now);
    account(state, trigger);
}

static bool has_room(const struct fanout_state *state)
{
    return state->next < state->fanout->count &&
           state->live + state->lingering < state->connections;
}

/* Starts as many triggers as may be live at once, and checks the first ones meanwhile. */
static void start_more(struct fanout_state *state)
{
    if (state->next < state->fanout->count && !has_room(state))
        close_lingering(state);
    while (has_room(state)) {
        struct trigger *trigger = &state->fanout->triggers[state->next];

        if (trigger->state == TRIGGER_IDLE && !start_one(state, trigger)) {
            state->connections = state->live + state->lingering; /* no descriptors for more */
            close_lingering(state);
            break;
        }
        state->next++;
        if (state->next - state->watched > LOOK_BEHIND)
            watch_next(state);
    }
    while (state->watched < state->next)
        watch_next(state);
}

static bool is_renewed(const struct fanout_state *state)
{
    return state->fanout->renewed != NULL && *state->fanout->renewed;
}

/* Starts those that were renewed, as there is room. */
static void start_renewed(struct fanout_state *state)
{
    bool *renewed = state->fanout->renewed;

    if (!is_renewed(state))
        return;
    *renewed = false;
    for (size_t i = 0; i < state->next; i++) {
        struct trigger *trigger = &state->fanout->triggers[i];

        if (trigger->state != TRIGGER_IDLE)
            continue;
        if (state->live + state->lingering >= state->connections || !start_one(state, trigger)) {
            close_lingering(state);
            *renewed = true;
            return;
        }
        watch(state, trigger, clock_now());
    }
}

/* Calls the timers that are due, and finds out when the next one is. */
static void run_timers(struct fanout_state *state, int64_t now)
{
    state->due = CLOCK_NEVER;
    for (size_t i = 0; i < state->next; i++) {
        struct trigger *trigger = &state->fanout->triggers[i];

        if (trigger->state == TRIGGER_DONE || trigger->state == TRIGGER_IDLE)
            continue;
        if (trigger->due <= now) {
            bool had_descriptor = trigger->fd >= 0;
            trigger_step(trigger, 0, now);
            if (!had_descriptor)
                watch(state, trigger, now);
        }
        account(state, trigger);
    }
}

/* Waits for events or the next timer, and handles them. Returns 0 or an errno. */
static int wait_once(struct fanout_state *state)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t now = clock_now();
    int64_t due = state->due < state->progress_due ? state->due : state->progress_due;
    int count = epoll_pwait(state->epoll, events, EVENTS_AT_ONCE, clock_poll_timeout(now, due),
                            signals_wait_mask());

    if (count < 0 && errno != EINTR)
        return errno;
    now = clock_now();
    for (int i = 0; i < count; i++) {
        struct trigger *trigger = events[i].data.ptr;
        if (trigger->state == TRIGGER_DONE)
            continue; /* its socket lingers */
        trigger_step(trigger, events[i].events, now);
        account(state, trigger);
    }
    if (now >= state->due)
        run_timers(state, now);
    if (now >= state->progress_due && signals_received() == 0) {
        state->fanout->progress(state->fanout->context, now);
        state->progress_due = now + CLOCK_SECOND;
    }
    return 0;
}

static void abandon_all(struct fanout_state *state)
{
    int64_t now = clock_now();

    for (size_t i = 0; i < state->next; i++) {
        struct trigger *trigger = &state->fanout->triggers[i];

        if (trigger->state == TRIGGER_DONE || trigger->state == TRIGGER_IDLE)
            continue;
        trigger_abandon(trigger, now);
        account(state, trigger);
    }
}

int fanout_run(const struct fanout *fanout)
{
    struct fanout_state state = {
        .fanout = fanout,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .connections = (size_t)fanout->connections,
        .due = CLOCK_NEVER,
        .progress_due = fanout->progress == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
    };
    int error = 0;

    if (state.epoll < 0)
        return errno;
    while (error == 0 && signals_received() == 0) {
        start_more(&state);
        start_renewed(&state);
        if (has_room(&state))
            continue; /* some were done at once */
        if (state.live == 0 && state.next == fanout->count && !is_renewed(&state))
            break;
        if (state.live > 0)
            error = wait_once(&state);
    }
    abandon_all(&state);
    close_lingering(&state);
    close(state.epoll);
    return error;
}
