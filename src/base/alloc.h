/* SPDX-License-Identifier: MIT */
/*
 * alloc: allocates memory, and ends the program when there is none: for our own calls and the
 * containers of uthash. main() gives jansson the same functions; ini.c detects that iniparser ran
 * short.
 * Include this header instead of uthash.h, utarray.h and utstring.h.
 */
#ifndef ALLOC_H
#define ALLOC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Writes "NAME: fatal: out of memory" without allocating and ends the program with status 1. */
_Noreturn void alloc_fail(void);

#define uthash_fatal(msg) alloc_fail()
#define utarray_oom() alloc_fail()
#define utstring_oom() alloc_fail()

/* Hashes a key of so many bytes with a secret of this run: nobody can choose names that collide. */
unsigned alloc_hash(const void *key, size_t length);
#define HASH_FUNCTION(key, length, hash) ((hash) = alloc_hash(key, length))

#include <utarray.h>
#include <uthash.h>
#include <utstring.h>

/* As in uthash 2.3; in 2.1 it is named oom(), and elements are not of type void *. */
#undef oom
#define oom() alloc_fail()
#undef _utarray_eltptr
#define _utarray_eltptr(a, j) ((void *)((a)->d + ((a)->icd.sz * (j))))

/* For a file that has tables of uthash, which hang on their first element, or arrays or strings
 * that move when they grow: gcc's analyzer reports all of that as leaks. clang knows no such
 * option.
 */
#ifdef __clang__
#define ALLOC_TABLES_ARE_KEPT
#else
#define ALLOC_TABLES_ARE_KEPT _Pragma("GCC diagnostic ignored \"-Wanalyzer-malloc-leak\"")
#endif

/* Like malloc(3), calloc(3), realloc(3) with a size above 0, strdup(3), strndup(3), but never
 * return NULL: glibc and musl return memory for a size of 0. The caller frees the result with
 * free(3). */
void *alloc_bytes(size_t size);
void *alloc_zeroed(size_t count, size_t size);
void *alloc_resize(void *memory, size_t size);
char *alloc_string(const char *text);
char *alloc_span(const char *text, size_t length);

/* A new string from a format as in printf(3). The caller frees it. */
char *alloc_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *alloc_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Replaces *text, which it frees, by a new formatted string; for error results. */
void alloc_set_text(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * strings: lists of strings: arrays of uthash (UT_array) that own their elements.
 */

/* The element type for utarray_new(array, &strings_icd): utarray_push_back(array, &string) copies
 * the string, and the array frees it. */
extern const UT_icd strings_icd;

/* Appends a new formatted string to such an array. */
void strings_append(UT_array *strings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns element number index, which belongs to the array. */
const char *strings_item(const UT_array *strings, size_t index);

/* Returns the elements of a list between any of the separators, a new array for utarray_free().
 * Empty elements are left out. */
UT_array *strings_split(const char *list, const char *separators);

/* Returns the elements with the separator between them, a new string. */
char *strings_join(const UT_array *strings, const char *separator);

/* Whether an element equals text. */
bool strings_contain(const UT_array *strings, const char *text);

#endif
