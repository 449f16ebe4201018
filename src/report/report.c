/* Writing a report to standard output. */
#include "report/report.h"
#include "base/diag.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

bool report_flush(const UT_string *out)
{
    const char *at = utstring_body(out), *end = at + utstring_len(out);

    while (at < end) {
        ssize_t count = write(STDOUT_FILENO, at, (size_t)(end - at));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            diag_warning("write to standard output: %s", strerror(errno));
            return false;
        }
        at += count;
    }
    return true;
}
