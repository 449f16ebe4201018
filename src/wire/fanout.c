#include "wire/fanout.h"
#include "base/clock.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256

struct fanout_state {
    const struct fanout *fanout;
    int epoll;
    size_t next;          /* the first trigger not yet started */
    size_t live;          /* started and not done */
    size_t connections;   /* that may be live at once */
    int64_t due;          /* no live trigger is due before; may be too early, never too late */
    int64_t progress_due; /* when to call progress */
};

/* Waits for the descriptor that the trigger has come to have. */
static void watch(const struct fanout_state *run, struct trigger *trigger, int64_t now)
{
    struct epoll_event event = {.events = TRIGGER_EVENTS, .data.ptr = trigger};

    if (trigger->fd >= 0 && epoll_ctl(run->epoll, EPOLL_CTL_ADD, trigger->fd, &event) < 0) {
        trigger->outcome = TRIGGER_SEND;
        trigger->error = errno;
        trigger_abandon(trigger, now);
    }
}

/* After a trigger was started or had its turn. */
static void account(struct fanout_state *run, const struct trigger *trigger)
{
    if (trigger->state == TRIGGER_DONE)
        run->live--;
    else if (trigger->due < run->due)
        run->due = trigger->due;
}

/* Starts as many as may be live at once. */
static void start_more(struct fanout_state *run)
{
    while (run->next < run->fanout->count && run->live < run->connections) {
        struct trigger *trigger = &run->fanout->triggers[run->next];
        int64_t now = clock_now();

        if (now >= run->fanout->limits->end) {
            trigger->outcome = TRIGGER_NO_TIME;
            trigger_abandon(trigger, now);
        } else if (!trigger_start(trigger, now, run->fanout->limits->end)) {
            if (run->live > 0) {
                run->connections = run->live; /* as many as there are descriptors for */
                return;
            }
            trigger->outcome = TRIGGER_CONNECT;
            trigger->error = EMFILE;
            trigger_abandon(trigger, now);
        }
        run->next++;
        run->live++;
        watch(run, trigger, now);
        account(run, trigger);
    }
}

/* Gives every live trigger that is due its turn, and finds out when the next one is due. */
static void run_timers(struct fanout_state *run, int64_t now)
{
    run->due = CLOCK_NEVER;
    for (size_t i = 0; i < run->next; i++) {
        struct trigger *trigger = &run->fanout->triggers[i];

        if (trigger->state == TRIGGER_DONE)
            continue;
        if (trigger->due <= now) {
            bool had_descriptor = trigger->fd >= 0;
            trigger_timer(trigger, now);
            if (!had_descriptor)
                watch(run, trigger, now);
        }
        account(run, trigger);
    }
}

static bool is_interrupted(const struct fanout_state *run)
{
    return run->fanout->limits->interrupted != NULL && *run->fanout->limits->interrupted != 0;
}

/* Waits for what comes first, and lets it happen. Returns 0 or an errno. */
static int wait_once(struct fanout_state *run)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t now = clock_now();
    int64_t due = run->due < run->progress_due ? run->due : run->progress_due;
    int count = epoll_pwait(run->epoll, events, EVENTS_AT_ONCE, clock_poll_timeout(now, due),
                            run->fanout->limits->wait_mask);

    if (count < 0 && errno != EINTR)
        return errno;
    now = clock_now();
    for (int i = 0; i < count; i++) {
        struct trigger *trigger = events[i].data.ptr;
        trigger_event(trigger, events[i].events, now);
        account(run, trigger);
    }
    if (now >= run->due)
        run_timers(run, now);
    if (now >= run->progress_due && !is_interrupted(run)) {
        run->fanout->progress(run->fanout->context, now);
        run->progress_due = now + CLOCK_SECOND;
    }
    return 0;
}

static void abandon_all(const struct fanout_state *run)
{
    int64_t now = clock_now();

    for (size_t i = 0; i < run->next; i++)
        if (run->fanout->triggers[i].state != TRIGGER_DONE)
            trigger_abandon(&run->fanout->triggers[i], now);
}

int fanout_run(const struct fanout *fanout)
{
    struct fanout_state run = {
        .fanout = fanout,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .connections = (size_t)fanout->connections,
        .due = CLOCK_NEVER,
        .progress_due = fanout->progress == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
    };
    int error = 0;

    if (run.epoll < 0)
        return errno;
    while (error == 0 && !is_interrupted(&run)) {
        start_more(&run);
        if (run.live == 0 && run.next == fanout->count)
            break;
        if (run.live > 0)
            error = wait_once(&run);
    }
    abandon_all(&run);
    close(run.epoll);
    return error;
}
