/* SPDX-License-Identifier: MIT */
/*
 * match: which instance a name given with -i means. postmulti(1), INSTANCE SELECTION, and patterns
 * as in fnmatch(3).
 */
#ifndef MATCH_H
#define MATCH_H

#include "postfix/instance.h"

/* Whether wanted means the instance: its name, with or without "postfix-" before it, or its
 * configuration directory when wanted starts with a slash; "-" is the default instance. An instance
 * whose name is not known has none. */
bool match_name(const struct instance *instance, const char *wanted);

/* Whether the instance is in the group wanted. One whose group is not known may be in any. */
bool match_group(const struct instance *instance, const char *wanted);

/* Whether one of the names, an array of strings, means the instance. */
bool match_any(const struct instance *instance, const UT_array *names);

/* Whether one of the names that are not patterns means the instance. */
bool match_exactly(const struct instance *instance, const UT_array *names);

/* Whether one of the names is a pattern for names, which can match more than one instance: also one
 * whose name is not known. */
bool match_has_pattern(const UT_array *names);

/* The length in bytes of a directory's name without the slashes at its end, which do not count. */
size_t match_directory_length(const char *directory);

#endif
