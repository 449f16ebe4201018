/* SPDX-License-Identifier: MIT */
/* Expands $name by recursive descent over spans of the text. */
#include "maincf/expand.h"
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

bool span_is_empty(struct span span)
{
    return span.at == span.end;
}

int span_length(struct span span)
{
    return (int)(span.end - span.at);
}

bool span_starts_with(struct span span, char character)
{
    return span.at < span.end && *span.at == character;
}

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

static struct span take(struct span *rest, bool (*belongs)(char))
{
    struct span taken = {rest->at, rest->at};

    while (taken.end < rest->end && belongs(*taken.end))
        taken.end++;
    rest->at = taken.end;
    return taken;
}

struct span span_take_blanks(struct span *rest)
{
    return take(rest, is_blank);
}

struct span span_take_alphanumerics(struct span *rest)
{
    return take(rest, is_alphanumeric);
}

struct span span_take_name(struct span *rest)
{
    return take(rest, is_of_name);
}

const char *span_find_close(struct span span)
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

/* A compatibility level is one number to Postfix: the minor number and the patch level have ten
 * bits each, the major number all the others (measured). */
#define LEVEL_BITS 10
#define LEVEL_PARTS 3

static const struct {
    const char *text;
    enum comparison_operator operation;
} operators[] = {
    {"==", COMPARISON_EQUAL},      {"!=", COMPARISON_NOT_EQUAL},     {"<", COMPARISON_LESS},
    {"<=", COMPARISON_LESS_EQUAL}, {">=", COMPARISON_GREATER_EQUAL}, {">", COMPARISON_GREATER},
};

size_t comparison_find_operator(const char *text, size_t length, enum comparison_operator *found)
{
    size_t count = 0;

    /* an operator has two of them at most; with a third it is none */
    while (count < length && count < 3 && strchr("<>!=?+-*/~&|%", text[count]) != NULL)
        count++;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strlen(operators[i].text) == count && memcmp(operators[i].text, text, count) == 0) {
            *found = operators[i].operation;
            return count;
        }
    }
    return 0;
}

/* difference: less than, equal to or greater than 0, as strcmp(3) returns it. */
static bool holds(int difference, enum comparison_operator operation)
{
    switch (operation) {
    case COMPARISON_EQUAL:
        return difference == 0;
    case COMPARISON_NOT_EQUAL:
        return difference != 0;
    case COMPARISON_LESS:
        return difference < 0;
    case COMPARISON_LESS_EQUAL:
        return difference <= 0;
    case COMPARISON_GREATER_EQUAL:
        return difference >= 0;
    case COMPARISON_GREATER:
        return difference > 0;
    }
    return false;
}

static int order(long left, long right)
{
    return (left > right) - (left < right);
}

static bool all_digits(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool parse_digits(const char *text, long *number, char **error)
{
    errno = 0;
    *number = strtol(text, NULL, 10);
    if (errno == 0)
        return true;
    *error =
        text_cut(alloc_format("mac_exp_eval: bad conversion: %.*s", TEXT_MESSAGE_MAXIMUM, text));
    return false;
}

bool comparison_holds(const char *left, enum comparison_operator operation, const char *right,
                      bool *result, char **error)
{
    long left_number, right_number;

    if (!all_digits(left) || !all_digits(right)) {
        *result = holds(strcmp(left, right), operation);
        return true;
    }
    if (!parse_digits(left, &left_number, error) || !parse_digits(right, &right_number, error))
        return false;
    *result = holds(order(left_number, right_number), operation);
    return true;
}

/* Each part is parsed by strtol(3), so that "+3. 6" is a level, too (measured). */
static bool parse_level(const char *text, long *level, char **error)
{
    const char *at = text;
    long parts[LEVEL_PARTS] = {0};

    for (size_t i = 0; i < LEVEL_PARTS; i++) {
        char *end;
        long most = i == 0 ? LONG_MAX >> (LEVEL_BITS * (LEVEL_PARTS - 1)) : (1L << LEVEL_BITS) - 1;

        errno = 0;
        parts[i] = strtol(at, &end, 10);
        if (end == at || errno != 0 || parts[i] < 0 || parts[i] > most)
            break;
        if (*end == '\0') {
            *level = (parts[0] << (2 * LEVEL_BITS)) | (parts[1] << LEVEL_BITS) | parts[2];
            return true;
        }
        if (*end != '.')
            break;
        at = end + 1;
    }
    *error = text_cut(
        alloc_format("malformed compatibility level syntax: \"%.*s\"", TEXT_MESSAGE_MAXIMUM, text));
    return false;
}

bool comparison_levels_hold(const char *left, enum comparison_operator operation, const char *right,
                            bool *result, char **error)
{
    long left_level, right_level;

    if (!parse_level(left, &left_level, error) || !parse_level(right, &right_level, error))
        return false;
    *result = holds(order(left_level, right_level), operation);
    return true;
}

/* Bytes after a syntax error that Postfix shows */
#define SHOWN_LENGTH 20

/* In units of the budget (measured): a reference, apart from its bytes; a byte of a text that is
 * searched for a brace; of a result; of a name; of a comparison operand. */
#define REFERENCE_COST 400
#define SCAN_COST 2
#define APPEND_COST 2
#define APPEND_START 8 /* each append, in bytes */
#define NAME_COST 6
#define COMPARE_COST 6

/* One call of expand_value(). */
struct expansion {
    expand_lookup *lookup;
    void *context;
    struct budget *budget;
    size_t references;
    size_t length; /* bytes of result, intermediate ones too */
    char **error;
};

static bool expand_text(struct expansion *expansion, struct span text, int depth, UT_string *out);

/* Returns the precision for "%.*s" in a message. */
static int quoted_length(struct span span)
{
    return text_quoted((size_t)span_length(span));
}

/* The same for the text after a mistake. */
static int shown_length(struct span span)
{
    return span_length(span) < SHOWN_LENGTH ? span_length(span) : SHOWN_LENGTH;
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

static bool spend(struct expansion *expansion, size_t units)
{
    return budget_spend(expansion->budget, units) ||
           fail(expansion, "macro expansion: %s", budget_reason(expansion->budget));
}

static bool append(struct expansion *expansion, UT_string *out, const char *text, size_t length)
{
    expansion->length += length;
    if (!spend(expansion, APPEND_COST * (length + APPEND_START)))
        return false;
    if (expansion->length > EXPAND_LENGTH)
        return fail(expansion, "macro expansion results in more than %zu bytes", EXPAND_LENGTH);
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
    const char *close = span_find_close(*rest);
    const char *end = close == NULL ? rest->end : close;

    if (!spend(expansion, SCAN_COST * (size_t)(end - rest->at)))
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
    span_take_blanks(rest);
    return true;
}

/* Takes {text}, or all that is left. */
static bool take_branch(struct expansion *expansion, struct span *rest, struct span *text)
{
    struct span all = *rest;

    span_take_blanks(rest);
    if (span_starts_with(*rest, '{'))
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
    if (kind == '?' && !span_is_empty(rest)) {
        if (*rest.at != ':')
            return fail(expansion, "\":\" expected at: \"...%.*s}>>>%.*s\"", quoted_length(first),
                        first.at, shown_length(rest), rest.at);
        rest.at++;
        if (!take_branch(expansion, &rest, &second))
            return false;
        last = second;
    }
    if (!span_is_empty(rest))
        return fail(expansion, "unexpected input at: \"...%.*s}>>>%.*s\"", quoted_length(last),
                    last.at, shown_length(rest), rest.at);
    *chosen = condition == (kind == '?') ? first : second;
    return true;
}

struct operands {
    struct span left;
    struct span right;
    enum comparison_operator operation;
    bool of_levels;
};

/* Takes {left} operator {right} and the blanks after it. */
static bool take_comparison(struct expansion *expansion, struct span *rest,
                            struct operands *comparison)
{
    if (!take_braces(expansion, rest, &comparison->left))
        return false;
    struct span left = comparison->left, operation = {rest->at, rest->at};
    operation.end +=
        comparison_find_operator(rest->at, (size_t)span_length(*rest), &comparison->operation);
    if (span_is_empty(operation))
        return fail(expansion,
                    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: "
                    "\"...%.*s}>>>%.*s\"",
                    quoted_length(left), left.at, shown_length(*rest), rest->at);
    rest->at = operation.end;
    struct span suffix = span_take_alphanumerics(rest);
    comparison->of_levels =
        span_length(suffix) == (int)strlen("level") && memcmp(suffix.at, "level", 5) == 0;
    if (!span_is_empty(suffix) && !comparison->of_levels)
        return fail(expansion, "bad operator suffix at: \"...%.*s>>>%.*s\"",
                    quoted_length(operation), operation.at, quoted_length(suffix), suffix.at);
    struct span blanks = span_take_blanks(rest);
    if (!span_starts_with(*rest, '{')) {
        rest->at = blanks.at;
        return fail(expansion, "\"{expression}\" expected at: \"...{%.*s} %.*s>>>%.*s\"",
                    quoted_length(left), left.at, quoted_length(operation), operation.at,
                    shown_length(*rest), rest->at);
    }
    return take_braces(expansion, rest, &comparison->right);
}

static bool compare_texts(struct expansion *expansion, const struct operands *comparison,
                          const UT_string *left, const UT_string *right, bool *result)
{
    return spend(expansion, COMPARE_COST * (utstring_len(left) + utstring_len(right))) &&
           (comparison->of_levels ? comparison_levels_hold : comparison_holds)(
               utstring_body(left), comparison->operation, utstring_body(right), result,
               expansion->error);
}

static bool compare(struct expansion *expansion, const struct operands *comparison, int depth,
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
    struct operands comparison = {0};
    struct span chosen = {0};
    bool result = false;

    if (!take_comparison(expansion, &rest, &comparison) ||
        !compare(expansion, &comparison, depth + 1, &result))
        return false;
    if (span_is_empty(rest))
        return !result || append(expansion, out, "true", strlen("true"));
    if (!span_starts_with(rest, '?') && !span_starts_with(rest, ':'))
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
    int length = (int)span_length(name);

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (span_starts_with(rest, '{') && strlen(functions[i]) == (size_t)length &&
            strncmp(functions[i], name.at, (size_t)length) == 0)
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

    span_take_blanks(&rest);
    struct span name = span_take_name(&rest);
    span_take_blanks(&rest);
    if (!span_is_empty(rest) && !span_starts_with(rest, '?') && !span_starts_with(rest, ':'))
        return fail_after_name(expansion, body, name, rest);
    if (!spend(expansion, NAME_COST * (size_t)span_length(name)))
        return false;
    const char *value = expansion->lookup(expansion->context, name.at, (size_t)span_length(name));
    if (value == NULL)
        value = "";
    if (!span_is_empty(rest)) {
        char kind = *rest.at++;
        if (!choose_branch(expansion, rest, kind, *value != '\0', &chosen))
            return false;
    } else {
        chosen = (struct span){value, value + strlen(value)};
        if (!spend(expansion, (size_t)span_length(chosen)))
            return false;
    }
    return expand_text(expansion, chosen, depth + 1, out);
}

/* Takes the reference at the start of *rest; messages show text, which contains it. */
static bool take_reference(struct expansion *expansion, struct span text, struct span *rest,
                           struct span *body)
{
    rest->at++;
    if (span_starts_with(*rest, '{') || span_starts_with(*rest, '(')) {
        if (!take_pair(expansion, rest, body, "truncated macro reference", text))
            return false;
    } else {
        *body = span_take_name(rest);
    }
    if (span_is_empty(*body))
        return fail(expansion, "empty macro name: \"%.*s\"", quoted_length(text), text.at);
    return spend(expansion, REFERENCE_COST);
}

static bool expand_reference(struct expansion *expansion, struct span body, int depth,
                             UT_string *out)
{
    struct span rest = body;

    if (!check_depth(expansion, depth, body))
        return false;
    if (++expansion->references > EXPAND_REFERENCES)
        return fail(expansion, "more than %d macro references", EXPAND_REFERENCES);
    span_take_blanks(&rest);
    return span_starts_with(rest, '{') ? expand_comparison(expansion, rest, depth, out)
                                       : expand_name(expansion, body, depth, out);
}

/* Takes text up to the next reference. */
static bool expand_literal(struct expansion *expansion, struct span *rest, int depth,
                           UT_string *out)
{
    size_t start = utstring_len(out);

    while (!span_is_empty(*rest)) {
        const char *dollar = memchr(rest->at, '$', (size_t)span_length(*rest));
        struct span run = {rest->at, dollar == NULL ? rest->end : dollar};
        bool doubled = dollar != NULL && dollar + 1 < rest->end && dollar[1] == '$';

        if (doubled)
            run.end++;
        if (!append(expansion, out, run.at, (size_t)span_length(run)))
            return false;
        rest->at = doubled ? run.end + 1 : run.end;
        if (!doubled)
            break;
    }
    struct span literal = {utstring_body(out) + start, utstring_body(out) + utstring_len(out)};
    return span_is_empty(literal) || check_depth(expansion, depth, literal);
}

static bool expand_text(struct expansion *expansion, struct span text, int depth, UT_string *out)
{
    struct span rest = text, body = {0};

    while (!span_is_empty(rest)) {
        if (!expand_literal(expansion, &rest, depth, out))
            return false;
        if (!span_is_empty(rest) && (!take_reference(expansion, text, &rest, &body) ||
                                     !expand_reference(expansion, body, depth, out)))
            return false;
    }
    return true;
}

bool expand_value(const char *value, expand_lookup *lookup, void *context, struct budget *budget,
                  UT_string *out, char **error)
{
    struct expansion expansion = {
        .lookup = lookup, .context = context, .budget = budget, .error = error};
    size_t length = strlen(value);

    return spend(&expansion, length) &&
           expand_text(&expansion, (struct span){value, value + length}, 0, out);
}
