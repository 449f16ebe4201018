/* SPDX-License-Identifier: MIT */
/* Looks for files and directories that others can write, on the way to a main.cf. */
#include "postfix/trust.h"
#include "base/alloc.h"
#include "base/safe_read.h"
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many links as the kernel follows. */
#define LINKS_MAXIMUM 40

/* A link that is not root's may be replaced by its owner, even in a directory that is sticky. */
static bool is_writable(const struct stat *status)
{
    bool is_sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

    return status->st_uid != 0 || (!is_sticky && safe_read_others_write(status));
}

/* What is left of the path when the link, which path names up to at, is followed. A new string, or
 * NULL when that cannot be done. */
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

/* Goes along the path, up to the first symbolic link: then the path to go along next is in *rest, a
 * new string, else NULL. Returns the first part that others can write, a new string, or NULL. */
static char *walk(const char *path, char **rest)
{
    struct stat status;
    const char *at = path;

    *rest = NULL;
    if (lstat("/", &status) == 0 && is_writable(&status))
        return alloc_string("/");
    while (*at != '\0') {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char *part = alloc_span(path, (size_t)(at - path));
        if (lstat(part, &status) < 0) {
            free(part);
            return NULL;
        }
        if (S_ISLNK(status.st_mode) && status.st_uid == 0) {
            free(part);
            *rest = follow(path, at);
            return NULL;
        }
        if (is_writable(&status)) {
            char *plain = realpath(part, NULL); /* without "..", for people */

            if (plain == NULL)
                return part;
            free(part);
            return plain;
        }
        free(part);
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
