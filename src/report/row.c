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

const char *const row_enabled[] = {
    [INSTANCE_UNKNOWN] = "-", [INSTANCE_ENABLED] = "y", [INSTANCE_DISABLED] = "n"};

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
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {'-', 1}};
    int64_t left = seconds < 0 ? 0 : seconds;
    size_t unit = 0;

    while (units[unit].letter != 's' && left < units[unit].seconds)
        unit++;
    long long count = left / units[unit].seconds;
    long long rest = left % units[unit].seconds / units[unit + 1].seconds;
    if (rest == 0)
        row_add_cell(cells, "%lld%c", count, units[unit].letter);
    else
        row_add_cell(cells, "%lld%c%lld%c", count, units[unit].letter, rest,
                     units[unit + 1].letter);
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

    for (; *text != '\0'; text++)
        count += (*text & 0xc0) != 0x80;
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
    UT_array *all;

    if (count == 0)
        return;
    size_t *widths = alloc_zeroed(count, sizeof(*widths));
    utarray_new(all, &strings_icd);
    for (size_t i = 0; i < count; i++) {
        widths[i] = columns[i].width;
        if (with_titles)
            strings_append(all, "%s", columns[i].title);
    }
    utarray_concat(all, cells);
    for (size_t i = 0; i < utarray_len(all); i++) {
        size_t width = count_characters(strings_item(all, i));

        if (width > widths[i % count])
            widths[i % count] = width;
    }
    for (size_t i = 0; i < utarray_len(all); i++)
        append_cell(out, strings_item(all, i), widths[i % count], columns[i % count].is_number,
                    i % count + 1 == count);
    utarray_free(all);
    free(widths);
}

/* jansson fails only for want of memory, and then alloc_bytes() ends the program. */
void row_add(json_t *row, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(row, name, value);
}

json_t *row_string(const char *text, size_t length)
{
    UT_string valid;

    utstring_init(&valid);
    utstring_reserve(&valid, length + 1);
    text_append_valid(&valid, text, length);
    json_t *value = json_stringn_nocheck(utstring_body(&valid), utstring_len(&valid));
    utstring_done(&valid);
    return value;
}

void row_add_text(json_t *row, const char *name, const char *text)
{
    row_add(row, name, row_string(text, text == NULL ? 0 : strlen(text)));
}

/* Returns an array of strings, empty if strings is NULL. */
static json_t *list(const UT_array *strings)
{
    json_t *array = json_array();

    for (size_t i = 0; strings != NULL && i < utarray_len(strings); i++) {
        const char *text = strings_item(strings, i);
        (void)json_array_append_new(array, row_string(text, strlen(text)));
    }
    return array;
}

json_t *row_new(const struct instance *instance)
{
    static const char *const identities[] = {
        [INSTANCE_NAMELESS] = "none", [INSTANCE_LENIENT] = "lenient", [INSTANCE_EXACT] = "exact"};
    static const char *const running[] = {
        [MASTER_UNKNOWN] = "-", [MASTER_RUNNING] = "y", [MASTER_STOPPED] = "n"};
    json_t *row = json_object();

    if (instance == NULL)
        return row;
    row_add_text(row, "name", row_value(instance, PARAMETER_MULTI_INSTANCE_NAME));
    row_add_text(row, "group", row_value(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    row_add_text(row, "enabled", row_enabled[instance->enabled]);
    row_add_text(row, "config_directory", instance->config_directory);
    row_add_text(row, "queue_directory", instance_value(instance, PARAMETER_QUEUE_DIRECTORY));
    row_add_text(row, "data_directory", instance_value(instance, PARAMETER_DATA_DIRECTORY));
    row_add_text(row, "running", running[instance->running]);
    row_add_text(row, "identity", identities[instance->identity]);
    row_add(row, "conflicts", list(instance->conflicts));
    return row;
}

void row_finish(json_t *row, UT_string *out)
{
    char *text = json_dumps(row, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)), *rest = text;

    /* jansson does not escape DEL, which is a control character for terminals */
    for (size_t plain; rest[plain = strcspn(rest, "\177")] != '\0'; rest += plain + 1) {
        text_append(out, rest, plain);
        text_append(out, "\\u007f", strlen("\\u007f"));
    }
    text_append(out, rest, strlen(rest));
    text_append(out, "\n", 1);
    free(text);
    json_decref(row);
}

#define NARROWEST 20
#define USUAL_WIDTH 80
#define NAMES_MAXIMUM 1024 /* bytes of names: more than a terminal is wide */

void progress_add(struct progress *progress, bool is_done, const char *name, int64_t end)
{
    if (progress->count++ == 0)
        utstring_init(&progress->waiting);
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

static void show(const struct progress *progress, int64_t now)
{
    int64_t left = progress->end > now ? progress->end - now : 0;
    bool is_known;
    struct winsize size;
    UT_string line;

    utstring_init(&line);
    utstring_printf(&line, "%zu of %zu done, ", progress->done, progress->count);
    if (progress->end != CLOCK_NEVER) /* the fraction of a second counts as a whole one */
        utstring_printf(&line, "%d s left, ", (int)((left + CLOCK_SECOND - 1) / CLOCK_SECOND));
    utstring_printf(&line, "waiting for%s", utstring_body(&progress->waiting));
    /* The last column is left free, so that the terminal does not start another line. */
    is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROWEST;
    size_t width = is_known ? size.ws_col : USUAL_WIDTH;
    const char *text = utstring_body(&line);
    if (*skip(text, width - 1) != '\0') {
        line.i = (size_t)(skip(text, width - 4) - text);
        utstring_bincpy(&line, "...", 3);
    }
    diag_progress(utstring_body(&line), utstring_len(&line));
    utstring_done(&line);
}

void progress_show(struct progress *progress, int64_t now)
{
    if (progress->done < progress->count)
        show(progress, now);
    utstring_done(&progress->waiting);
}
