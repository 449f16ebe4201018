/* SPDX-License-Identifier: MIT */
/*
 * Whole runs of the program: settings, selection, listing, states and kicks, for a host with three
 * instances whose services read. The first byte chooses the command line, the second where the rest
 * of the text goes. What is said to be kicked was read, and most runs succeed: the last line says
 * how many. All is in one process, which serves whenever the program waits.
 */
#define main postkick_main
int postkick_main(int argc, char **argv);
#include "main.c"
#undef main

#include "services.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the text goes; @ in it stands for the scratch directory. */
enum place { VALUE, COMMENT, REQUEST, GROUP, INSTANCE, HOST, NAME_OPTION, GROUP_OPTION, PLACES };

/* Where the text goes, by the second byte, and by the length: what is added to a text that makes a
 * run fail lets the next three succeed. */
static enum place choose_place(uint8_t byte, size_t size)
{
    static const enum place harmless[] = {VALUE, COMMENT, REQUEST, GROUP};

    if (size % 4 == 0)
        return (enum place)(byte % PLACES);
    return harmless[byte % (sizeof(harmless) / sizeof(harmless[0]))];
}

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
static char *written[INSTANCES]; /* what the main.cf of each instance holds */
static int output = -1;
static int outer_streams[2]; /* standard output and standard error of the fuzzer, */
static int inner_streams[2]; /* and of the program */
static long executions, successes;

static void open_streams(void)
{
    output = memfd_create("output", MFD_CLOEXEC);
    inner_streams[0] = output;
    inner_streams[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 2; i++)
        outer_streams[i] = fcntl(1 + i, F_DUPFD_CLOEXEC, 3);
    assert(output >= 0 && inner_streams[1] >= 0 && outer_streams[0] >= 0 && outer_streams[1] >= 0);
}

static void set_streams(const int *streams)
{
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++)
        assert(dup2(streams[i], 1 + i) == 1 + i);
}

static void show_rate(void)
{
    fprintf(stderr, "stat::successful_runs: %ld of %ld\n", successes, executions);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const made[] = {"", "/public", "/pid", "/etc", "/lib"};

    (void)argc;
    (void)argv;
    scratch_make();
    for (size_t i = 0; i < 5 * INSTANCES; i++) {
        char *path = alloc_format("%s/%s%s", scratch, names[i / 5], made[i % 5]);
        assert(mkdir(path, 0700) == 0);
        free(path);
    }
    char *ini = alloc_format("[postfix]\nconfig_directory = %s/default/etc\n"
                             "queue_directory = %s/default\ndata_directory = %s\n"
                             "command_directory = %s\ndaemon_directory = %s/default/lib\n"
                             "[service qmgr]\nclass = public\nrequests = *\n"
                             "[action flush]\nkick = public qmgr FADI, public pickup W\n",
                             scratch, scratch, scratch, scratch, scratch);
    (void)snprintf(settings_file, sizeof(settings_file), "%s/postkick.ini", scratch);
    write_file("postkick.ini", ini);
    free(ini);
    start_services();
    open_streams();
    assert(atexit(show_rate) == 0);
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

/* Writes an instance's main.cf, with one more line, unless it is there. */
static void write_instance(size_t i, const char *line)
{
    char *rest =
        i == 0 ? alloc_format("multi_instance_directories = %s/a/etc %s/b/etc\n", scratch, scratch)
               : alloc_format("multi_instance_name = postfix-%s\n", names[i]);
    char *content =
        alloc_format("queue_directory = %s/%s\ndata_directory = %s/%s/data\n"
                     "multi_instance_enable = %s\nunused =\n%s%s",
                     scratch, names[i], scratch, names[i], i == 2 ? "no" : "yes", rest, line);

    if (written[i] == NULL || strcmp(written[i], content) != 0) {
        char *name = alloc_format("%s/etc/main.cf", names[i]);
        write_file(name, content);
        free(name);
    }
    free(written[i]);
    written[i] = content;
    free(rest);
}

/* The instances' files, with a line of the text in that of "a", or in the default one. */
static void write_instances(enum place place, const char *text)
{
    static const char *const before[PLACES] = {
        [VALUE] = "unused = ", [COMMENT] = "# ", [GROUP] = "multi_instance_group = x"};
    bool has_line = before[place] != NULL || place == INSTANCE || place == HOST;
    char *line = has_line ? alloc_format("%s%s\n", before[place] == NULL ? "" : before[place], text)
                          : alloc_string("");

    for (size_t i = 0; i < INSTANCES; i++)
        write_instance(i, i == (place == HOST ? 0 : 1) ? line : "");
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
    assert(sigaction(SIGALRM, &action, NULL) == 0); /* first: the timer may be due at once */
    assert(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    return status;
}

/* Runs the program in this process. Returns its exit status; what it wrote is in output. */
static int run_program(int argc, char **argv)
{
    assert(ftruncate(output, 0) == 0 && lseek(output, 0, SEEK_SET) == 0);
    assert(clearenv() == 0);
    optind = 0;
    set_streams(inner_streams);
    int status = call_program(argc, argv);
    set_streams(outer_streams);
    return status;
}

/* Whether a row of JSON says that a request was read. Every row has to be JSON. */
static int is_kicked(const char *row, size_t length)
{
    json_t *parsed = json_loadb(row, length, 0, NULL);
    const char *status = json_string_value(json_object_get(parsed, "status"));

    assert(json_is_object(parsed));
    int kicked = status != NULL && strcmp(status, "kicked") == 0;
    json_decref(parsed);
    return kicked;
}

/* How many rows of the output say that a request was read. */
static int count_kicked(void)
{
    off_t size = lseek(output, 0, SEEK_END);
    char *text = alloc_zeroed((size_t)size + 1, 1);
    int count = 0;

    assert(pread(output, text, (size_t)size, 0) == size);
    for (char *row = text, *end; (end = strchr(row, '\n')) != NULL; row = end + 1)
        count += is_kicked(row, (size_t)(end - row));
    free(text);
    return count;
}

static bool has_json(char *const *argv)
{
    while (*argv != NULL && strcmp(*argv, "-j") != 0)
        argv++;
    return *argv != NULL;
}

/* One run with the text in its place. Returns whether it succeeded. */
static bool run_with(const char *const *command, enum place place, char *text)
{
    char *argv[16] = {"postkick", "-f", settings_file};
    int argc = 3, before = reads;

    write_instances(place, text);
    if (place == NAME_OPTION || place == GROUP_OPTION) {
        argv[argc++] = place == NAME_OPTION ? "-i" : "-g";
        argv[argc++] = text;
    }
    for (size_t i = 0; i < 8 && command[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)command[i];
    if (strcmp(argv[argc - 1], "qmgr") == 0)
        argv[argc++] = place == REQUEST ? text : "W";
    int status = run_program(argc, argv);
    assert(status == 0 || status == 1);
    serve();
    assert(!has_json(argv) || count_kicked() <= reads - before);
    return status == 0;
}

/* After a run that failed, one without the text has to succeed, for nothing is left behind: now and
 * then this is looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *const *command = command_lines[data[0] % COMMAND_LINES];
    enum place place = choose_place(data[1], size);
    char *text = expand_text(data + 2, size - 2, place == INSTANCE || place == HOST ? "\n" : "\n ");
    char nothing[] = "";

    executions++;
    if (run_with(command, place, text))
        successes++;
    else if (executions % 16 == 0)
        assert(run_with(command, COMMENT, nothing));
    free(text);
    return 0;
}
