/* SPDX-License-Identifier: MIT */
/* What postconf(1) would say, without running it: for fuzzers, in place of postfix/postconf.c. */
#ifndef ASKED_H
#define ASKED_H

#include "postfix/postconf.h"
#include <string.h>

struct postconf *postconf_ask(const char *command_directory, const struct limits *limits)
{
    static char text[] = "mydomain = example.net\nmyhostname = host.example.net\nx = $y\n"
                         "mynetworks = 127.0.0.0/8\ny = value\nloop = $loop\n";
    static char error[] = "command_directory is not an absolute path";
    static struct postconf answer, failure = {.error = error};
    UT_array *warnings = NULL;
    char *mistake = NULL;

    (void)limits;
    if (command_directory[0] != '/')
        return &failure;
    if (answer.parameters == NULL)
        answer.parameters = maincf_parse("postconf", NULL, text, strlen(text), &warnings, &mistake);
    return &answer;
}

void postconf_free(struct postconf *postconf)
{
    (void)postconf;
}

#endif
