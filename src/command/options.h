/* SPDX-License-Identifier: MIT */
/*
 * options: the command line, and the help about it.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "postfix/message.h"
#include <stdbool.h>

/* What a command line is for. */
enum options_mode {
    OPTIONS_KICK,     /* class service request, or an action and instances */
    OPTIONS_LIST,     /* -l */
    OPTIONS_POSTFIX,  /* -p */
    OPTIONS_EXECUTE,  /* -x */
    OPTIONS_STATUS,   /* -s */
    OPTIONS_QUEUES,   /* -Q */
    OPTIONS_MESSAGES, /* -M */
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

struct options {
    enum options_mode mode;
    bool all;
    bool dry_run;
    bool enabled_only; /* -E */
    bool json;
    bool quiet;
    bool reverse;
    bool tag; /* --tag */
    bool wait;
    int verbose;                  /* how often -v */
    int parallel;                 /* -P; 0 without */
    int time_limit;               /* -t in seconds; 0 without */
    const char *config_directory; /* -c, or NULL */
    const char *settings_file;    /* -f, or NULL */
    UT_array *groups;             /* -g: strings */
    UT_array *names;              /* -i and operands that are instances: strings */
    enum message_verb verb;       /* with -M, as well as what follows */
    struct message_filter filter;
    bool has_filter;     /* one of them at least */
    enum message_key by; /* --by */
    int top;             /* --top */
    bool now;
    bool yes;
    bool restart; /* -p restart, which is ours */
    bool ended;   /* the options, by -- */
    int operand_count;
    char *const *operands; /* NULL after the last; elements of argv */
};

/*
 * Parses the command line; options end at the first operand, as everywhere in Postfix. argv is not
 * reordered. Returns true, or false with the first error in *error, which has to be NULL before, a
 * new string, which the caller frees; options->mode is then the mode in question, none of help and
 * version. The caller frees the arrays in both cases.
 */
bool options_parse(struct options *options, int argc, char **argv, char **error);

/* Returns how to call the program in a mode, in one line; or, for OPTIONS_HELP, the text of --help
 * without the actions: a new string. */
char *options_help(enum options_mode mode);

#endif
