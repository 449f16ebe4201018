/* SPDX-License-Identifier: MIT */
/*
 * selection: which instances of a host a run is about, narrowed by -g and -i, in order, and how
 * each of them stands. postconf(5), postmulti(1), postfix-wrapper(5).
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "postfix/host.h"

/* What becomes of an instance that users other than root can write, when the program runs as root.
 */
enum selection_trust {
    SELECTION_TRUSTS,
    SELECTION_WARNS,
    SELECTION_REFUSES, /* the instance has failed */
};

struct selection_criteria {
    const char *config_directory; /* -c, or NULL */
    const char *mail_config;      /* MAIL_CONFIG, or NULL */
    const UT_array *groups;       /* -g: strings, may be empty */
    const UT_array *names;        /* -i: strings, may be empty */
    const UT_array *overrides;    /* -o: strings "name=value", may be empty */
    enum parameter_purpose purpose;
    const struct limits *limits;
    enum selection_trust trust;
    bool reverse;      /* -R */
    bool enabled_only; /* -E */
    bool is_manager;   /* -l, -p, -x: MAIL_CONFIG as postmulti(1) takes it */
};

enum selection_state {
    SELECTION_SERVE,     /* to be served */
    SELECTION_FAILED,    /* cannot be: see the instance's error */
    SELECTION_DISABLED,  /* asked for, but not enabled */
    SELECTION_DUPLICATE, /* listed twice: duplicate_of comes before */
    SELECTION_WAITING,   /* not resolved yet: see selection_resolve() */
};

struct selection_member {
    struct instance *instance;
    enum selection_state state; /* after selection_mark() */
    const struct instance *duplicate_of;
};

struct selection {
    struct host host;
    struct selection_member *members; /* those that are asked for, in order */
    size_t member_count;
    bool is_single;      /* the host's: messages as Postfix's own */
    UT_array *unmatched; /* strings: the -i that matched nothing */
    UT_array *warnings; /* strings: what is odd about the criteria, the list and who can write it */
    char *error;        /* why there is no selection at all */
    char *notice;       /* a warning of Postfix that belongs to error, or NULL */

    /* its own; what the criteria point to is the caller's and has to outlive the selection */
    struct selection_criteria criteria;
    bool all;
    bool need_queue;
};

/*
 * Loads the host and chooses. Returns true, or false with error set when the criteria contradict
 * each other, or the host cannot be loaded. selection_free() empties it in both cases. That nothing
 * is chosen is no error here: see selection_refusal().
 */
bool selection_make(struct selection *selection, const struct selection_criteria *criteria,
                    const struct settings *settings);

/* Which members are to be served. Those that are not enabled only with all, or when the selection
 * is single. need_queue: an instance without its queue directory has failed. Of a directory that is
 * listed twice the first is served. */
void selection_mark(struct selection *selection, bool all, bool need_queue);

/* Whether instances are left that only Postfix can resolve. What is ready need not wait for them.
 * Their name, group and multi_instance_enable are known where -g, -i or -E ask for it. */
bool selection_is_unresolved(const struct selection *selection);

/* Resolves those instances, which may take POSTCONF_SECONDS, and marks them, in the same way as the
 * others were. */
void selection_resolve(struct selection *selection);

/* Why there is nothing to do, a new string that the caller frees: no instance matches, or none of
 * those that do is enabled, and how to reach them. NULL when there is something to do, as there is
 * for members that were not marked. */
char *selection_refusal(const struct selection *selection);

/* Why a member is not served, a new string that the caller frees; NULL when it is. */
char *selection_reason(const struct selection_member *member);

/* The only instance, when it has failed: what is wrong with it is then fatal. Otherwise NULL. */
const struct instance *selection_lone_failure(const struct selection *selection);

/* Looks up which of the selected instances are running: instance_find_running(). */
void selection_find_running(struct selection *selection, struct master_locks *locks);

/* The instance that the program itself goes by: the forced one, or the default one. */
const struct instance *selection_home(const struct selection *selection);

/* Empties it. */
void selection_free(struct selection *selection);

#endif
