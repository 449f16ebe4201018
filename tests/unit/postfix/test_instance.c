/* SPDX-License-Identifier: MIT */
/* One instance, from its main.cf. */
#include "postfix/instance.h"
#include "settings.h"

static struct settings *settings;

SETUP(make_settings)
{
    settings = settings_of("");
}

TEARDOWN(free_settings)
{
    settings_free(settings);
}

static enum parameter_purpose purpose = PARAMETER_FOR_KICK;
static struct postconf *postconf;
static bool is_home;

static const struct postconf *answer(void *context)
{
    (void)context;
    return postconf;
}

static struct instance load(const char *main_cf)
{
    struct instance instance;
    const struct instance_source source = {.settings = settings,
                                           .purpose = purpose,
                                           .is_home = is_home,
                                           .ask = postconf == NULL ? NULL : answer};

    (void)fixture_file("main.cf", main_cf);
    instance_load(&instance, fixture_root, &source);
    return instance;
}

TEST(built_in_values)
{
    struct instance instance = load("");

    assert_null(instance.error);
    assert_null(instance.warnings);
    assert_string_equal(instance.config_directory, fixture_root);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/var/spool/postfix");
    assert_int_equal(instance.enabled, INSTANCE_DISABLED);
    assert_int_equal(instance.trigger_timeout, 10);
    assert_int_equal(instance.application_event_drain_time, 100);
    assert_int_equal(instance.identity, INSTANCE_EXACT);
    instance_free(&instance);
    assert_null(instance.config_directory);
    instance_free(&instance);
}

TEST(values)
{
    struct instance instance = load("base = /srv\n"
                                    "queue_directory = $base/spool\n"
                                    "multi_instance_name = postfix-a\n"
                                    "multi_instance_group = ${multi_instance_name?{g}:{h}}\n"
                                    "multi_instance_enable = YES\n"
                                    "trigger_timeout = 2m\n"
                                    "application_event_drain_time = $trigger_timeout\n");

    assert_null(instance.error);
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "/srv/spool");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "postfix-a");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_GROUP), "g");
    assert_int_equal(instance.enabled, INSTANCE_ENABLED);
    assert_int_equal(instance.trigger_timeout, 120);
    assert_int_equal(instance.application_event_drain_time, 120);
    instance_free(&instance);
}

/* Operators for compatibility levels are of Postfix 3.6; an unknown version has them. */
TEST(levels)
{
    static const struct {
        const char *version;
        bool works;
    } cases[] = {{"", true},    {"3.5.25", false},      {"3.4.0", false},
                 {"3.6", true}, {"3.6-20200725", true}, {"3.10.13", true},
                 {"4.0", true}, {"2.11.3", false}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = alloc_format("[postfix]\nmail_version = %s\n", cases[i].version);

        settings_free(settings);
        settings = settings_of(text);
        free(text);
        struct instance instance = load("queue_directory = ${{3.9} <level {3.10} ? {/a} : {/b}}\n");
        assert_int_equal(instance.error == NULL, cases[i].works);
        instance_free(&instance);
    }
}

/* Those of secondary instances are as postmulti(1) reads them, from what postconf(1) prints;
 * Postfix itself uses the other values with their blanks. */
TEST(blanks)
{
    static const char main_cf[] = "x =\nmulti_instance_name = ${x?{a}: b}\n"
                                  "multi_instance_group = ${x:{ g \t h }}\n"
                                  "data_directory = /d${x: }\n";
    struct instance instance = load(main_cf);

    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "b");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_GROUP), "g h");
    assert_string_equal(instance_value(&instance, PARAMETER_DATA_DIRECTORY), "/d ");
    instance_free(&instance);
    settings_free(settings);
    settings = settings_of("[postfix]\nconfig_directory = @\n"); /* the default one */
    is_home = true;
    instance = load(main_cf);
    is_home = false;
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), " b");
    instance_free(&instance);
}

/* What the purpose does not need is not kept: memory stays small. */
TEST(keeps_what_is_wanted)
{
    struct instance instance = load("import_environment = A=1\ncommand_directory = /x\n"
                                    "postmulti_start_commands = ${\n");

    assert_null(instance.values[PARAMETER_IMPORT_ENVIRONMENT]);
    assert_null(instance.values[PARAMETER_COMMAND_DIRECTORY]);
    assert_null(instance.values[PARAMETER_POSTMULTI_START_COMMANDS]);
    assert_null(instance.error);
    instance_free(&instance);
}

TEST(errors)
{
    static const struct {
        const char *main_cf;
        const char *error; /* @ is the directory */
        enum instance_identity identity;
    } cases[] = {
        {"a b\n", "@/main.cf, line 1: missing '=' after attribute name: \"a b\"", INSTANCE_LENIENT},
        {"trigger_timeout = 5x\n", "parameter trigger_timeout: bad time value or unit: 5x",
         INSTANCE_EXACT},
        {"trigger_timeout = 0\n", "invalid trigger_timeout: 0 (min 1)", INSTANCE_EXACT},
        {"queue_directory =\n", "bad string length 0 < 1: queue_directory = ", INSTANCE_EXACT},
        {"queue_directory = spool\n", "queue_directory is not an absolute path: spool",
         INSTANCE_EXACT},
        {"multi_instance_enable = maybe\n",
         "bad boolean configuration: multi_instance_enable = maybe", INSTANCE_LENIENT},
        {"multi_instance_name = ${\n", "dictionary mail_dict: macro processing error",
         INSTANCE_LENIENT},
        {"multi_instance_name = ${\nmulti_instance_group = ${\nmulti_instance_enable = ${\n",
         "dictionary mail_dict: macro processing error", INSTANCE_NAMELESS},
        {"queue_directory = /$a\na = $b\nb = $a\n", "dictionary mail_dict: macro processing error",
         INSTANCE_EXACT},
        /* the first one counts, in Postfix's order of kinds: strings, times, booleans */
        {"multi_instance_enable = x\ntrigger_timeout = y\n",
         "parameter trigger_timeout: bad time value or unit: y", INSTANCE_LENIENT},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instance instance = load(cases[i].main_cf);
        bool is_path = cases[i].error[0] == '@';

        fixture_assert_text(instance.error, "%s%s", is_path ? fixture_root : "",
                            cases[i].error + (is_path ? 1 : 0));
        assert_int_equal(instance.identity, cases[i].identity);
        instance_free(&instance);
    }
}

/* With what Postfix says before it gives up. */
TEST(notice)
{
    struct instance instance = load("queue_directory = ${a\n");

    assert_non_null(instance.notice);
    assert_string_equal(instance.error, "dictionary mail_dict: macro processing error");
    instance_free(&instance);
}

TEST(warnings)
{
    struct instance instance = load("a = 1\na = 2\n");

    assert_int_equal(utarray_len(instance.warnings), 1);
    fixture_assert_text(strings_item(instance.warnings, 0),
                        "%s/main.cf, line 2: overriding earlier entry: a=1", fixture_root);
    instance_free(&instance);
}

TEST(no_main_cf)
{
    struct instance instance = load("");
    char *expected = alloc_format("open %s/main.cf: No such file or directory", fixture_root);
    const struct instance_source source = {
        .settings = settings, .purpose = PARAMETER_FOR_KICK, .is_home = true};

    instance_free(&instance);
    assert_int_equal(unlink(fixture_path("main.cf")), 0);
    instance_load(&instance, fixture_root, &source);
    assert_string_equal(instance.error, expected);
    assert_false(instance.is_default);
    assert_int_equal(instance.enabled, INSTANCE_UNKNOWN);
    assert_int_equal(instance.identity, INSTANCE_NAMELESS);
    free(expected);
    instance_free(&instance);
}

/* Values are no longer than what they name can be, and messages quote no more than 4 KiB. */
TEST(long_values)
{
    static const struct {
        const char *name;
        size_t longest;
    } cases[] = {{"queue_directory", 4095}, {"multi_instance_name", 255}};

    for (size_t i = 0; i < 2; i++) {
        char *value = alloc_zeroed(1, 5000);

        (void)memset(value, '/', cases[i].longest);
        char *text = alloc_format("%s = %s\n", cases[i].name, value);
        struct instance instance = load(text);
        assert_null(instance.error);
        instance_free(&instance);
        free(text);
        text = alloc_format("%s = %s/\n", cases[i].name, value);
        instance = load(text);
        char *expected = alloc_format("bad string length %zu > %zu: %s = %.20s...",
                                      cases[i].longest + 1, cases[i].longest, cases[i].name, value);
        assert_string_equal(instance.error, expected);
        free(expected);
        free(text);
        (void)memset(value, '/', 4999);
        text = alloc_format("import_environment = {%s\n", value);
        instance_free(&instance);
        instance = load(text);
        assert_int_equal(strlen(instance.error), 4096);
        instance_free(&instance);
        free(text);
        free(value);
    }
}

/* Asks a postconf of our own. */
static void ask(const char *script)
{
    postconf_free(postconf);
    (void)fixture_script("postconf", script);
    postconf = postconf_ask(fixture_root, &fixture_no_limits);
}

/* Values of names that neither main.cf nor the program has; @ is the directory. */
TEST(values_of_postconf)
{
    static const struct {
        const char *main_cf, *name, *error; /* NULL: no error */
    } cases[] = {
        {"multi_instance_name = ${one}-$nosuch\n", "mx-", NULL},
        {"multi_instance_name = $a\na = $one\none = own\n", "own", NULL},
        {"multi_instance_name = $mydomain\n", "localdomain", NULL},
        {"multi_instance_name = $mydomain\nmydomain = own\nmyhostname = a.b\n", "own", NULL},
        {"multi_instance_name = $mydomain\nmyhostname = a.b.c\n", "b.c", NULL},
        {"multi_instance_name = $mydomain\nmyhostname = a.$b.c\nb = x\n", "x.c", NULL},
        {"multi_instance_name = $mydomain\nmyhostname = a$one.d\n", "d", NULL},
        {"multi_instance_name = $mydomain\nmyhostname = a\n", "localdomain", NULL},
        {"multi_instance_name = $mydomain\nmyhostname = ${\n", "",
         "myhostname: truncated macro reference: \"${\""},
        {"multi_instance_name = $mydomains\nmyhostname = a.b\n", "", NULL},
        {"multi_instance_name = $myhostname\n", "host.localdomain", NULL},
        {"multi_instance_name = $myhostname\nmydomain = a.b\n", "",
         "a value refers to myhostname, which Postfix computes: set it"},
        {"multi_instance_name = $hello\nmydomain = a.b\n", "",
         "a value refers to myhostname, which Postfix computes: set it"},
        {"multi_instance_name = x$mynetworks\n", "",
         "a value refers to mynetworks, which Postfix computes: set it"},
        {"multi_instance_name = x$mynetworks\nmynetworks = ::1\n", "x::1", NULL},
        {"multi_instance_name = $one$\n", "", "dictionary mail_dict: macro processing error"},
    };

    ask("echo 'one = $two'; echo two = mx; echo mydomain = localdomain; echo 'hello = "
        "$myhostname'\n"
        "echo myhostname = host.localdomain; echo mynetworks = 127.0.0.0/8");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instance instance = load(cases[i].main_cf);
        const char *error = instance.error == NULL ? "none" : instance.error;

        if (strcmp(error, cases[i].error == NULL ? "none" : cases[i].error) != 0)
            fail_msg("%s: error: %s", cases[i].main_cf, error);
        assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME),
                            cases[i].name);
        assert_int_equal(instance.identity,
                         cases[i].error == NULL ? INSTANCE_EXACT : INSTANCE_LENIENT);
        instance_free(&instance);
    }
    ask("exit 1");
    struct instance instance = load("queue_directory = /$two\nmulti_instance_name = $one$\n");
    fixture_assert_text(instance.error, "%s/postconf: exit status 1", fixture_root);
    instance_free(&instance);
    postconf_free(postconf);
    postconf = NULL;
}

/* The text of a main.cf that a user who may not read it may have chosen is in no message. */
TEST(not_quoted)
{
    static const char *const mistakes[][2] = {
        {"\nsecret\n", ", line 2: invalid (not shown: "},
        {"trigger_timeout = secret\n", ": parameter trigger_timeout: invalid (not s"},
        {"queue_directory = $(secret\n", ": parameter queue_directory: invalid ("},
        {"queue_directory = secret\n", ": parameter queue_directory: invalid (not"},
        {"a = secret\na = b\n secret\n", NULL},
    };
    struct instance_source source = {.settings = settings, .purpose = PARAMETER_FOR_KICK};

    if (geteuid() != 0)
        skip();
    (void)fixture_directory("way");
    (void)fixture_directory("way/a");
    for (size_t i = 0; i < 4 * COUNT(mistakes); i++) {
        const char *const *mistake = mistakes[i / 4];
        bool is_private = i % 2 == 1, is_others = i % 4 > 1;
        struct instance instance;

        assert_int_equal(chown(fixture_path("way"), is_others ? 65534 : 0, 0), 0);
        (void)fixture_file("way/a/main.cf", mistake[0]);
        assert_int_equal(chmod(fixture_path("way/a/main.cf"), is_private ? 0640 : 0644), 0);
        instance_load(&instance, fixture_path("way/a"), &source);
        if (is_private && is_others && mistake[1] != NULL) {
            const char *file = fixture_path("way/a/main.cf");
            assert_memory_equal(instance.error, file, strlen(file));
            assert_memory_equal(instance.error + strlen(file), mistake[1], strlen(mistake[1]));
            assert_null(strstr(instance.error, "secret"));
        } else if (mistake[1] != NULL) {
            const char *shown = instance.notice != NULL ? instance.notice : instance.error;
            assert_non_null(strstr(shown, "secret"));
        }
        if (is_private && is_others)
            assert_true(instance.warnings == NULL && instance.notice == NULL);
        else if (mistake[1] == NULL)
            assert_non_null(instance.warnings);
        instance_free(&instance);
    }
}

/* Where postconf(1) may not be asked, the rest is known. */
TEST(nothing_to_ask)
{
    struct instance instance = load("queue_directory = /$two\nmulti_instance_name = a\n");

    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "a");
    instance_free(&instance);
}

/* The first path that others can write is this one of the scratch directory; NULL: none. */
static void assert_writable(const char *config_directory, const char *expected)
{
    char *found = instance_find_writable(fixture_path(config_directory));

    if (expected == NULL)
        assert_null(found);
    else
        assert_string_equal(found, fixture_path(expected));
    free(found);
}

TEST(writable_by_mode)
{
    if (geteuid() != 0)
        skip();
    (void)fixture_directory("a");
    assert_writable("a", NULL); /* no main.cf */
    (void)fixture_file("a/main.cf", "");
    assert_int_equal(chmod(fixture_path("a/main.cf"), 0644), 0);
    assert_writable("a", NULL);
    assert_int_equal(chmod(fixture_path("a/main.cf"), 0666), 0);
    assert_writable("a", "a/main.cf");
    assert_int_equal(chmod(fixture_path("a"), 0777), 0);
    assert_writable("a", "a");
    assert_int_equal(chmod(fixture_path("a"), 01777),
                     0); /* root's files cannot be replaced there */
    assert_writable("a", "a/main.cf");
    assert_int_equal(chmod(fixture_path("a/main.cf"), 0600), 0);
    assert_writable("a", NULL);
    assert_int_equal(chown(fixture_path("a/main.cf"), 65534, 0), 0);
    assert_writable("a", "a/main.cf");
}

/* The places that a link leads through count; the owner of a link can replace it. */
TEST(writable_through_links)
{
    if (geteuid() != 0)
        skip();
    (void)fixture_directory("a");
    (void)fixture_directory("b");
    (void)fixture_file("b/real", "");
    assert_int_equal(chmod(fixture_path("b/real"), 0644), 0);
    fixture_link("../b/real", "a/main.cf");
    fixture_link("a", "link");
    assert_writable("link", NULL);
    assert_int_equal(chmod(fixture_path("b"), 0777), 0);
    assert_writable("link", "b");
    assert_int_equal(chmod(fixture_path("b"), 0755), 0);
    assert_int_equal(lchown(fixture_path("link"), 65534, 0), 0);
    assert_writable("link", "link");
}

/* What an invalid main.cf is called: by what is well-formed in it, before and after the error. */
TEST(lenient_identity)
{
    struct instance instance =
        load("multi_instance_name = a\n= x\nmulti_instance_group = g\nno equals sign\n"
             "multi_instance_enable = yes\nmulti_instance_name = postfix-$multi_instance_group\n"
             "queue_directory = /q\n");
    fixture_assert_text(instance.error, "%s/main.cf, line 2: missing attribute name: \"= x\"",
                        fixture_root);
    assert_int_equal(instance.identity, INSTANCE_LENIENT);
    assert_int_equal(instance.enabled, INSTANCE_ENABLED);
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_NAME), "postfix-g");
    assert_string_equal(instance_value(&instance, PARAMETER_MULTI_INSTANCE_GROUP), "g");
    assert_string_equal(instance_value(&instance, PARAMETER_QUEUE_DIRECTORY), "");
    assert_null(instance.warnings); /* Postfix has stopped at the error */
    instance_free(&instance);
    instance = load("= x\nmulti_instance_name = ${\n");
    assert_int_equal(instance.identity, INSTANCE_LENIENT);
    instance_free(&instance);
}
