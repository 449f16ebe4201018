/* SPDX-License-Identifier: MIT */
/* iniparser, held to what it promises. */
#include "base/ini.h"
#include "fixture.h"
#include <signal.h>
#include <sys/resource.h>

/* The content of a file with that text; the lines of errors are compared, with @ for its path. */
static struct ini *load(const char *text, const char *expected)
{
    const char *path = fixture_file("ini", text);
    UT_array *errors;
    UT_string lines;

    utarray_new(errors, &strings_icd);
    utstring_init(&lines);
    for (const char *at = expected; *at != '\0'; at++)
        utstring_printf(&lines, *at == '@' ? "%s" : "%.1s", *at == '@' ? path : at);
    struct ini *ini = ini_load(path, true, errors);
    fixture_assert_lines(errors, utstring_body(&lines));
    utstring_done(&lines);
    utarray_free(errors);
    return ini;
}

static void assert_fails(const char *text, const char *expected)
{
    struct ini *ini = load(text, expected);

    assert_int_equal(utarray_len(ini->entries), 0);
    ini_free(ini);
}

static void assert_entry(const struct ini *ini, size_t index, const struct ini_entry *expected)
{
    const struct ini_entry *entry = utarray_eltptr(ini->entries, index);

    assert_non_null(entry);
    assert_int_equal(entry->line, expected->line);
    assert_string_equal(entry->section, expected->section);
    assert_int_equal(entry->key == NULL, expected->key == NULL);
    assert_int_equal(entry->value == NULL, expected->value == NULL);
    if (entry->key != NULL) {
        assert_string_equal(entry->key, expected->key);
        assert_string_equal(entry->value, expected->value);
    }
}

/* In the file's order, with lines. */
TEST(entries)
{
    static const struct ini_entry expected[] = {
        {1, "", "stray", "0"},
        {3, "section one", NULL, NULL},
        {5, "section one", "key", "Value with blanks"},
        {6, "section one", "empty", ""},
        {7, "section one", "quoted", "a ; b # c"},
        {8, "section one", "nothing", ""},
        {9, "section one", "equals", "= W"},
        {11, "two", NULL, NULL},
        {12, "three", NULL, NULL},
        {13, "three", "key", "2"},
        {14, "three", "key", "2"},
    };
    struct ini *ini = load("stray = 0\n"
                           "\n"
                           "[Section One]\n"
                           "; a comment\n"
                           "Key = Value with blanks  \n"
                           "empty =\n"
                           "quoted = \"a ; b # c\"\n"
                           "nothing = \"\"\r\n"
                           "equals = = W\n"
                           " # another\n"
                           "  [ TWO ]  \n"
                           "[three]\n"
                           "key = 2\n"
                           "\tkey=2",
                           "");

    for (size_t i = 0; i < COUNT(expected); i++)
        assert_entry(ini, i, &expected[i]);
    assert_int_equal(utarray_len(ini->entries), COUNT(expected));
    ini_free(ini);
    ini_free(NULL);
}

TEST(no_file)
{
    static const struct {
        const char *name;
        bool required;
    } cases[] = {{"none", false}, {"none", true}, {"directory", false}, {"large", false}};
    char *expected = fixture_fill("open @/none: No such file or directory\n"
                                  "read @/directory: Is a directory\n"
                                  "open @/large: file is larger than 262144 bytes\n");
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    (void)fixture_directory("directory");
    assert_int_equal(truncate(fixture_file("large", ""), 262145), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ini *ini = ini_load(fixture_path(cases[i].name), cases[i].required, errors);

        assert_int_equal(utarray_len(ini->entries), 0);
        ini_free(ini);
    }
    fixture_assert_lines(errors, expected);
    utarray_free(errors);
    free(expected);
}

/* What iniparser would cut or forget. */
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
            alloc_format("@, line %d: %s would be read as \"%s\": set it once, and in double "
                         "quotes if it contains ; or #\n",
                         cases[i].line, cases[i].key, cases[i].value);

        assert_fails(cases[i].text, expected);
        free(expected);
    }
}

/* Every mistake of form, also where there is no setting and iniparser is not asked. */
TEST(mistakes_of_form)
{
#define MALFORMED(line) "@, line " line ": not a section, a setting or a comment\n"
#define JOINED(line)                                                                               \
    "@, line " line ": ends in a backslash, which would join it with the next line\n"
    static const struct {
        const char *text;
        const char *errors;
    } cases[] = {
        {"[a]\nx = 1\nnonsense\n[b\n= 5\n", MALFORMED("3") MALFORMED("4") MALFORMED("5")},
        {"[a] ; x\n", MALFORMED("1")},
        {"[]\n[ ]\n[a]b]\n", MALFORMED("1") MALFORMED("2") MALFORMED("3")},
        {"[a]\nx", MALFORMED("2")},
        {"[a]\nx = 1; 2\nxyz", MALFORMED("3")},
        {"[a]\nlong = a \\\n    b\n", JOINED("2") MALFORMED("3")},
        {"[a]\nx = 1\\", JOINED("2")},
        {"[a]\n; comment \\\nx = 1\n[b]\\\n", JOINED("2") JOINED("4")},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_fails(cases[i].text, cases[i].errors);
}

TEST(long_lines)
{
    char *fits = fixture_repeat("x", 1022), *longer = fixture_repeat("x", 1023);
    char *text = alloc_format("[a]\n%s\n", fits);

    text[5] = fits[1] = longer[1] = '=';
    struct ini *ini = load(text, "");
    assert_entry(ini, 1, &(struct ini_entry){2, "a", "x", fits + 2});
    ini_free(ini);
    alloc_set_text(&text, "[a]\n%s\ny = 1\n", longer);
    assert_fails(text, "@, line 2: line too long\n");
    /* the name of a section counts for each key */
    fits[1] = longer[1] = 'x';
    alloc_set_text(&text, "[%.1012s]\nshort = 1\nlonger key = 1\n", fits);
    assert_fails(text, "@, line 3: line too long\n");
    alloc_set_text(&text, "[%.1011s]\nlonger key = 1\n", fits);
    ini_free(load(text, ""));
    free(text);
    free(longer);
    free(fits);
}

/* Also a long file. */
TEST(no_file_can_be_written)
{
    char *comment = fixture_repeat("; a comment\n", 20000),
         *text = alloc_format("%sx = y\n", comment);
    const char *path = fixture_file("ini", text);
    struct rlimit before, none;
    UT_array *errors;

    utarray_new(errors, &strings_icd);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    struct ini *ini = ini_load(path, true, errors);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    fixture_assert_lines(errors, "");
    assert_int_equal(utarray_len(ini->entries), 1);
    utarray_free(errors);
    ini_free(ini);
    free(text);
    free(comment);
}
