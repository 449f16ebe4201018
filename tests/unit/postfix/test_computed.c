/* SPDX-License-Identifier: MIT */
/* mydomain, myhostname and mynetworks: defaults that depend on what main.cf sets. */
#include "fixture.h"
#include "postfix/postconf.h"

static struct postconf *postconf;

SETUP(ask)
{
    char *error = NULL;

    (void)fixture_script("postconf", "echo mynetworks = net");
    postconf = postconf_ask(fixture_root, &fixture_no_limits, &error);
    assert_null(error);
}

TEARDOWN(forget)
{
    postconf_free(postconf);
}

/* The value, or after "error: " why there is none, or "-"; a new string. */
static char *compute(const char *main_cf, const struct postconf *answer, const char *name)
{
    char *text = alloc_string(main_cf), *error = NULL;
    struct maincf *maincf = maincf_new("/x/main.cf");
    struct budget budget = budget_start(BUDGET_INSTANCE, NULL);

    assert_true(maincf_parse(maincf, text, strlen(text), &budget, &error));
    struct computed computed = {.maincf = maincf, .postconf = answer, .budget = &budget};
    const char *value = computed_value(&computed, name, strlen(name));
    char *result = computed.error != NULL ? alloc_format("error: %s", computed.error)
                                          : alloc_string(value != NULL ? value : "-");
    computed_free(&computed);
    maincf_free(maincf);
    free(text);
    return result;
}

TEST(values)
{
    static const struct {
        const char *main_cf, *name, *expected; /* @ is the host's name */
    } cases[] = {
        {"", "mydomain", "-"},
        {"myhostname = a.b.c\n", "mydomain", "b.c"},
        {"myhostname = a.$b.c\nb = x\n", "mydomain", "x.c"},
        {"myhostname = a$mail_name.d\n", "mydomain", "d"},
        {"myhostname = a\n", "mydomain", "localdomain"},
        {"myhostname = ${\n", "mydomain", "error: myhostname: truncated macro reference: \"${\""},
        {"", "myhostname", "-"},
        {"mydomain = $x.d\nx = a\n", "myhostname", "@.a.d"},
        {"", "mynetworks", "net "},
        {"inet_interfaces = b\n", "mynetworks",
         "error: a value refers to mynetworks, which depends on inet_interfaces here: set "
         "mynetworks"},
        {"mynetworks_style = b\n", "mynetworks",
         "error: a value refers to mynetworks, which depends on mynetworks_style here: set "
         "mynetworks"},
        {"myhostname = a.b\n", "mydomainx", "-"},
    };
    char host[256] = "";

    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool is_host = cases[i].expected[0] == '@';
        char *expected = alloc_format("%s%s", is_host ? host : "", cases[i].expected + is_host);
        char *found = compute(cases[i].main_cf, postconf, cases[i].name);

        if (strcmp(found, is_host && strchr(host, '.') != NULL ? "-" : expected) != 0)
            fail_msg("%s of \"%s\": %s", cases[i].name, cases[i].main_cf, found);
        free(expected);
        free(found);
    }
}

/* Without postconf's answer nothing is computed. */
TEST(no_answer)
{
    char *found = compute("myhostname = a.b\n", NULL, "mydomain");

    assert_string_equal(found, "-");
    free(found);
}
