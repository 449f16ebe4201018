/* SPDX-License-Identifier: MIT */
/*
 * instances: a selection of two, for the tests of the report: one that is well, and one that
 * cannot be read. Includes the fixture.
 */
#ifndef INSTANCES_H
#define INSTANCES_H

#include "fixture.h"
#include "postfix/selection.h"

static struct instance instances[2];
static struct selection_member members[2];
static struct selection selection;

SETUP(make_selection)
{
    static const char *const names[] = {"/etc/a", "/etc/b\x1b"};

    selection = (struct selection){
        .host = {.instances = instances, .count = 2}, .members = members, .member_count = 2};
    for (size_t i = 0; i < 2; i++) {
        instances[i] = (struct instance){.config_directory = alloc_string(names[i]),
                                         .enabled = INSTANCE_ENABLED};
        members[i] = (struct selection_member){.instance = &instances[i]};
    }
    instances[0].values[PARAMETER_MULTI_INSTANCE_NAME] = alloc_string("postfix-a");
    instances[0].values[PARAMETER_MULTI_INSTANCE_GROUP] = alloc_string("");
    instances[1].enabled = INSTANCE_UNKNOWN;
    instances[1].error = alloc_string("it is\nbroken");
    instances[1].notice = alloc_string("note");
}

TEARDOWN(free_selection)
{
    for (size_t i = 0; i < 2; i++)
        instance_free(&instances[i]);
}

#endif
