/* SPDX-License-Identifier: MIT */
/* What postconf(1) would say, without running it: for fuzzers, in place of postfix/postconf.c. */
#ifndef ASKED_H
#define ASKED_H

#include "postfix/postconf.h"
#include <string.h>

struct postconf *postconf_ask(const char *command_directory, const struct limits *limits)
{
    static char error[] = "command_directory is not an absolute path";
    static struct postconf answer, failure = {.error = error};

    (void)limits;
    return command_directory[0] == '/' ? &answer : &failure;
}

const char *postconf_value(const struct postconf *postconf, const char *name, size_t length)
{
    static const char *const parameters[][2] = {{"mydomain", "example.net"},
                                                {"myhostname", "host.example.net"},
                                                {"x", "$y"},
                                                {"mynetworks", "127.0.0.0/8"},
                                                {"y", "value"},
                                                {"loop", "$loop"}};

    (void)postconf;
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
        if (strlen(parameters[i][0]) == length && memcmp(parameters[i][0], name, length) == 0)
            return parameters[i][1];
    return NULL;
}

void postconf_free(struct postconf *postconf)
{
    (void)postconf;
}

#endif
