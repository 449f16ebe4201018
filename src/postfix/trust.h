/* SPDX-License-Identifier: MIT */
/*
 * trust: whether users other than root can change an instance.
 */
#ifndef TRUST_H
#define TRUST_H

/*
 * Checks CONFIG_DIRECTORY/main.cf and every directory in its path; symbolic links are followed.
 * Returns the first path that users other than root can write, a new string; or NULL if there is
 * none or main.cf does not exist. In root's directories with the sticky bit, others cannot replace
 * root's files.
 */
char *trust_find_writable(const char *config_directory);

#endif
