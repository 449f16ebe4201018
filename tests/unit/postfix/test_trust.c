/* SPDX-License-Identifier: MIT */
/* Which part of an instance's path users other than root can write. */
#include "fixture.h"
#include "postfix/instance.h"

/* The first path that others can write is this one of the scratch directory; NULL: none. */
static void assert_writable(const char *config_directory, const char *expected)
{
    char *found = trust_find_writable(fixture_path(config_directory));

    if (expected == NULL)
        assert_null(found);
    else
        assert_string_equal(found, fixture_path(expected));
    free(found);
}

TEST(modes)
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
TEST(links)
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
    assert_writable("link", "a");
}
