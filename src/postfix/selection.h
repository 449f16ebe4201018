/*
 * selection: which instances a run is about: -c over MAIL_CONFIG over the default main.cf's
 * multi_instance_directories, narrowed by -g and -i, in order. postconf(5), postmulti(1),
 * postfix-wrapper(5).
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "postfix/instance.h"

/* More instances than this are refused. */
#define SELECTION_MAXIMUM 65536

struct selection_criteria {
    const char *config_directory; /* -c, or NULL */
    const char *mail_config;      /* MAIL_CONFIG, or NULL */
    const UT_array *groups;       /* -g: strings, may be empty */
    const UT_array *names;        /* -i: strings, may be empty */
    const UT_array *overrides;    /* -o: strings "name=value", may be empty */
    const bool *keep;             /* [PARAMETER_COUNT]: the values that the command needs */
    const struct limits *limits;
    bool reverse;       /* -R */
    bool check_all;     /* check also what only kicks use */
    bool is_manager;    /* -l, -p, -x: MAIL_CONFIG as postmulti(1) takes it */
    bool is_privileged; /* set-gid: listed directories only, no programs */
};

enum selection_state {
    SELECTION_SERVE,     /* to be served */
    SELECTION_FAILED,    /* cannot be: see the instance's error */
    SELECTION_DISABLED,  /* asked for, but not enabled */
    SELECTION_DUPLICATE, /* the same as duplicate_of, which comes before */
};

struct selection_member {
    struct instance *instance;
    enum selection_state state; /* after selection_mark() */
    const struct instance *duplicate_of;
};

struct selection {
    struct instance *instances; /* all that are configured, the default one first */
    size_t count;
    struct selection_member *members; /* those that are asked for, in order */
    size_t member_count;
    bool is_forced;      /* one instance, by -c or MAIL_CONFIG */
    bool is_single;      /* forced, or the only one of the host: messages as Postfix's own */
    UT_array *unmatched; /* strings: the -i that matched nothing */
    char *error;         /* why there is no selection at all */
    char *notice;        /* a warning of Postfix that belongs to error, or NULL */
};

/*
 * Reads what has to be read and chooses. Returns true, or false with error set when the criteria
 * contradicts itself, the default main.cf cannot be read, or there are too many instances.
 * selection_free() empties it in both cases. That nothing was member_count is no error here.
 */
bool selection_make(struct selection *selection, const struct selection_criteria *criteria,
                    const struct settings *settings);

/* Which instances are to be served. Those that are not enabled only when all, or the selection is
 * one instance. need_queue: an instance without its queue directory has failed. Of several
 * with the same configuration or queue directory the first is served. */
void selection_mark(struct selection *selection, bool all, bool need_queue);

/* Looks up which of the selected instances are running: instance_find_running(). */
void selection_find_running(struct selection *selection, struct master_locks *locks);

/* The instance that the program itself goes by: the forced one, or the default one. */
const struct instance *selection_home(const struct selection *selection);

/* Empties it. */
void selection_free(struct selection *selection);

#endif
