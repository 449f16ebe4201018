#include "base/diag.h"
#include "base/alloc.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void diag_line(const char *level, const char *text)
{
    UT_string line;

    utstring_init(&line);
    text_printable(&line, program_invocation_short_name, strlen(program_invocation_short_name));
    utstring_bincpy(&line, ": ", 2);
    if (level != NULL)
        utstring_printf(&line, "%s: ", level);
    text_printable(&line, text, strlen(text));
    utstring_bincpy(&line, "\n", 1);
    ssize_t written = write(STDERR_FILENO, utstring_body(&line), utstring_len(&line));
    (void)written;
    utstring_done(&line);
}

static void write_formatted(const char *level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void write_formatted(const char *level, const char *format, va_list arguments)
{
    char *text = alloc_vformat(format, arguments);

    diag_line(level, text);
    free(text);
}

void diag_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_formatted("warning", format, arguments);
    va_end(arguments);
}

void diag_fatal(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_formatted("fatal", format, arguments);
    va_end(arguments);
}
