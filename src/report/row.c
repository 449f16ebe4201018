/* SPDX-License-Identifier: MIT */
/* Makes lines, tables and JSON objects, and shows on a terminal what a run waits for. */
#include "report/row.h"
#include "base/diag.h"
#include "base/text.h"
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void row_diag(const struct selection *selection, const struct instance *instance, const char *level,
              const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = alloc_vformat(format, arguments);
    va_end(arguments);
    if (selection->is_single)
        diag_line(level, "%s", text);
    else
        diag_line(level, "%s: %s", instance->config_directory, text);
    free(text);
}

void row_diag_error(const struct selection *selection, const struct instance *instance)
{
    if (instance->notice != NULL)
        row_diag(selection, instance, "warning", "%s", instance->notice);
    row_diag(selection, instance, selection->is_single ? "fatal" : "warning", "%s",
             instance->error);
}

const char *row_value(const struct instance *instance, enum parameter parameter)
{
    const char *value = instance_value(instance, parameter);

    return value[0] == '\0' ? "-" : value;
}

const char *row_enabled(const struct instance *instance)
{
    return instance->enabled == INSTANCE_ENABLED    ? "y"
           : instance->enabled == INSTANCE_DISABLED ? "n"
                                                    : "-";
}

/* Appends a formatted text, safe to print. */
__attribute__((format(printf, 2, 0))) static void
append_printable(UT_string *out, const char *format, va_list arguments)
{
    char *text = alloc_vformat(format, arguments);

    (void)text_printable(out, text, strlen(text), SIZE_MAX);
    free(text);
}

void row_append_line(UT_string *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    append_printable(out, format, arguments);
    va_end(arguments);
    utstring_bincpy(out, "\n", 1);
}

void row_add_cell(UT_array *cells, const char *format, ...)
{
    UT_string printable;
    va_list arguments;
    char *cell;

    utstring_init(&printable);
    va_start(arguments, format);
    append_printable(&printable, format, arguments);
    va_end(arguments);
    cell = utstring_body(&printable);
    utarray_push_back(cells, &cell);
    utstring_done(&printable);
}

void row_add_bytes(UT_array *cells, int64_t bytes)
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        row_add_cell(cells, "%d", (int)bytes);
        return;
    }
    while (value >= 1023.95) {
        value /= 1024;
        unit++;
    }
    row_add_cell(cells, "%.1f%c", value, units[unit]);
}

void row_add_age(UT_array *cells, int64_t seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    int64_t left = seconds < 0 ? 0 : seconds;
    size_t unit = 0;

    while (units[unit].letter != 's' && left < units[unit].seconds)
        unit++;
    long long count = left / units[unit].seconds;
    left %= units[unit].seconds;
    if (units[unit].letter == 's' || left < units[unit + 1].seconds)
        row_add_cell(cells, "%lld%c", count, units[unit].letter);
    else
        row_add_cell(cells, "%lld%c%lld%c", count, units[unit].letter,
                     (long long)(left / units[unit + 1].seconds), units[unit + 1].letter);
}

/* Returns the text behind so many characters of UTF-8, each of which counts as a column of a
 * terminal; or the end of the text. */
static const char *skip(const char *text, size_t columns)
{
    for (; columns > 0 && *text != '\0'; columns--)
        do
            text++;
        while ((*text & 0xc0) == 0x80); /* in the middle of a character */
    return text;
}

/* Counts the characters of a text in UTF-8. */
static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text = skip(text, 1))
        count++;
    return count;
}

static void append_cell(UT_string *out, const char *cell, size_t width, bool is_number,
                        bool is_last)
{
    int gap = (int)(width - count_characters(cell));

    if (is_number)
        utstring_printf(out, "%*s%s", gap, "", cell);
    else
        utstring_printf(out, "%s%*s", cell, gap, "");
    if (!is_last) {
        utstring_printf(out, "  ");
        return;
    }
    while (utstring_len(out) > 0 && utstring_body(out)[utstring_len(out) - 1] == ' ')
        out->i--;
    utstring_bincpy(out, "\n", 1);
}

void row_append_table(UT_string *out, const struct row_column *columns, size_t count,
                      const UT_array *cells, bool with_titles)
{
    size_t *widths = alloc_zeroed(count, sizeof(*widths));

    for (size_t column = 0; column < count; column++) {
        widths[column] = columns[column].width;
        if (with_titles && widths[column] < strlen(columns[column].title))
            widths[column] = strlen(columns[column].title);
        for (size_t i = column; i < utarray_len(cells); i += count) {
            size_t width = count_characters(strings_item(cells, i));
            if (width > widths[column])
                widths[column] = width;
        }
    }
    for (size_t i = 0; i < count && with_titles; i++)
        append_cell(out, columns[i].title, widths[i], columns[i].is_number, i + 1 == count);
    for (size_t row = 0; row < utarray_len(cells); row += count)
        for (size_t i = 0; i < count; i++)
            append_cell(out, strings_item(cells, row + i), widths[i], columns[i].is_number,
                        i + 1 == count);
    free(widths);
}

/* jansson returns NULL or -1 when memory is short; nothing else can fail here. */
static json_t *checked(json_t *value)
{
    if (value == NULL)
        alloc_fail();
    return value;
}

void row_add(json_t *row, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(row, name, checked(value)) < 0)
        alloc_fail();
}

json_t *row_string(const char *text, size_t length)
{
    UT_string valid;

    utstring_init(&valid);
    utstring_reserve(&valid, length + 1);
    text_append_valid(&valid, text, length);
    json_t *value = checked(json_stringn_nocheck(utstring_body(&valid), utstring_len(&valid)));
    utstring_done(&valid);
    return value;
}

void row_add_text(json_t *row, const char *name, const char *text)
{
    row_add(row, name, row_string(text, text == NULL ? 0 : strlen(text)));
}

static const char *running(const struct instance *instance)
{
    return instance->running == MASTER_RUNNING   ? "y"
           : instance->running == MASTER_STOPPED ? "n"
                                                 : "-";
}

/* Returns an array of strings, empty if strings is NULL. */
static json_t *list(const UT_array *strings)
{
    json_t *array = checked(json_array());

    for (size_t i = 0; strings != NULL && i < utarray_len(strings); i++) {
        const char *text = strings_item(strings, i);
        if (json_array_append_new(array, row_string(text, strlen(text))) < 0)
            alloc_fail();
    }
    return array;
}

json_t *row_new(const struct instance *instance)
{
    static const char *const identities[] = {
        [INSTANCE_NAMELESS] = "none", [INSTANCE_LENIENT] = "lenient", [INSTANCE_EXACT] = "exact"};
    json_t *row = checked(json_object());

    if (instance == NULL)
        return row;
    row_add_text(row, "name", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
    row_add_text(row, "group", row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    row_add_text(row, "enabled", row_enabled(instance));
    row_add_text(row, "config_directory", instance->config_directory);
    row_add_text(row, "queue_directory", instance_value(instance, PARAMETER_QUEUE_DIRECTORY));
    row_add_text(row, "data_directory", instance_value(instance, PARAMETER_DATA_DIRECTORY));
    row_add_text(row, "running", running(instance));
    row_add_text(row, "identity", identities[instance->identity]);
    row_add(row, "conflicts", list(instance->conflicts));
    return row;
}

/* jansson does not escape DEL, which is a control character for terminals. */
static int append(const char *text, size_t length, void *context)
{
    static const char escaped[] = "\\u007f";

    while (length > 0) {
        const char *found = memchr(text, '\177', length);
        size_t plain = found != NULL ? (size_t)(found - text) : length;

        text_append(context, text, plain);
        if (found != NULL)
            text_append(context, escaped, sizeof(escaped) - 1);
        plain += found != NULL ? 1 : 0;
        text += plain;
        length -= plain;
    }
    return 0;
}

void row_finish(json_t *row, UT_string *out)
{
    if (json_dump_callback(row, append, out, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) < 0)
        alloc_fail();
    utstring_bincpy(out, "\n", 1);
    json_decref(row);
}

#define NARROWEST 20
#define USUAL_WIDTH 80
#define NAMES_MAXIMUM 1024 /* bytes of names: more than a terminal is wide */

bool progress_is_wanted(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void progress_start(struct progress *progress)
{
    *progress = (struct progress){0};
    utstring_init(&progress->waiting);
}

void progress_add(struct progress *progress, bool is_done, const char *name, int64_t end)
{
    progress->count++;
    progress->done += is_done;
    if (is_done)
        return;
    if (end > progress->end)
        progress->end = end;
    if (name == NULL || utstring_len(&progress->waiting) >= NAMES_MAXIMUM)
        return;
    utstring_bincpy(&progress->waiting, " ", 1);
    (void)text_printable(&progress->waiting, name, strlen(name), SIZE_MAX);
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

    if (*skip(text, width - 1) == '\0')
        return;
    line->i = (size_t)(skip(text, width - 4) - text);
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
    diag_progress(utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
}

void progress_show(struct progress *progress, int64_t now)
{
    if (progress->done < progress->count)
        show(progress, now);
    utstring_done(&progress->waiting);
}
