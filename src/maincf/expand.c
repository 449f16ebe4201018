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

/* Blanks are fewer than elsewhere in main.cf (measured). */
#define BLANKS " \t\r\n"
#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define OF_NAMES ALPHANUMERIC "_"
#define OF_OPERATORS "<>!=?+-*/~&|%"

/* Takes the longest run of certain characters from the start of *rest. */
static struct span take(struct span *rest, const char *characters)
{
    struct span taken = {rest->at, rest->at};

    while (taken.end < rest->end && strchr(characters, *taken.end) != NULL)
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

static bool expand_text(struct expand *expand, struct span text, int depth, UT_string *out);

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
__attribute__((format(printf, 2, 3))) static bool fail(struct expand *expand, const char *format,
                                                       ...)
{
    va_list arguments;

    va_start(arguments, format);
    expand->error = text_cut(alloc_vformat(format, arguments));
    va_end(arguments);
    return false;
}

static bool spend(struct expand *expand, size_t steps)
{
    if (steps >= expand->steps) {
        expand->steps = 0;
        return fail(expand, "macro expansion: more work than is allowed for one instance");
    }
    expand->steps -= steps;
    return true;
}

static bool append(struct expand *expand, UT_string *out, const char *text, size_t length)
{
    if (!spend(expand, length))
        return false;
    text_append(out, text, length);
    return true;
}

static bool check_depth(struct expand *expand, int depth, struct span text)
{
    if (depth <= EXPAND_DEPTH)
        return true;
    return fail(expand, "unreasonable macro call nesting: \"%.*s\"", quoted_length(text), text.at);
}

/* Takes the pair of braces or parentheses at the start of *rest. If it does not close, the error is
 * message, with the text shown. */
static bool take_pair(struct expand *expand, struct span *rest, struct span *content,
                      const char *message, struct span shown)
{
    const char *close = find_close(*rest);
    const char *end = close == NULL ? rest->end : close;

    if (!spend(expand, (size_t)(end - rest->at)))
        return false;
    if (close == NULL)
        return fail(expand, "%s: \"%.*s\"", message, quoted_length(shown), shown.at);
    *content = (struct span){rest->at + 1, close};
    rest->at = close + 1;
    return true;
}

/* Takes {content} and the blanks after it from the start of *rest. */
static bool take_braces(struct expand *expand, struct span *rest, struct span *content)
{
    if (!take_pair(expand, rest, content, "unbalanced {} in attribute expression", *rest))
        return false;
    take(rest, BLANKS);
    return true;
}

/* Takes {text}, or all that is left. */
static bool take_branch(struct expand *expand, struct span *rest, struct span *text)
{
    struct span all = *rest;

    take(rest, BLANKS);
    if (starts_with(*rest, '{'))
        return take_braces(expand, rest, text);
    *text = all;
    rest->at = rest->end;
    return true;
}

/* Takes what follows ? or :, and chooses the branch; an absent one is empty. */
static bool choose_branch(struct expand *expand, struct span rest, char kind, bool condition,
                          struct span *chosen)
{
    struct span branches[] = {{0}, {rest.end, rest.end}}, *last = branches;

    if (!take_branch(expand, &rest, last))
        return false;
    if (kind == '?' && starts_with(rest, ':')) {
        rest.at++;
        if (!take_branch(expand, &rest, ++last))
            return false;
    }
    if (!is_empty(rest))
        return fail(expand, "%s at: \"...%.*s}>>>%.*s\"",
                    kind == '?' && last == branches ? "\":\" expected" : "unexpected input",
                    quoted_length(*last), last->at, shown_length(rest), rest.at);
    *chosen = branches[condition == (kind == '?') ? 0 : 1];
    return true;
}

/* {left} operator {right} */
struct comparison {
    struct span left, comparator, right;
    bool of_levels;
};

/* Takes the operator from the start of *rest. Returns false when Postfix knows no such operator. */
static bool take_operator(struct span *rest, struct span *comparator)
{
    static const char *const operators[] = {"==", "!=", "<", "<=", ">=", ">"};
    struct span start = *rest;

    *comparator = take(rest, OF_OPERATORS);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (is_word(*comparator, operators[i]))
            return true;
    *rest = start;
    return false;
}

/* Takes {left} operator {right} and the blanks after it. */
static bool take_comparison(struct expand *expand, struct span *rest, struct comparison *comparison)
{
    if (!take_braces(expand, rest, &comparison->left))
        return false;
    struct span left = comparison->left;
    if (!take_operator(rest, &comparison->comparator))
        return fail(expand,
                    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: "
                    "\"...%.*s}>>>%.*s\"",
                    quoted_length(left), left.at, shown_length(*rest), rest->at);
    struct span comparator = comparison->comparator;
    struct span suffix = {rest->at, rest->at};
    if (!expand->lacks_levels)
        suffix = take(rest, ALPHANUMERIC);
    comparison->of_levels = is_word(suffix, "level");
    if (!is_empty(suffix) && !comparison->of_levels)
        return fail(expand, "bad operator suffix at: \"...%.*s>>>%.*s\"", quoted_length(comparator),
                    comparator.at, quoted_length(suffix), suffix.at);
    struct span blanks = take(rest, BLANKS);
    if (!starts_with(*rest, '{')) {
        rest->at = blanks.at;
        return fail(expand, "\"{expression}\" expected at: \"...{%.*s} %.*s>>>%.*s\"",
                    quoted_length(left), left.at, quoted_length(comparator), comparator.at,
                    shown_length(*rest), rest->at);
    }
    return take_braces(expand, rest, &comparison->right);
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool parse_digits(struct expand *expand, const char *text, long *number)
{
    errno = 0;
    *number = strtol(text, NULL, 10);
    return errno == 0 ||
           fail(expand, "mac_exp_eval: bad conversion: %.*s", TEXT_MESSAGE_MAXIMUM, text);
}

/* A compatibility level is one number to Postfix: the minor number and the patch level have ten
 * bits each, the major number all the others. Each is parsed by strtol(3), so that "+3. 6" is a
 * level, too (measured). */
static bool parse_level(struct expand *expand, const char *text, long *level)
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
    return fail(expand, "malformed compatibility level syntax: \"%.*s\"", TEXT_MESSAGE_MAXIMUM,
                text);
}

/* Compares expanded operands: as numbers if both consist of digits only, as compatibility levels if
 * the operator says so, otherwise as strings, byte by byte. */
static bool compare_texts(struct expand *expand, bool of_levels, const UT_string *left_text,
                          const UT_string *right_text, int *difference)
{
    const char *left = utstring_body(left_text), *right = utstring_body(right_text);
    bool (*parse)(struct expand * expand, const char *text, long *number) = NULL;
    long left_number = 0, right_number = 0;

    if (of_levels)
        parse = parse_level;
    else if (is_number(left) && is_number(right))
        parse = parse_digits;
    if (!spend(expand, utstring_len(left_text) + utstring_len(right_text)) ||
        (parse != NULL &&
         !(parse(expand, left, &left_number) && parse(expand, right, &right_number))))
        return false;
    *difference = parse == NULL ? strcmp(left, right)
                                : (left_number > right_number) - (left_number < right_number);
    return true;
}

/* An operator consists of the signs of the orders for which it holds, or "!=". */
static bool holds(struct span comparator, int difference)
{
    char sign = difference < 0 ? '<' : difference > 0 ? '>' : '=';

    return *comparator.at == '!'
               ? difference != 0
               : memchr(comparator.at, sign, (size_t)length_of(comparator)) != NULL;
}

static bool compare(struct expand *expand, const struct comparison *comparison, int depth,
                    bool *result)
{
    UT_string left, right;
    int difference = 0;

    utstring_init(&left);
    utstring_init(&right);
    bool done = expand_text(expand, comparison->left, depth, &left) &&
                expand_text(expand, comparison->right, depth, &right) &&
                compare_texts(expand, comparison->of_levels, &left, &right, &difference);
    utstring_done(&left);
    utstring_done(&right);
    *result = done && holds(comparison->comparator, difference);
    return done;
}

/* What follows a name is neither ? nor :, nor the end. Postfix 3.11 has two functions, such as
 * ${domain_to_ascii{text}}, whose results come from its library for internationalized domains. */
static bool fail_after_name(struct expand *expand, struct span body, struct span name,
                            struct span rest)
{
    static const char *const functions[] = {"domain_to_ascii", "domain_to_utf8"};

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (starts_with(rest, '{') && is_word(name, functions[i]))
            return fail(expand, "function \"%s\" is not supported at: \"...>>>%.*s\"", functions[i],
                        shown_length((struct span){name.at, body.end}), name.at);
    rest.at = name.end;
    return fail(expand, "attribute name syntax error at: \"...%.*s>>>%.*s\"",
                (int)(name.end - body.at), body.at, shown_length(rest), rest.at);
}

/* Takes the name in a reference from the start of *rest, and looks it up. */
static bool take_name(struct expand *expand, struct span body, struct span *rest,
                      const char **value)
{
    struct span name = take(rest, OF_NAMES);

    take(rest, BLANKS);
    if (!is_empty(*rest) && !starts_with(*rest, '?') && !starts_with(*rest, ':'))
        return fail_after_name(expand, body, name, *rest);
    if (!spend(expand, (size_t)length_of(name)))
        return false;
    *value = expand->lookup(expand->context, name.at, (size_t)length_of(name));
    if (*value == NULL)
        *value = "";
    return true;
}

/* ${name} or ${{left} operator {right}}, optionally with ? and :. */
static bool expand_reference(struct expand *expand, struct span body, int depth, UT_string *out)
{
    struct span rest = body, chosen = {0};
    const char *value = "";

    if (!check_depth(expand, depth, body))
        return false;
    take(&rest, BLANKS);
    if (starts_with(rest, '{')) {
        struct comparison comparison = {0};
        bool result;

        if (!take_comparison(expand, &rest, &comparison) ||
            !compare(expand, &comparison, depth + 1, &result))
            return false;
        value = result ? "true" : "";
        if (is_empty(rest))
            return append(expand, out, value, strlen(value));
        if (!starts_with(rest, '?') && !starts_with(rest, ':'))
            return fail(expand, "\"?\" or \":\" expected at: \"...}>>>%.*s\"", shown_length(rest),
                        rest.at);
    } else if (!take_name(expand, body, &rest, &value)) {
        return false;
    }
    if (is_empty(rest)) {
        chosen = (struct span){value, value + strlen(value)};
        if (!spend(expand, (size_t)length_of(chosen)))
            return false;
    } else {
        char kind = *rest.at++;
        if (!choose_branch(expand, rest, kind, *value != '\0', &chosen))
            return false;
    }
    return expand_text(expand, chosen, depth + 1, out);
}

/* Takes the reference at the start of *rest; messages show text, which contains it. */
static bool take_reference(struct expand *expand, struct span text, struct span *rest,
                           struct span *body)
{
    rest->at++;
    if (starts_with(*rest, '{') || starts_with(*rest, '(')) {
        if (!take_pair(expand, rest, body, "truncated macro reference", text))
            return false;
    } else {
        *body = take(rest, OF_NAMES);
    }
    if (is_empty(*body))
        return fail(expand, "empty macro name: \"%.*s\"", quoted_length(text), text.at);
    return spend(expand, REFERENCE_STEPS);
}

/* Takes text up to the next reference. */
static bool expand_literal(struct expand *expand, struct span *rest, int depth, UT_string *out)
{
    size_t start = utstring_len(out);

    while (!is_empty(*rest)) {
        const char *dollar = memchr(rest->at, '$', (size_t)length_of(*rest));
        struct span run = {rest->at, dollar == NULL ? rest->end : dollar};
        bool doubled = dollar != NULL && dollar + 1 < rest->end && dollar[1] == '$';

        if (doubled)
            run.end++;
        if (!append(expand, out, run.at, (size_t)length_of(run)))
            return false;
        rest->at = doubled ? run.end + 1 : run.end;
        if (!doubled)
            break;
    }
    struct span literal = {utstring_body(out) + start, utstring_body(out) + utstring_len(out)};
    return is_empty(literal) || check_depth(expand, depth, literal);
}

static bool expand_text(struct expand *expand, struct span text, int depth, UT_string *out)
{
    struct span rest = text, body = {0};

    while (!is_empty(rest)) {
        if (!expand_literal(expand, &rest, depth, out))
            return false;
        if (!is_empty(rest) && (!take_reference(expand, text, &rest, &body) ||
                                !expand_reference(expand, body, depth, out)))
            return false;
    }
    return true;
}

bool expand_value(struct expand *expand, const char *value, UT_string *out)
{
    struct span text = {value, value + strlen(value)};

    return spend(expand, (size_t)length_of(text)) && expand_text(expand, text, 0, out);
}
