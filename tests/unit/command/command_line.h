/* SPDX-License-Identifier: MIT */
/*
 * command_line: whole command lines, each in a process of its own, on a host of three instances in
 * the test's directory: the default one in "home", "on" in group g, and "off", which is not
 * enabled. Includes the fixture.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "base/descriptors.h"
#include "base/limits.h"
#include "command/command.h"
#include "settings.h"
#include <getopt.h>

/* A command line, and what it leads to; in all texts, @ is the directory of the test. */
struct command_line {
    const char *line; /* words with blanks between; '' is an empty one */
    int status;
    const char *output;
    const char *errors;
};

/* What the settings say beside where the host is. */
static const char *command_line_settings = "";

static void add_main_cf(const char *name, const char *text)
{
    char *filled = fixture_fill(text), *path = alloc_format("%s/%s/main.cf", fixture_root, name);
    FILE *file = fopen(path, "ae");

    assert_non_null(file);
    assert_true(fputs(filled, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(filled);
    free(path);
}

static void make_instance(const char *name, const char *main_cf)
{
    (void)fixture_directory(name);
    char *queue = alloc_format("queue_directory = @/%s\n", name);
    add_main_cf(name, queue);
    add_main_cf(name, main_cf);
    free(queue);
}

SETUP(make_host)
{
    command_line_settings = "";
    (void)fixture_directory("bin");
    make_instance("home", "multi_instance_directories = @/on @/off\nmulti_instance_enable = yes\n"
                          "command_directory = @/bin\n");
    make_instance("on", "multi_instance_name = on\nmulti_instance_group = g\n"
                        "multi_instance_enable = yes\n");
    make_instance("off", "multi_instance_name = off\n");
}

static int run_command(const struct options *options)
{
    static int (*const commands[])(const struct command *) = {
        [OPTIONS_KICK] = command_kick,       [OPTIONS_LIST] = command_list,
        [OPTIONS_POSTFIX] = command_postfix, [OPTIONS_EXECUTE] = command_execute,
        [OPTIONS_STATUS] = command_status,
    };
    struct limits limits = limits_start(options->time_limit);
    char *text = alloc_format("[postfix]\nconfig_directory = @/home\n%s", command_line_settings);
    struct settings *settings = settings_of(text);
    int status = commands[options->mode](&(struct command){
        .options = options, .settings = settings, .limits = &limits, .verbose = options->verbose});

    free(text);
    settings_free(settings);
    return status;
}

/* Never returns. Standard output may be something else than the file. */
static void become_command(char *line, const char *output)
{
    static char name[] = "postkick", empty[] = "";
    char *argv[32] = {name}, *error = NULL;
    struct options options;
    int argc = 1, out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open(fixture_path("errors"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    for (char *word; (word = strsep(&line, " ")) != NULL; argc++)
        argv[argc] = strcmp(word, "''") == 0 ? empty : word;
    optind = 0; /* restarts getopt_long(3) */
    signals_start();
    (void)descriptors_find_own();
    if (!options_parse(&options, argc, argv, &error))
        exit(99);
    int status = run_command(&options);
    options_free(&options);
    exit(status);
}

static char *read_text(const char *name)
{
    static char text[65536];
    int fd = open(fixture_path(name), O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return alloc_string(text);
}

static void assert_same(const char *line, const char *found, const char *expected)
{
    char *filled = fixture_fill(expected);

    if (strcmp(found, filled) != 0)
        fail_msg("%s: expected:\n%s\ngot:\n%s", line, filled, found);
    free(filled);
}

static void check_command_to(const struct command_line *row, const char *path)
{
    char *line = fixture_fill(row->line);
    int status = 0;

    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become_command(line, path);
    assert_int_equal(waitpid(child, &status, 0), child);
    char *output = read_text("output"), *errors = read_text("errors");
    assert_same(row->line, errors, row->errors);
    assert_same(row->line, output, row->output);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != row->status)
        fail_msg("%s: status %x", row->line, (unsigned)status);
    free(line);
    free(output);
    free(errors);
}

FIXTURE_UNUSED static void check_commands(const struct command_line *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_command_to(&rows[i], fixture_path("output"));
}

/* The row's command with standard output where nothing can be written. */
FIXTURE_UNUSED static void check_full_output(const char *line)
{
    const struct command_line row = {
        line, 1, "", "postkick: warning: write to standard output: No space left on device\n"};

    (void)fixture_file("output", "");
    check_command_to(&row, "/dev/full");
}

#endif
