/* SPDX-License-Identifier: MIT */
/* Allocates memory, or ends the program. */
#include "base/alloc.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

void alloc_fail(void)
{
    static char text[] = ": fatal: out of memory\n";
    const struct iovec parts[] = {
        {program_invocation_short_name, strlen(program_invocation_short_name)},
        {text, sizeof(text) - 1}};
    ssize_t written = writev(STDERR_FILENO, parts, 2); /* a line at once: workers may end so too */

    (void)written;
    _exit(1);
}

static void *checked(void *memory)
{
    if (memory == NULL)
        alloc_fail();
    return memory;
}

void *alloc_bytes(size_t size)
{
    return checked(malloc(size));
}

void *alloc_zeroed(size_t count, size_t size)
{
    return checked(calloc(count, size));
}

void *alloc_resize(void *memory, size_t size)
{
    return checked(realloc(memory, size));
}

char *alloc_span(const char *text, size_t length)
{
    char *copy = alloc_bytes(length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *alloc_string(const char *text)
{
    return alloc_span(text, strlen(text));
}

char *alloc_vformat(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        alloc_fail();
    return text;
}

char *alloc_format(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    return text;
}

#define HASH_BITS 31
#define HASH_PRIME ((1u << HASH_BITS) - 1)

/* The next step of the hash, modulo a Mersenne prime: what is above its bits is added to them. */
static uint32_t hash_piece(uint32_t hash, uint32_t piece, uint32_t secret)
{
    uint64_t product = ((uint64_t)hash + piece) * secret;

    product = (product & HASH_PRIME) + (product >> HASH_BITS);
    return (uint32_t)((product & HASH_PRIME) + (product >> HASH_BITS));
}

/* A polynomial modulo a prime, three bytes at a time: their value is less than the prime. The
 * length comes first, so that the zeros in the last piece make no two keys equal. The secret is of
 * the random bytes that the kernel gives each program; not the first ones, of which one is 0. */
unsigned alloc_hash(const void *key, size_t length)
{
    static uint32_t secret;
    const unsigned char *at = key;
    uint32_t hash = (uint32_t)length & HASH_PRIME;

    if (secret == 0) {
        memcpy(&secret, (const char *)getauxval(AT_RANDOM) + sizeof(uint64_t), sizeof(secret));
        secret = secret % (HASH_PRIME - 256) + 256;
    }
    for (; length > 2; length -= 3, at += 3)
        hash = hash_piece(hash, at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16, secret);
    if (length > 0)
        hash = hash_piece(hash, at[0] | (length > 1 ? (uint32_t)at[1] << 8 : 0), secret);
    return hash;
}

void alloc_set_text(char **text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *formatted = alloc_vformat(format, arguments);
    va_end(arguments);
    free(*text);
    *text = formatted;
}

ALLOC_TABLES_ARE_KEPT

static void string_copy(void *to, const void *from)
{
    const char *const *source = from;
    char **target = to;

    *target = *source == NULL ? NULL : alloc_string(*source);
}

static void string_free(void *element)
{
    char **string = element;

    free(*string);
}

const UT_icd strings_icd = {sizeof(char *), NULL, string_copy, string_free};

void strings_append(UT_array *strings, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    utarray_push_back(strings, &text);
    free(text);
}

const char *strings_item(const UT_array *strings, size_t index)
{
    const char *const *items = (const char *const *)(const void *)strings->d;

    return items[index];
}

UT_array *strings_split(const char *list, const char *separators)
{
    UT_array *elements;

    utarray_new(elements, &strings_icd);
    for (const char *at = list + strspn(list, separators); *at != '\0';) {
        size_t length = strcspn(at, separators);
        char *element = alloc_span(at, length);

        utarray_push_back(elements, &element);
        free(element);
        at += length;
        at += strspn(at, separators);
    }
    return elements;
}

char *strings_join(const UT_array *strings, const char *separator)
{
    UT_string joined;

    utstring_init(&joined);
    for (size_t i = 0; i < utarray_len(strings); i++)
        utstring_printf(&joined, "%s%s", i == 0 ? "" : separator, strings_item(strings, i));
    return utstring_body(&joined);
}

bool strings_contain(const UT_array *strings, const char *text)
{
    for (size_t i = 0; i < utarray_len(strings); i++)
        if (strcmp(strings_item(strings, i), text) == 0)
            return true;
    return false;
}
