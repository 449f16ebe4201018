/* SPDX-License-Identifier: MIT */
/* The instances of a host: how they are found, and what postconf(1) is asked. */
#include "postfix/host.h"
#include "settings.h"

static struct settings *settings;
static struct host host;
static struct instance_source source;
static const char *forced;

SETUP(make_source)
{
    settings = settings_of("[postfix]\nconfig_directory = @/home\ncommand_directory = @\n");
    source = (struct instance_source){
        .settings = settings, .purpose = PARAMETER_FOR_KICK, .limits = &fixture_no_limits};
    forced = NULL;
}

TEARDOWN(free_source)
{
    settings_free(settings);
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
 * after one that has failed, - after one that is not enabled, ? after one that is unresolved. */
static void assert_host(const char *expected)
{
    char *text = fixture_fill(expected), *found = alloc_string("");
    bool is_loaded = host_load(&host, &source, forced);

    assert_int_equal(is_loaded, host.error == NULL);
    for (size_t i = 0; is_loaded && i < host.count; i++) {
        const struct instance *instance = &host.instances[i];

        alloc_set_text(&found, "%s%s%s ", found, instance->config_directory,
                       instance->is_unresolved                  ? "?"
                       : instance->error != NULL                ? "!"
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
    assert_false(host.is_single || host.is_forced);
    assert_true(host.instances[0].is_default);
    assert_string_equal(host.instances[2].error,
                        "multi_instance_directories: not an absolute path: rel/ative");
    host_free(&host);
    forced = fixture_path("off");
    assert_host("@/off- ");
    assert_true(host.is_single && host.is_forced);
    host_free(&host);
}

/* The only instance counts as enabled. */
TEST(only_one)
{
    make("home", "multi_instance_enable = no\nmulti_instance_directories = ,\n");
    assert_host("@/home ");
    assert_true(host.is_single);
    assert_false(host.is_forced);
    host_free(&host);
}

TEST(no_default)
{
    assert_host("open @/home/main.cf: No such file or directory");
    host_free(&host);
    make("home", "multi_instance_directories = ${\n");
    assert_host("dictionary mail_dict: macro processing error");
    assert_string_equal(host.notice, "truncated macro reference: \"${\"");
    host_free(&host);
}

TEST(too_many)
{
    for (size_t listed = HOST_MAXIMUM - 1; listed <= HOST_MAXIMUM; listed++) {
        char *names = fixture_repeat(" r", listed);
        char *text = alloc_format("multi_instance_directories =%s\n", names);

        make("home", text);
        assert_int_equal(host_load(&host, &source, forced), listed < HOST_MAXIMUM);
        if (listed < HOST_MAXIMUM)
            assert_int_equal(host.count, HOST_MAXIMUM);
        else
            assert_string_equal(host.error,
                                "multi_instance_directories: more than 65536 instances");
        host_free(&host);
        free(names);
        free(text);
    }
}

/* Programs are the default instance's, or those of the settings, whoever is forced. */
TEST(directory)
{
    make("home", "command_directory = /default\n");
    make("on", "command_directory = /own\n");
    forced = fixture_path("on");
    assert_host("@/on- ");
    assert_string_equal(host_directory(&host, PARAMETER_COMMAND_DIRECTORY), "/default");
    host_free(&host);
    make("home", "command_directory = ${\n");
    assert_host("@/on- ");
    assert_string_equal(host_directory(&host, PARAMETER_COMMAND_DIRECTORY), fixture_root);
    host_free(&host);
}

TEST(postconf_is_asked_once)
{
    make("home", "multi_instance_directories = @/on\nmulti_instance_enable = yes\n");
    make("on", "multi_instance_name = $mail_owner\nmulti_instance_enable = yes\n");
    (void)fixture_script("postconf", "echo x >>${0%/*}/asked; echo mail_owner = me");
    assert_host("@/home @/on? ");
    assert_true(host_is_unresolved(&host));
    host_resolve(&host);
    host_resolve(&host);
    assert_false(host_is_unresolved(&host));
    assert_string_equal(instance_value(&host.instances[1], PARAMETER_MULTI_INSTANCE_NAME), "me");
    host_free(&host);
    struct stat status;
    assert_int_equal(stat(fixture_path("asked"), &status), 0);
    assert_int_equal(status.st_size, 2);
}
