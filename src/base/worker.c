/* SPDX-License-Identifier: MIT */
/* Asks child processes, and gives up on those that do not answer. */
#include "base/worker.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a busy worker counts as one that works, in microseconds. */
#define PATIENCE (CLOCK_SECOND / 10)

struct worker {
    pid_t pid;                /* 0: the place is free */
    int fd;                   /* our end of the socket: one packet is one question, or one answer */
    struct worker_task *task; /* NULL: idle */
    int64_t asked;
};

static struct worker workers[WORKER_MAXIMUM];

/* What is sent, up to the end of the path. */
struct order {
    worker_function *work;
    size_t answer_size;
    _Alignas(max_align_t) char question[WORKER_QUESTION_MAXIMUM];
    char path[PATH_MAX];
};

/* The child. It holds nothing that somebody could wait for: no end of a pipe, no directory. */
static _Noreturn void serve(int fd, pid_t parent)
{
    struct order order;
    sigset_t all;

    limits_of_run = NULL;
    sigfillset(&all);
    if (sigprocmask(SIG_BLOCK, &all, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        getppid() != parent || chdir("/") < 0 || descriptors_keep_only(&fd, 1) != 0)
        _exit(1);
    while (recv(fd, &order, sizeof(order), 0) > 0) {
        void *answer = alloc_zeroed(1, order.answer_size);
        int passed = order.work(order.path, order.question, answer);
        if (descriptors_send(fd, answer, order.answer_size, 0, &passed, passed < 0 ? 0 : 1) != 0)
            break;
        descriptors_close(&passed);
        free(answer);
    }
    _exit(0);
}

/* Returns 0 or an errno. */
static int start(struct worker *worker)
{
    int ends[2];
    pid_t parent = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    pid_t pid = fork();
    int error = errno;
    if (pid == 0)
        serve(ends[1], parent);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error;
    }
    *worker = (struct worker){.pid = pid, .fd = ends[0]};
    return 0;
}

/* Kills a worker, and waits only for one that is idle: it is in no call that could hold it. */
static void discard(struct worker *worker)
{
    close(worker->fd);
    (void)kill(worker->pid, SIGKILL);
    while (waitpid(worker->pid, NULL, worker->task == NULL ? 0 : WNOHANG) < 0 && errno == EINTR)
        ;
    *worker = (struct worker){.fd = -1};
}

/* A run under way. */
struct running {
    struct worker_task *tasks;
    size_t count, next; /* tasks in all, and the first that was not given to a worker */
    size_t busy;        /* workers */
    int parallel;
    int64_t share; /* of each task, in microseconds */
    const struct limits *limits;
};

static void finish(struct running *running, struct worker *worker, enum worker_result result)
{
    struct worker_task *task = worker->task;

    task->result = result;
    running->busy--;
    if (result != WORKER_ANSWERED)
        discard(worker);
    worker->task = NULL;
}

/* Returns an idle worker, a new one where there is a place for it, or NULL with errno. */
static struct worker *find_idle(void)
{
    struct worker *free_place = NULL;

    for (size_t i = 0; i < WORKER_MAXIMUM; i++) {
        struct worker *worker = &workers[i];

        if (worker->pid != 0 && worker->task == NULL)
            return worker;
        if (worker->pid == 0 && free_place == NULL)
            free_place = worker;
    }
    errno = free_place != NULL ? start(free_place) : EAGAIN;
    return errno == 0 ? free_place : NULL;
}

/* Returns 0 or an errno. */
static int send_question(const struct worker *worker)
{
    const struct worker_task *task = worker->task;
    struct order order = {.work = task->work, .answer_size = task->size};

    if (strlen(task->path) >= sizeof(order.path))
        return ENAMETOOLONG;
    if (task->length > 0)
        memcpy(order.question, task->question, task->length);
    size_t length = (size_t)(stpcpy(order.path, task->path) + 1 - (char *)&order);
    return send(worker->fd, &order, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* Gives the next task to a worker. Returns false if it has to wait for a busy one. */
static bool ask(struct running *running)
{
    struct worker_task *task = &running->tasks[running->next];
    struct worker *worker = find_idle();

    if (worker == NULL && running->busy > 0)
        return false;
    running->next++;
    task->fd = -1;
    if (worker == NULL) {
        task->error = errno;
        task->result = WORKER_REFUSED;
        return true;
    }
    worker->task = task;
    worker->asked = clock_now();
    running->busy++;
    task->error = send_question(worker);
    if (task->error != 0)
        finish(running, worker, task->error == EPIPE ? WORKER_ENDED : WORKER_REFUSED);
    return true;
}

/* Gives tasks to as many workers as may work at once. */
static void ask_more(struct running *running, int64_t now)
{
    int working = 0;

    for (size_t i = 0; i < WORKER_MAXIMUM; i++) {
        const struct worker *worker = &workers[i];

        working += worker->task != NULL && now - worker->asked < PATIENCE ? 1 : 0;
    }
    while (working++ < running->parallel && running->next < running->count && ask(running))
        ;
}

/* Returns when the next worker stops to count, or is late: a clock_now() value. */
static int64_t find_due(const struct running *running, int64_t now)
{
    int64_t due = running->limits->end;

    for (size_t i = 0; i < WORKER_MAXIMUM; i++) {
        const struct worker *worker = &workers[i];
        int64_t patience = worker->asked + PATIENCE, late = worker->asked + running->share;

        if (worker->task == NULL)
            continue;
        if (patience > now && patience < due)
            due = patience;
        if (late < due)
            due = late;
    }
    return due;
}

static void take_answer(struct running *running, struct worker *worker)
{
    struct worker_task *task = worker->task;
    ssize_t length =
        descriptors_receive(worker->fd, task->answer, task->size, MSG_DONTWAIT, &task->fd, 1);
    int error = length < 0 ? errno : 0;

    if (error == EAGAIN || error == EINTR)
        return;
    finish(running, worker,
           error != EMFILE && length != (ssize_t)task->size ? WORKER_ENDED : WORKER_ANSWERED);
    if (error == EMFILE) {
        task->result = WORKER_REFUSED;
        task->error = error;
    }
}

/* Waits for answers, and takes them. ppoll(2) refuses more entries than there may be descriptors.
 */
static void wait_once(struct running *running, int64_t now)
{
    struct pollfd polls[WORKER_MAXIMUM];
    nfds_t count = 0;

    for (size_t i = 0; i < WORKER_MAXIMUM; i++)
        if (workers[i].task != NULL)
            polls[count++] = (struct pollfd){.fd = workers[i].fd, .events = POLLIN};
    if (signals_poll(polls, count, find_due(running, now)) <= 0)
        return;
    for (size_t i = 0, at = 0; at < count; i++) {
        struct worker *worker = &workers[i];

        if (worker->task != NULL && polls[at++].revents != 0)
            take_answer(running, worker);
    }
}

/* Gives up on the workers that are late; on all, when the run is over. */
static void give_up(struct running *running, int64_t now, bool is_over)
{
    for (size_t i = 0; i < WORKER_MAXIMUM; i++) {
        struct worker *worker = &workers[i];

        if (worker->task != NULL && (is_over || now - worker->asked >= running->share))
            finish(running, worker, is_over ? WORKER_STOPPED : WORKER_LATE);
    }
    for (; is_over && running->next < running->count; running->next++) {
        running->tasks[running->next].fd = -1;
        running->tasks[running->next].result = WORKER_STOPPED;
    }
}

void workers_run(struct worker_task *tasks, size_t count, int parallel, int64_t share,
                 const struct limits *limits)
{
    struct running running = {
        .tasks = tasks,
        .count = count,
        .parallel = parallel,
        .share = share,
        .limits = limits,
    };

    while (running.busy > 0 || running.next < count) {
        ask_more(&running, clock_now());
        if (running.busy > 0)
            wait_once(&running, clock_now());
        give_up(&running, clock_now(), limits_reached(limits));
    }
}

void workers_end(void)
{
    for (size_t i = 0; i < WORKER_MAXIMUM; i++)
        if (workers[i].pid != 0)
            discard(&workers[i]);
}
