/* SPDX-License-Identifier: MIT */
/*
 * options: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "command/usage.h"
#include <stdbool.h>

struct options {
    enum usage_mode mode;
    bool all;
    bool dry_run;
    bool enabled_only; /* -E */
    bool json;
    bool quiet;
    bool reverse;
    bool wait;
    int verbose;                  /* how often -v */
    int parallel;                 /* -P; 1 without */
    int time_limit;               /* -t in seconds; 0 without */
    const char *config_directory; /* -c, or NULL */
    const char *settings_file;    /* -f, or NULL */
    UT_array *groups;             /* -g: strings */
    UT_array *names;              /* -i: strings */
    UT_array *overrides;          /* -o: strings "name=value" */
    bool ended;                   /* the options, by -- */
    int operand_count;
    char *const *operands; /* NULL after the last; elements of argv */
};

/*
 * Parses the command line; options end at the first operand, as everywhere in Postfix. argv is not
 * reordered. Returns true, or false with the first mistake in *error, a new string, which the
 * caller frees; options->mode is then the mode in question. options_free() empties *options in both
 * cases.
 */
bool options_parse(struct options *options, int argc, char **argv, char **error);

/* Empties it. */
void options_free(struct options *options);

#endif
