/* SPDX-License-Identifier: MIT */
/* The instances of a host: how they are found, and what postconf(1) is asked. */
#include "postfix/host.h"
#include "settings.h"

static struct host host;
static struct limits limits;
static const char *forced;

SETUP(make_settings)
{
    use_settings("[postfix]\nconfig_directory = @/home\ncommand_directory = @\n");
    limits = fixture_no_limits;
    forced = NULL;
}

static void make(const char *name, const char *main_cf)
{
    char *path = alloc_format("%s/main.cf", name), *text = fixture_fill(main_cf);

    (void)mkdir(fixture_path(name), 0755);
    (void)fixture_file(path, text);
    free(path);
    free(text);
}

/* Loads it, and compares the error if there is one, else the instances: their directories, with !
 * after one that has failed, - after one that is not enabled. */
static void assert_host(const char *expected)
{
    char *text = fixture_fill(expected), *found = alloc_string("");

    host_free(&host);
    bool is_loaded = host_load(&host, settings, PARAMETER_FOR_KICK, &limits, forced);
    assert_int_equal(is_loaded, host.error == NULL);
    for (size_t i = 0; is_loaded && i < host.count; i++) {
        const struct instance *instance = &host.instances[i];

        alloc_set_text(&found, "%s%s%s ", found, instance->config_directory,
                       instance->error != NULL                  ? "!"
                       : instance->enabled == INSTANCE_DISABLED ? "-"
                                                                : "");
    }
    assert_string_equal(is_loaded ? found : host.error, text);
    free(found);
    free(text);
}

TEST(instances)
{
    make("home", "multi_instance_directories = @/on rel/ative, @/off\t@/gone\n");
    make("on", "multi_instance_enable = yes\n");
    make("off", "multi_instance_enable = no\n");
    assert_host("@/home- @/on rel/ative! @/off- @/gone! ");
    assert_false(host.is_single);
    assert_true(host.instances[0].is_default);
    assert_non_null(host.instances[0].values[PARAMETER_COMMAND_DIRECTORY]);
    assert_null(host.instances[1].values[PARAMETER_COMMAND_DIRECTORY]); /* nobody needs it */
    assert_string_equal(host.instances[2].error,
                        "multi_instance_directories: not an absolute path: rel/ative");
    forced = fixture_path("off");
    assert_host("@/off- ");
    assert_true(host.is_single);
    forced = NULL;
    make("home", "multi_instance_enable = no\nmulti_instance_directories = ,\n");
    assert_host("@/home "); /* the only instance counts as enabled */
    assert_true(host.is_single);
}

TEST(no_default)
{
    assert_host("open @/home/main.cf: No such file or directory");
    make("home", "multi_instance_directories = ${\n");
    assert_host("dictionary mail_dict: macro processing error");
    assert_string_equal(host.notice, "truncated macro reference: \"${\"");
}

TEST(too_many)
{
    for (size_t listed = HOST_MAXIMUM - 1; listed <= HOST_MAXIMUM; listed++) {
        char *names = fixture_repeat(" r", listed);
        char *text = alloc_format("multi_instance_directories =%s\n", names);

        make("home", text);
        host_free(&host);
        assert_int_equal(host_load(&host, settings, PARAMETER_FOR_KICK, &limits, forced),
                         listed < HOST_MAXIMUM);
        assert_true(listed < HOST_MAXIMUM ? host.count == HOST_MAXIMUM : host.error != NULL);
        free(names);
        free(text);
    }
    assert_string_equal(host.error, "multi_instance_directories: more than 65536 instances");
}

/* Programs are the default instance's, or those of the settings, whoever is forced. */
TEST(directory)
{
    make("home", "command_directory = /default\n");
    make("on", "command_directory = /own\n");
    forced = fixture_path("on");
    assert_host("@/on- ");
    assert_string_equal(host_find_directory(&host, PARAMETER_COMMAND_DIRECTORY), "/default");
    make("home", "command_directory = ${\n");
    assert_host("@/on- ");
    assert_string_equal(host_find_directory(&host, PARAMETER_COMMAND_DIRECTORY), fixture_root);
}

/* How often the postconf of the test was run, which logs that in bytes. */
static int times_asked(void)
{
    struct stat status;

    return stat(fixture_path("asked"), &status) < 0 ? 0 : (int)status.st_size;
}

static void make_postconf(const char *answer)
{
    char *script = alloc_format("printf x >>${0%%/*}/asked; %s", answer);

    (void)fixture_script("postconf", script);
    free(script);
}

TEST(postconf_is_asked_once)
{
    make("home", "multi_instance_directories = @/a @/b\nmulti_instance_enable = yes\n"
                 "multi_instance_group = $setgid_group\n");
    make("a", "multi_instance_name = $mail_owner\nmulti_instance_enable = yes\n");
    make("b", "multi_instance_name = $mail_owner\nmulti_instance_enable = ${unknown:no}\n");
    make_postconf("echo mail_owner = me; echo setgid_group = us");
    assert_host("@/home @/a @/b- ");
    assert_string_equal(instance_value(&host.instances[0], PARAMETER_MULTI_INSTANCE_GROUP), "us");
    assert_string_equal(instance_value(&host.instances[2], PARAMETER_MULTI_INSTANCE_NAME), "me");
    assert_int_equal(times_asked(), 1);
}

/* Those that need no answer are served; it is not asked in vain. */
TEST(postconf_does_not_answer)
{
    make_postconf("exit 3");
    make("home", "multi_instance_directories = @/on\nmulti_instance_enable = yes\n");
    make("on", "multi_instance_name = $own\nown = x\nmydestination = $mail_owner\n"
               "multi_instance_enable = yes\n");
    assert_host("@/home @/on ");
    assert_int_equal(times_asked(), 0);
    make("home", "multi_instance_directories = @/a @/on @/b\nmulti_instance_enable = yes\n");
    make("a", "multi_instance_name = $mail_owner\n");
    make("b", "queue_directory = /$mail_owner\nmulti_instance_name = b\n");
    assert_host("@/home @/a! @/on @/b! ");
    fixture_assert_text(host.instances[1].error, "%s/postconf: exit status 3", fixture_root);
    assert_string_equal(host.instances[3].error, host.instances[1].error);
    assert_int_equal(host.instances[1].identity, INSTANCE_LENIENT);
    assert_int_equal(host.instances[3].identity, INSTANCE_EXACT);
    assert_int_equal(times_asked(), 1);
    make("home", "multi_instance_directories = @/${mail_owner}\n");
    assert_host("@/postconf: exit status 3");
}

/* Its directory is the default instance's, as far as that is known without it. */
TEST(postconf_of_the_default_instance)
{
    make_postconf("echo mail_owner = me");
    make("home", "command_directory = /nonexistent\n");
    make("on", "multi_instance_name = $mail_owner\ncommand_directory = @\n");
    forced = fixture_path("on");
    assert_host("@/on! ");
    assert_string_equal(host.instances[0].error,
                        "run /nonexistent/postconf: No such file or directory");
    make("home", "command_directory = @${mail_owner:/no}\n");
    assert_host("@/on- ");
    forced = NULL;
    assert_host("@/home ");
    assert_string_equal(host_find_directory(&host, PARAMETER_COMMAND_DIRECTORY), fixture_root);
    assert_int_equal(times_asked(), 2);
}

/* When the run has to end, the instances that are left have failed. */
TEST(no_time_left)
{
    make("home", "multi_instance_directories = @/on\nmulti_instance_enable = yes\n");
    make("on", "");
    limits.end = clock_now();
    assert_host("@/home @/on! ");
    assert_string_equal(host.instances[1].error, "not read: time limit reached");
    signals_start();
    signals_catch();
    assert_int_equal(raise(SIGTERM), 0);
    assert_host("@/home @/on! ");
    assert_string_equal(host.instances[1].error, "not read: interrupted");
    signals_start(); /* forgets it */
}
