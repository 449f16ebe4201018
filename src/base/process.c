/* SPDX-License-Identifier: MIT */
/* Runs child processes: starts them, waits for output and SIGCHLD, passes signals on, ends what is
 * late. */
#include "base/process.h"
#include "base/descriptors.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

ALLOC_TABLES_ARE_KEPT

static char clean_path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", english[] = "LC_ALL=C";
char *const process_clean_environment[] = {clean_path, english, NULL};

/* Read in one go, so that a flood does not hold up others. */
#define READ_BYTES 65536

/* From the end of the run to SIGKILL, and from there until what cannot be ended is left. What
 * remains of a second is for the report. */
#define KILL_AFTER (CLOCK_SECOND / 2)
#define LEAVE_AFTER (CLOCK_SECOND * 4 / 10)

/* The most that a pipe can hold: the default of fs.pipe-max-size. A daemon that goes on writing
 * after the child has ended is not waited for. */
#define LEFT_BEHIND ((size_t)1024 * 1024)

/* Opens a pseudo-terminal that changes no byte and is nobody's controlling terminal: our end, and
 * the child's, which comes from the descriptor because it may have no path here. Returns 0 or an
 * errno. */
static int open_terminal(int *ends)
{
    int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    struct termios modes;

    ends[0] = posix_openpt(flags);
    if (ends[0] >= 0 && unlockpt(ends[0]) == 0)
        ends[1] = ioctl(ends[0], TIOCGPTPEER, flags);
    if (ends[1] < 0 || tcgetattr(ends[1], &modes) < 0) {
        int error = errno;
        descriptors_close(&ends[0]);
        descriptors_close(&ends[1]);
        return error;
    }
    cfmakeraw(&modes);
    (void)tcsetattr(ends[1], TCSANOW, &modes);
    return 0;
}

/* Opens the child's end too. Where pseudo-terminals are missing, a pipe has to do. Returns 0, or an
 * errno with nothing open. */
static int open_capture(struct capture *capture, bool as_terminal, int *writer)
{
    int ends[2] = {-1, -1};
    int error = as_terminal ? open_terminal(ends) : ENOTTY;

    capture->is_terminal = error == 0;
    if (error != 0 && !descriptors_exhausted(error))
        error = pipe2(ends, O_CLOEXEC) < 0 ? errno : 0;
    if (error != 0)
        return error;
    if (capture->text.d == NULL)
        utstring_init(&capture->text);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    capture->fd = ends[0];
    *writer = ends[1];
    return 0;
}

static void keep_lines(struct capture *capture, const char *text, size_t length)
{
    struct process *child = capture->child;
    UT_string *line = &capture->text;

    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        size_t part = newline == NULL ? length : (size_t)(newline - text);

        if (part > CAPTURE_LINE_MAXIMUM - utstring_len(line)) {
            capture->truncated = capture->drops_line = true;
            utstring_clear(line);
        }
        if (!capture->drops_line)
            text_append(line, text, part);
        if (newline != NULL) {
            if (!capture->drops_line)
                child->line(child, capture == &child->errors, utstring_body(line),
                            utstring_len(line));
            capture->drops_line = false;
            utstring_clear(line);
            part++;
        }
        text += part;
        length -= part;
    }
}

static void note_loss(struct capture *capture, const char *reason, int error)
{
    if (capture->error != 0)
        return;
    capture->loss = reason;
    capture->error = error;
}

/* Writes all of the text at its place in a file. Returns 0 or an errno. */
static int write_at(int fd, const char *text, size_t length, size_t at)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = pwrite(fd, text + done, length - done, (off_t)(at + done));

        if (count < 0 && errno != EINTR)
            return errno;
        done += count > 0 ? (size_t)count : 0;
    }
    return 0;
}

/* Keeps what memory has no room for. After an error the rest is dropped: what is kept has no gap.
 */
static void keep_in_file(struct capture *capture, const char *text, size_t length)
{
    if (length == 0 || capture->error != 0)
        return;
    if (capture->file < 0)
        capture->file = descriptors_open_unnamed(false);
    int error = capture->file < 0 ? errno
                                  : write_at(capture->file, text, length,
                                             capture->length - utstring_len(&capture->text));
    if (error == 0)
        capture->length += length;
    else
        note_loss(capture, "kept in a temporary file", error);
}

static void keep(struct capture *capture, const char *text, size_t length)
{
    size_t most = capture->child->output_maximum;

    if (capture->child->line != NULL) {
        keep_lines(capture, text, length);
        return;
    }
    if (most != 0 && length > most - capture->length) {
        capture->truncated = true;
        length = most - capture->length;
    }
    size_t room = CAPTURE_MEMORY - utstring_len(&capture->text);
    size_t part = length < room ? length : room;
    text_append(&capture->text, text, part);
    capture->length += part;
    keep_in_file(capture, text + part, length - part);
}

size_t capture_read(const struct capture *capture, size_t at, char *buffer, size_t size)
{
    size_t in_memory = utstring_len(&capture->text), left = 0;
    ssize_t count;

    if (at < in_memory) {
        left = in_memory - at < size ? in_memory - at : size;
        memcpy(buffer, utstring_body(&capture->text) + at, left);
    } else if (at < capture->length) {
        left = capture->length - at < size ? capture->length - at : size;
        do
            count = pread(capture->file, buffer, left, (off_t)(at - in_memory));
        while (count < 0 && errno == EINTR);
        left = count < 0 ? 0 : (size_t)count;
    }
    return left;
}

/* Reads about that many bytes at most, and closes at the end of the output, which for a terminal
 * is EIO: nobody has the other side open. */
static void read_most(struct capture *capture, size_t most)
{
    char text[READ_BYTES];

    for (size_t total = 0; total < most && capture->fd >= 0;) {
        ssize_t count = read(capture->fd, text, sizeof(text));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0 && (errno != EIO || !capture->is_terminal))
            note_loss(capture, "read", errno);
        if (count <= 0) {
            descriptors_close(&capture->fd);
            return;
        }
        keep(capture, text, (size_t)count);
        total += (size_t)count;
    }
}

/* The child has ended: reads what it wrote before, whoever still holds the other end. */
static void read_left_behind(struct capture *capture)
{
    read_most(capture, LEFT_BEHIND);
    descriptors_close(&capture->fd);
}

static void free_capture(struct capture *capture)
{
    if (capture->text.d == NULL)
        return;
    descriptors_close(&capture->fd);
    descriptors_close(&capture->file);
    utstring_done(&capture->text);
    *capture = (struct capture){0};
}

void process_free(struct process *child)
{
    free_capture(&child->output);
    free_capture(&child->errors);
}

/* The child's ends: what its standard streams are to be, by their numbers, and what receives the
 * errno when the program cannot be run; -1 for none. */
enum { FAILURE = STDERR_FILENO + 1, ENDS };

static void close_ends(int *ends)
{
    for (int i = 0; i < ENDS; i++)
        descriptors_close(&ends[i]);
}

/* Whether the child has our terminal: reading from it in a process group of its own would stop the
 * child, and with "stty tostop" writing too. */
static bool has_terminal(const struct process *child)
{
    if (child->inherits_input && isatty(STDIN_FILENO))
        return true;
    return child->streams == PROCESS_INHERIT && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO));
}

/* Returns false with errno set. */
static bool connect_streams(const int *ends)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ends[fd] >= 0 && dup2(ends[fd], fd) < 0)
            return false;
    return true;
}

/* Of processor time or memory. The type of a resource is not the same in all C libraries. */
static bool set_limit(bool is_time, rlim_t value)
{
    struct rlimit limit = {value, value}, current;

    if (getrlimit(is_time ? RLIMIT_CPU : RLIMIT_AS, &current) == 0 && current.rlim_max < value)
        limit.rlim_cur = limit.rlim_max = current.rlim_max;
    return setrlimit(is_time ? RLIMIT_CPU : RLIMIT_AS, &limit) == 0;
}

/* Returns false with errno set: without a limit that it needs, the child is not run. */
static bool confine(const struct process *child, pid_t parent)
{
    if (child->memory == 0)
        return true;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return false;
    if (getppid() != parent)
        _exit(127); /* too late: the parent has ended */
    return chdir("/") == 0 && set_limit(true, child->processor_time) &&
           set_limit(false, child->memory);
}

/* Like execvpe(3) for a path, which with musl runs no script without "#!". Returns with errno set.
 */
static void execute(const char *program, char *const *argv)
{
    size_t count = 1;

    (void)execv(program, argv);
    if (errno != ENOEXEC)
        return;
    while (argv[count] != NULL)
        count++;
    const char **words = alloc_zeroed(count + 2, sizeof(*words));
    words[0] = "/bin/sh";
    words[1] = program;
    memcpy(&words[2], &argv[1], (count - 1) * sizeof(*words));
    (void)execv(words[0], (char *const *)words);
    free(words);
}

/* Default actions, and nothing is blocked. */
static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become_program(const struct process *child, const int *ends, pid_t parent)
{
    if (child->environment != NULL)
        environ = (char **)child->environment;
    for (size_t i = 0; child->settings != NULL && i < utarray_len(child->settings); i++)
        if (putenv((char *)strings_item(child->settings, i)) != 0)
            alloc_fail();
    if (child->leads_group)
        (void)setpgid(0, 0);
    umask(S_IWGRP | S_IWOTH);
    descriptors_restore_for_child();
    reset_signals();
    if (connect_streams(ends) && confine(child, parent))
        execute(child->program, child->argv);
    int error = errno;
    _exit(write(ends[FAILURE], &error, sizeof(error)) == sizeof(error) ? 127 : 126);
}

/* Waits until the child has become the program: not beyond the time of the run, because the program
 * may be in a file system that does not answer. Returns 0 or the errno of execve(2). */
static int read_failure(int failure, const struct limits *limits)
{
    struct pollfd pipe = {.fd = failure, .events = POLLIN};
    int error = 0;

    while (signals_poll(&pipe, 1, limits->end) < 0 && errno == EINTR)
        ;
    if (pipe.revents == 0 || read(failure, &error, sizeof(error)) != (ssize_t)sizeof(error))
        return 0;
    return error;
}

/* Opens what the child reads: our stream, which is -1; a file without a name, in memory, because
 * whoever deletes mail may do so where the disk is full; or /dev/null. Returns 0 or an errno: what
 * open(2) says of /dev/null would seem to be of the program. */
static int open_input(const struct process *child, int *fd)
{
    const UT_string *text = child->input;

    if (text != NULL)
        *fd = descriptors_open_unnamed(true);
    else if (!child->inherits_input)
        *fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    else
        return 0;
    if (*fd < 0)
        return text != NULL || descriptors_exhausted(errno) ? errno : ENODEV;
    return text == NULL ? 0 : write_at(*fd, utstring_body(text), utstring_len(text), 0);
}

/* Opens the streams of the child. Returns 0 or an errno. */
static int open_streams(struct process *child, int *ends)
{
    int error = open_input(child, &ends[STDIN_FILENO]);

    if (child->output.child == NULL)
        child->output = child->errors = (struct capture){.fd = -1, .file = -1, .child = child};
    if (error != 0 || child->streams == PROCESS_INHERIT)
        return error;
    error = open_capture(&child->output, false, &ends[STDOUT_FILENO]);
    return error != 0 ? error
                      : open_capture(&child->errors, child->streams == PROCESS_CAPTURE_AS_TERMINAL,
                                     &ends[STDERR_FILENO]);
}

/* Forks, closes the child's ends, and waits for its execve(2). Returns 0 or an errno. */
static int fork_child(struct process *child, int *ends, int failure, const struct limits *limits)
{
    pid_t parent = getpid();

    child->leads_group = !has_terminal(child);
    child->pid = fork();
    if (child->pid < 0)
        return errno;
    if (child->pid == 0)
        become_program(child, ends, parent);
    if (child->leads_group)
        (void)setpgid(child->pid, child->pid); /* parent or child, whichever is first */
    close_ends(ends);
    int error = read_failure(failure, limits);
    if (error != 0)
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return error;
}

/* Starts the child as process.h describes. Returns 0, or an errno with nothing left behind. */
static int spawn(struct process *child, const struct limits *limits)
{
    int ends[ENDS] = {-1, -1, -1, -1}, failure[2] = {-1, -1};
    int error = open_streams(child, ends);

    if (error == 0 && pipe2(failure, O_CLOEXEC) < 0)
        error = errno;
    ends[FAILURE] = failure[1];
    if (error == 0)
        error = fork_child(child, ends, failure[0], limits);
    close_ends(ends);
    descriptors_close(&failure[0]);
    if (error != 0)
        process_free(child);
    return error;
}

/* Set when a child has stopped or ended. */
static volatile sig_atomic_t child_signal;

static void note_child(int number)
{
    (void)number;
    child_signal = 1;
}

/* Catches SIGCHLD, which is blocked except during a wait. If it were ignored, children would leave
 * no status. */
static void catch_children(sigset_t *mask_before)
{
    struct sigaction action = {.sa_handler = note_child};
    sigset_t blocked;

    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &blocked, mask_before);
    (void)sigaction(SIGCHLD, &action, NULL);
}

/* What was done when the time was over. */
enum stage { STAGE_NONE, STAGE_SIGTERM, STAGE_SIGKILL };

/* A batch under way. */
struct running {
    const struct process_batch *batch;
    struct pollfd *polls;    /* two for each active child */
    struct process **active; /* started and not finished */
    size_t active_count;
    size_t most;                     /* that may be active */
    size_t next;                     /* the first child not yet started */
    bool holds_back;                 /* no room for another one until one has ended */
    enum process_outcome end_reason; /* why the running ones are ended, and no more are started;
                                        PROCESS_PENDING: they are not */
    int passed_on;                   /* how many of the interruptions were passed on */
    enum stage stage;
    int64_t end_at;          /* when the next stage begins, after the first */
    int64_t notify_at;       /* when to say that we are waiting */
    struct process *speaker; /* whose turn it is; NULL: everybody's */
    int64_t silent_at;       /* when it gives way, unless it writes something */
};

static void notify(const struct running *running, enum process_event event, struct process *child)
{
    if (running->batch->observe != NULL)
        running->batch->observe(running->batch->context, event, child);
}

/* Whether it is the child's turn: with in_turn, the output and the end of others can wait. */
static bool may_speak(const struct running *running, const struct process *child)
{
    return running->speaker == NULL || running->speaker == child;
}

/* Chooses whose turn it is: the first child's that has not been silent. */
static void choose_speaker(struct running *running, int64_t now)
{
    struct process *before = running->speaker;

    if (before != NULL && now >= running->silent_at)
        before->gives_way = true;
    running->speaker = NULL;
    for (size_t i = running->batch->in_turn ? running->active_count : 0; i > 0; i--)
        if (!running->active[i - 1]->gives_way)
            running->speaker = running->active[i - 1];
    if (running->speaker != before)
        running->silent_at = clock_after(now, 1);
}

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
    else if (is_news)
        notify(running, PROCESS_STOPPED, child);
}

static void finish(struct process *child, enum process_outcome outcome)
{
    read_left_behind(&child->output);
    read_left_behind(&child->errors);
    child->outcome = outcome;
    child->finished = clock_now();
}

/* Finds out whether the child has stopped or ended. */
static void look_at(const struct running *running, struct process *child)
{
    int status;
    pid_t found = 0;

    while (child->outcome == PROCESS_PENDING &&
           (found = waitpid(child->pid, &status, WNOHANG | WUNTRACED)) != 0) {
        if (found < 0 && errno == EINTR)
            continue;
        if (found > 0 && WIFSTOPPED(status)) {
            note_stop(running, child, WSTOPSIG(status));
            continue;
        }
        if (found > 0 && WIFEXITED(status))
            child->exit_status = WEXITSTATUS(status);
        else if (found > 0)
            child->signal = WTERMSIG(status);
        finish(child, child->is_ending ? running->end_reason : PROCESS_ENDED);
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
    if (running->end_reason == PROCESS_PENDING)
        running->end_reason = reason;
}

/* Passes on the signals since the last call. */
static void check_interrupted(struct running *running)
{
    /* ppoll(2) delivers no signal if it need not wait, as during a flood of output */
    int number = signals_received();

    if (signals_count() == running->passed_on)
        return;
    running->passed_on = signals_count();
    stop_starting(running, PROCESS_INTERRUPTED);
    signal_children(running, number);
}

/* When the next stage begins. A callback may bring the end of the run nearer. */
static int64_t find_end(const struct running *running)
{
    return running->stage == STAGE_NONE ? running->batch->limits->end : running->end_at;
}

/* When the time is over: SIGTERM first, then SIGKILL; then what cannot be ended is left. Orphans
 * become our children then, so that SIGCHLD reports their end too. */
static void check_time(struct running *running, int64_t now)
{
    if (now < find_end(running))
        return;
    switch (running->stage) {
    case STAGE_NONE:
        stop_starting(running, PROCESS_TIMED_OUT);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        signal_children(running, SIGTERM);
        running->stage = STAGE_SIGTERM;
        running->end_at = now + KILL_AFTER;
        break;
    case STAGE_SIGTERM:
        signal_children(running, SIGKILL);
        running->stage = STAGE_SIGKILL;
        running->end_at = now + LEAVE_AFTER;
        break;
    case STAGE_SIGKILL:
        for (size_t i = 0; i < running->active_count; i++) {
            look_at(running, running->active[i]);
            if (running->active[i]->outcome == PROCESS_PENDING)
                finish(running->active[i], PROCESS_LEFT);
        }
        break;
    }
}

/* Whether processes of the child's group are left to be killed. The number of a group is not used
 * again while it has members, and the kernel uses all other numbers first. */
static bool leaves_group(const struct running *running, const struct process *child)
{
    if (running->stage != STAGE_SIGTERM || !child->is_ending || !child->leads_group)
        return false;
    while (waitpid(-child->pid, NULL, WNOHANG) > 0)
        ;
    return kill(-child->pid, 0) == 0;
}

/* Removes the children that have finished. */
static void sweep(struct running *running)
{
    size_t kept = 0;

    for (size_t i = 0; i < running->active_count; i++) {
        struct process *child = running->active[i];

        if (may_speak(running, child))
            look_at(running, child);
        if (child->outcome == PROCESS_PENDING || leaves_group(running, child)) {
            running->active[kept++] = child;
            continue;
        }
        running->holds_back = false;
        notify(running, PROCESS_FINISHED, child);
    }
    running->active_count = kept;
}

/* Resources that another child frees when it ends. */
static bool is_shortage(int error)
{
    return descriptors_exhausted(error) || error == EAGAIN || error == ENOMEM;
}

/* Starts the next child, or keeps it for later. */
static void start_next(struct running *running)
{
    const struct process_batch *batch = running->batch;
    struct process *child = batch->processes[running->next];

    notify(running, PROCESS_STARTS, child);
    child->exit_status = -1;
    int64_t now = clock_now();
    int error = spawn(child, batch->limits);
    if (is_shortage(error) && running->active_count > 0) {
        running->holds_back = true;
        return;
    }
    running->next++;
    child->started = now;
    if (error == 0) {
        running->active[running->active_count++] = child;
        return;
    }
    child->outcome = PROCESS_NOT_STARTED;
    child->error = error;
    child->finished = clock_now();
    notify(running, PROCESS_FINISHED, child);
}

/* Returns when the next deadline is, whatever the children do. */
static int64_t find_due(const struct running *running)
{
    int64_t end = find_end(running);
    int64_t due = end < running->notify_at ? end : running->notify_at;

    return running->speaker != NULL && running->silent_at < due ? running->silent_at : due;
}

static void notify_waiting(struct running *running, int64_t now)
{
    if (now < running->notify_at)
        return;
    notify(running, PROCESS_WAITING, NULL);
    running->notify_at = now + CLOCK_SECOND;
}

/* Lists the open captures: ppoll(2) refuses more entries than there may be descriptors. */
static nfds_t fill_polls(const struct running *running)
{
    nfds_t count = 0;

    for (size_t i = 0; i < running->active_count; i++) {
        const struct process *child = running->active[i];

        if (child->output.fd >= 0 && may_speak(running, child))
            running->polls[count++] = (struct pollfd){.fd = child->output.fd, .events = POLLIN};
        if (child->errors.fd >= 0)
            running->polls[count++] = (struct pollfd){.fd = child->errors.fd, .events = POLLIN};
    }
    return count;
}

/* Waits for an event, and reads what was written. */
static void wait_once(struct running *running)
{
    const struct pollfd *next = running->polls;

    if (signals_poll(running->polls, fill_polls(running), find_due(running)) <= 0)
        return; /* the caller checks all children */
    for (size_t i = 0; i < running->active_count; i++) {
        struct process *child = running->active[i];

        if (child->output.fd >= 0 && may_speak(running, child) && next++->revents != 0) {
            read_most(&child->output, READ_BYTES);
            running->silent_at = clock_after(clock_now(), 1);
        }
        if (child->errors.fd >= 0 && next++->revents != 0)
            read_most(&child->errors, READ_BYTES);
    }
}

static bool can_start(const struct running *running)
{
    return running->end_reason == PROCESS_PENDING && !running->holds_back &&
           running->next < running->batch->count && running->active_count < running->most;
}

/* Whether a signal arrived during a callback: it would not end the wait that follows. */
static bool has_news(const struct running *running)
{
    return child_signal != 0 || signals_count() != running->passed_on;
}

static void run_all(struct running *running)
{
    for (;;) {
        int64_t now = clock_now();

        check_interrupted(running);
        check_time(running, now);
        child_signal = 0;
        sweep(running);
        while (can_start(running))
            start_next(running);
        choose_speaker(running, now);
        if (running->active_count == 0 && !can_start(running))
            return;
        notify_waiting(running, now);
        if (!has_news(running))
            wait_once(running);
    }
}

void process_run(const struct process_batch *batch)
{
    size_t parallel = (size_t)batch->parallel;
    struct running running = {
        .batch = batch,
        .most = batch->count < parallel ? batch->count : parallel,
        .passed_on = batch->signals_known,
        .notify_at = batch->observe == NULL ? CLOCK_NEVER : clock_now() + CLOCK_SECOND,
    };
    sigset_t mask_before;

    catch_children(&mask_before);
    running.polls = alloc_zeroed(running.most * 2, sizeof(*running.polls));
    running.active = alloc_zeroed(running.most, sizeof(struct process *));
    run_all(&running);
    free(running.polls);
    free(running.active);
    if (running.stage != STAGE_NONE)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

int process_count_processors(void)
{
    cpu_set_t processors;

    return sched_getaffinity(0, sizeof(processors), &processors) < 0 ? 1 : CPU_COUNT(&processors);
}

char *process_failure(const struct process *child, const struct limits *limits)
{
    const struct capture *lost = child->output.error != 0 ? &child->output : &child->errors;

    switch (child->outcome) {
    case PROCESS_PENDING:
        return signals_received() != 0 ? alloc_string("not started: interrupted")
                                       : alloc_format("not started within %ds", limits->seconds);
    case PROCESS_NOT_STARTED:
        return alloc_format("run %s: %s", child->program, strerror(child->error));
    case PROCESS_TIMED_OUT:
        return alloc_format("not finished within %ds", limits->seconds);
    case PROCESS_LEFT:
        return alloc_format("not finished within %ds and could not be ended", limits->seconds);
    case PROCESS_INTERRUPTED:
        return alloc_string("interrupted");
    case PROCESS_ENDED:
        break;
    }
    if (lost->error != 0)
        return alloc_format("output cannot be %s: %s", lost->loss, strerror(lost->error));
    if (child->signal != 0)
        return alloc_format("killed by signal %d (%s)", child->signal, strsignal(child->signal));
    return child->exit_status == 0 ? NULL : alloc_format("exit status %d", child->exit_status);
}
