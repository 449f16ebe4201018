/* SPDX-License-Identifier: MIT */
/* Keeps the settings of a main.cf in a hash table of names and values within its text. */
#include "maincf/maincf.h"
#include "base/alloc.h"
#include "base/text.h"
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

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

ALLOC_TABLES_ARE_KEPT

/* Bytes of an ignored line that Postfix shows */
#define SHOWN_LENGTH 30

/* A file of 16 MiB could cause millions of warnings */
#define WARNINGS_MAXIMUM 100

/* The cost of a setting apart from its bytes, in units of the budget (measured) */
#define SETTING_COST 800

#define HASH_BITS 31
#define HASH_PRIME ((1u << HASH_BITS) - 1)

/* A main.cf has a dozen settings, seldom a hundred. */
#define BLOCK_SETTINGS 64

/* Strings point into the file's text, or into struct kept. */
struct setting {
    const char *name; /* not terminated */
    const char *value;
    UT_hash_handle hh;
};

/* Settings are allocated in blocks. */
struct block {
    struct block *previous;
    size_t used;
    struct setting settings[BLOCK_SETTINGS];
};

/* A copy of a name and a value, each with its NUL. */
struct kept {
    struct kept *previous;
    char text[];
};

struct maincf {
    char *path;
    struct setting *settings; /* the table */
    UT_array *warnings;       /* NULL until there is one */
    struct kept *kept;
    uint32_t hash_key;
    struct block *last;
    struct block first;
};

/* From the random bytes that the kernel gives each program, so that nobody can write a main.cf with
 * names that collide. Not the first bytes, of which one is 0. */
static uint32_t make_hash_key(void)
{
    uint32_t key;

    memcpy(&key, (const char *)getauxval(AT_RANDOM) + sizeof(uint64_t), sizeof(key));
    return key % (HASH_PRIME - 256) + 256;
}

struct maincf *maincf_new(const char *path)
{
    struct maincf *maincf = alloc_bytes(sizeof(*maincf));

    maincf->path = alloc_string(path);
    maincf->settings = NULL;
    maincf->warnings = NULL;
    maincf->kept = NULL;
    maincf->hash_key = make_hash_key();
    maincf->first.used = 0;
    maincf->last = &maincf->first;
    return maincf;
}

void maincf_free(struct maincf *maincf)
{
    if (maincf == NULL)
        return;
    HASH_CLEAR(hh, maincf->settings); /* the table, not the elements */
    while (maincf->last != &maincf->first) {
        struct block *previous = maincf->last->previous;

        free(maincf->last);
        maincf->last = previous;
    }
    while (maincf->kept != NULL) {
        struct kept *previous = maincf->kept->previous;

        free(maincf->kept);
        maincf->kept = previous;
    }
    if (maincf->warnings != NULL)
        utarray_free(maincf->warnings);
    free(maincf->path);
    free(maincf);
}

/* The next step of the hash, modulo a Mersenne prime: what is above its bits is added to them. */
static uint32_t hash_piece(uint32_t hash, uint32_t piece, uint32_t key)
{
    uint64_t product = ((uint64_t)hash + piece) * key;

    product = (product & HASH_PRIME) + (product >> HASH_BITS);
    return (uint32_t)((product & HASH_PRIME) + (product >> HASH_BITS));
}

/* A polynomial modulo a prime with a secret key, three bytes at a time: their value is less than
 * the prime. Names contain no NUL, so that the zeros in the last piece make no two names equal. */
static unsigned hash_name(const struct maincf *maincf, const char *name, size_t length)
{
    const unsigned char *at = (const unsigned char *)name;
    uint32_t hash = 0, key = maincf->hash_key;

    for (; length > 2; length -= 3, at += 3)
        hash = hash_piece(hash, at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16, key);
    if (length > 0)
        hash = hash_piece(hash, at[0] | (length > 1 ? (uint32_t)at[1] << 8 : 0), key);
    return hash;
}

static struct setting *find(const struct maincf *maincf, const char *name, size_t length,
                            unsigned hash)
{
    struct setting *setting;

    HASH_FIND_BYHASHVALUE(hh, maincf->settings, name, length, hash, setting);
    return setting;
}

/* Returns an unused setting. */
static struct setting *take_setting(struct maincf *maincf)
{
    if (maincf->last->used == BLOCK_SETTINGS) {
        struct block *block = alloc_bytes(sizeof(*block));

        block->previous = maincf->last;
        block->used = 0;
        maincf->last = block;
    }
    return &maincf->last->settings[maincf->last->used++];
}

/* Returns the parameter's earlier value, or NULL. name and value have to stay valid. */
static const char *set(struct maincf *maincf, const char *name, size_t length, const char *value)
{
    unsigned hash = hash_name(maincf, name, length);
    struct setting *setting = find(maincf, name, length, hash);

    if (setting == NULL) {
        setting = take_setting(maincf);
        setting->name = name;
        setting->value = value;
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, maincf->settings, setting->name, length, hash, setting);
        return NULL;
    }
    const char *earlier = setting->value;
    setting->value = value;
    return earlier;
}

void maincf_set(struct maincf *maincf, const char *name, const char *value)
{
    size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    struct kept *kept = alloc_bytes(sizeof(*kept) + name_size + value_size);

    memcpy(kept->text, name, name_size);
    memcpy(kept->text + name_size, value, value_size);
    kept->previous = maincf->kept;
    maincf->kept = kept;
    set(maincf, kept->text, name_size - 1, kept->text + name_size);
}

const char *maincf_value(const struct maincf *maincf, const char *name, size_t length)
{
    const struct setting *setting = find(maincf, name, length, hash_name(maincf, name, length));

    return setting == NULL ? NULL : setting->value;
}

UT_array *maincf_take_warnings(struct maincf *maincf)
{
    UT_array *warnings = maincf->warnings;

    maincf->warnings = NULL;
    return warnings;
}

/* Adds a warning, up to a maximum, and then one that there are more. */
__attribute__((format(printf, 2, 3))) static void warn(struct maincf *maincf, const char *format,
                                                       ...)
{
    va_list arguments;

    if (maincf->warnings == NULL)
        utarray_new(maincf->warnings, &strings_icd);
    if (utarray_len(maincf->warnings) == WARNINGS_MAXIMUM)
        strings_append(maincf->warnings, "%s: further warnings are not shown", maincf->path);
    if (utarray_len(maincf->warnings) > WARNINGS_MAXIMUM)
        return;
    va_start(arguments, format);
    char *text = text_cut(alloc_vformat(format, arguments));
    va_end(arguments);
    utarray_push_back(maincf->warnings, &text);
    free(text);
}

static bool set_from_line(struct maincf *maincf, const struct reader_line *line, char **error)
{
    const char *name = line->text;
    size_t name_length = strcspn(name, "=" TEXT_WHITE_SPACE);
    char *value = line->text + name_length;
    char *end = line->text + line->length;

    while (text_is_space(*value))
        value++;
    if (name_length == 0 || *value != '=') {
        *error = alloc_format("%s, line %zu: %s: \"%.*s\"", maincf->path, line->number,
                              name_length == 0 ? "missing attribute name"
                                               : "missing '=' after attribute name",
                              TEXT_MESSAGE_MAXIMUM, line->text);
        *error = text_cut(*error);
        return false;
    }
    do
        value++;
    while (text_is_space(*value));
    while (end > value && text_is_space(end[-1]))
        end--;
    *end = '\0';
    const char *earlier = set(maincf, name, name_length, value);
    if (earlier != NULL && strcmp(earlier, value) != 0)
        warn(maincf, "%s, line %zu: overriding earlier entry: %.*s=%.*s", maincf->path,
             line->number, text_quoted(name_length), name, TEXT_MESSAGE_MAXIMUM, earlier);
    return true;
}

bool maincf_parse(struct maincf *maincf, char *text, size_t length, struct budget *budget,
                  char **error)
{
    struct reader reader = {.at = text, .end = text + length, .budget = budget};
    struct reader_line line;

    while (reader_next(&reader, &line)) {
        if (text_is_space(line.text[0]))
            warn(maincf, "%s: logical line must not start with whitespace: \"%.*s%s\"",
                 maincf->path, SHOWN_LENGTH, line.text, line.length > SHOWN_LENGTH ? "..." : "");
        else if (!set_from_line(maincf, &line, error))
            return false;
        if (!budget_spend(budget, SETTING_COST))
            break;
    }
    if (budget->state == BUDGET_LEFT)
        return true;
    *error = alloc_format("%s: %s", maincf->path, budget_reason(budget));
    return false;
}
