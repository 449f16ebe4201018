/* SPDX-License-Identifier: MIT */
/* Writes to standard output, and reports a failure. */
#include "base/output.h"
#include "base/descriptors.h"
#include "base/diag.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

bool output_flush(const UT_string *text)
{
    int error = descriptors_write(STDOUT_FILENO, utstring_body(text), utstring_len(text));

    if (error == ETIMEDOUT)
        diag_line("warning", "write to standard output: not read within the time limit");
    else if (error != 0)
        diag_line("warning", "write to standard output: %s", strerror(error));
    return error == 0;
}
