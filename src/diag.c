#include "diag.h"
#include "alloc.h"
#include "text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "postkick";

void diag_set_name(const char *argv0)
{
    if (argv0 == NULL || argv0[0] == '\0')
        return;
    const char *slash = strrchr(argv0, '/');
    program_name = slash != NULL && slash[1] != '\0' ? slash + 1 : argv0;
}

const char *diag_name(void)
{
    return program_name;
}

void diag_line(const char *level, const char *text)
{
    UT_string line;

    utstring_init(&line);
    text_printable(&line, program_name, strlen(program_name));
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

void diag_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_formatted(NULL, format, arguments);
    va_end(arguments);
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
    exit(1);
}

void diag_out_of_memory(void)
{
    static const char text[] = ": fatal: out of memory\n";
    ssize_t written = write(STDERR_FILENO, program_name, strlen(program_name));

    if (written >= 0)
        written = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)written;
    _exit(1);
}
