/* SPDX-License-Identifier: MIT */
/* Writes diagnostics to standard error. */
#include "base/diag.h"
#include "base/alloc.h"
#include "base/descriptors.h"
#include "base/text.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the program's name that are shown at most. */
#define NAME_MAXIMUM 256

/* The end of a line that is cut. */
#define CUT "... (%zu bytes more)"
#define CUT_MAXIMUM (sizeof("... (18446744073709551615 bytes more)") - 1)

void diag_write(const char *text, size_t length)
{
    static bool is_given_up; /* standard error has no reader */

    if (!is_given_up)
        is_given_up = descriptors_write(STDERR_FILENO, text, length) == ETIMEDOUT;
}

/* Appends the text, cut where it does not fit into a line. */
static void append(UT_string *line, const char *text)
{
    size_t length = strlen(text), start = utstring_len(line);
    size_t room = start + 1 < DIAG_LINE_MAXIMUM ? DIAG_LINE_MAXIMUM - 1 - start : 0;
    size_t taken = text_printable_within(line, text, length, room);

    if (taken == length)
        return;
    line->i = start;
    taken = text_printable_within(line, text, length, room > CUT_MAXIMUM ? room - CUT_MAXIMUM : 0);
    utstring_printf(line, CUT, length - taken);
}

void diag_line(const char *level, const char *format, ...)
{
    UT_string line;
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    utstring_init(&line);
    text_printable_within(&line, program_invocation_short_name,
                          strlen(program_invocation_short_name), NAME_MAXIMUM);
    utstring_bincpy(&line, ": ", 2);
    if (level != NULL)
        utstring_printf(&line, "%s: ", level);
    append(&line, text);
    utstring_bincpy(&line, "\n", 1);
    diag_write(utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
    free(text);
}

bool output_flush(const UT_string *text)
{
    int error = descriptors_write(STDOUT_FILENO, utstring_body(text), utstring_len(text));

    if (error == ETIMEDOUT)
        diag_line("warning", "write to standard output: not read within the time limit");
    else if (error != 0)
        diag_line("warning", "write to standard output: %s", strerror(error));
    return error == 0;
}
