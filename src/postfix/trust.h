/* SPDX-License-Identifier: MIT */
/*
 * trust: whether users other than root can change what an instance is.
 */
#ifndef TRUST_H
#define TRUST_H

/*
 * Looks at CONFIG_DIRECTORY/main.cf and at every directory on the way to it, symbolic links
 * followed. Returns the first path that users other than root can write, a new string that the
 * caller frees; or NULL when there is none, or when main.cf does not exist. In a directory with the
 * sticky bit that belongs to root nobody can replace what root has put there.
 */
char *trust_find_writable(const char *config_directory);

#endif
