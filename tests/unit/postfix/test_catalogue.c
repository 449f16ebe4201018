/* SPDX-License-Identifier: MIT */
/* What is known of services, and the actions. */
#include "postfix/settings.h"
#include "settings.h"

static void assert_warnings(struct settings *settings, const char *class, const char *service,
                            const char *request, const char *expected)
{
    struct target target = {alloc_string(class), alloc_string(service), alloc_string(request)};
    UT_array *warnings;

    utarray_new(warnings, &strings_icd);
    catalogue_check(settings, &target, warnings);
    fixture_assert_lines(warnings, expected);
    utarray_free(warnings);
    free(target.class);
    free(target.service);
    free(target.request);
}

TEST(requests)
{
    static const struct {
        const char *class, *service, *request, *warnings;
    } cases[] = {
        {"public", "qmgr", "W", ""},
        {"public", "qmgr", "FADI", ""},
        {"public", "qmgr", "AD", ""},
        {"public", "qmgr", "DD", ""},
        {"public", "qmgr", "A", "request \"A\" starts nothing on its own: add one of DIW\n"},
        {"public", "qmgr", "FAF", "request \"FAF\" starts nothing on its own: add one of DIW\n"},
        {"public", "qmgr", "", "empty request is ignored: the service acts on ADFIW\n"},
        {"public", "qmgr", "d", "request \"d\": \"d\" is ignored: the service acts on ADFIW\n"},
        {"public", "qmgr", "WxyxW",
         "request \"WxyxW\": \"xy\" is ignored: the service acts on ADFIW\n"},
        {"public", "pickup", "", ""},
        {"public", "pickup", "anything at all", ""},
        {"private", "tlsmgr", "W", ""},
        {"private", "tlsmgr", "x", "request \"x\" is ignored: the service acts on \"W\" only\n"},
        {"public", "flush", "W", ""},
        {"public", "flush", "", "request \"\" is ignored: the service acts on \"W\" only\n"},
        {"public", "flush", "WW", "request \"WW\" is ignored: the service acts on \"W\" only\n"},
        {"private", "anvil", "refresh", "the service accepts no requests\n"},
        {"private", "scache", "flush", "the service accepts no requests\n"},
        {"public", "cleanup", "", "the service accepts no requests\n"},
        {"public", "mine", "anything", ""},  /* unknown */
        {"public", "anvil", "anything", ""}, /* another one of that name */
        {"private", "qmgr", "x", ""},
    };

    struct settings *settings = settings_of("");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_warnings(settings, cases[i].class, cases[i].service, cases[i].request,
                        cases[i].warnings);
    settings_free(settings);
}

TEST(length)
{
    struct settings *settings = settings_of("");
    char *request = fixture_repeat("W", 1025);

    assert_warnings(settings, "public", "mine", request,
                    "request is 1025 bytes long: services read only the first 1024\n");
    assert_warnings(settings, "public", "qmgr", request,
                    "request is 1025 bytes long: services read only the first 1024\n");
    request[1024] = '\0';
    assert_warnings(settings, "public", "qmgr", request, "");
    free(request);
    settings_free(settings);
}

TEST(names_with_capitals)
{
    struct settings *settings =
        settings_of("[service mine]\nname = Mine\nclass = public\nrequests = X\n"
                    "[service qmgr]\nclass = public\nrequests = Q\n");

    assert_warnings(settings, "public", "Mine", "Y",
                    "request \"Y\": \"Y\" is ignored: the service acts on X\n");
    assert_warnings(settings, "public", "mine", "Y", "");
    assert_string_equal(catalogue_class(settings, "Mine"), "public");
    assert_null(catalogue_class(settings, "mine"));
    assert_warnings(settings, "public", "qmgr", "W",
                    "request \"W\": \"W\" is ignored: the service acts on Q\n");
    settings_free(settings);
}

TEST(classes)
{
    struct settings *settings = settings_of("");

    assert_string_equal(catalogue_class(settings, "qmgr"), "public");
    assert_string_equal(catalogue_class(settings, "anvil"), "private");
    assert_null(catalogue_class(settings, "nosuch"));
    assert_null(catalogue_class(settings, "QMGR"));
    settings_free(settings);
}

TEST(actions)
{
    struct settings *settings = settings_of(
        "[action both]\nkick = private tlsmgr R , public  qmgr\tW\nabout = two of them\n");
    UT_array *names = settings_sections(settings, SETTINGS_ACTION);
    UT_array *targets = catalogue_action(settings, "both");

    fixture_assert_lines(names, "flush\nincoming\ndeferred\npickup\nboth\n");
    assert_int_equal(utarray_len(targets), 2);
    assert_string_equal(target_item(targets, 0)->class, "private");
    assert_string_equal(target_item(targets, 0)->service, "tlsmgr");
    assert_string_equal(target_item(targets, 0)->request, "R");
    assert_string_equal(target_item(targets, 1)->service, "qmgr");
    assert_string_equal(catalogue_about(settings, "both"), "two of them");
    assert_string_equal(catalogue_about(settings, "nosuch"), "");
    assert_null(catalogue_action(settings, "nosuch"));
    utarray_free(targets);
    utarray_free(names);
    settings_free(settings);
}

TEST(shipped_actions)
{
    static const struct {
        const char *action, *targets;
    } cases[] = {
        {"flush", "public qmgr FADI\npublic pickup W\n"},
        {"incoming", "public qmgr I\n"},
        {"deferred", "public qmgr D\n"},
        {"pickup", "public pickup W\n"},
    };

    struct settings *settings = settings_of("");
    for (size_t i = 0; i < COUNT(cases); i++) {
        UT_array *targets = catalogue_action(settings, cases[i].action), *lines;

        utarray_new(lines, &strings_icd);
        for (size_t j = 0; j < utarray_len(targets); j++) {
            const struct target *target = target_item(targets, j);
            strings_append(lines, "%s %s %s", target->class, target->service, target->request);
            /* what we ship, we do not warn about */
            assert_warnings(settings, target->class, target->service, target->request, "");
        }
        fixture_assert_lines(lines, cases[i].targets);
        utarray_free(lines);
        utarray_free(targets);
    }
    settings_free(settings);
}
