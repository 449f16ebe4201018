/* SPDX-License-Identifier: MIT */
/* Looks up services and actions in the settings, and checks requests. */
#include "postfix/catalogue.h"
#include "base/strings.h"
#include "base/text.h"
#include <string.h>

/* Whether the section is about the service; a section that is missing is not. */
static bool is_about(const struct settings *settings, const char *section, const char *service)
{
    if (settings_value(settings, section, "class") == NULL)
        return false;
    const char *name = settings_value(settings, section, "name");
    return strcmp(name != NULL ? name : section + strlen(SETTINGS_SERVICE), service) == 0;
}

static bool has_capitals(const char *name)
{
    return name[strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/* iniparser folds section names: a service whose name has capitals has it in "name". Returns the
 * section of the service, which the caller frees, or NULL. */
static char *service_section(const struct settings *settings, const char *service)
{
    char *found = alloc_format(SETTINGS_SERVICE "%s", service);

    if (!has_capitals(service) && is_about(settings, found, service))
        return found;
    free(found);
    found = NULL;
    UT_array *words = settings_sections(settings, SETTINGS_SERVICE);
    for (size_t i = 0; i < utarray_len(words) && found == NULL; i++) {
        char *section = alloc_format(SETTINGS_SERVICE "%s", strings_item(words, i));

        if (is_about(settings, section, service))
            found = section;
        else
            free(section);
    }
    utarray_free(words);
    return found;
}

const char *catalogue_class(const struct settings *settings, const char *service)
{
    char *section = service_section(settings, service);
    const char *class = section == NULL ? NULL : settings_value(settings, section, "class");

    free(section);
    return class;
}

/* "= X": the service acts on exactly X. */
static void check_exact(const char *requests, const char *request, UT_array *warnings)
{
    const char *exact = requests + 1 + strspn(requests + 1, TEXT_WHITE_SPACE);

    if (strcmp(request, exact) != 0)
        strings_append(warnings, "request \"%s\" is ignored: the service acts on \"%s\" only",
                       request, exact);
}

/* Returns the bytes of request that are not in known, each once, a new string. */
static char *unknown_bytes(const char *request, const char *known)
{
    UT_string unknown;

    utstring_init(&unknown);
    for (const char *at = request; *at != '\0'; at++)
        if (strchr(known, *at) == NULL && strchr(utstring_body(&unknown), *at) == NULL)
            utstring_bincpy(&unknown, at, 1);
    return utstring_body(&unknown);
}

static bool any_other_than(const char *request, const char *requests, const char *modifiers)
{
    for (const char *at = request; *at != '\0'; at++)
        if (strchr(requests, *at) != NULL && strchr(modifiers, *at) == NULL)
            return true;
    return false;
}

static void check_bytes(const char *requests, const char *modifiers, const char *request,
                        UT_array *warnings)
{
    char *unknown = unknown_bytes(request, requests);
    char *starters = unknown_bytes(requests, modifiers);

    if (request[0] == '\0')
        strings_append(warnings, "empty request is ignored: the service acts on %s", requests);
    else if (unknown[0] != '\0')
        strings_append(warnings, "request \"%s\": \"%s\" is ignored: the service acts on %s",
                       request, unknown, requests);
    else if (!any_other_than(request, requests, modifiers))
        strings_append(warnings, "request \"%s\" starts nothing on its own: add one of %s", request,
                       starters);
    free(unknown);
    free(starters);
}

void catalogue_check(const struct settings *settings, const struct target *target,
                     UT_array *warnings)
{
    size_t length = strlen(target->request);
    char *section = service_section(settings, target->service);

    if (length > CATALOGUE_READ_BYTES)
        strings_append(warnings, "request is %zu bytes long: services read only the first %d",
                       length, CATALOGUE_READ_BYTES);
    if (section == NULL || strcmp(settings_value(settings, section, "class"), target->class) != 0) {
        free(section); /* a service of that name in the other class is not known */
        return;
    }
    const char *requests = settings_value(settings, section, "requests");
    const char *modifiers = settings_value(settings, section, "modifiers");
    if (requests == NULL || strcmp(requests, "*") == 0)
        ; /* any request */
    else if (requests[0] == '\0')
        strings_append(warnings, "the service takes no requests");
    else if (requests[0] == '=')
        check_exact(requests, target->request, warnings);
    else
        check_bytes(requests, modifiers == NULL ? "" : modifiers, target->request, warnings);
    free(section);
}

UT_array *catalogue_action(const struct settings *settings, const char *name)
{
    char *section = alloc_format(SETTINGS_ACTION "%s", name);
    const char *kick = settings_value(settings, section, "kick");

    free(section);
    return kick == NULL ? NULL : target_parse(kick);
}

const char *catalogue_about(const struct settings *settings, const char *action)
{
    char *section = alloc_format(SETTINGS_ACTION "%s", action);
    const char *about = settings_value(settings, section, "about");

    free(section);
    return about == NULL ? "" : about;
}
