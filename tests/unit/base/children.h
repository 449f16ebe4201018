/* SPDX-License-Identifier: MIT */
/*
 * children: processes of shell scripts, for the tests of what runs them. Includes the fixture.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "base/process.h"
#include "fixture.h"

/* A child that runs a shell script; argv is static, so eight at a time. */
static struct process shell(const char *script, enum process_streams streams)
{
    static const char *argv[8][4];
    static size_t next;
    const char **slot = argv[next++ % 8];

    slot[0] = "sh";
    slot[1] = "-c";
    slot[2] = script;
    slot[3] = NULL;
    return (struct process){
        .program = "/bin/sh", .argv = (char *const *)(void *)slot, .streams = streams};
}

/* Runs them, for so many seconds at most, or 0. */
static void run(struct process *children, size_t number, int parallel, int seconds)
{
    struct limits limits = {.end = seconds == 0 ? CLOCK_NEVER : clock_after(clock_now(), seconds)};
    struct process_batch all = {
        .processes = children, .count = number, .parallel = parallel, .limits = &limits};

    process_run(&all);
}

/* Compares its output, and frees it. */
static void assert_text(struct process *child, const char *expected)
{
    assert_string_equal(utstring_body(&child->output.text), expected);
    process_free(child);
}

#endif
