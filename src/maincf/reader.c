/* SPDX-License-Identifier: MIT */
/* Goes over the text of a main.cf once, and joins lines in place. */
#include "maincf/reader.h"
#include "base/text.h"
#include <stdint.h>
#include <string.h>

/* The cost of a line apart from its bytes, in units of the budget (measured) */
#define LINE_COST 24

/* Bytes of comments that are skipped between two checks of the budget */
#define SKIPPED_LENGTH (64 * 1024)

/* Bytes that are compared at once: compilers make one instruction of each operation on a vector */
typedef unsigned char vector __attribute__((vector_size(16)));

/* How many of the bytes of comments are looked at together: at most 255 lines end in them */
#define BLOCK_VECTORS 8
#define BLOCK_LENGTH (BLOCK_VECTORS * sizeof(vector))

/* White space within a line */
#define LINE_SPACE " \t\v\f\r"

/* Returns the end of the line that starts at line: its newline, or the end of the text. */
static char *end_of_line(const struct reader *reader, char *line)
{
    char *end = memchr(line, '\n', (size_t)(reader->end - line));

    return end == NULL ? reader->end : end;
}

/* Advances to a place that many lines further. Returns false when the budget is exceeded. */
static bool advance(struct reader *reader, char *to, size_t lines)
{
    size_t length = (size_t)(to - reader->at);

    reader->at = to;
    reader->line += lines;
    return budget_spend(reader->budget, length + lines * LINE_COST);
}

/* Takes a line. Returns its end, or NULL when the budget is exceeded. */
static char *take_line(struct reader *reader)
{
    char *end = end_of_line(reader, reader->at);

    return advance(reader, end == reader->end ? end : end + 1, 1) ? end : NULL;
}

/* Skips a block of comments: false when a line starts in it that is neither empty nor starts with
 * #. Adds how many lines end in it. Without branches: in a vector, true is 0xff, that is, -1. */
static bool skip_block(const char *block, size_t *lines)
{
    vector here, next, found = {0}, ends = {0};
    uint64_t found_words[2], end_words[2];

#pragma GCC unroll 8
    for (size_t i = 0; i < BLOCK_VECTORS; i++) {
        memcpy(&here, block + i * sizeof(vector), sizeof(vector));
        memcpy(&next, block + i * sizeof(vector) + 1, sizeof(vector));
        vector end = (vector)(here == '\n');

        found |= end & ~(vector)((next == '#') | (next == '\n'));
        ends -= end;
    }
    memcpy(found_words, &found, sizeof(found));
    memcpy(end_words, &ends, sizeof(ends));
    if ((found_words[0] | found_words[1]) != 0)
        return false;
    /* the sum of the bytes */
    *lines += (size_t)((end_words[0] + end_words[1]) * 0x0101010101010101 >> 56);
    return true;
}

/* Skips lines that are empty or start with #, as the present one does: most of a main.cf. */
static bool skip_plain_comments(struct reader *reader)
{
    char *at = reader->at;
    const char *stop = reader->end - at > SKIPPED_LENGTH ? at + SKIPPED_LENGTH : reader->end;
    size_t lines = 0;

    while ((size_t)(stop - at) > BLOCK_LENGTH && skip_block(at, &lines))
        at += BLOCK_LENGTH;
    do {
        at = end_of_line(reader, at);
        if (at < reader->end)
            at++;
        lines++;
    } while (at < stop && (*at == '#' || *at == '\n'));
    return advance(reader, at, lines);
}

/* Whether the line has more than white space and no comment. */
static bool has_content(const struct reader *reader)
{
    const char *at = reader->at;

    if (text_is_space(*at))
        at += strspn(at, LINE_SPACE);
    return at < reader->end && *at != '#' && *at != '\n';
}

/* Skips comments and empty lines, which neither start nor end a logical line. Returns false at the
 * end of the text, or when the budget is exceeded. */
static bool skip_to_content(struct reader *reader)
{
    while (reader->at < reader->end) {
        if (has_content(reader))
            return true;
        if (*reader->at == '#' || *reader->at == '\n' ? !skip_plain_comments(reader)
                                                      : take_line(reader) == NULL)
            return false;
    }
    return false;
}

bool reader_next(struct reader *reader, struct reader_line *line)
{
    if (!skip_to_content(reader))
        return false;
    line->text = reader->at;
    char *write = take_line(reader);
    line->number = reader->line;
    while (write != NULL && skip_to_content(reader) && text_is_space(*reader->at)) {
        char *start = reader->at;
        const char *end = take_line(reader);

        if (end == NULL)
            return false;
        memmove(write, start, (size_t)(end - start));
        write += end - start;
    }
    if (write == NULL || reader->budget->state != BUDGET_LEFT)
        return false;
    *write = '\0'; /* over a newline that was read, or the NUL after the text */
    line->length = (size_t)(write - line->text);
    return true;
}
