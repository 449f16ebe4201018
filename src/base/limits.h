/* SPDX-License-Identifier: MIT */
/*
 * limits: the early ends of a run: its time limit, and signals. Time is that of a clock that does
 * not jump. SIGINT, SIGTERM and SIGHUP are caught while the program works, so that it can report
 * unfinished work before the signal ends it.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

#define CLOCK_SECOND ((int64_t)1000000)
#define CLOCK_NEVER INT64_MAX

/* Returns CLOCK_MONOTONIC in microseconds: setting the system's clock does not change it. */
static inline int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec / 1000;
}

/* Returns the time that many seconds after now; an int of seconds cannot overflow it. */
static inline int64_t clock_after(int64_t now, int seconds)
{
    return now + (int64_t)seconds * CLOCK_SECOND;
}

/*
 * Makes the program independent of the inherited dispositions and mask: nothing is blocked; SIGCHLD
 * and SIGALRM have their default action; SIGPIPE and SIGXFSZ are ignored, because the calls that
 * raise them return an error. Other signals that were ignored remain ignored (SIGHUP by nohup(1),
 * SIGINT and SIGQUIT by a shell in the background). No signal has been received so far.
 */
void signals_start(void);

/* Catches the three signals from now on, except those that are ignored, and blocks them except
 * during a wait. Before this call they end the program: nothing has been done by then. May be
 * called again. */
void signals_catch(void);

/* Like poll(2), but waits until due, a clock_now() value or CLOCK_NEVER, and admits the three
 * signals. */
int signals_poll(struct pollfd *polls, nfds_t count, int64_t due);

/* Like epoll_wait(2), in the same way. */
int signals_epoll(int epoll, struct epoll_event *events, int most, int64_t due);

/* Returns the number of the last signal that was caught, or 0. Admits blocked ones for a moment. */
int signals_received(void);

/* Returns how many have been caught. Admits none. */
int signals_count(void);

/* Ends the program by the signal that was caught, or one that is pending; returns if there is
 * none. Ignored signals remain ignored. */
void signals_die(void);

/* Built once, by main, and passed to everything that waits or works for long. */
struct limits {
    int64_t end; /* of the whole run: a clock_now() value, or CLOCK_NEVER */
    int seconds; /* -t, for messages; 0 without */
};

/* The limits of the run, for writing and for opening paths. NULL before limits_start() and in
 * workers: readers and file systems are then waited for without end. */
extern const struct limits *limits_of_run;

/* Sets and returns the limits of a run that may last that many seconds from now; 0: any time. */
const struct limits *limits_start(int seconds);

/* Whether the run has to end, because of a signal or of its time. Costs three system calls: not for
 * every byte. */
bool limits_reached(const struct limits *limits);

/* Returns which of the two it was: "interrupted", "time limit reached". */
const char *limits_reason(void);

#endif
