/* SPDX-License-Identifier: MIT */
/* Memory: sizes and copies, and the end without memory. */
#include "base/alloc.h"
#include "fixture.h"

TEST(nothing_is_something)
{
    void *none = alloc_bytes(0), *zeroed = alloc_zeroed(0, 0);
    void *resized = alloc_resize(alloc_bytes(10), 0);

    assert_non_null(none);
    assert_non_null(zeroed);
    assert_non_null(resized);
    free(none);
    free(zeroed);
    free(resized);
}

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

static void ask_malloc(void)
{
    free(alloc_bytes(too_much));
}

static void ask_calloc(void)
{
    free(alloc_zeroed(too_much, 8));
}

static void ask_realloc(void)
{
    free(alloc_resize(NULL, too_much));
}

static void ask_utstring(void)
{
    UT_string text;

    utstring_init(&text);
    utstring_reserve(&text, too_much);
    kept = utstring_body(&text);
    utstring_done(&text);
}

static void ask_utarray(void)
{
    const UT_icd wide = {too_much / 8, NULL, NULL, NULL};
    UT_array *array;

    utarray_new(array, &wide);
    utarray_reserve(array, 1);
    kept = array->d;
    utarray_free(array);
}

TEST(the_end_without_memory)
{
    static void (*const askers[])(void) = {ask_malloc, ask_calloc, ask_realloc, ask_utstring,
                                           ask_utarray};

    const struct rlimit limit = {SIZE_MAX / 8, SIZE_MAX / 8}; /* 32 bits can have a quarter */
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    for (size_t i = 0; i < COUNT(askers); i++) {
        struct fixture_result result = fixture_run(askers[i], STDERR_FILENO);

        assert_true(WIFEXITED(result.status));
        assert_int_equal(WEXITSTATUS(result.status), 1);
        assert_string_equal(result.text, "postkick: fatal: out of memory\n");
    }
}

#endif
