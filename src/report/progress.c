/* SPDX-License-Identifier: MIT */
/* Shows on a terminal what a run waits for. */
#include "report/progress.h"
#include "base/diag.h"
#include "base/limits.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Moves to the first column, and erases the line. */
#define CLEAR "\r\033[K"

#define NARROWEST 20
#define USUAL_WIDTH 80
#define NAMES_MAXIMUM 1024 /* bytes of names: more than a terminal is wide */

static bool is_shown;

bool progress_is_wanted(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void progress_start(struct progress *progress)
{
    *progress = (struct progress){0};
    utstring_init(&progress->waiting);
}

void progress_add_done(struct progress *progress)
{
    progress->count++;
    progress->done++;
}

void progress_add_waiting(struct progress *progress, const char *name, int64_t end)
{
    progress->count++;
    if (end > progress->end)
        progress->end = end;
    if (name == NULL || utstring_len(&progress->waiting) >= NAMES_MAXIMUM)
        return;
    utstring_bincpy(&progress->waiting, " ", 1);
    text_printable(&progress->waiting, name, strlen(name));
}

static size_t terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
        return USUAL_WIDTH;
    return size.ws_col;
}

/* Cuts the line before the last column, so that the terminal does not start another line: after
 * some characters of UTF-8, to which "..." is added. */
static void cut(UT_string *line, size_t width)
{
    const char *text = utstring_body(line);

    if (*text_skip(text, width - 1) == '\0')
        return;
    line->i = (size_t)(text_skip(text, width - 4) - text);
    utstring_bincpy(line, "...", 3);
}

/* Seconds from now to the end, and the fraction of one as a whole. */
static int seconds_left(int64_t end, int64_t now)
{
    return end > now ? (int)((end - now + CLOCK_SECOND - 1) / CLOCK_SECOND) : 0;
}

static void show(const struct progress *progress, int64_t now)
{
    UT_string line;

    utstring_init(&line);
    utstring_printf(&line, "%zu of %zu done, ", progress->done, progress->count);
    if (progress->end != CLOCK_NEVER)
        utstring_printf(&line, "%d s left, ", seconds_left(progress->end, now));
    utstring_printf(&line, "waiting for%s", utstring_body(&progress->waiting));
    cut(&line, terminal_width());
    is_shown = true;
    diag_write(CLEAR, sizeof(CLEAR) - 1);
    diag_write(utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
}

void progress_show(struct progress *progress, int64_t now)
{
    if (progress->done < progress->count)
        show(progress, now);
    utstring_done(&progress->waiting);
}

void progress_clear(void)
{
    if (is_shown)
        diag_write(CLEAR, sizeof(CLEAR) - 1);
    is_shown = false;
}
