/* SPDX-License-Identifier: MIT */
/* Which instances a run is about. */
#include "postfix/selection.h"
#include "settings.h"

static struct selection_criteria criteria;
static UT_array *groups, *names;

/* Sets -g and -i to the words; @ is the directory. */
static void ask_for(const char *wanted_groups, const char *wanted_names)
{
    char *filled = fixture_fill(wanted_names);

    utarray_free(groups);
    utarray_free(names);
    criteria.groups = groups = strings_split(wanted_groups, " ");
    criteria.names = names = strings_split(filled, " ");
    free(filled);
}

SETUP(make_criteria)
{
    if (groups == NULL) {
        utarray_new(groups, &strings_icd);
        utarray_new(names, &strings_icd);
    }
    use_settings("[postfix]\nconfig_directory = @/postfix\n");
    criteria = (struct selection_criteria){
        .settings = settings, .purpose = PARAMETER_FOR_KICK, .limits = &fixture_no_limits};
    ask_for("", "");
}

/* An instance in the directory of that name, with a queue directory of its own. */
static void make(const char *name, const char *main_cf)
{
    char *path = alloc_format("%s/main.cf", name);
    char *text = alloc_format("queue_directory = @/%s-queue\n%s", name, main_cf);
    char *filled = fixture_fill(text);

    (void)fixture_directory(name);
    (void)fixture_file(path, filled);
    free(filled);
    free(path);
    free(text);
}

#define LIST "multi_instance_directories = "
#define A "multi_instance_name = postfix-a\nmulti_instance_group = g\nmulti_instance_enable = yes\n"
#define B "multi_instance_name = b\nmulti_instance_group = h\nmulti_instance_enable = no\n"
#define ON "multi_instance_enable = yes\n"

/* The default instance, a and b. */
static void make_three(void)
{
    make("postfix", ON LIST "@/a @/b\n");
    make("a", A);
    make("b", B);
}

/* The chosen ones, by the last component of their directories, with their states; a ? for each
 * name that matches nothing; or the error. */
static void assert_chosen(bool all, const char *expected)
{
    static const char *const marks[] = {"", "!", "-", "="};
    char *filled = fixture_fill(expected);
    struct selection selection;
    UT_string text;

    utstring_init(&text);
    if (selection_make(&selection, &criteria))
        (void)selection_mark(&selection, all);
    else if (selection.unmatched == 0)
        utstring_printf(&text, "%s", selection.host.error);
    for (size_t i = 0; i < selection.member_count; i++) {
        const char *directory = selection.members[i].instance->config_directory;
        const char *slash = strrchr(directory, '/');

        utstring_printf(&text, "%s%s ", slash == NULL ? directory : slash + 1,
                        marks[selection.members[i].state]);
    }
    for (size_t i = 0; i < selection.unmatched; i++)
        utstring_printf(&text, "? ");
    assert_string_equal(utstring_body(&text), filled);
    utstring_done(&text);
    free(filled);
    selection_free(&selection);
}

struct row {
    const char *groups, *names;
    const char *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ask_for(rows[i].groups, rows[i].names);
        assert_chosen(false, rows[i].expected);
    }
}

#define CHECK(rows) check_rows(rows, COUNT(rows))

TEST(several)
{
    make_three();
    assert_chosen(false, "postfix a b- ");
    assert_chosen(true, "postfix a b ");
    criteria.reverse = true;
    assert_chosen(false, "b- a postfix ");
}

/* Its other errors are its own. */
TEST(default_one)
{
    make("postfix", LIST "@/a\ntrigger_timeout = x\n");
    make("a", A);
    assert_chosen(false, "postfix- a ");
    assert_chosen(true, "postfix! a ");
}

TEST(forced)
{
    make_three();
    criteria.mail_config = fixture_path("b");
    assert_chosen(false, "b ");
    criteria.config_directory = fixture_path("a");
    assert_chosen(false, "a ");
    ask_for("g", "");
    assert_chosen(
        false, "-g, -i and names of instances cannot be used with -c, which selects one instance");
    criteria.config_directory = NULL;
    criteria.mail_config = fixture_path("postfix");
    assert_chosen(false, "-g, -i and names of instances cannot be used with MAIL_CONFIG in the "
                         "environment, which selects one instance");
    ask_for("", "");
    assert_chosen(false, "postfix "); /* as postmulti -x exports it */
    criteria.purpose = PARAMETER_FOR_LIST;
    assert_chosen(false, "postfix a b- "); /* as postfix(1) exports it */
    ask_for("g", "");
    assert_chosen(false, "a ");
    criteria.mail_config = fixture_path("a");
    assert_chosen(false, "MAIL_CONFIG=@/a is not the default instance @/postfix: unset it, or use "
                         "-c");
    ask_for("", "");
    criteria.config_directory = fixture_path("b");
    assert_chosen(false, "b ");
}

/* A command could reach one that was not meant. */
TEST(names_of_several_instances)
{
    static const struct row rows[] = {
        {"", "a", "-i a matches @/a and @/b: name the directory"},
        {"", "a* @/b", "a b "}, /* a pattern means several */
        {"", "c", "c = "},      /* one directory, listed twice */
    };

    make("postfix", ON LIST "@/a @/b @/c @/c/\n");
    make("a", A);
    make("b", A);
    make("c", ON "multi_instance_name = c\n");
    ask_for("", "a");
    assert_chosen(false, "a b ");
    criteria.acts = true;
    CHECK(rows);
}

TEST(names_and_groups)
{
    static const struct row rows[] = {
        {"", "*", "postfix a b- "},
        {"", "b - nosuch", "postfix b- ? "},
        {"g", "", "a "},
        {"g h", "", "a b- "},
        {"g h", "b", "b- "}, /* those in both */
        {"g h", "b -", "b- "},
        {"g h none", "", "no instance is in group none: the groups are g, h"},
    };

    make_three();
    CHECK(rows);
    strings_append(names, "%s", "");
    utarray_clear(groups);
    assert_chosen(false, "? ");
}

TEST(no_groups)
{
    make("postfix", LIST "@/c\n");
    make("c", "multi_instance_name = c\n");
    ask_for("g", "");
    assert_chosen(false, "no instance is in group g: none is in any");
}

/* One that cannot be read has no name or group. One whose name and group are known is chosen by
 * them, whatever else is wrong with it. */
TEST(damaged)
{
    static const struct row rows[] = {
        {"", "", "postfix gone! a c! d- "},
        {"g", "", "gone! a "},
        {"k", "", "gone! c! "},
        {"", "a", "a "},       /* matched by another */
        {"", "c", "c! "},      /* the same */
        {"", "x", "gone! ? "}, /* it may be the one */
        {"", "c x", "gone! c! ? "},
        {"", "@/gone", "gone! "},
        {"", "a*", "gone! a "}, /* a pattern may mean it, one for directories does not */
        {"", "@/[ab]", "a "},
    };

    make("postfix", ON LIST "@/gone @/a @/c @/d\n");
    make("a", A);
    make("c", "multi_instance_name = c\nmulti_instance_group = k\nmulti_instance_enable = maybe\n");
    make("d", "trigger_timeout = x\nmulti_instance_enable = no\n"); /* nobody's concern yet */
    CHECK(rows);
    ask_for("", "");
    assert_chosen(true, "postfix gone! a c! d! ");
    make("gone", ON);
    ask_for("", "x");
    assert_chosen(false, "? ");
}

/* Only a directory that is listed twice is served once. Whoever names a neighbour's queue directory
 * does not keep the neighbour from being served. */
TEST(duplicates)
{
    make("postfix", ON LIST "@/thief @/a @/a @/postfix @/a/ @/a//\n");
    make("a", A);
    make("thief", ON "queue_directory = @/a-queue\n");
    assert_chosen(false, "postfix thief a a= postfix= = = ");
    criteria.reverse = true;
    assert_chosen(false, " = postfix a= a= thief postfix= ");
}

TEST(enabled_only)
{
    make("postfix", ON LIST "@/a @/b @/gone\n");
    make("a", A);
    make("b", B);
    criteria.enabled_only = true;
    assert_chosen(true, "postfix a gone! ");
    ask_for("", "b");
    assert_chosen(true, "No matching instances");
}

TEST(refusal)
{
    static const struct {
        const char *names;
        enum parameter_purpose purpose;
        const char *error;
    } cases[] = {
        {"", PARAMETER_FOR_KICK, NULL},
        {"b", PARAMETER_FOR_KICK, "No matching instances: b is not enabled: use -a or -c"},
        {"b", PARAMETER_FOR_POSTFIX, "No matching instances: b is not enabled: use -c"},
        {"b -", PARAMETER_FOR_KICK,
         "No matching instances: @/postfix, b are not enabled: use -a or -c"},
        {"x", PARAMETER_FOR_KICK, "No matching instances"},
    };

    make("postfix", LIST "@/a @/b @/d\n");
    make("a", A);
    make("b", B);
    make("d", "");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct selection selection;
        char *expected = fixture_fill(cases[i].error == NULL ? "" : cases[i].error);

        ask_for("", cases[i].names);
        criteria.purpose = cases[i].purpose;
        bool is_accepted =
            selection_make(&selection, &criteria) && selection_mark(&selection, false);
        assert_int_equal(is_accepted, cases[i].error == NULL);
        if (!is_accepted)
            assert_string_equal(selection.host.error, expected);
        selection_free(&selection);
        free(expected);
    }
    ask_for("", "b");
    assert_chosen(true, "b ");
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
    const struct instance instance = {.values[PARAMETER_MULTI_INSTANCE_NAME] = odd};

    assert_true(selection_matches(&instance, "[x"));
    assert_false(selection_matches(&instance, "x"));
}

TEST(named)
{
    struct selection selection;

    make_three();
    ask_for("", "[ab] b");
    assert_true(selection_make(&selection, &criteria));
    assert_int_equal(selection.member_count, 2);
    assert_false(selection.members[0].is_named);
    assert_true(selection.members[1].is_named);
    selection_free(&selection);
    ask_for("", "");
    criteria.config_directory = fixture_path("a");
    assert_true(selection_make(&selection, &criteria));
    assert_true(selection.members[0].is_named);
    selection_free(&selection);
}
