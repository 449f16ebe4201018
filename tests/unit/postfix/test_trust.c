/* SPDX-License-Identifier: MIT */
/* Which part of an instance's path users other than root can write. */
#include "fixture.h"
#include "postfix/instance.h"
#include <sys/xattr.h>

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

/* Version 2; tag, permissions and id for the owner, the user 65534, the group, the mask, others. */
static const uint16_t may_write[] = {2, 0, 1, 6,  0, 0, 2, 6,  65534, 0, 4,
                                     4, 0, 0, 16, 6, 0, 0, 32, 4,     0, 0};

TEST(access_control_list)
{
    const char *name = "system.posix_acl_access";

    if (geteuid() != 0)
        skip();
    (void)fixture_directory("a");
    const char *file = fixture_file("a/main.cf", "");
    assert_int_equal(chmod(file, 0660), 0);
    assert_writable("a", NULL); /* root's group */
    if (setxattr(file, name, may_write, sizeof(may_write), 0) < 0)
        skip();
    assert_writable("a", "a/main.cf");
    assert_int_equal(chmod(file, 0640), 0); /* the mask */
    assert_writable("a", NULL);
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
