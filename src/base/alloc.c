/* SPDX-License-Identifier: MIT */
/* Allocates memory, or ends the program. */
#include "base/alloc.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void alloc_fail(void)
{
    static const char text[] = ": fatal: out of memory\n";
    ssize_t written =
        write(STDERR_FILENO, program_invocation_short_name, strlen(program_invocation_short_name));

    if (written >= 0)
        written = write(STDERR_FILENO, text, sizeof(text) - 1);
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
    return checked(malloc(size > 0 ? size : 1));
}

void *alloc_zeroed(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *alloc_resize(void *memory, size_t size)
{
    return checked(realloc(memory, size > 0 ? size : 1));
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

void alloc_set_text(char **text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *formatted = alloc_vformat(format, arguments);
    va_end(arguments);
    free(*text);
    *text = formatted;
}
