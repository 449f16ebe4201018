/* SPDX-License-Identifier: MIT */
/* $name expansion. Expected results and texts are those of Postfix 3.7, unless noted. */
#include "base/text.h"
#include "fixture.h"
#include "maincf/expand.h"

#define OPERATOR_EXPECTED                                                                          \
    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: "

struct setting {
    const char *name;
    const char *value;
};

static const struct setting usual[] = {
    {"a", "A"},
    {"e", ""},
    {"x_y", "XY"},
    {"n5", "5"},
    {"n05", "05"},
    {"ra", "$a"},
    {"re", "$e"},
    {"rra", "$ra"},
    {"loop", "$loop"},
    {"ping", "$pong"},
    {"pong", "$ping"},
    {"bad", "${a"},
    {"self", "${{$self} == {x} ? {y} : {z}}"},
    {NULL, NULL},
};

static const char *look_up(void *context, const char *name, size_t length)
{
    for (const struct setting *setting = context; setting->name != NULL; setting++)
        if (strncmp(setting->name, name, length) == 0 && setting->name[length] == '\0')
            return setting->value;
    return NULL;
}

/* The expansion, which is appended, or the error text after "error: ". The caller frees it. */
static char *expand_within(struct expand *terms, const char *value, const struct setting *settings)
{
    UT_string out;
    char *result;

    terms->lookup = look_up;
    terms->context = (void *)(uintptr_t)settings;
    utstring_init(&out);
    utstring_printf(&out, "before");
    if (expand_value(terms, value, &out)) {
        assert_null(terms->error);
        assert_memory_equal(utstring_body(&out), "before", strlen("before"));
        result = alloc_string(utstring_body(&out) + strlen("before"));
    } else {
        assert_non_null(terms->error);
        result = alloc_format("error: %s", terms->error);
        free(terms->error);
        terms->error = NULL;
    }
    utstring_done(&out);
    return result;
}

static bool lacks_levels;

static char *expand(const char *value, const struct setting *settings)
{
    struct expand terms = {.steps = EXPAND_STEPS, .lacks_levels = lacks_levels};

    return expand_within(&terms, value, settings);
}

struct row {
    const char *value;
    const char *result;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *result = expand(rows[i].value, usual);

        if (strcmp(result, rows[i].result) != 0)
            print_error("value: %s\n", rows[i].value);
        assert_string_equal(result, rows[i].result);
        free(result);
    }
}

#define CHECK(rows) check_rows(rows, COUNT(rows))

TEST(references)
{
    static const struct row rows[] = {
        {"", ""},
        {"text } ) { ( ? : \\ # \"", "text } ) { ( ? : \\ # \""},
        {"$a", "A"},
        {"${a}", "A"},
        {"$(a)", "A"},
        {"[$a]", "[A]"},
        {"$a$e$a", "AA"},
        {"$ra-$rra", "A-A"},
        {"$re", ""},
        {"$unset", ""},
        {"$5$_", ""},
        {"$x_y", "XY"},
        {"$x-y", "-y"},
        {"$x.y", ".y"},
        {"$a{b}", "A{b}"},
        {"$$", "$"},
        {"$$a", "$a"},
        {"$$$a", "$A"},
        {"$$$$", "$$"},
        {"${a}}", "A}"},
        {"${ a }", "A"},
        {"${\t\ra\r\t}", "A"},
        {"${ }", ""},
        {"a\xa0$a", "a\xa0"
                    "A"},
    };

    CHECK(rows);
}

TEST(conditionals)
{
    static const struct row rows[] = {
        {"${a?text}", "text"},
        {"${e?text}", ""},
        {"${e:text}", "text"},
        {"${a:text}", ""},
        {"${unset:text}", "text"},
        {"${a?}", ""},
        {"${e:}", ""},
        {"${a? text }", " text "},
        {"${ a ? text }", " text "},
        {"${a?{t}}", "t"},
        {"${a?{ t }}", " t "},
        {"${a? { t } }", " t "},
        {"${a\r?\t{t}\r}", "t"},
        {"${a?\v{t}}", "\v{t}"},
        {"${a?{t}:{f}}", "t"},
        {"${e?{t}:{f}}", "f"},
        {"${e?{t} : { f } }", " f "},
        {"${a?{t}:f}", "t"},
        {"${e?{t}:f}", "f"},
        {"${e?{t}: f }", " f "},
        {"${e?{t}:f:g?h{i}}", "f:g?h{i}"},
        {"${a?{t}:}", "t"},
        {"${e?{t}:}", ""},
        {"${e?{}:{}}", ""},
        {"${e:{b}}", "b"},
        {"${a:{b}}", ""},
        {"${a?t:f}", "t:f"},
        {"${a?t{:}f?}", "t{:}f?"},
        {"${a??x}${a?:x}${e:?x}${e::x}", "?x:x?x:x"},
        {"${?x}${:y}${ ?x}", "y"},
        {"$(a?t)$(a?{t}:{f})", "tt"},
        {"$(a?(t):(f))", "(t):(f)"},
        {"$(a?x}y)$(a?x{y)", "x}yx{y"},
        {"${a?x)y}${a?x$(a)y}$(a?x${a}y)", "x)yxAyxAy"},
        /* the value as written is tested, not what it comes to */
        {"${re?t}${re:f}", "t"},
        {"${loop?t}", "t"},
        {"${bad?t}", "t"},
        {"${a?$a}${a?{$a}:{$e}}", "AA"},
        {"${a?${e:${a}}}", "A"},
        {"${a?$$a}${a?{$$}}", "$a$"},
        {"${a?{{t}}}", "{t}"},
        /* the branch that is not chosen is not expanded */
        {"${e?{$}:{t}}", "t"},
        {"${a?{t}:{$loop}}", "t"},
        {"${a:$}", ""},
    };

    CHECK(rows);
}

TEST(comparisons)
{
    static const struct row rows[] = {
        {"${{a}=={a}}", "true"},
        {"${{a}!={a}}", ""},
        {"${{a}=={a}?{t}:{f}}", "t"},
        {"${{a}=={b}?{t}:{f}}", "f"},
        {"${ {a}\t==\r{b} ? {t} : {f} }", "f"},
        {"${{a}=={b}?{t}}", ""},
        {"${{a}=={a}?t:f}", "t:f"},
        {"${{a}=={b}:t}", "t"},
        {"${{a}=={a}:{t}}", ""},
        {"${{a}=={a} ? }", " "},
        {"$({a}=={a}?{t}:{f})", "t"},
        {"$({(} == {)} ? {y} : {n})", "n"},
        {"${{}=={}?t}", "t"},
        {"${{$a}=={A}?{$a}:{f}}", "A"},
        {"${{ $a }=={A}?t}", ""},
        {"${{$unset}=={}?t}", "t"},
        {"${{$$a}=={$$a}?t}", "t"},
        {"${{{a}}=={{a}}?{{t}}}", "{t}"},
        {"${{${{a}=={a}}}=={true}?t}", "t"},
        {"${{a}=={b}?{$}:{t}}", "t"},
        /* strings */
        {"${{a}<{b}}${{b}<{a}}${{a}<{a}}", "true"},
        {"${{a}<={a}}${{a}<={b}}${{b}<={a}}", "truetrue"},
        {"${{a}>={a}}${{b}>={a}}${{a}>={b}}", "truetrue"},
        {"${{b}>{a}}${{a}>{b}}", "true"},
        {"${{B}<{a}}${{\xe9}>{z}}", "truetrue"},
        {"${{}<{5}}${{10}<{9a}}${{+5}=={5}}${{ 5}=={5}}", "truetrue"},
        /* numbers */
        {"${{10}<{9}}${{9}<{10}}", "true"},
        {"${{5}=={05}}${{$n5}=={$n05}}", "truetrue"},
        {"${{00}=={0}}${{}=={0}}", "true"},
        {"${{2147483647}>{5}}", "true"},
        {"${{0000000000000000000000000000001}=={1}}", "true"},
        {"${{3.10}>{3.9}}", ""},
        /* levels */
        {"${{3.10}>level{3.9}}", "true"},
        {"${{3.5}<level {3.6}}", "true"},
        {"${{3.6}<=level{3.6}}${{3.6}>=level{3.6}}${{3.6}!=level{3.6}}", "truetrue"},
        {"${{3.6.0}==level{3.6}}${{3.6.1}==level{3.6}}", "true"},
        {"${{03}==level{3}}${{ 3}==level{3}}${{+3. 6}==level{3.6}}${{3.-0}==level{3}}",
         "truetruetruetrue"},
        {"${{3.1023.1023}<level{4}}", "true"},
#if LONG_MAX > 0x7fffffff /* levels are numbers of type long, in Postfix, too */
        {"${{8796093022206.1023.1023}<level{8796093022207}}", "true"},
#endif
    };

    CHECK(rows);
}

TEST(errors_in_references)
{
    static const struct row rows[] = {
        {"x${a", "error: truncated macro reference: \"x${a\""},
        {"$(a", "error: truncated macro reference: \"$(a\""},
        {"${a)", "error: truncated macro reference: \"${a)\""},
        {"$(a}", "error: truncated macro reference: \"$(a}\""},
        {"${a{}", "error: truncated macro reference: \"${a{}\""},
        {"$bad", "error: truncated macro reference: \"${a\""},
        {"${e:{x$}}", "error: empty macro name: \"x$\""},
        {"x$", "error: empty macro name: \"x$\""},
        {"$ a", "error: empty macro name: \"$ a\""},
        {"$-", "error: empty macro name: \"$-\""},
        {"$\xa0", "error: empty macro name: \"$\xa0\""},
        {"${}", "error: empty macro name: \"${}\""},
        {"$()", "error: empty macro name: \"$()\""},
        {"${{$$}=={$}}", "error: empty macro name: \"$\""},
        {"${x-y}", "error: attribute name syntax error at: \"...x>>>-y\""},
        {"${ x y}", "error: attribute name syntax error at: \"... x>>> y\""},
        {"${$a}", "error: attribute name syntax error at: \"...>>>$a\""},
        {"x${domain_to_ascii{$a}}y",
         "error: function \"domain_to_ascii\" is not supported at: \"...>>>domain_to_ascii{$a}\""},
        {"${domain_to_utf8 {}}",
         "error: function \"domain_to_utf8\" is not supported at: \"...>>>domain_to_utf8 {}\""},
        {"${domain_to{a}}", "error: attribute name syntax error at: \"...domain_to>>>{a}\""},
        {"$(a{})", "error: attribute name syntax error at: \"...a>>>{}\""},
        {"${a\f}", "error: attribute name syntax error at: \"...a>>>\f\""},
        {"${\v{a}=={a}}", "error: attribute name syntax error at: \"...>>>\v{a}=={a}\""},
        {"${a-bcdefghijklmnopqrstuvwxyz}",
         "error: attribute name syntax error at: \"...a>>>-bcdefghijklmnopqrst\""},
        {"${a?{t}b}", "error: \":\" expected at: \"...t}>>>b\""},
        {"${e?{t}?{f}}", "error: \":\" expected at: \"...t}>>>?{f}\""},
        {"${a?{t}\v:{f}}", "error: \":\" expected at: \"...t}>>>\v:{f}\""},
        {"${{a}=={a} ? {x} y}", "error: \":\" expected at: \"...x}>>>y\""},
        {"${a:{b}c}", "error: unexpected input at: \"...b}>>>c\""},
        {"${e:{b}:{c}}", "error: unexpected input at: \"...b}>>>:{c}\""},
        {"${a?{t}:{f} x}", "error: unexpected input at: \"...f}>>>x\""},
    };

    CHECK(rows);
}

TEST(errors_in_comparisons)
{
    static const struct row rows[] = {
        {"$(a?{t)", "error: unbalanced {} in attribute expression: \"{t\""},
        {"$(a?{t}:{f)", "error: unbalanced {} in attribute expression: \"{f\""},
        {"$({a)x)", "error: unbalanced {} in attribute expression: \"{a\""},
        {"$({a}=={b)", "error: unbalanced {} in attribute expression: \"{b\""},
        {"${{a}}", "error: " OPERATOR_EXPECTED "\"...a}>>>\""},
        {"${{a} ~ {b} ? {x} : {y}}", "error: " OPERATOR_EXPECTED "\"...a}>>>~ {b} ? {x} : {y}\""},
        {"${{a}={b}}", "error: " OPERATOR_EXPECTED "\"...a}>>>={b}\""},
        {"${{a}==={b}}", "error: " OPERATOR_EXPECTED "\"...a}>>>==={b}\""},
        {"${{a}==~{b}}", "error: " OPERATOR_EXPECTED "\"...a}>>>==~{b}\""},
        {"${{a}<>{b}}", "error: " OPERATOR_EXPECTED "\"...a}>>><>{b}\""},
        {"${{a}level{b}}", "error: " OPERATOR_EXPECTED "\"...a}>>>level{b}\""},
        {"${{$} ~ {a}}", "error: " OPERATOR_EXPECTED "\"...$}>>>~ {a}\""},
        {"${{a} == b}", "error: \"{expression}\" expected at: \"...{a} ==>>> b\""},
        {"${{a}== level{b}}", "error: \"{expression}\" expected at: \"...{a} ==>>> level{b}\""},
        {"${{3} <=level x}", "error: \"{expression}\" expected at: \"...{3} <=>>> x\""},
        {"${{3}<=level_2{2}}", "error: \"{expression}\" expected at: \"...{3} <=>>>_2{2}\""},
        {"${{3}<=levelx{2}}", "error: bad operator suffix at: \"...<=>>>levelx\""},
        {"${{3}<=LEVEL{2}}", "error: bad operator suffix at: \"...<=>>>LEVEL\""},
        {"${{a}=={a} x}", "error: \"?\" or \":\" expected at: \"...}>>>x\""},
        {"${{a}=={$} x}", "error: empty macro name: \"$\""},
        {"${{9223372036854775808}<{5}}",
         "error: mac_exp_eval: bad conversion: 9223372036854775808"},
        {"${{5}<{99999999999999999999}}",
         "error: mac_exp_eval: bad conversion: 99999999999999999999"},
        {"${{x}<level{3}}", "error: malformed compatibility level syntax: \"x\""},
        {"${{3}<level{}}", "error: malformed compatibility level syntax: \"\""},
        {"${{3.}<level{3}}", "error: malformed compatibility level syntax: \"3.\""},
        {"${{3.6 }<level{3}}", "error: malformed compatibility level syntax: \"3.6 \""},
        {"${{-1}<level{3}}", "error: malformed compatibility level syntax: \"-1\""},
        {"${{3.6.1.2}<level{3}}", "error: malformed compatibility level syntax: \"3.6.1.2\""},
        {"${{3.1024}<level{3}}", "error: malformed compatibility level syntax: \"3.1024\""},
        {"${{3.1.1024}<level{3}}", "error: malformed compatibility level syntax: \"3.1.1024\""},
        {"${{8796093022208}<level{3}}",
         "error: malformed compatibility level syntax: \"8796093022208\""},
        {"$loop", "error: unreasonable macro call nesting: \"loop\""},
        {"$ping", "error: unreasonable macro call nesting: \"pong\""},
        /* Postfix restarts the count in operands and dies of SIGSEGV */
        {"$self", "error: unreasonable macro call nesting: \"{$self} == {x} ? {y} : {z}\""},
    };

    CHECK(rows);
}

/* Postfix 3.5's words (src/util/mac_expand.c). */
TEST(levels_before_3_6)
{
    static const struct row rows[] = {
        {"${{3.5}<level {3.6}}",
         "error: \"{expression}\" expected at: \"...{3.5} <>>>level {3.6}\""},
        {"${{a}==levelx{b}}", "error: \"{expression}\" expected at: \"...{a} ==>>>levelx{b}\""},
        {"${{a} == {b}}${{1} < {2}}", "true"},
    };

    lacks_levels = true;
    CHECK(rows);
    lacks_levels = false;
}

/* A chain p0 -> p1 -> ... -> p<links>, whose last value is end; link is how one names the next. */
static char *expand_chain(int links, const char *link_before, const char *link_after,
                          const char *end)
{
    struct setting *settings = alloc_zeroed((size_t)links + 2, sizeof *settings);

    for (int i = 0; i <= links; i++) {
        settings[i].name = alloc_format("p%d", i);
        settings[i].value = i == links ? alloc_string(end)
                                       : alloc_format("%sp%d%s", link_before, i + 1, link_after);
    }
    char *result = expand("$p0", settings);
    for (int i = 0; i <= links; i++) {
        free((void *)(uintptr_t)settings[i].name);
        free((void *)(uintptr_t)settings[i].value);
    }
    free(settings);
    return result;
}

TEST(depth)
{
    static const struct {
        int links;
        const char *before, *after, *end, *result;
    } rows[] = {
        {99, "$", "", "/x", "/x"},
        {100, "$", "", "/x", "error: unreasonable macro call nesting: \"/x\""},
        {100, "$", "", "$$x", "error: unreasonable macro call nesting: \"$x\""},
        {100, "$", "", "", ""},
        {101, "$", "", "", "error: unreasonable macro call nesting: \"p101\""},
        {99, "$", "", "$u", ""},
        {100, "$", "", "$u", "error: unreasonable macro call nesting: \"u\""},
        /* a conditional is a level of its own */
        {49, "${u:{$", "}}", "/x", "/x"},
        {50, "${u:{$", "}}", "/x", "error: unreasonable macro call nesting: \"/x\""},
        /* so is an operand, which Postfix does not count */
        {49, "${{x$", "}!={}?t}", "/x", "t"},
        {50, "${{$", "}!={}?t}", "/x", "error: unreasonable macro call nesting: \"/x\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *result = expand_chain(rows[i].links, rows[i].before, rows[i].after, rows[i].end);

        assert_string_equal(result, rows[i].result);
        free(result);
    }
}

/* A new string of count times text, between before and after. */
static char *repeat(const char *before, const char *text, size_t count, const char *after)
{
    char *repeated = fixture_repeat(text, count);
    char *whole = alloc_format("%s%s%s", before, repeated, after);

    free(repeated);
    return whole;
}

/* count times open, then count times close. */
static char *nest(const char *open, size_t count, const char *close)
{
    char *closing = fixture_repeat(close, count), *nested = repeat("", open, count, closing);

    free(closing);
    return nested;
}

/* Frees value. */
static void check_start(char *value, const struct setting *settings, const char *start)
{
    char *result = expand(value, settings);

    assert_true(strncmp(start, "error: ", 7) != 0 ||
                strlen(result) <= strlen("error: ") + TEXT_MESSAGE_MAXIMUM);
    if (strncmp(result, start, strlen(start)) != 0)
        fail_msg("%.60s...: %.60s", value, result);
    free(result);
    free(value);
}

#define SPENT "error: macro expansion: more work than is allowed for one instance"

/* What a main.cf of 2 MiB may cause, and what not. */
TEST(hostile)
{
    char *name = repeat("", "n", 1000000, ""), *reference = alloc_format("$%s", name);
    char *zeros = repeat("", "0", 1000000, ""), *half = repeat("${e?", "x", 1900000, "}");
    const struct setting settings[] = {{"e", ""},    {"x", "x"},     {name, "y"},
                                       {"0", zeros}, {"half", half}, {"long", reference},
                                       {NULL, NULL}};

    check_start(repeat("", "$e", 1000000, ""), settings, SPENT);
    check_start(repeat("", "$unset", 300000, ""), settings, SPENT);
    check_start(repeat("", "${{$x}=={x}}", 160000, ""), settings, SPENT);
    check_start(repeat("", "$long", 1000, ""), settings, SPENT);
    check_start(repeat("", "${{$0}=={0}}", 16, ""), settings, SPENT);
    check_start(repeat("", "$half", 1000, ""), settings, SPENT);
    check_start(repeat("", "${half?}", 200000, ""), settings, SPENT);
    check_start(repeat("", "${x?", 500000, ""), settings, "error: truncated macro reference: ");
    check_start(repeat("", "$(", 1000000, ""), settings, "error: truncated macro reference: ");
    check_start(repeat("", "${{", 700000, ""), settings, "error: truncated macro reference: ");
    check_start(nest("${{", 400000, "}}"), settings, "error: ");
    check_start(nest("${x?", 400000, "}"), settings, SPENT);
    check_start(nest("${x?", 5000, "}"), settings, "error: unreasonable macro call nesting: ");
    check_start(nest("${{", 5000, "}=={}}"), settings, "error: unreasonable macro call ");
    check_start(repeat("", "$$", 1000000, "$"), settings, "error: empty macro name: \"$$");
    check_start(repeat("${{", "=", 2000000, "}}"), settings, "error: " OPERATOR_EXPECTED);
    check_start(repeat("${{}", "=", 2000000, "{}}"), settings, "error: " OPERATOR_EXPECTED);
    check_start(repeat("${{}==", "l", 2000000, "{}}"), settings, "error: bad operator suffix at: ");
    check_start(repeat("${{", "9", 2000000, "} == {1}}"), settings,
                "error: mac_exp_eval: bad conv");
    check_start(repeat("${{", "9", 2000000, "} ==level {1}}"), settings, "error: malformed compat");
    free(name);
    free(reference);
    free(zeros);
    free(half);
}

/* The directories of as many instances as a host can have, and no result of 16 MiB. */
TEST(enough)
{
    char *megabyte = repeat("", "x", 1024 * 1024, "");
    const struct setting settings[] = {
        {"base", "/etc/postfix-customers"}, {"megabyte", megabyte}, {NULL, NULL}};

    check_start(repeat("", "$base/customer-00001 ", 65536, ""), settings,
                "/etc/postfix-customers/");
    check_start(repeat("", "$megabyte", 7, ""), settings, "xxx");
    check_start(repeat("", "$megabyte", 16, ""), settings, SPENT);
    free(megabyte);
}

/* The steps are those of the instance, not of one value. */
TEST(steps_are_shared)
{
    struct expand terms = {.steps = 1000};
    int count = 0;

    for (bool done = true; done && count < 1000; count++) {
        char *result = expand_within(&terms, "$a", usual);

        done = strcmp(result, "A") == 0;
        if (!done)
            assert_string_equal(result, SPENT);
        free(result);
    }
    fixture_assert_between(count, 5, 10);
    assert_int_equal(terms.steps, 0);
    char *result = expand_within(&terms, "x", usual);
    assert_string_equal(result, SPENT);
    free(result);
}
