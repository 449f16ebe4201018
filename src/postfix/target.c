/* SPDX-License-Identifier: MIT */
/* Checks classes and services, and parses lists of targets. */
#include "postfix/target.h"
#include "base/text.h"
#include <string.h>

static void target_free(void *element)
{
    struct target *target = element;

    free(target->class);
    free(target->service);
    free(target->request);
}

const UT_icd target_icd = {sizeof(struct target), NULL, NULL, target_free};

void target_append(UT_array *targets, const char *class, const char *service, const char *request)
{
    struct target target = {alloc_string(class), alloc_string(service), alloc_string(request)};

    utarray_push_back(targets, &target);
}

const struct target *target_item(const UT_array *targets, size_t index)
{
    const struct target *items = (const struct target *)(const void *)targets->d;

    return &items[index];
}

bool target_class_is_valid(const char *class)
{
    return strcmp(class, "public") == 0 || strcmp(class, "private") == 0;
}

bool target_service_is_valid(const char *service)
{
    return service[0] != '\0' && strcmp(service, ".") != 0 && strcmp(service, "..") != 0 &&
           strchr(service, '/') == NULL;
}

/* Appends the target that item describes. Returns false if it is malformed. */
static bool parse_one(UT_array *targets, const char *item)
{
    UT_array *words = strings_split(item, TEXT_WHITE_SPACE);
    bool valid = utarray_len(words) == 3 && target_class_is_valid(strings_item(words, 0)) &&
                 target_service_is_valid(strings_item(words, 1));

    if (valid)
        target_append(targets, strings_item(words, 0), strings_item(words, 1),
                      strings_item(words, 2));
    utarray_free(words);
    return valid;
}

UT_array *target_parse(const char *list)
{
    UT_array *targets, *items = strings_split(list, ",");
    bool valid = utarray_len(items) > 0;

    utarray_new(targets, &target_icd);
    for (size_t i = 0; i < utarray_len(items) && valid; i++)
        valid = parse_one(targets, strings_item(items, i));
    utarray_free(items);
    if (valid)
        return targets;
    utarray_free(targets);
    return NULL;
}
