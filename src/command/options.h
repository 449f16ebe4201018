/* SPDX-License-Identifier: MIT */
/*
 * options: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/alloc.h"
#include <stdbool.h>

/*
 * usage: which options there are, in which modes, and --help, which shows them.
 */

/* What a command line is for. */
enum usage_mode {
    USAGE_KICK,    /* class service request, or an action */
    USAGE_LIST,    /* -l */
    USAGE_POSTFIX, /* -p */
    USAGE_EXECUTE, /* -x */
    USAGE_STATUS,  /* -s */
    USAGE_HELP,
    USAGE_VERSION,
};

/* How many options there are. */
#define USAGE_OPTIONS 21

/* Where --help has an option. */
enum usage_group { USAGE_MODES, USAGE_SELECTION, USAGE_CONTROL, USAGE_NONE };

struct usage_option {
    int letter;
    const char *name;     /* of its long form */
    const char *argument; /* its name, or NULL: none is taken */
    unsigned modes;       /* that it belongs to: 1 << mode */
    enum usage_group group;
    const char *help; /* may have two lines */
};

struct usage_form {
    const char *line; /* how to call the program in that mode */
    const char *with; /* its name in a message: "with -l" */
    int letter;       /* of the option that chooses it; 0: none */
    int least, most;  /* operands; -1: any number */
};

/* The options, in the order of --help. */
extern const struct usage_option usage_options[USAGE_OPTIONS];

/* Whether an option has a long form only: its letter is not on the command line. */
bool usage_is_letterless(int letter);

/* What belongs to each mode; --help and --version are none. */
extern const struct usage_form usage_forms[USAGE_HELP];

/* Appends the text of --help, without the actions. */
void usage_append_help(UT_string *out);

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
