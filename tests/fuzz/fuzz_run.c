/* SPDX-License-Identifier: MIT */
/*
 * Whole runs of the program: settings, selection, listing, states and kicks, for a host with three
 * instances whose services read. The first byte chooses the command line, the second where the rest
 * of the text goes. What is said to be kicked was read, and most runs succeed: the last line says
 * how many.
 */
#define main postkick_main
int postkick_main(int argc, char **argv);
#include "main.c"
#undef main

#include "scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ENDPOINTS 6 /* qmgr and pickup of the instances */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"default", "a", "b"};

/* Where the text goes; @ in it stands for the scratch directory. */
enum place { VALUE, COMMENT, REQUEST, GROUP, OVERRIDE, INSTANCE, HOST, PLACES };

/* The command lines; a request follows where the last word is "qmgr". */
static const char *const command_lines[][8] = {
    {"-j", "flush"},
    {"-j", "public", "qmgr"},
    {"-j", "-w", "public", "qmgr"},
    {"-j", "-a", "public", "qmgr"},
    {"-j", "-v", "-i", "-", "-i", "a", "public", "qmgr"},
    {"-l"},
    {"-l", "-j", "-R", "-v"},
    {"-s", "-j"},
    {"-s", "-v"},
    {"-n", "flush"},
};
#define COMMAND_LINES (sizeof(command_lines) / sizeof(command_lines[0]))

static char settings_file[sizeof(scratch) + 16];
static atomic_int *reads; /* requests that the services have read */
static int output = -1;
static long runs, successes;

static void write_file(const char *name, const char *text)
{
    char *path = alloc_format("%s/%s", scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    free(path);
}

static int listen_at(const char *instance, const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s/public/%s", scratch, instance,
                   service);
    assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    assert(listen(fd, 100) == 0);
    return fd;
}

/* Counts a request before it takes it. */
static void read_one(int listening)
{
    char request[4096];
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

    if (recv(fd, request, sizeof(request), MSG_PEEK) > 0)
        ++*reads;
    (void)recv(fd, request, sizeof(request), 0);
    close(fd);
}

/* As if a master ran there. */
static void hold_lock(const char *instance)
{
    char *path = alloc_format("%s/%s/pid/master.pid", scratch, instance);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    free(path);
}

static _Noreturn void serve(struct pollfd *listening)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < ENDPOINTS / 2; i++)
        hold_lock(names[i]);
    while (poll(listening, ENDPOINTS, -1) > 0)
        for (size_t i = 0; i < ENDPOINTS; i++)
            if (listening[i].revents != 0)
                read_one(listening[i].fd);
    _exit(1);
}

static void start_services(void)
{
    struct pollfd listening[ENDPOINTS];

    reads = mmap(NULL, sizeof(*reads), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(reads != MAP_FAILED);
    for (size_t i = 0; i < ENDPOINTS; i++)
        listening[i] = (struct pollfd){
            .fd = listen_at(names[i / 2], i % 2 == 0 ? "qmgr" : "pickup"), .events = POLLIN};
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0)
        serve(listening);
    for (size_t i = 0; i < ENDPOINTS; i++)
        close(listening[i].fd);
}

static void show_rate(void)
{
    fprintf(stderr, "stat::successful_runs: %ld of %ld\n", successes, runs);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const made[] = {"", "/public", "/pid"};

    (void)argc;
    (void)argv;
    scratch_make();
    for (size_t i = 0; i < 9; i++) {
        char *path = alloc_format("%s/%s%s", scratch, names[i / 3], made[i % 3]);
        assert(mkdir(path, 0700) == 0);
        free(path);
    }
    char *ini = alloc_format("[postfix]\nconfig_directory = %s/default\n"
                             "queue_directory = %s/default\ndata_directory = %s\n"
                             "command_directory = %s\ndaemon_directory = %s\n"
                             "[service qmgr]\nclass = public\nrequests = *\n"
                             "[action flush]\nkick = public qmgr FADI, public pickup W\n",
                             scratch, scratch, scratch, scratch, scratch);
    (void)snprintf(settings_file, sizeof(settings_file), "%s/postkick.ini", scratch);
    write_file("postkick.ini", ini);
    free(ini);
    start_services();
    output = memfd_create("output", MFD_CLOEXEC);
    assert(output >= 0 && atexit(show_rate) == 0);
    return 0;
}

/* The text without NUL, with what stands for the scratch directory and for a line's end. */
static char *expand_text(const uint8_t *data, size_t size, const char *line_end)
{
    UT_string text;

    utstring_init(&text);
    for (size_t i = 0; i < size; i++)
        if (data[i] == '@')
            utstring_printf(&text, "%s", scratch);
        else if (data[i] == '\n')
            utstring_printf(&text, "%s", line_end);
        else if (data[i] != '\0')
            utstring_printf(&text, "%c", data[i]);
    utstring_printf(&text, "%s", "");
    return utstring_body(&text);
}

/* The instances' files, with a line of the text in that of "a", or in the default one. */
static void write_instances(enum place place, const char *text)
{
    static const char *const before[PLACES] = {
        [VALUE] = "unused = ", [COMMENT] = "# ", [GROUP] = "multi_instance_group = x"};
    bool has_line = before[place] != NULL || place == INSTANCE || place == HOST;
    char *line = has_line ? alloc_format("%s%s\n", before[place] == NULL ? "" : before[place], text)
                          : alloc_string("");

    for (size_t i = 0; i < 3; i++) {
        const char *own = i == (place == HOST ? 0 : 1) ? line : "";
        char *rest =
            i == 0 ? alloc_format("multi_instance_directories = %s/a %s/b\n", scratch, scratch)
                   : alloc_format("multi_instance_name = postfix-%s\n", names[i]);
        char *content = alloc_format("queue_directory = %s/%s\nmulti_instance_enable = %s\n"
                                     "unused =\n%s%s",
                                     scratch, names[i], i == 2 ? "no" : "yes", rest, own);
        char *name = alloc_format("%s/main.cf", names[i]);
        write_file(name, content);
        free(name);
        free(content);
        free(rest);
    }
    free(line);
}

/* Calls the program with a clock of its own: it sets SIGALRM to its default, so that libFuzzer's
 * would end it at any time. This one ends a run that hangs. */
static int call_program(int argc, char **argv)
{
    const struct itimerval longest = {.it_value.tv_sec = 60};
    struct itimerval timer;
    struct sigaction action;

    assert(sigaction(SIGALRM, NULL, &action) == 0);
    assert(setitimer(ITIMER_REAL, &longest, &timer) == 0);
    int status = postkick_main(argc, argv);
    assert(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    assert(sigaction(SIGALRM, &action, NULL) == 0);
    return status;
}

/* Runs the program in this process. Returns its exit status; what it wrote is in output. */
static int run_program(int argc, char **argv)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), own[2];

    (void)fflush(NULL);
    assert(ftruncate(output, 0) == 0 && lseek(output, 0, SEEK_SET) == 0);
    for (int i = 0; i < 2; i++) {
        own[i] = fcntl(1 + i, F_DUPFD_CLOEXEC, 3);
        assert(own[i] >= 0 && dup2(i == 0 ? output : null, 1 + i) == 1 + i);
    }
    assert(clearenv() == 0);
    optind = 0;
    int status = call_program(argc, argv);
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++) {
        assert(dup2(own[i], 1 + i) == 1 + i);
        close(own[i]);
    }
    close(null);
    return status;
}

/* How many rows of the output say that a request was read. */
static int count_kicked(void)
{
    static const char kicked[] = "\"status\": \"kicked\"";
    off_t size = lseek(output, 0, SEEK_END);
    char *text = alloc_zeroed((size_t)size + 1, 1);
    int count = 0;

    assert(pread(output, text, (size_t)size, 0) == size);
    for (const char *at = text; (at = strstr(at, kicked)) != NULL; at++)
        count++;
    free(text);
    return count;
}

/* One run with the text in its place. Returns whether it succeeded. */
static bool run_with(const char *const *command, enum place place, char *text)
{
    char *argv[16] = {"postkick", "-f", settings_file};
    char *override = alloc_format("unused=%s", text);
    int argc = 3, before = *reads;

    write_instances(place, text);
    if (place == OVERRIDE) {
        argv[argc++] = "-o";
        argv[argc++] = override;
    }
    for (size_t i = 0; i < 8 && command[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)command[i];
    if (strcmp(argv[argc - 1], "qmgr") == 0)
        argv[argc++] = place == REQUEST ? text : "W";
    int status = run_program(argc, argv);
    assert(status == 0 || status == 1);
    assert(count_kicked() <= *reads - before);
    runs++;
    successes += status == 0;
    free(override);
    return status == 0;
}

/* After a run that failed, one without the text has to succeed: nothing is left behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *const *command = command_lines[data[0] % COMMAND_LINES];
    enum place place = (enum place)(data[1] % PLACES);
    char *text = expand_text(data + 2, size - 2, place == INSTANCE || place == HOST ? "\n" : "\n ");
    char nothing[] = "";

    if (!run_with(command, place, text))
        assert(run_with(command, COMMENT, nothing));
    free(text);
    return 0;
}
