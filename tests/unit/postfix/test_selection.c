/* SPDX-License-Identifier: MIT */
/* Which instances a run is about. */
#include "postfix/selection.h"
#include "settings.h"

static struct settings *settings;
static struct selection_criteria criteria;
static UT_array *groups, *names;

SETUP(make_criteria)
{
    utarray_new(groups, &strings_icd);
    utarray_new(names, &strings_icd);
    settings = settings_of("[postfix]\nconfig_directory = @/postfix\n");
    criteria = (struct selection_criteria){.groups = groups,
                                           .names = names,
                                           .settings = settings,
                                           .purpose = PARAMETER_FOR_KICK,
                                           .limits = &fixture_no_limits};
}

TEARDOWN(free_criteria)
{
    settings_free(settings);
    utarray_free(groups);
    utarray_free(names);
}

/* An instance in the directory of that name, with a queue directory of its own. */
static void make(const char *name, const char *main_cf)
{
    char *queue = alloc_format("%s-queue", name), *path = alloc_format("%s/main.cf", name);
    char *text = alloc_format("queue_directory = %s/%s\n%s", fixture_root, queue, main_cf);

    (void)fixture_directory(name);
    (void)fixture_directory(queue);
    (void)fixture_file(path, text);
    free(queue);
    free(path);
    free(text);
}

/* The default instance with a list of directories, each with fixture_root before it. */
static void make_default(const char *listed, const char *rest)
{
    UT_string text;
    char *copy = alloc_string(listed), *at = copy;

    utstring_init(&text);
    utstring_printf(&text, "%s\nmulti_instance_directories =", rest);
    for (char *word; (word = strsep(&at, " ")) != NULL;)
        if (word[0] != '\0')
            utstring_printf(&text, " %s/%s", fixture_root, word);
    utstring_printf(&text, "\n");
    make("postfix", utstring_body(&text));
    free(copy);
    utstring_done(&text);
}

#define A "multi_instance_name = postfix-a\nmulti_instance_group = g\nmulti_instance_enable = yes\n"
#define B "multi_instance_name = b\nmulti_instance_group = h\nmulti_instance_enable = no\n"
#define ON "multi_instance_enable = yes\n"

/* The member_count ones, by the last component of their directories, with their states. */
static void assert_chosen(bool all, const char *expected)
{
    static const char *const marks[] = {"", "!", "-", "="};
    struct selection selection;
    UT_string text;

    if (selection_make(&selection, &criteria))
        (void)selection_mark(&selection, all);
    else
        assert_string_equal(selection.host.error, "No matching instances");
    utstring_init(&text);
    for (size_t i = 0; i < selection.member_count; i++) {
        const char *directory = selection.members[i].instance->config_directory;
        const char *slash = strrchr(directory, '/');

        utstring_printf(&text, "%s%s ", slash == NULL ? directory : slash + 1,
                        marks[selection.members[i].state]);
    }
    for (size_t i = 0; selection.unmatched != NULL && i < utarray_len(selection.unmatched); i++)
        utstring_printf(&text, "?%s ", strings_item(selection.unmatched, i));
    assert_string_equal(utstring_len(&text) > 0 ? utstring_body(&text) : "", expected);
    utstring_done(&text);
    selection_free(&selection);
}

static void assert_error(const char *expected)
{
    struct selection selection;

    assert_false(selection_make(&selection, &criteria));
    assert_string_equal(selection.host.error, expected);
    selection_free(&selection);
}

TEST(several)
{
    make_default("b a", ON);
    make("a", A);
    make("b", B);
    assert_chosen(false, "postfix b- a ");
    assert_chosen(true, "postfix b a ");
    criteria.reverse = true;
    assert_chosen(false, "a b- postfix ");
}

TEST(default_disabled)
{
    make_default("a", "");
    make("a", A);
    assert_chosen(false, "postfix- a ");
}

TEST(forced)
{
    make_default("a b", ON);
    make("a", A);
    make("b", B);
    criteria.mail_config = fixture_path("b");
    assert_chosen(false, "b ");
    criteria.config_directory = fixture_path("a");
    assert_chosen(false, "a ");
    criteria.config_directory = NULL;
    criteria.mail_config = fixture_path("postfix"); /* as postmulti -x exports it */
    assert_chosen(false, "postfix ");
    criteria.purpose = PARAMETER_FOR_LIST; /* as postfix(1) exports it */
    assert_chosen(false, "postfix a b- ");
    criteria.mail_config = fixture_path("a");
    char *expected = alloc_format("MAIL_CONFIG=%s/a is not the default instance %s/postfix: unset "
                                  "it, or use -c",
                                  fixture_root, fixture_root);
    assert_error(expected);
    free(expected);
    criteria.config_directory = fixture_path("b");
    assert_chosen(false, "b ");
}

/* A command could reach one that was not meant. */
TEST(names_of_several_instances)
{
    char *expected = fixture_fill("-i a matches @/a and @/b: name the directory");

    make_default("a b c c/", ON);
    make("a", A);
    make("b", A);
    make("c", ON "multi_instance_name = c\n");
    strings_append(names, "a");
    assert_chosen(false, "a b ");
    criteria.acts = true;
    assert_error(expected);
    utarray_clear(names);
    strings_append(names, "a*"); /* a pattern means several */
    strings_append(names, "%s", fixture_path("b"));
    assert_chosen(false, "a b ");
    utarray_clear(names);
    strings_append(names, "c"); /* one directory, listed twice */
    assert_chosen(false, "c = ");
    free(expected);
}

TEST(contradictions)
{
    make_default("a", ON);
    make("a", A);
    criteria.config_directory = fixture_path("a");
    strings_append(groups, "g");
    assert_error(
        "-g, -i and names of instances cannot be used with -c, which selects one instance");
    criteria.config_directory = NULL;
    criteria.mail_config = fixture_path("postfix");
    assert_error("-g, -i and names of instances cannot be used with MAIL_CONFIG in the "
                 "environment, which selects one "
                 "instance");
    criteria.purpose = PARAMETER_FOR_LIST;
    assert_chosen(false, "a ");
}

TEST(names)
{
    make_default("a b", ON);
    make("a", A);
    make("b", B);
    strings_append(names, "*");
    assert_chosen(false, "postfix a b- ");
    utarray_clear(names);
    strings_append(names, "b");
    strings_append(names, "-");
    strings_append(names, "nosuch");
    assert_chosen(false, "postfix b- ?nosuch ");
    utarray_clear(names);
    strings_append(names, "%s", "");
    assert_chosen(false, "? ");
}

TEST(groups)
{
    make_default("a b", ON);
    make("a", A);
    make("b", B);
    strings_append(groups, "g");
    assert_chosen(false, "a ");
    strings_append(groups, "h");
    assert_chosen(false, "a b- ");
    strings_append(names, "b"); /* those in both */
    assert_chosen(false, "b- ");
    strings_append(names, "-");
    assert_chosen(false, "b- ");
    utarray_clear(names);
    strings_append(groups, "none");
    assert_error("no instance is in group none: the groups are g, h");
}

TEST(no_groups)
{
    make_default("c", ON);
    make("c", "multi_instance_name = c\n");
    strings_append(groups, "g");
    assert_error("no instance is in group g: none is in any");
}

/* One that cannot be read has no name or group. */
TEST(unreadable)
{
    make_default("gone a", ON);
    make("a", A);
    assert_chosen(false, "postfix gone! a ");
    strings_append(groups, "g");
    assert_chosen(false, "gone! a ");
    utarray_clear(groups);
    strings_append(names, "a"); /* matched by another */
    assert_chosen(false, "a ");
    strings_append(names, "x"); /* it may be the one */
    assert_chosen(false, "gone! a ?x ");
    utarray_clear(names);
    strings_append(names, "%s/gone", fixture_root);
    assert_chosen(false, "gone! ");
    utarray_clear(names);
    strings_append(names, "*"); /* a pattern may mean it, one for directories does not */
    assert_chosen(false, "postfix gone! a ");
    utarray_clear(names);
    strings_append(names, "%s/[ab]", fixture_root);
    assert_chosen(false, "a ");
}

/* One whose name and group are known is chosen by them, whatever else is wrong with it. */
TEST(damaged_but_known)
{
    make_default("a c", ON);
    make("a", A);
    make("c", "multi_instance_name = c\nmulti_instance_group = k\nmulti_instance_enable = maybe\n");
    strings_append(groups, "g");
    assert_chosen(false, "a ");
    utarray_clear(groups);
    strings_append(groups, "k");
    assert_chosen(false, "c! ");
    utarray_clear(groups);
    strings_append(names, "c");
    assert_chosen(false, "c! ");
    strings_append(names, "x");
    assert_chosen(false, "c! ?x ");
    utarray_clear(names);
    strings_append(names, "x");
    assert_chosen(false, "?x ");
}

/* Disabled instances are left alone, whatever is wrong with them, where that is known. */
TEST(disabled_and_damaged)
{
    make_default("d", ON);
    make("d", "trigger_timeout = x\nmulti_instance_enable = no\n");
    assert_chosen(false, "postfix d- ");
    assert_chosen(true, "postfix d! ");
}

/* Only a directory that is listed twice is served once. Whoever names a neighbour's queue directory
 * does not keep the neighbour from being served. */
TEST(duplicates)
{
    make_default("thief a a postfix a/ a//", ON);
    make("a", A);
    make("thief", ON);
    char *text = alloc_format("queue_directory = %s/a-queue\n" ON, fixture_root);
    (void)fixture_file("thief/main.cf", text);
    free(text);
    assert_chosen(false, "postfix thief a a= postfix= = = ");
    criteria.reverse = true;
    assert_chosen(false, " = postfix a= a= thief postfix= ");
}

TEST(enabled_only)
{
    make_default("a b gone", ON);
    make("a", A);
    make("b", B);
    criteria.enabled_only = true;
    assert_chosen(true, "postfix a gone! ");
    strings_append(names, "b");
    assert_chosen(true, "");
}

static void assert_refusal(bool all, const char *expected)
{
    struct selection selection;
    bool is_accepted = selection_make(&selection, &criteria) && selection_mark(&selection, all);

    assert_int_equal(is_accepted, expected == NULL);
    if (expected != NULL)
        assert_string_equal(selection.host.error, expected);
    selection_free(&selection);
}

TEST(refusal)
{
    make_default("a b d", "");
    make("a", A);
    make("b", B);
    make("d", "");
    assert_refusal(false, NULL);
    strings_append(names, "b");
    assert_refusal(true, NULL);
    assert_refusal(false, "No matching instances: b is not enabled: use -a or -c");
    criteria.purpose = PARAMETER_FOR_POSTFIX;
    assert_refusal(false, "No matching instances: b is not enabled: use -c");
    criteria.purpose = PARAMETER_FOR_KICK;
    strings_append(names, "-");
    char *expected = alloc_format(
        "No matching instances: %s/postfix, b are not enabled: use -a or -c", fixture_root);
    assert_refusal(false, expected);
    free(expected);
    utarray_clear(names);
    strings_append(names, "x");
    assert_refusal(false, "No matching instances");
}

/* The default instance's other errors are its own. */
TEST(damaged_default)
{
    make_default("a", ON "trigger_timeout = x\n");
    make("a", A);
    assert_chosen(false, "postfix! a ");
}

static char name_a[] = "postfix-a", directory_a[] = "/etc/postfix-a", home[] = "/etc/postfix";
static const struct instance instance_a = {.config_directory = directory_a,
                                           .values[PARAMETER_MULTI_INSTANCE_NAME] = name_a};
static const struct instance home_instance = {.config_directory = home, .is_default = true};

TEST(what_a_name_means)
{
    static const struct {
        const char *wanted;
        bool is_a;
        bool is_home;
    } cases[] = {
        {"postfix-a", true, false},
        {"a", true, false},
        {"A", false, false},
        {"fix-a", false, false},
        {"", false, false},
        {"-", false, true},
        {"postfix", false, false},
        {"etc/postfix-a", false, false},
        {"/etc/postfix-a", true, false},
        {"/etc/postfix-a//", true, false},
        {"/etc/postfix/", false, true},
        {"/", false, false},
        {"postfix-*", true, false},
        {"[ab]", true, false},
        {"*", true, false},
        {"*x", false, false},
        {"/etc/*", true, true},
        {"/*", false, false},
        {"/etc/postfix-[a", false, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(selection_matches(&instance_a, cases[i].wanted), cases[i].is_a);
        assert_int_equal(selection_matches(&home_instance, cases[i].wanted), cases[i].is_home);
    }
}

/* A name is itself, whatever pattern it would be. */
TEST(literal)
{
    static char odd[] = "[x";
    const struct instance instance = {.config_directory = home,
                                      .values[PARAMETER_MULTI_INSTANCE_NAME] = odd};

    assert_true(selection_matches(&instance, "[x"));
    assert_false(selection_matches(&instance, "x"));
}

TEST(named)
{
    struct selection selection;

    make_default("a b", ON);
    make("a", A);
    make("b", B);
    strings_append(names, "[ab]");
    strings_append(names, "b");
    assert_true(selection_make(&selection, &criteria));
    assert_int_equal(selection.member_count, 2);
    assert_false(selection.members[0].is_named);
    assert_true(selection.members[1].is_named);
    selection_free(&selection);
    utarray_clear(names);
    criteria.config_directory = fixture_path("a");
    assert_true(selection_make(&selection, &criteria));
    assert_true(selection.members[0].is_named);
    selection_free(&selection);
}
