/* SPDX-License-Identifier: MIT */
/* Asking postconf(1), which may be anything. */
#include "fixture.h"
#include "postfix/postconf.h"

static struct postconf *ask(const char *script, int64_t stop)
{
    (void)fixture_script("postconf", script);
    return postconf_ask(fixture_root, &(struct limits){.end = stop});
}

/* It gives no value, and why: "PROGRAM" and this. */
static void assert_useless(const char *script, const char *why)
{
    struct postconf *postconf = ask(script, CLOCK_NEVER);

    fixture_assert_text(postconf->error, "%s/postconf%s", fixture_root, why);
    postconf_free(postconf);
}

TEST(answer)
{
    struct postconf *postconf =
        ask("echo 'one = $two'\necho 'two = /a = b '\necho 'three ='", CLOCK_NEVER);

    assert_null(postconf->error);
    assert_string_equal(maincf_value(postconf->parameters, "one", 3), "$two");
    assert_string_equal(maincf_value(postconf->parameters, "two", 3), "/a = b");
    assert_string_equal(maincf_value(postconf->parameters, "three", 5), "");
    postconf_free(postconf);
    postconf_free(NULL);
}

/* A clean environment, and nothing of an instance to open. */
TEST(call)
{
    char text[4096] = "";

    assert_int_equal(setenv("MAIL_CONFIG", "/elsewhere", 1), 0);
    postconf_free(ask("d=${0%/*}\n{ env | grep -v -e ^_= -e ^SHLVL= | sort; printf '<%s>' \"$@\"\n"
                      "ls $2/main.cf $2/master.cf; } >$d/log 2>/dev/null; echo a = b",
                      CLOCK_NEVER));
    assert_int_equal(unsetenv("MAIL_CONFIG"), 0);
    int fd = open(fixture_path("log"), O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_string_equal(text, "LC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nPWD=/\n"
                              "<-c></proc/self/fdinfo><-d>");
}

/* Of memory in KiB, and processor time in seconds. */
TEST(limits)
{
    if (getenv("EMULATOR") != NULL)
        skip(); /* qemu-user does not limit memory */
    struct postconf *postconf = ask("echo m = $(ulimit -v); echo t = $(ulimit -t)", CLOCK_NEVER);

    assert_string_equal(maincf_value(postconf->parameters, "m", 1), "524288");
    assert_string_equal(maincf_value(postconf->parameters, "t", 1), "2");
    postconf_free(postconf);
}

TEST(what_is_no_answer)
{
    static const char cannot[] = " did not print parameters";

    assert_useless("exit 0", cannot);
    assert_useless("head -c 100000 /dev/urandom", cannot);
    assert_useless("echo a = b; echo queue_directory x", cannot);
    assert_useless("printf 'a = /a\\0b\\n'", cannot);
    assert_useless("echo a = x; exit 1", ": exit status 1");
    assert_useless("echo a = x; kill -9 $$", ": killed by signal 9 (Killed)");
    /* more than is kept: the end may be lost */
    assert_useless("echo a = 5\nprintf 'b = /'\nhead -c 3000000 /dev/zero | tr '\\0' x",
                   " printed more than 262144 bytes");
}

/* The run's limit, or two seconds, and a second more before it is killed. */
TEST(no_time)
{
    for (int seconds = 1; seconds <= 60; seconds += 59) {
        int64_t before = clock_now();
        struct postconf *postconf = ask("trap '' TERM; sleep 60", clock_after(before, seconds));

        fixture_assert_between(clock_now() - before, CLOCK_SECOND, 30 * CLOCK_SECOND);
        fixture_assert_text(postconf->error, "%s/postconf did not answer in time", fixture_root);
        postconf_free(postconf);
    }
}

TEST(cannot_be_run)
{
    struct postconf *postconf = postconf_ask("relative", &fixture_no_limits);

    assert_string_equal(postconf->error, "command_directory is not an absolute path: relative");
    postconf_free(postconf);
    postconf = postconf_ask("/nonexistent", &fixture_no_limits);
    assert_string_equal(postconf->error, "run /nonexistent/postconf: No such file or directory");
    postconf_free(postconf);
}
