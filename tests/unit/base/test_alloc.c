/* SPDX-License-Identifier: MIT */
/* Memory: sizes and copies, the end without memory, hashes; and lists of strings. */
#include "base/alloc.h"
#include "fixture.h"

TEST(copies)
{
    char *span = alloc_span("abcdef", 3), *copy = alloc_string("abc");
    char *text = alloc_format("%s-%d", "a", 5);
    int *zeroed = alloc_zeroed(3, sizeof(*zeroed));

    assert_string_equal(span, "abc");
    assert_string_equal(copy, span);
    assert_string_equal(text, "a-5");
    assert_int_equal(zeroed[0] + zeroed[1] + zeroed[2], 0);
    alloc_set_text(&text, "%s+%s", text, text); /* the old text is still there while it is used */
    assert_string_equal(text, "a-5+a-5");
    free(span);
    free(copy);
    free(text);
    free(zeroed);
}

/* An address sanitizer would end the program before malloc(3) can say no. */
#ifndef __SANITIZE_ADDRESS__
static size_t too_much = SIZE_MAX / 4;

/* What is stored here is allocated even where the compiler sees that it is not used. */
static void *volatile kept;

enum asked { MALLOC, CALLOC, REALLOC, UTSTRING, UTARRAY, ASKED };
static enum asked asked;

static void ask(void)
{
    const UT_icd wide = {too_much / 8, NULL, NULL, NULL};
    UT_string text;
    UT_array *array;

    switch (asked) {
    case MALLOC:
        kept = alloc_bytes(too_much);
        break;
    case CALLOC:
        kept = alloc_zeroed(too_much, 8);
        break;
    case REALLOC:
        kept = alloc_resize(NULL, too_much);
        break;
    case UTSTRING:
        utstring_init(&text);
        utstring_reserve(&text, too_much);
        kept = utstring_body(&text);
        break;
    default:
        utarray_new(array, &wide);
        utarray_reserve(array, 1);
        kept = array;
    }
}

TEST(the_end_without_memory)
{
    const struct rlimit limit = {SIZE_MAX / 8, SIZE_MAX / 8}; /* 32 bits can have a quarter */
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    for (asked = MALLOC; asked < ASKED; asked++) {
        struct fixture_result result = fixture_run(ask, STDERR_FILENO);

        assert_true(WIFEXITED(result.status));
        assert_int_equal(WEXITSTATUS(result.status), 1);
        assert_string_equal(result.text, "postkick: fatal: out of memory\n");
    }
}

#endif

static void unmix(uint32_t *a, uint32_t *b, uint32_t *c, unsigned first, unsigned second,
                  unsigned third)
{
    *c = (*c ^ *b >> third) + *b + *a;
    *b = (*b ^ *a << second) + *a + *c;
    *a = (*a ^ *c >> first) + *c + *b;
}

/* Makes a name of 11 bytes for which uthash's own hash is 0, which its mixing allows to compute
 * backwards. Returns false if there is none for that seed. */
static bool make_colliding(uint32_t seed, unsigned char *name)
{
    uint32_t a = seed, b = seed * 2654435761U, c = 0;

    unmix(&a, &b, &c, 3, 10, 15);
    unmix(&a, &b, &c, 12, 16, 5);
    unmix(&a, &b, &c, 13, 8, 13);
    a -= 0x9e3779b9U;
    b -= 0x9e3779b9U;
    c -= 0xfeedbeefU + 11;
    for (int i = 0; i < 4; i++) {
        name[i] = (unsigned char)(a >> (8 * i));
        name[4 + i] = (unsigned char)(b >> (8 * i));
        if (i > 0)
            name[7 + i] = (unsigned char)(c >> (8 * i));
    }
    return (c & 0xff) == 0;
}

static int compare_hashes(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

/* 100,000 such names in a main.cf would keep a table of uthash busy for half a minute (measured).
 */
TEST(chosen_names_do_not_collide)
{
    enum { NAMES = 2000 };
    unsigned char name[11];
    int hashes[NAMES], distinct = 1;
    uint32_t seed = 0;

    for (size_t i = 0; i < NAMES; i++) {
        unsigned theirs = 1;

        while (!make_colliding(++seed, name))
            continue;
        HASH_JEN(name, sizeof(name), theirs);
        assert_int_equal(theirs, 0);
        hashes[i] = (int)(alloc_hash(name, sizeof(name)) % 65536);
    }
    qsort(hashes, NAMES, sizeof(hashes[0]), compare_hashes);
    for (size_t i = 1; i < NAMES; i++)
        distinct += hashes[i] != hashes[i - 1];
    fixture_assert_between(distinct, NAMES * 9 / 10, NAMES);
}

/* The names of main.cf are different, and so are names that differ in length alone. */
TEST(hash)
{
    assert_int_equal(alloc_hash("queue_directory}", 15), alloc_hash("queue_directory", 15));
    assert_int_not_equal(alloc_hash("queue_directory", 15), alloc_hash("queue_directory", 14));
    assert_int_not_equal(alloc_hash("\0\0\0", 3), alloc_hash("\0\0", 2));
    assert_int_not_equal(alloc_hash("", 0), alloc_hash("\0", 1));
}

TEST(arrays_own_their_strings)
{
    UT_array *strings;
    char text[] = "first", *element = text, *none = NULL;

    utarray_new(strings, &strings_icd);
    utarray_push_back(strings, &element);
    text[0] = 'F';
    strings_append(strings, "%d", 2);
    utarray_push_back(strings, &none);
    assert_int_equal(utarray_len(strings), 3);
    assert_string_equal(strings_item(strings, 0), "first");
    assert_string_equal(strings_item(strings, 1), "2");
    assert_null(strings_item(strings, 2));
    utarray_free(strings);
}

TEST(split)
{
    static const struct {
        const char *list;
        const char *separators;
        const char *expected;
    } cases[] = {
        {"", ", \t\r\n", ""},
        {", \t\r\n,", ", \t\r\n", ""},
        {"a", ", \t\r\n", "a\n"},
        {"/a, /b\t/c\r\n/d,,/e,", ", \t\r\n", "/a\n/b\n/c\n/d\n/e\n"},
        {"a\vb\fc d", " ", "a\vb\fc\nd\n"},
        {"a b,c d", ",", "a b\nc d\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        UT_array *elements = strings_split(cases[i].list, cases[i].separators);

        fixture_assert_lines(elements, cases[i].expected);
        utarray_free(elements);
    }
}

TEST(contains)
{
    UT_array *strings = strings_split("a,bb", ",");

    assert_true(strings_contain(strings, "a"));
    assert_true(strings_contain(strings, "bb"));
    assert_false(strings_contain(strings, "b"));
    assert_false(strings_contain(strings, ""));
    assert_false(strings_contain(strings, "A"));
    utarray_free(strings);
}
