/* SPDX-License-Identifier: MIT */
/* Starts a child process: streams, environment, limits, and the errno when that fails. */
#include "base/spawn.h"
#include "base/descriptors.h"
#include "base/strings.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's ends of the pipes; -1 for none. */
struct ends {
    int output;
    int errors;
    int failure; /* receives the errno when the program cannot be run */
};

static void close_ends(struct ends *ends)
{
    descriptors_close(&ends->output);
    descriptors_close(&ends->errors);
    descriptors_close(&ends->failure);
}

/* Whether the child has our terminal: reading from it in a process group of its own would stop the
 * child, and with "stty tostop" writing too. */
static bool has_terminal(const struct process *child)
{
    if (child->inherits_input && isatty(STDIN_FILENO))
        return true;
    return child->streams == PROCESS_INHERIT && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO));
}

static void connect_streams(const struct process *child, const struct ends *ends)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (!child->inherits_input)
        (void)dup2(null, STDIN_FILENO);
    if (child->streams == PROCESS_INHERIT)
        return;
    (void)dup2(ends->output, STDOUT_FILENO);
    (void)dup2(child->streams == PROCESS_CAPTURE_OUTPUT ? null : ends->errors, STDERR_FILENO);
}

/* A limit that cannot be set is a failure: the child is not trusted without it. */
static bool set_limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit limit = {value, value}, current;

    if (value == 0)
        return true;
    if (getrlimit(resource, &current) == 0 && current.rlim_max < value)
        limit.rlim_cur = limit.rlim_max = current.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

/* Returns false with errno set. */
static bool confine(const struct process_confinement *confinement, pid_t parent)
{
    if (confinement->ends_with_us) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            return false;
        if (getppid() != parent)
            _exit(127); /* too late: the parent has ended */
    }
    return (confinement->directory == NULL || chdir(confinement->directory) == 0) &&
           set_limit(RLIMIT_CPU, confinement->processor_time) &&
           set_limit(RLIMIT_AS, confinement->memory);
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

static _Noreturn void become_program(const struct process *child, const struct ends *ends,
                                     pid_t parent)
{
    char *const *environment = make_environment(child);
    sigset_t none;

    if (child->leads_group)
        (void)setpgid(0, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    umask(S_IWGRP | S_IWOTH);
    connect_streams(child, ends);
    descriptors_restore_for_child();
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (child->confinement == NULL || confine(child->confinement, parent))
        execvpe(child->program, child->argv, environment);
    int error = errno;
    _exit(write(ends->failure, &error, sizeof(error)) == sizeof(error) ? 127 : 126);
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

/* Opens the streams that the child writes to. Returns 0 or an errno. */
static int open_streams(struct process *child, struct ends *ends)
{
    enum capture_kind kind =
        child->streams == PROCESS_CAPTURE_AS_TERMINAL ? CAPTURE_TERMINAL : CAPTURE_PIPE;

    child->output = child->errors = (struct capture){.fd = -1};
    if (child->streams == PROCESS_INHERIT)
        return 0;
    int error = capture_open(&child->output, CAPTURE_PIPE, &ends->output);
    if (error == 0 && child->streams != PROCESS_CAPTURE_OUTPUT)
        error = capture_open(&child->errors, kind, &ends->errors);
    return error;
}

/* Forks. Returns 0 or an errno; closes the child's ends. */
static int fork_child(struct process *child, struct ends *ends, int failure)
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
    int error = read_failure(failure);
    if (error != 0)
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return error;
}

int spawn(struct process *child)
{
    struct ends ends = {-1, -1, -1};
    int failure[2] = {-1, -1};
    int error = open_streams(child, &ends);

    if (error == 0 && pipe2(failure, O_CLOEXEC) < 0)
        error = errno;
    ends.failure = failure[1];
    if (error == 0)
        error = fork_child(child, &ends, failure[0]);
    close_ends(&ends);
    descriptors_close(&failure[0]);
    if (error != 0) {
        capture_free(&child->output);
        capture_free(&child->errors);
    }
    return error;
}
