#include "report/progress.h"
#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NARROWEST 20
#define USUAL_WIDTH 80

static bool is_shown;

bool progress_is_wanted(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static size_t terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
        return USUAL_WIDTH;
    return size.ws_col;
}

static void write_line(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));

    (void)written;
}

/* Shortens the line to the width, in columns; what is not ASCII may take fewer than it counts. */
static void cut(UT_string *line, size_t width)
{
    size_t length = utstring_len(line);
    char *text = utstring_body(line);

    if (length < width)
        return;
    size_t end = width - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--; /* not within a character */
    memcpy(text + end, "...", sizeof("..."));
    line->i = end + 3;
}

void progress_show(void *context, int64_t now)
{
    const struct kicks *kicks = context;
    size_t done = 0;
    int64_t last = now;
    UT_string missing, line;

    utstring_init(&missing);
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];

        if (kick->trigger == NULL)
            continue;
        if (kick->trigger->state == TRIGGER_DONE) {
            done++;
            continue;
        }
        if (kick->trigger->limit > last)
            last = kick->trigger->limit;
        if (utstring_len(&missing) < USUAL_WIDTH * 4) {
            const char *name = kick->member->instance->config_directory;
            utstring_bincpy(&missing, " ", 1);
            text_printable(&missing, name, strlen(name));
        }
    }
    utstring_init(&line);
    utstring_printf(&line, "%zu of %zu done, %d s left, waiting for%s", done, kicks->trigger_count,
                    (int)((last - now) / CLOCK_SECOND), utstring_body(&missing));
    cut(&line, terminal_width());
    is_shown = true;
    write_line("\r\033[K");
    write_line(utstring_body(&line));
    utstring_done(&line);
    utstring_done(&missing);
}

void progress_clear(void)
{
    if (is_shown)
        write_line("\r\033[K");
    is_shown = false;
}
