/* SPDX-License-Identifier: MIT */
/* Operators, numbers, strings and levels. What expansion makes of them is tested with expand. */
#include "base/text.h"
#include "fixture.h"
#include "maincf/expand.h"

TEST(operators)
{
    static const struct {
        const char *text;
        size_t length;
        enum comparison_operator operation;
    } cases[] = {
        {"=={b}", 2, COMPARISON_EQUAL},      {"!=", 2, COMPARISON_NOT_EQUAL},
        {"< {", 1, COMPARISON_LESS},         {"<=level", 2, COMPARISON_LESS_EQUAL},
        {">=", 2, COMPARISON_GREATER_EQUAL}, {">", 1, COMPARISON_GREATER},
        {"===", 0, COMPARISON_EQUAL},        {"=", 0, COMPARISON_EQUAL},
        {"", 0, COMPARISON_EQUAL},           {"x==", 0, COMPARISON_EQUAL},
        {"==~", 0, COMPARISON_EQUAL},        {"<>", 0, COMPARISON_EQUAL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        enum comparison_operator found = COMPARISON_EQUAL;
        size_t length = comparison_find_operator(cases[i].text, strlen(cases[i].text), &found);

        assert_int_equal(length, cases[i].length);
        assert_int_equal(found, cases[i].operation);
    }
}

TEST(long_operands)
{
    char digits[3 * TEXT_MESSAGE_MAXIMUM + 1];
    char *error = NULL;
    bool result;

    memset(digits, '0', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    assert_true(comparison_holds(digits, COMPARISON_EQUAL, "0", &result, &error));
    assert_true(result);
    memset(digits, '9', sizeof(digits) - 1);
    assert_false(comparison_holds(digits, COMPARISON_EQUAL, "0", &result, &error));
    assert_int_equal(strlen(error), TEXT_MESSAGE_MAXIMUM);
    free(error);
    assert_false(comparison_levels_hold(digits, COMPARISON_EQUAL, "0", &result, &error));
    assert_int_equal(strlen(error), TEXT_MESSAGE_MAXIMUM);
    free(error);
}
