/* SPDX-License-Identifier: MIT */
/* Computes the defaults that depend on other parameters. */
#include "postfix/computed.h"
#include "maincf/expand.h"
#include <string.h>
#include <unistd.h>

static const char *look_up(void *context, const char *name, size_t length)
{
    const struct computed *computed = context;

    return maincf_value(computed->maincf, name, length);
}

/* Returns the expanded value of a parameter, a new string; or NULL if main.cf does not set it, or
 * after an error. */
static char *expanded_setting(struct computed *computed, const char *name)
{
    const char *raw = maincf_value(computed->maincf, name, strlen(name));
    UT_string value;
    char *notice = NULL, *result = NULL;

    if (raw == NULL)
        return NULL;
    utstring_init(&value);
    if (expand_value(raw, look_up, computed, computed->budget, &value, &notice))
        result = alloc_string(utstring_body(&value));
    else if (computed->error == NULL)
        computed->error = alloc_format("%s: %s", name, notice);
    free(notice);
    utstring_done(&value);
    return result;
}

static const char *compute_domain(struct computed *computed)
{
    char *hostname;

    if (computed->domain != NULL || (hostname = expanded_setting(computed, "myhostname")) == NULL)
        return computed->domain;
    const char *dot = strchr(hostname, '.');
    computed->domain = alloc_string(dot != NULL ? dot + 1 : "localdomain");
    free(hostname);
    return computed->domain;
}

static const char *compute_hostname(struct computed *computed)
{
    char name[256] = "", *domain;

    if (computed->hostname != NULL || gethostname(name, sizeof(name) - 1) < 0 ||
        strchr(name, '.') != NULL || (domain = expanded_setting(computed, "mydomain")) == NULL)
        return computed->hostname;
    computed->hostname = alloc_format("%s.%s", name, domain);
    free(domain);
    return computed->hostname;
}

static const char *compute_networks(struct computed *computed, const char *name, size_t length)
{
    static const char *const causes[] = {"inet_interfaces", "inet_protocols", "mynetworks_style"};
    const char *shown = postconf_value(computed->postconf, name, length);

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (computed->error == NULL &&
            maincf_value(computed->maincf, causes[i], strlen(causes[i])) != NULL)
            computed->error = alloc_format("a value refers to mynetworks, which depends on %s "
                                           "here: set mynetworks",
                                           causes[i]);
    if (computed->networks == NULL && shown != NULL)
        computed->networks = alloc_format("%s ", shown);
    return computed->networks;
}

static bool is_name(const char *name, size_t length, const char *expected)
{
    return strlen(expected) == length && strncmp(name, expected, length) == 0;
}

const char *computed_value(struct computed *computed, const char *name, size_t length)
{
    if (computed->postconf == NULL)
        return NULL;
    if (is_name(name, length, "mydomain"))
        return compute_domain(computed);
    if (is_name(name, length, "myhostname"))
        return compute_hostname(computed);
    if (is_name(name, length, "mynetworks"))
        return compute_networks(computed, name, length);
    return NULL;
}

void computed_free(struct computed *computed)
{
    free(computed->domain);
    free(computed->hostname);
    free(computed->networks);
    free(computed->error);
}
