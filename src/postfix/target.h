/* SPDX-License-Identifier: MIT */
/*
 * target: what is kicked in an instance: class, service and request.
 */
#ifndef TARGET_H
#define TARGET_H

#include "base/alloc.h"
#include <stdbool.h>

struct target {
    char *class;   /* "public" or "private" */
    char *service; /* one path component */
    char *request; /* any bytes but NUL; may be empty */
};

/* The element type of an array of targets, which owns their strings. */
extern const UT_icd target_icd;

/* Appends a target to such an array. Copies the strings. */
void target_append(UT_array *targets, const char *class, const char *service, const char *request);

/* Returns element number index of such an array. */
const struct target *target_item(const UT_array *targets, size_t index);

/* Whether the class is "public" or "private". */
bool target_class_is_valid(const char *class);

/* Whether the service is one path component: not empty, not "." or "..", without a slash. */
bool target_service_is_valid(const char *service);

/*
 * Parses "CLASS SERVICE REQUEST", or several with commas between, as in postkick.ini. Returns an
 * array of targets, to be freed by utarray_free(), or NULL if the list is malformed.
 */
UT_array *target_parse(const char *list);

#endif
