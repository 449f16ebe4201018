/* SPDX-License-Identifier: MIT */
/* Looks for files and directories in the path of a main.cf that others can write. */
#include "postfix/trust.h"
#include "base/alloc.h"
#include "base/safe_read.h"
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many links as Linux follows. */
#define LINKS_MAXIMUM 40

/* The owner of a link can replace it, even in a sticky directory. */
static bool is_writable(const char *path, const struct stat *status)
{
    bool is_sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

    return status->st_uid != 0 || (!is_sticky && safe_read_others_write(path, status));
}

/* Returns the path with the link followed that its part before at names, a new string; or NULL. */
static char *follow(const char *path, const char *at)
{
    char target[PATH_MAX], *link = alloc_span(path, (size_t)(at - path)), *followed;
    ssize_t length = readlink(link, target, sizeof(target) - 1);
    char *slash = strrchr(link, '/');

    if (length < 0) {
        free(link);
        return NULL;
    }
    target[length] = '\0';
    if (target[0] == '/' || slash == NULL)
        followed = alloc_format("%s%s", target, at);
    else
        followed = alloc_format("%.*s/%s%s", (int)(slash - link), link, target, at);
    free(link);
    return followed;
}

/* Checks the parts of the path up to the first symbolic link; *rest is then the path to check next,
 * a new string, else NULL. Returns the first part that others can write, a new string, or NULL. */
static char *walk(const char *path, char **rest)
{
    struct stat status;
    const char *at = path;

    *rest = NULL;
    if (lstat("/", &status) == 0 && is_writable("/", &status))
        return alloc_string("/");
    while (*at != '\0') {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char *part = alloc_span(path, (size_t)(at - path));
        bool exists = lstat(part, &status) == 0;
        bool is_link = exists && S_ISLNK(status.st_mode) && status.st_uid == 0;
        if (exists && !is_link && is_writable(part, &status)) {
            char *plain = realpath(part, NULL); /* without ".." */

            if (plain == NULL)
                return part;
            free(part);
            return plain;
        }
        free(part);
        if (is_link)
            *rest = follow(path, at);
        if (is_link || !exists)
            return NULL;
    }
    return NULL;
}

char *trust_find_writable(const char *config_directory)
{
    char here[PATH_MAX] = "", *rest;
    bool is_relative = config_directory[0] != '/' && getcwd(here, sizeof(here)) != NULL;
    char *path = alloc_format("%s%s%s/main.cf", here, is_relative ? "/" : "", config_directory);
    char *found = walk(path, &rest);

    for (int links = 0; found == NULL && rest != NULL && links < LINKS_MAXIMUM; links++) {
        free(path);
        path = rest;
        found = walk(path, &rest);
    }
    free(rest);
    free(path);
    return found;
}
