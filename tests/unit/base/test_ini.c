/* SPDX-License-Identifier: MIT */
/* iniparser, held to what it promises. */
#include "base/ini.h"
#include "fixture.h"

static struct ini *parse(const char *text, const char *expected_errors)
{
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    struct ini *ini = ini_parse("/x/a.ini", text, strlen(text), errors);
    fixture_assert_lines(errors, expected_errors);
    utarray_free(errors);
    return ini;
}

TEST(values)
{
    struct ini *ini = parse("; a comment\n"
                            "[Section One]\n"
                            "Key = Value with blanks  \n"
                            "empty =\n"
                            "quoted = \"a ; b # c\"\n"
                            "equals = = W\n"
                            "\n"
                            "  [two]  \n"
                            "key = 2\n"
                            "key = 2",
                            "");

    assert_string_equal(ini_value(ini, "section one", "key"), "Value with blanks");
    assert_string_equal(ini_value(ini, "section one", "empty"), "");
    assert_string_equal(ini_value(ini, "section one", "quoted"), "a ; b # c");
    assert_string_equal(ini_value(ini, "section one", "equals"), "= W");
    assert_string_equal(ini_value(ini, "two", "key"), "2");
    assert_null(ini_value(ini, "two", "none"));
    assert_null(ini_value(ini, "three", "key"));
    assert_true(ini_has_section(ini, "two"));
    assert_false(ini_has_section(ini, "three"));
    ini_free(ini);
    ini_free(NULL);
}

/* In the file's order, with lines. */
TEST(entries)
{
    static const struct ini_entry expected[] = {
        {1, "", "stray", "0"}, {3, "b", NULL, NULL}, {4, "b", "x", "1"},
        {5, "a", NULL, NULL},  {6, "c", NULL, NULL}, {8, "c", "y", ""},
    };
    struct ini *ini = parse("stray = 0\n\n[b]\nX = 1\n[ A ]\n[c]\n; comment\ny =\n", "");

    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct ini_entry *entry = ini_entry(ini, i);

        assert_int_equal(entry->line, expected[i].line);
        assert_string_equal(entry->section, expected[i].section);
        assert_int_equal(entry->key == NULL, expected[i].key == NULL);
        if (entry->key != NULL) {
            assert_string_equal(entry->key, expected[i].key);
            assert_string_equal(entry->value, expected[i].value);
        }
    }
    assert_null(ini_entry(ini, COUNT(expected)));
    ini_free(ini);
}

/* What iniparser would cut, join or forget. */
TEST(every_character_counts)
{
    static const struct {
        const char *text;
        const char *key;
        int line;
        const char *value;
    } cases[] = {
        {"[a]\nkick = one; two\n", "kick", 2, "one"},
        {"[a]\nkick = one# two\n", "kick", 2, "one"},
        {"[a]\nkick = ;\n", "kick", 2, ""},
        {"[a]\nkick = \"one\" two\n", "kick", 2, "one"},
        {"[a]\nkick = \"one\" \"two\"\n", "kick", 2, "one"},
        {"[a]\nkick = 'one'\n", "kick", 2, "one"},
        {"[a]\nkick = ''\n", "kick", 2, ""},
        {"[a]\nx = 1\nx = 2\n[b]\nx = 3\n", "x", 2, "2"},
        {"[a]\nx = 1\n[b]\n[a]\nx = 2\n", "x", 2, "2"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *expected =
            alloc_format("/x/a.ini, line %d: %s would be read as \"%s\": set it once, on one line, "
                         "in double quotes if it contains ; or #\n",
                         cases[i].line, cases[i].key, cases[i].value);

        assert_null(parse(cases[i].text, expected));
        free(expected);
    }
    assert_null(parse("[a]\n; no end \\\nx = 1\n[b]\n",
                      "/x/a.ini, line 3: x is not read: the line before it ends in a backslash\n"));
}

/* All of a continued line is refused, however iniparser joins it. */
TEST(no_continued_lines)
{
    static const char *const texts[] = {
        "[a]\nlong = a \\\n    b\n",
        "[a]\nx = 1 \\\ny = 2\n",
        "[a]\nx = 1\\\n",
        "[a]\nx = 1\\",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        UT_array *errors;

        utarray_new(errors, &strings_icd);
        assert_null(ini_parse("/x/a.ini", texts[i], strlen(texts[i]), errors));
        assert_int_equal(strncmp(strings_item(errors, 0), "/x/a.ini, line 2: ", 18), 0);
        utarray_free(errors);
    }
}

TEST(many)
{
    UT_string text;
    char section[32], value[32];

    utstring_init(&text);
    for (int i = 0; i < 1000; i++)
        utstring_printf(&text, "[section %d]\nkey = value %d\n", i, i);
    struct ini *ini = parse(utstring_body(&text), "");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(section, sizeof(section), "section %d", i);
        (void)snprintf(value, sizeof(value), "value %d", i);
        assert_string_equal(ini_value(ini, section, "key"), value);
    }
    ini_free(ini);
    utstring_done(&text);
}

TEST(every_mistake)
{
    assert_null(parse("[a]\nx = 1\nnonsense\n[b\n= 5\n",
                      "/x/a.ini, line 3: not a section, a setting or a comment\n"
                      "/x/a.ini, line 4: not a section, a setting or a comment\n"
                      "/x/a.ini, line 5: not a section, a setting or a comment\n"));
}

TEST(the_last_line_counts_too)
{
    assert_null(parse("[a] ; x\n", "/x/a.ini, line 1: not a section, a setting or a comment\n"));
    assert_null(parse("[a]\nx", "/x/a.ini, line 2: not a section, a setting or a comment\n"));
    assert_null(parse("[a]\nxyz", "/x/a.ini, line 2: not a section, a setting or a comment\n"));
}

TEST(long_lines)
{
    char text[4096] = "[a]\n";

    memset(text + 4, 'x', 2000);
    text[5] = '=';
    strcpy(text + 2004, "\n[b]\ny = 1\n");
    assert_null(parse(text, "/x/a.ini, line 2: line too long\n"));
}
