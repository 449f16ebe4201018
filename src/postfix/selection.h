/* SPDX-License-Identifier: MIT */
/*
 * selection: the instances of a host that -c, -g and -i select for a run, in order, and the state
 * of each (postconf(5), postmulti(1), postfix-wrapper(5)).
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "postfix/host.h"

/* The policy of root's program for an instance that users other than root can write. */
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
    enum selection_trust trust;
    bool acts;         /* a name that is no pattern has to mean one instance */
    bool reverse;      /* -R */
    bool enabled_only; /* -E */
    const struct settings *settings;
    enum parameter_purpose purpose;
    const struct limits *limits;
};

enum selection_state {
    SELECTION_SERVE,     /* to be served */
    SELECTION_FAILED,    /* cannot be: see the instance's error */
    SELECTION_DISABLED,  /* chosen, but not enabled */
    SELECTION_DUPLICATE, /* listed twice: duplicate_of comes before */
};

struct selection_member {
    struct instance *instance;
    enum selection_state state; /* after selection_mark() */
    const struct selection_member *duplicate_of;
    /* It was asked for by itself: it is the only one, or an -i that is no pattern means it. Then it
     * counts even if it is not enabled. */
    bool is_named;

    /* private */
    bool is_matched;
    UT_hash_handle hh;
};

struct selection {
    struct host host;
    struct selection_member *members; /* the chosen ones, in order */
    size_t member_count;
    bool is_single;     /* as the host's: messages are Postfix's own */
    size_t unmatched;   /* how many -i matched nothing */
    UT_array *warnings; /* strings: about the criteria, the list, and who can write it */

    /* private; the data that the criteria point to belong to the caller and have to outlive this */
    struct selection_criteria criteria;
};

/*
 * Loads the host and chooses. Returns true, or false with the host's error set when the criteria
 * contradict each other, the host cannot be loaded, a name means several instances, or no instance
 * matches. selection_free() empties it in both cases.
 */
bool selection_make(struct selection *selection, const struct selection_criteria *criteria);

/* Marks which members are to be served. Those that are not enabled are served only with all, or if
 * the selection is single. Of a directory that is listed twice, the first entry is served. Returns
 * true, or false with the host's error set when none is enabled: it names them, and how to reach
 * them. */
bool selection_mark(struct selection *selection, bool all);

/*
 * Whether wanted means the instance, as with -i (postmulti(1), INSTANCE SELECTION): its name, with
 * or without "postfix-" before it, or its configuration directory if wanted starts with a slash;
 * either may be a pattern as in fnmatch(3), and "-" is the default instance. An instance whose name
 * is unknown has none.
 */
bool selection_matches(const struct instance *instance, const char *wanted);

/* Whether both are one, listed twice: the configuration directories are the same, apart from
 * slashes at their ends. */
bool selection_is_same(const struct instance *one, const struct instance *other);

/* Returns why a member is not served, a new string; NULL if it is. */
char *selection_reason(const struct selection_member *member);

/* Returns the only instance if it has failed, also after selection_mark(), as without its queue
 * directory: its error is fatal then. Otherwise NULL. Not for an empty selection. */
const struct instance *selection_lone_failure(const struct selection *selection);

/* Looks up which of the selected instances are running: host_find_running(). With NULL, the
 * locks are read for this call. */
void selection_find_running(struct selection *selection, struct master_locks *locks);

/* Empties it. */
void selection_free(struct selection *selection);

#endif
