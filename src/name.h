/*
 * name: what the program was called by; every line that it writes for people starts with it.
 */
#ifndef NAME_H
#define NAME_H

/*
 * Sets the name to the last path component of argv0, as Postfix does. The string is not copied and
 * must outlive the program. NULL or an empty name: "postkick".
 */
void name_set(const char *argv0);

/* The name. Never NULL. */
const char *name_get(void);

#endif
