/* SPDX-License-Identifier: MIT */
/* The logical lines of a main.cf. What they mean is tested with maincf. */
#include "fixture.h"
#include "maincf/maincf.h"

static void assert_line(struct reader *reader, const char *text, size_t number)
{
    struct reader_line line;

    assert_true(reader_next(reader, &line));
    assert_string_equal(line.text, text);
    assert_int_equal(line.length, strlen(text));
    assert_int_equal(line.number, number);
}

TEST(lines)
{
    char text[] = "# one\n\n  # three\na\nb\n\n#\n c\n  \n # d\n\te\n#\n\n f\ng";
    struct budget budget = budget_start(BUDGET_INSTANCE, NULL);
    struct reader reader = {.at = text, .end = text + strlen(text), .budget = &budget};
    struct reader_line line;

    assert_line(&reader, "a", 4);
    assert_line(&reader, "b c\te f", 5);
    assert_line(&reader, "g", 15);
    assert_false(reader_next(&reader, &line));
    assert_int_equal(reader.line, 15);
    assert_int_equal(budget.state, BUDGET_LEFT);
}

/* Comments are skipped many bytes at a time: no line between them is, wherever it is. */
TEST(between_comments)
{
    enum { LENGTH = 600 };

    for (size_t each = 1; each < 10; each++) {
        for (size_t before = each; before < LENGTH / 2; before += each) {
            char text[LENGTH + 1] = "";
            struct budget budget = budget_start(BUDGET_INSTANCE, NULL);
            struct reader reader = {.at = text, .end = text + LENGTH, .budget = &budget};
            struct reader_line line;

            for (size_t i = 0; i < LENGTH; i++)
                text[i] = (i + 1) % each == 0 ? '\n' : '#';
            text[before] = 'a';
            text[before + 1] = '\n';
            assert_line(&reader, "a", before / each + 1);
            assert_false(reader_next(&reader, &line));
        }
    }
}

/* A line that is not read to its end is none. */
TEST(budget)
{
    static const char original[] = "a = b\n c\n#\nd = e\n";

    for (size_t units = 0; units < 200; units++) {
        char text[sizeof(original)];
        struct budget budget = budget_start(units, NULL);
        struct reader reader = {.at = text, .end = text + strlen(original), .budget = &budget};
        struct reader_line line;
        int count = 0;

        memcpy(text, original, sizeof(original));
        for (; reader_next(&reader, &line); count++)
            assert_string_equal(line.text, count == 0 ? "a = b c" : "d = e");
        assert_int_equal(budget.state == BUDGET_LEFT, count == 2);
    }
}
