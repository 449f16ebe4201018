/* SPDX-License-Identifier: MIT */
/* One instance, from its main.cf. */
#include "postfix/instance.h"
#include "settings.h"

static struct instance_source source;
static struct postconf *postconf;
static struct instance instance;

SETUP(make_source)
{
    use_settings("");
    source = (struct instance_source){.settings = settings, .purpose = PARAMETER_FOR_KICK};
}

/* Loads it again. */
static void load(const char *main_cf)
{
    instance_free(&instance);
    (void)fixture_file("main.cf", main_cf);
    instance_load(&instance, fixture_root, &source);
}

static void assert_value(enum parameter parameter, const char *expected)
{
    assert_string_equal(instance_value(&instance, parameter), expected);
}

TEST(built_in_values)
{
    load("");
    assert_null(instance.error);
    assert_null(instance.warnings);
    assert_string_equal(instance.config_directory, fixture_root);
    assert_value(PARAMETER_QUEUE_DIRECTORY, "/var/spool/postfix");
    assert_int_equal(instance.enabled, INSTANCE_DISABLED);
    assert_int_equal(instance.trigger_timeout, 10);
    assert_int_equal(instance.application_event_drain_time, 100);
    assert_int_equal(instance.identity, INSTANCE_EXACT);
    instance_free(&instance);
    assert_null(instance.config_directory);
}

/* What the purpose does not need is not kept: memory stays small. */
TEST(values)
{
    load("base = /srv\n"
         "queue_directory = $base/spool\n"
         "multi_instance_name = postfix-a\n"
         "multi_instance_group = ${multi_instance_name?{g}:{h}}\n"
         "multi_instance_enable = YES\n"
         "trigger_timeout = 2m\n"
         "application_event_drain_time = $trigger_timeout\n"
         "import_environment = A=1\ncommand_directory = /x\n"
         "postmulti_start_commands = ${\n");
    assert_null(instance.error);
    assert_value(PARAMETER_QUEUE_DIRECTORY, "/srv/spool");
    assert_value(PARAMETER_MULTI_INSTANCE_NAME, "postfix-a");
    assert_value(PARAMETER_MULTI_INSTANCE_GROUP, "g");
    assert_int_equal(instance.enabled, INSTANCE_ENABLED);
    assert_int_equal(instance.trigger_timeout, 120);
    assert_int_equal(instance.application_event_drain_time, 120);
    assert_null(instance.values[PARAMETER_IMPORT_ENVIRONMENT]);
    assert_null(instance.values[PARAMETER_COMMAND_DIRECTORY]);
    assert_null(instance.values[PARAMETER_POSTMULTI_START_COMMANDS]);
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

        use_settings(text);
        source.settings = settings;
        free(text);
        load("queue_directory = ${{3.9} <level {3.10} ? {/a} : {/b}}\n");
        assert_int_equal(instance.error == NULL, cases[i].works);
    }
}

/* Those of secondary instances are as postmulti(1) reads them, from what postconf(1) prints;
 * Postfix itself uses the other values with their blanks. */
TEST(blanks)
{
    static const char main_cf[] = "x =\nmulti_instance_name = ${x?{a}: b}\n"
                                  "multi_instance_group = ${x:{ g \t h }}\n"
                                  "data_directory = /d${x: }\n";

    load(main_cf);
    assert_value(PARAMETER_MULTI_INSTANCE_NAME, "b");
    assert_value(PARAMETER_MULTI_INSTANCE_GROUP, "g h");
    assert_value(PARAMETER_DATA_DIRECTORY, "/d ");
    use_settings("[postfix]\nconfig_directory = @\n"); /* the default one */
    source.settings = settings;
    source.is_home = true;
    load(main_cf);
    assert_value(PARAMETER_MULTI_INSTANCE_NAME, " b");
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
        {"= x\nmulti_instance_name = ${\n", "@/main.cf, line 1: missing attribute name: \"= x\"",
         INSTANCE_LENIENT},
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
        bool is_path = cases[i].error[0] == '@';

        load(cases[i].main_cf);
        fixture_assert_text(instance.error, "%s%s", is_path ? fixture_root : "",
                            cases[i].error + (is_path ? 1 : 0));
        assert_int_equal(instance.identity, cases[i].identity);
    }
}

/* What Postfix says before it gives up, and what it only warns of. */
TEST(notice_and_warnings)
{
    load("a = 1\na = 2\nqueue_directory = ${a\n");
    assert_string_equal(instance.notice, "truncated macro reference: \"${a\"");
    char *failure = instance_failure(&instance);
    assert_string_equal(failure, "dictionary mail_dict: macro processing error: truncated macro "
                                 "reference: \"${a\"");
    free(failure);
    assert_int_equal(utarray_len(instance.warnings), 1);
    fixture_assert_text(strings_item(instance.warnings, 0),
                        "%s/main.cf, line 2: overriding earlier entry: a=1", fixture_root);
}

TEST(no_main_cf)
{
    source.is_home = true;
    instance_free(&instance);
    instance_load(&instance, fixture_root, &source);
    fixture_assert_text(instance.error, "open %s/main.cf: No such file or directory", fixture_root);
    assert_false(instance.is_default);
    assert_int_equal(instance.enabled, INSTANCE_UNKNOWN);
    assert_int_equal(instance.identity, INSTANCE_NAMELESS);
}

TEST(long_messages_are_cut)
{
    char *value = fixture_repeat("x", 5000);
    char *text = alloc_format("import_environment = {%s\n", value);

    load(text);
    assert_int_equal(strlen(instance.error), 4096);
    free(text);
    free(value);
}

/* Asks a postconf of our own. */
static const struct postconf *answer(void *script)
{
    if (postconf == NULL) {
        (void)fixture_script("postconf", script);
        postconf = postconf_ask(fixture_root, &fixture_no_limits);
    }
    return postconf;
}

static void use_postconf(char *script)
{
    postconf_free(postconf);
    postconf = NULL;
    source.ask = answer;
    source.context = script;
}

/* Values of names that neither main.cf nor the program has; @ is the directory. */
TEST(values_of_postconf)
{
    static char script[] = "echo 'one = $two'; echo two = mx; echo mydomain = localdomain\n"
                           "echo 'hello = $myhostname'; echo myhostname = host.localdomain\n"
                           "echo mynetworks = 127.0.0.0/8";
    static char failing[] = "exit 1";
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

    use_postconf(script);
    for (size_t i = 0; i < COUNT(cases); i++) {
        load(cases[i].main_cf);
        const char *error = instance.error == NULL ? "none" : instance.error;

        if (strcmp(error, cases[i].error == NULL ? "none" : cases[i].error) != 0)
            fail_msg("%s: error: %s", cases[i].main_cf, error);
        assert_value(PARAMETER_MULTI_INSTANCE_NAME, cases[i].name);
        assert_int_equal(instance.identity,
                         cases[i].error == NULL ? INSTANCE_EXACT : INSTANCE_LENIENT);
    }
    use_postconf(failing);
    load("queue_directory = /$two\nmulti_instance_name = $one$\n");
    fixture_assert_text(instance.error, "%s/postconf: exit status 1", fixture_root);
    source.ask = NULL; /* where it may not be asked, the rest is known */
    load("queue_directory = /$two\nmulti_instance_name = a\n");
    assert_value(PARAMETER_QUEUE_DIRECTORY, "");
    assert_value(PARAMETER_MULTI_INSTANCE_NAME, "a");
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

    if (geteuid() != 0)
        skip();
    (void)fixture_directory("way");
    (void)fixture_directory("way/a");
    for (size_t i = 0; i < 4 * COUNT(mistakes); i++) {
        const char *const *mistake = mistakes[i / 4];
        bool is_private = i % 2 == 1, is_others = i % 4 > 1;

        assert_int_equal(chown(fixture_path("way"), is_others ? 65534 : 0, 0), 0);
        (void)fixture_file("way/a/main.cf", mistake[0]);
        assert_int_equal(chmod(fixture_path("way/a/main.cf"), is_private ? 0640 : 0644), 0);
        instance_free(&instance);
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
    }
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
    load("multi_instance_name = a\n= x\nmulti_instance_group = g\nno equals sign\n"
         "multi_instance_enable = yes\nmulti_instance_name = postfix-$multi_instance_group\n"
         "queue_directory = /q\n");
    fixture_assert_text(instance.error, "%s/main.cf, line 2: missing attribute name: \"= x\"",
                        fixture_root);
    assert_int_equal(instance.identity, INSTANCE_LENIENT);
    assert_int_equal(instance.enabled, INSTANCE_ENABLED);
    assert_value(PARAMETER_MULTI_INSTANCE_NAME, "postfix-g");
    assert_value(PARAMETER_MULTI_INSTANCE_GROUP, "g");
    assert_value(PARAMETER_QUEUE_DIRECTORY, "");
    assert_null(instance.warnings); /* Postfix has stopped at the error */
}
