/* SPDX-License-Identifier: MIT */
/*
 * postconf: asks postconf(1) for the default values of Postfix's thousand parameters ("postconf
 * -d"). Nothing of an instance reaches that program: it is run once, with a configuration directory
 * that has no main.cf and no master.cf; its answer provides the values of names that no main.cf
 * sets.
 */
#ifndef POSTCONF_H
#define POSTCONF_H

#include "maincf/maincf.h"

struct limits;

struct postconf {
    char *error; /* why there is no answer: "run /x/postconf: No such file or directory"; or NULL */
    struct maincf *parameters; /* the default values, unexpanded, unless there is an error */

    /* private */
    char *text; /* that parameters point into */
};

/*
 * Runs "COMMAND_DIRECTORY/postconf -c DIRECTORY -d", with a clean environment; DIRECTORY is one of
 * /proc. The call ends with the limits of the run, or after 2 seconds. Returns its answer, or the
 * failure to get one, to be freed by postconf_free().
 */
struct postconf *postconf_ask(const char *command_directory, const struct limits *limits);

/* Frees it; NULL is allowed. */
void postconf_free(struct postconf *postconf);

#endif
