/* SPDX-License-Identifier: MIT */
/* Classes, services, and lists of targets. */
#include "fixture.h"
#include "postfix/target.h"

TEST(class)
{
    static const char *const invalid[] = {"",         "Public", "PRIVATE",   "public/", "publi",
                                          "maildrop", ".",      "../public", "public "};

    assert_true(target_class_is_valid("public"));
    assert_true(target_class_is_valid("private"));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(target_class_is_valid(invalid[i]));
}

TEST(service)
{
    static const char *const valid[] = {"qmgr", "Mine", "a b", "...", ".hidden", "-v", "a\n"};
    static const char *const invalid[] = {"", ".", "..", "/", "a/b", "/a", "a/", "../qmgr"};

    for (size_t i = 0; i < COUNT(valid); i++)
        assert_true(target_service_is_valid(valid[i]));
    for (size_t i = 0; i < COUNT(invalid); i++)
        assert_false(target_service_is_valid(invalid[i]));
}

TEST(parse)
{
    static const struct {
        const char *list;
        const char *expected; /* NULL: none */
    } cases[] = {
        {"public qmgr W", "public|qmgr|W\n"},
        {" public\tqmgr \n W ,private x y,", "public|qmgr|W\nprivate|x|y\n"},
        {"public qmgr W, public qmgr W", "public|qmgr|W\npublic|qmgr|W\n"},
        {"", NULL},
        {",", NULL},
        {" ", NULL},
        {"public qmgr", NULL},
        {"public qmgr W W", NULL},
        {"other qmgr W", NULL},
        {"public a/b W", NULL},
        {"public .. W", NULL},
        {"public qmgr W, nonsense", NULL},
        {"public qmgr W, ", NULL},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        UT_array *targets = target_parse(cases[i].list), *lines;

        if (targets == NULL || cases[i].expected == NULL) {
            if (targets != NULL || cases[i].expected != NULL)
                fail_msg("\"%s\"", cases[i].list);
            continue;
        }
        utarray_new(lines, &strings_icd);
        for (size_t j = 0; j < utarray_len(targets); j++)
            strings_append(lines, "%s|%s|%s", target_item(targets, j)->class,
                           target_item(targets, j)->service, target_item(targets, j)->request);
        fixture_assert_lines(lines, cases[i].expected);
        utarray_free(lines);
        utarray_free(targets);
    }
}

TEST(append_copies)
{
    char request[] = "W";
    UT_array *targets;

    utarray_new(targets, &target_icd);
    target_append(targets, "public", "qmgr", request);
    request[0] = 'x';
    assert_string_equal(target_item(targets, 0)->request, "W");
    utarray_free(targets);
}
