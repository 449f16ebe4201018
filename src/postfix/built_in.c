/* SPDX-License-Identifier: MIT */
/* Keeps the built-in settings, and finds sections of a file that only repeat them. */
#include "postfix/built_in.h"
#include <string.h>
#include <strings.h>

static const struct built_in table[] = {
#include "built_in.inc"
};
#define TABLE_LENGTH (sizeof(table) / sizeof(table[0]))

const struct built_in *built_in_item(size_t index)
{
    return index < TABLE_LENGTH ? &table[index] : NULL;
}

const char *built_in_value(const char *section, const char *key)
{
    for (size_t i = 0; i < TABLE_LENGTH; i++)
        if (strcmp(table[i].section, section) == 0 && strcmp(table[i].key, key) == 0)
            return table[i].value;
    return NULL;
}

/* What a file has of a built-in section, by the number of that section's first setting. */
struct found {
    char *start; /* its first line */
    char *end;   /* after its last one */
    int times;   /* how often the file has it */
    bool is_same;
};

static bool starts_section(size_t row)
{
    return row == 0 || strcmp(table[row].section, table[row - 1].section) != 0;
}

/* Returns the number of the first setting of the section that a line starts, or TABLE_LENGTH. The
 * search starts where the last one ended: most files have the same order. */
static size_t find_section(const char *line, size_t length, size_t from)
{
    const char *name = line + 1, *end = memrchr(line, ']', length);

    if (end == NULL)
        return TABLE_LENGTH;
    name += strspn(name, " \t");
    while (end > name && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        size_t row = (from + i) % TABLE_LENGTH;
        const char *section = table[row].section;

        if (starts_section(row) && strncasecmp(section, name, (size_t)(end - name)) == 0 &&
            section[end - name] == '\0')
            return row;
    }
    return TABLE_LENGTH;
}

/* Whether a line equals a setting of the table. */
static bool is_row(const char *line, size_t length, const struct built_in *row)
{
    size_t key_length = strlen(row->key), value_length = strlen(row->value);
    const char *end = line + length, *at = line + key_length;

    if (length <= key_length || strncmp(line, row->key, key_length) != 0)
        return false;
    at += strspn(at, " \t");
    if (*at != '=')
        return false;
    at++;
    at += strspn(at, " \t");
    return (size_t)(end - at) == value_length && memcmp(at, row->value, value_length) == 0;
}

/* Returns the line's first character that is not blank, if only its newline or NUL. */
static char *skip_blanks(char *line)
{
    return line + strspn(line, " \t\v\f\r");
}

/* Returns the start of the next line, or the end of the text. */
static char *next_line(char *line)
{
    line += strcspn(line, "\n");
    return *line == '\n' ? line + 1 : line;
}

static bool is_comment(const char *line)
{
    return *line == '\0' || *line == '\n' || *line == ';' || *line == '#';
}

/* Compares the lines of a section with the table from row. Sets *end to the line that starts the
 * next section, or to the end of the text. */
static bool is_same_section(char *line, size_t row, char **end)
{
    const char *section = table[row].section;
    bool same = true;

    for (; *line != '\0' && *skip_blanks(line) != '['; line = next_line(line)) {
        if (is_comment(skip_blanks(line)))
            continue;
        same = same && row < TABLE_LENGTH && strcmp(table[row].section, section) == 0 &&
               is_row(line, strcspn(line, "\n"), &table[row]);
        row++;
    }
    *end = line;
    return same && (row == TABLE_LENGTH || strcmp(table[row].section, section) != 0);
}

/* Finds the sections of the table in the text. */
static void find_sections(char *text, struct found *found)
{
    size_t row = 0;

    for (char *line = text, *end; *line != '\0'; line = end) {
        const char *start = skip_blanks(line);
        size_t length = strcspn(start, "\n");
        size_t next = *start == '[' ? find_section(start, length, row) : TABLE_LENGTH;

        end = next_line(line);
        if (next == TABLE_LENGTH)
            continue;
        row = next;
        found[row].start = line;
        found[row].times++;
        found[row].is_same = is_same_section(end, row, &end) && start[length - 1] == ']';
        found[row].end = end;
    }
}

bool built_in_leave_out(char *text)
{
    struct found found[TABLE_LENGTH] = {{0}};
    char *line = text;

    find_sections(text, found);
    for (size_t i = 0; i < TABLE_LENGTH; i++)
        for (char *at = found[i].start;
             found[i].times == 1 && found[i].is_same && at < found[i].end; at++)
            if (*at != '\n')
                *at = ' ';
    while (*line != '\0' && is_comment(skip_blanks(line)))
        line = next_line(line);
    return *line == '\0';
}
