/* SPDX-License-Identifier: MIT */
/* Keeps the settings of a main.cf in a hash table of names and values within its text. */
#include "maincf/maincf.h"
#include "base/strings.h"
#include "base/text.h"
#include "maincf/reader.h"
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

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
