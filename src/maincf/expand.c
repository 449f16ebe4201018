/* SPDX-License-Identifier: MIT */
/* Expands $name by recursive descent over spans of the text. */
#include "maincf/expand.h"
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

/* Bytes after a syntax error that Postfix shows */
#define SHOWN_LENGTH 20

/* A part of a text, not terminated and not owned. */
struct span {
    const char *at;
    const char *end;
};

static bool is_empty(struct span span)
{
    return span.at == span.end;
}

static int length_of(struct span span)
{
    return (int)(span.end - span.at);
}

static bool starts_with(struct span span, char character)
{
    return span.at < span.end && *span.at == character;
}

static bool is_word(struct span span, const char *word)
{
    return (size_t)length_of(span) == strlen(word) && strncmp(span.at, word, strlen(word)) == 0;
}

/* Fewer than elsewhere in main.cf (measured). */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* isalnum(3) depends on the locale */
static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_of_name(char c)
{
    return is_alphanumeric(c) || c == '_';
}

static bool is_of_operator(char c)
{
    return strchr("<>!=?+-*/~&|%", c) != NULL;
}

/* Takes the longest run of certain characters from the start of *rest. */
static struct span take(struct span *rest, bool (*belongs)(char))
{
    struct span taken = {rest->at, rest->at};

    while (taken.end < rest->end && belongs(*taken.end))
        taken.end++;
    rest->at = taken.end;
    return taken;
}

/* Returns where the brace or parenthesis closes that the span starts with, or NULL. The other kind
 * does not count. */
static const char *find_close(struct span span)
{
    char open = *span.at, close = open == '{' ? '}' : ')';
    size_t level = 0;

    for (const char *at = span.at; at < span.end; at++) {
        if (*at == open)
            level++;
        else if (*at == close && --level == 0)
            return at;
    }
    return NULL;
}

/* A step is a byte that is looked at or produced; a reference costs as much as some of them. */
#define REFERENCE_STEPS 128

/* One call of expand_value(). */
struct expansion {
    expand_lookup *lookup;
    void *context;
    struct expand_terms *terms;
    char **error;
};

static bool expand_text(struct expansion *expansion, struct span text, int depth, UT_string *out);

/* Returns the precision for "%.*s" in a message. */
static int quoted_length(struct span span)
{
    return text_quoted((size_t)length_of(span));
}

/* The same for the text after an error. */
static int shown_length(struct span span)
{
    return length_of(span) < SHOWN_LENGTH ? length_of(span) : SHOWN_LENGTH;
}

/* Always false, for the caller to return. */
__attribute__((format(printf, 2, 3))) static bool fail(struct expansion *expansion,
                                                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *expansion->error = text_cut(alloc_vformat(format, arguments));
    va_end(arguments);
    return false;
}

static bool spend(struct expansion *expansion, size_t steps)
{
    if (steps >= expansion->terms->steps) {
        expansion->terms->steps = 0;
        return fail(expansion, "macro expansion: more work than is allowed for one instance");
    }
    expansion->terms->steps -= steps;
    return true;
}

static bool append(struct expansion *expansion, UT_string *out, const char *text, size_t length)
{
    if (!spend(expansion, length))
        return false;
    text_append(out, text, length);
    return true;
}

static bool check_depth(struct expansion *expansion, int depth, struct span text)
{
    if (depth <= EXPAND_DEPTH)
        return true;
    return fail(expansion, "unreasonable macro call nesting: \"%.*s\"", quoted_length(text),
                text.at);
}

/* Takes the pair of braces or parentheses at the start of *rest. If it does not close, the error is
 * message, with the text shown. */
static bool take_pair(struct expansion *expansion, struct span *rest, struct span *content,
                      const char *message, struct span shown)
{
    const char *close = find_close(*rest);
    const char *end = close == NULL ? rest->end : close;

    if (!spend(expansion, (size_t)(end - rest->at)))
        return false;
    if (close == NULL)
        return fail(expansion, "%s: \"%.*s\"", message, quoted_length(shown), shown.at);
    *content = (struct span){rest->at + 1, close};
    rest->at = close + 1;
    return true;
}

/* Takes {content} and the blanks after it from the start of *rest. */
static bool take_braces(struct expansion *expansion, struct span *rest, struct span *content)
{
    if (!take_pair(expansion, rest, content, "unbalanced {} in attribute expression", *rest))
        return false;
    take(rest, is_blank);
    return true;
}

/* Takes {text}, or all that is left. */
static bool take_branch(struct expansion *expansion, struct span *rest, struct span *text)
{
    struct span all = *rest;

    take(rest, is_blank);
    if (starts_with(*rest, '{'))
        return take_braces(expansion, rest, text);
    *text = all;
    rest->at = rest->end;
    return true;
}

/* Takes what follows ? or :, and chooses the branch; an absent one is empty. */
static bool choose_branch(struct expansion *expansion, struct span rest, char kind, bool condition,
                          struct span *chosen)
{
    struct span first = {0}, second = {rest.end, rest.end}, last;

    if (!take_branch(expansion, &rest, &first))
        return false;
    last = first;
    if (kind == '?' && !is_empty(rest)) {
        if (*rest.at != ':')
            return fail(expansion, "\":\" expected at: \"...%.*s}>>>%.*s\"", quoted_length(first),
                        first.at, shown_length(rest), rest.at);
        rest.at++;
        if (!take_branch(expansion, &rest, &second))
            return false;
        last = second;
    }
    if (!is_empty(rest))
        return fail(expansion, "unexpected input at: \"...%.*s}>>>%.*s\"", quoted_length(last),
                    last.at, shown_length(rest), rest.at);
    *chosen = condition == (kind == '?') ? first : second;
    return true;
}

/* A comparison operator, and for which order of its operands it holds. */
struct operator
{
    const char *text;
    bool less, equal, greater;
};

/* Takes the operator from the start of *rest. Returns NULL when Postfix knows no such operator. */
static const struct operator* take_operator(struct span *rest)
{
    static const struct operator operators[] = {
        {"==", false, true, false}, {"!=", true, false, true}, {"<", true, false, false},
        {"<=", true, true, false},  {">=", false, true, true}, {">", false, false, true},
    };
    struct span taken = take(rest, is_of_operator);

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (strlen(operators[i].text) == (size_t)length_of(taken) &&
            strncmp(operators[i].text, taken.at, strlen(operators[i].text)) == 0)
            return &operators[i];
    rest->at = taken.at;
    return NULL;
}

struct comparison {
    struct span left;
    struct span right;
    const struct operator* operator;
    bool of_levels;
};

/* Takes {left} operator {right} and the blanks after it. */
static bool take_comparison(struct expansion *expansion, struct span *rest,
                            struct comparison *comparison)
{
    if (!take_braces(expansion, rest, &comparison->left))
        return false;
    struct span left = comparison->left, operator= * rest;
    comparison->operator= take_operator(rest);
    if (comparison->operator== NULL)
        return fail(expansion,
                    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: "
                    "\"...%.*s}>>>%.*s\"",
                    quoted_length(left), left.at, shown_length(*rest), rest->at);
    operator.end = rest->at;
    struct span suffix = {rest->at, rest->at};
    if (!expansion->terms->lacks_levels)
        suffix = take(rest, is_alphanumeric);
    comparison->of_levels = is_word(suffix, "level");
    if (!is_empty(suffix) && !comparison->of_levels)
        return fail(expansion, "bad operator suffix at: \"...%.*s>>>%.*s\"",
                    quoted_length(operator), operator.at, quoted_length(suffix), suffix.at);
    struct span blanks = take(rest, is_blank);
    if (!starts_with(*rest, '{')) {
        rest->at = blanks.at;
        return fail(expansion, "\"{expression}\" expected at: \"...{%.*s} %.*s>>>%.*s\"",
                    quoted_length(left), left.at, quoted_length(operator), operator.at,
                    shown_length(*rest), rest->at);
    }
    return take_braces(expansion, rest, &comparison->right);
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool parse_digits(struct expansion *expansion, const char *text, long *number)
{
    errno = 0;
    *number = strtol(text, NULL, 10);
    return errno == 0 ||
           fail(expansion, "mac_exp_eval: bad conversion: %.*s", TEXT_MESSAGE_MAXIMUM, text);
}

/* A compatibility level is one number to Postfix: the minor number and the patch level have ten
 * bits each, the major number all the others. Each is parsed by strtol(3), so that "+3. 6" is a
 * level, too (measured). */
static bool parse_level(struct expansion *expansion, const char *text, long *level)
{
    const int bits = 10, parts = 3;
    const char *at = text;

    *level = 0;
    for (int i = 1; i <= parts; i++) {
        char *end;
        long most = i == 1 ? LONG_MAX >> (bits * (parts - 1)) : (1L << bits) - 1;

        errno = 0;
        long part = strtol(at, &end, 10);
        if (end == at || errno != 0 || part < 0 || part > most)
            break;
        *level |= part << (bits * (parts - i));
        if (*end == '\0')
            return true;
        if (*end != '.')
            break;
        at = end + 1;
    }
    return fail(expansion, "malformed compatibility level syntax: \"%.*s\"", TEXT_MESSAGE_MAXIMUM,
                text);
}

/* Compares expanded operands: as numbers if both consist of digits only, as compatibility levels if
 * the operator says so, otherwise as strings, byte by byte. */
static bool compare_texts(struct expansion *expansion, const struct comparison *comparison,
                          const UT_string *left_text, const UT_string *right_text, bool *result)
{
    const char *left = utstring_body(left_text), *right = utstring_body(right_text);
    long left_number = 0, right_number = 0;
    int difference = 0;

    if (!spend(expansion, utstring_len(left_text) + utstring_len(right_text)))
        return false;
    if (comparison->of_levels) {
        if (!parse_level(expansion, left, &left_number) ||
            !parse_level(expansion, right, &right_number))
            return false;
    } else if (is_number(left) && is_number(right)) {
        if (!parse_digits(expansion, left, &left_number) ||
            !parse_digits(expansion, right, &right_number))
            return false;
    } else {
        difference = strcmp(left, right);
    }
    if (left_number != right_number)
        difference = left_number < right_number ? -1 : 1;
    *result = difference < 0 ? comparison->operator->less : difference == 0
        ? comparison->operator->equal : comparison->operator->greater;
    return true;
}

static bool compare(struct expansion *expansion, const struct comparison *comparison, int depth,
                    bool *result)
{
    UT_string left, right;

    utstring_init(&left);
    utstring_init(&right);
    bool done = expand_text(expansion, comparison->left, depth, &left) &&
                expand_text(expansion, comparison->right, depth, &right) &&
                compare_texts(expansion, comparison, &left, &right, result);
    utstring_done(&left);
    utstring_done(&right);
    return done;
}

/* ${{left} operator {right}}, optionally with ? and :; rest starts with the first inner brace. */
static bool expand_comparison(struct expansion *expansion, struct span rest, int depth,
                              UT_string *out)
{
    struct comparison comparison = {0};
    struct span chosen = {0};
    bool result = false;

    if (!take_comparison(expansion, &rest, &comparison) ||
        !compare(expansion, &comparison, depth + 1, &result))
        return false;
    if (is_empty(rest))
        return !result || append(expansion, out, "true", strlen("true"));
    if (!starts_with(rest, '?') && !starts_with(rest, ':'))
        return fail(expansion, "\"?\" or \":\" expected at: \"...}>>>%.*s\"", shown_length(rest),
                    rest.at);
    char kind = *rest.at++;
    return choose_branch(expansion, rest, kind, result, &chosen) &&
           expand_text(expansion, chosen, depth + 1, out);
}

/* What follows a name is neither ? nor :, nor the end. Postfix 3.11 has two functions, such as
 * ${domain_to_ascii{text}}, whose results come from its library for internationalized domains. */
static bool fail_after_name(struct expansion *expansion, struct span body, struct span name,
                            struct span rest)
{
    static const char *const functions[] = {"domain_to_ascii", "domain_to_utf8"};

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (starts_with(rest, '{') && is_word(name, functions[i]))
            return fail(expansion, "function \"%s\" is not supported at: \"...>>>%.*s\"",
                        functions[i], shown_length((struct span){name.at, body.end}), name.at);
    rest.at = name.end;
    return fail(expansion, "attribute name syntax error at: \"...%.*s>>>%.*s\"",
                (int)(name.end - body.at), body.at, shown_length(rest), rest.at);
}

/* ${name}, optionally with ? or :. */
static bool expand_name(struct expansion *expansion, struct span body, int depth, UT_string *out)
{
    struct span rest = body, chosen = {0};

    take(&rest, is_blank);
    struct span name = take(&rest, is_of_name);
    take(&rest, is_blank);
    if (!is_empty(rest) && !starts_with(rest, '?') && !starts_with(rest, ':'))
        return fail_after_name(expansion, body, name, rest);
    if (!spend(expansion, (size_t)length_of(name)))
        return false;
    const char *value = expansion->lookup(expansion->context, name.at, (size_t)length_of(name));
    if (value == NULL)
        value = "";
    if (!is_empty(rest)) {
        char kind = *rest.at++;
        if (!choose_branch(expansion, rest, kind, *value != '\0', &chosen))
            return false;
    } else {
        chosen = (struct span){value, value + strlen(value)};
        if (!spend(expansion, (size_t)length_of(chosen)))
            return false;
    }
    return expand_text(expansion, chosen, depth + 1, out);
}

/* Takes the reference at the start of *rest; messages show text, which contains it. */
static bool take_reference(struct expansion *expansion, struct span text, struct span *rest,
                           struct span *body)
{
    rest->at++;
    if (starts_with(*rest, '{') || starts_with(*rest, '(')) {
        if (!take_pair(expansion, rest, body, "truncated macro reference", text))
            return false;
    } else {
        *body = take(rest, is_of_name);
    }
    if (is_empty(*body))
        return fail(expansion, "empty macro name: \"%.*s\"", quoted_length(text), text.at);
    return spend(expansion, REFERENCE_STEPS);
}

static bool expand_reference(struct expansion *expansion, struct span body, int depth,
                             UT_string *out)
{
    struct span rest = body;

    if (!check_depth(expansion, depth, body))
        return false;
    take(&rest, is_blank);
    return starts_with(rest, '{') ? expand_comparison(expansion, rest, depth, out)
                                  : expand_name(expansion, body, depth, out);
}

/* Takes text up to the next reference. */
static bool expand_literal(struct expansion *expansion, struct span *rest, int depth,
                           UT_string *out)
{
    size_t start = utstring_len(out);

    while (!is_empty(*rest)) {
        const char *dollar = memchr(rest->at, '$', (size_t)length_of(*rest));
        struct span run = {rest->at, dollar == NULL ? rest->end : dollar};
        bool doubled = dollar != NULL && dollar + 1 < rest->end && dollar[1] == '$';

        if (doubled)
            run.end++;
        if (!append(expansion, out, run.at, (size_t)length_of(run)))
            return false;
        rest->at = doubled ? run.end + 1 : run.end;
        if (!doubled)
            break;
    }
    struct span literal = {utstring_body(out) + start, utstring_body(out) + utstring_len(out)};
    return is_empty(literal) || check_depth(expansion, depth, literal);
}

static bool expand_text(struct expansion *expansion, struct span text, int depth, UT_string *out)
{
    struct span rest = text, body = {0};

    while (!is_empty(rest)) {
        if (!expand_literal(expansion, &rest, depth, out))
            return false;
        if (!is_empty(rest) && (!take_reference(expansion, text, &rest, &body) ||
                                !expand_reference(expansion, body, depth, out)))
            return false;
    }
    return true;
}

bool expand_value(const char *value, expand_lookup *lookup, void *context,
                  struct expand_terms *terms, UT_string *out, char **error)
{
    struct expansion expansion = {
        .lookup = lookup, .context = context, .terms = terms, .error = error};
    size_t length = strlen(value);

    return spend(&expansion, length) &&
           expand_text(&expansion, (struct span){value, value + length}, 0, out);
}
