/* SPDX-License-Identifier: MIT */
/* Any text as a time, a truth value, a number, a list, and as something to print. */
#include "base/alloc.h"
#include "base/text.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_values(const char *text)
{
    int seconds = -1;
    int64_t number = parse_number(text, PARSE_BYTES, 5, 500);

    assert(parse_time(text, &seconds) ? seconds >= 0 : seconds == -1);
    assert(number == -1 || (number >= 5 && number <= 500));
    assert(parse_bool(text) == PARSE_BOOL_ERROR || strlen(text) == 2 || strlen(text) == 3);
}

static void check_printable(const char *text, size_t length)
{
    UT_string out, again;

    utstring_init(&out);
    utstring_init(&again);
    size_t used = text_printable(&out, text, length, SIZE_MAX);
    assert(used == length);
    const char *printable = utstring_body(&out);
    size_t printable_length = utstring_len(&out);
    assert(printable_length >= length && strlen(printable) == printable_length);
    for (size_t i = 0; i < printable_length; i++)
        assert((unsigned char)printable[i] >= 0x20 && printable[i] != 0x7f);
    text_append_valid(&again, printable, printable_length);
    assert(strcmp(utstring_body(&again), printable) == 0);
    utstring_clear(&again);
    (void)text_printable(&again, printable, printable_length, SIZE_MAX);
    assert(strcmp(utstring_body(&again), printable) == 0);
    utstring_done(&out);
    utstring_done(&again);
}

static void check_list(const char *text)
{
    UT_array *elements = strings_split(text, TEXT_WHITE_SPACE);

    for (size_t i = 0; i < utarray_len(elements); i++) {
        const char *element = strings_item(elements, i);

        assert(element[0] != '\0' && strpbrk(element, TEXT_WHITE_SPACE) == NULL);
        assert(strstr(text, element) != NULL && strings_contain(elements, element));
    }
    utarray_free(elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = alloc_span((const char *)data, size);

    check_printable(text, size);
    check_values(text);
    check_list(text);
    free(text);
    return 0;
}
