#include "maincf/expand.h"
#include "maincf/comparison.h"
#include <string.h>

/* Postfix shows this much of the text after a syntax error */
#define SHOWN_LENGTH 20

#define ALPHANUMERICS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_CHARACTERS ALPHANUMERICS "_"

/* Fewer than elsewhere in main.cf: no \v, no \f (measured) */
#define BLANKS " \t\r\n"

/* One call of expand_value(). */
struct expansion {
    expand_lookup *lookup;
    void *context;
    size_t references;
    size_t length;  /* bytes of result, intermediate ones too */
    size_t scanned; /* bytes looked at */
    char **error;
};

/* Text that is not terminated: a part of somebody else's string. */
struct span {
    const char *at;
    const char *end;
};

static bool expand_text(struct expansion *expansion, struct span text, int depth, UT_string *out);

static bool is_empty(struct span span)
{
    return span.at == span.end;
}

static int length_of(struct span span)
{
    return (int)(span.end - span.at);
}

/* For "%.*s": the part of a message that shows where the mistake is. */
static int shown_length(struct span span)
{
    return length_of(span) < SHOWN_LENGTH ? length_of(span) : SHOWN_LENGTH;
}

static bool is_one_of(struct span span, const char *characters)
{
    return !is_empty(span) && strchr(characters, *span.at) != NULL;
}

/* Takes the longest text of such characters from the start of *rest. */
static struct span take_span(struct span *rest, const char *characters)
{
    struct span taken = {rest->at, rest->at};

    while (is_one_of(*rest, characters))
        rest->at++;
    taken.end = rest->at;
    return taken;
}

/* Always false, for the caller to return. */
__attribute__((format(printf, 2, 3))) static bool fail(struct expansion *expansion,
                                                       const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *expansion->error = alloc_vformat(format, arguments);
    va_end(arguments);
    return false;
}

static bool scan(struct expansion *expansion, size_t length)
{
    expansion->scanned += length;
    if (expansion->scanned <= EXPAND_SCANNED)
        return true;
    return fail(expansion, "macro expansion needs more than %zu bytes of text", EXPAND_SCANNED);
}

static bool append(struct expansion *expansion, UT_string *out, const char *text, size_t length)
{
    expansion->length += length;
    if (expansion->length > EXPAND_LENGTH)
        return fail(expansion, "macro expansion results in more than %zu bytes", EXPAND_LENGTH);
    /* utstring grows by what is asked for, which would make many small appends quadratic */
    if (out->n - out->i <= length)
        utstring_reserve(out, out->n + length + 1);
    utstring_bincpy(out, text, length);
    return true;
}

static bool check_depth(struct expansion *expansion, int depth, const char *text, int length)
{
    if (depth <= EXPAND_DEPTH)
        return true;
    return fail(expansion, "unreasonable macro call nesting: \"%.*s\"", length, text);
}

/* The end of the pair that opens at span.at, or NULL. Only its own kind of brace counts. */
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

/* Takes {content} and the blanks after it from the start of *rest. */
static bool take_braces(struct expansion *expansion, struct span *rest, struct span *content)
{
    const char *close = find_close(*rest);

    if (close == NULL)
        return fail(expansion, "unbalanced {} in attribute expression: \"%.*s\"", length_of(*rest),
                    rest->at);
    *content = (struct span){rest->at + 1, close};
    rest->at = close + 1;
    take_span(rest, BLANKS);
    return true;
}

/* Takes {text}, or all that is left. */
static bool take_branch(struct expansion *expansion, struct span *rest, struct span *text)
{
    struct span all = *rest;

    take_span(rest, BLANKS);
    if (is_one_of(*rest, "{"))
        return take_braces(expansion, rest, text);
    *text = all;
    rest->at = rest->end;
    return true;
}

/* Takes what follows ? or : and finds the text that is meant; empty when there is none. */
static bool choose_branch(struct expansion *expansion, struct span rest, char kind, bool condition,
                          struct span *chosen)
{
    struct span first = {0}, second = {rest.end, rest.end}, last;

    if (!take_branch(expansion, &rest, &first))
        return false;
    last = first;
    if (kind == '?' && !is_empty(rest)) {
        if (*rest.at != ':')
            return fail(expansion, "\":\" expected at: \"...%.*s}>>>%.*s\"", length_of(first),
                        first.at, shown_length(rest), rest.at);
        rest.at++;
        if (!take_branch(expansion, &rest, &second))
            return false;
        last = second;
    }
    if (!is_empty(rest))
        return fail(expansion, "unexpected input at: \"...%.*s}>>>%.*s\"", length_of(last), last.at,
                    shown_length(rest), rest.at);
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
    struct span left = comparison->left, operation = *rest;
    operation.end = rest->at + comparison_operator_length(rest->at, (size_t)length_of(*rest));
    if (!comparison_find_operator(operation.at, (size_t)length_of(operation),
                                  &comparison->operation))
        return fail(expansion,
                    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: "
                    "\"...%.*s}>>>%.*s\"",
                    length_of(left), left.at, shown_length(*rest), rest->at);
    rest->at = operation.end;
    struct span suffix = take_span(rest, ALPHANUMERICS);
    comparison->of_levels =
        length_of(suffix) == (int)strlen("level") && memcmp(suffix.at, "level", 5) == 0;
    if (!is_empty(suffix) && !comparison->of_levels)
        return fail(expansion, "bad operator suffix at: \"...%.*s>>>%.*s\"", length_of(operation),
                    operation.at, length_of(suffix), suffix.at);
    struct span blanks = take_span(rest, BLANKS);
    if (!is_one_of(*rest, "{")) {
        rest->at = blanks.at;
        return fail(expansion, "\"{expression}\" expected at: \"...{%.*s} %.*s>>>%.*s\"",
                    length_of(left), left.at, length_of(operation), operation.at,
                    shown_length(*rest), rest->at);
    }
    return take_braces(expansion, rest, &comparison->right);
}

static bool compare(struct expansion *expansion, const struct operands *comparison, int depth,
                    bool *result)
{
    UT_string left, right;

    utstring_init(&left);
    utstring_init(&right);
    bool done = expand_text(expansion, comparison->left, depth, &left) &&
                expand_text(expansion, comparison->right, depth, &right) &&
                (comparison->of_levels ? comparison_levels_hold : comparison_holds)(
                    utstring_body(&left), comparison->operation, utstring_body(&right), result,
                    expansion->error);
    utstring_done(&left);
    utstring_done(&right);
    return done;
}

/* ${{left} operator {right}}, perhaps with ? and :; rest starts with the first inner brace. */
static bool expand_comparison(struct expansion *expansion, struct span rest, int depth,
                              UT_string *out)
{
    struct operands comparison = {0};
    struct span chosen = {0};
    bool result = false;

    if (!take_comparison(expansion, &rest, &comparison) ||
        !compare(expansion, &comparison, depth + 1, &result))
        return false;
    if (is_empty(rest))
        return !result || append(expansion, out, "true", strlen("true"));
    if (!is_one_of(rest, "?:"))
        return fail(expansion, "\"?\" or \":\" expected at: \"...}>>>%.*s\"", shown_length(rest),
                    rest.at);
    char kind = *rest.at++;
    return choose_branch(expansion, rest, kind, result, &chosen) &&
           expand_text(expansion, chosen, depth + 1, out);
}

/* ${name}, perhaps with ? or :. */
static bool expand_name(struct expansion *expansion, struct span body, int depth, UT_string *out)
{
    struct span rest = body, chosen = {0};

    take_span(&rest, BLANKS);
    struct span name = take_span(&rest, NAME_CHARACTERS);
    take_span(&rest, BLANKS);
    if (!is_empty(rest) && !is_one_of(rest, "?:")) {
        rest.at = name.end;
        return fail(expansion, "attribute name syntax error at: \"...%.*s>>>%.*s\"",
                    (int)(name.end - body.at), body.at, shown_length(rest), rest.at);
    }
    const char *value = expansion->lookup(expansion->context, name.at, (size_t)length_of(name));
    if (value == NULL)
        value = "";
    if (!is_empty(rest)) {
        char kind = *rest.at++;
        if (!choose_branch(expansion, rest, kind, *value != '\0', &chosen))
            return false;
    } else {
        chosen = (struct span){value, value + strlen(value)};
        if (!scan(expansion, strlen(value)))
            return false;
    }
    return expand_text(expansion, chosen, depth + 1, out);
}

/* Takes the reference that *rest starts with; text is what contains it, for messages. */
static bool take_reference(struct expansion *expansion, struct span text, struct span *rest,
                           struct span *body)
{
    rest->at++;
    if (is_one_of(*rest, "{(")) {
        const char *close = find_close(*rest);

        if (close == NULL)
            return fail(expansion, "truncated macro reference: \"%.*s\"", length_of(text), text.at);
        *body = (struct span){rest->at + 1, close};
        rest->at = close + 1;
    } else {
        *body = take_span(rest, NAME_CHARACTERS);
    }
    if (is_empty(*body))
        return fail(expansion, "empty macro name: \"%.*s\"", length_of(text), text.at);
    return scan(expansion, (size_t)length_of(*body));
}

static bool expand_reference(struct expansion *expansion, struct span body, int depth,
                             UT_string *out)
{
    struct span rest = body;

    if (!check_depth(expansion, depth, body.at, length_of(body)))
        return false;
    if (++expansion->references > EXPAND_REFERENCES)
        return fail(expansion, "more than %d macro references", EXPAND_REFERENCES);
    take_span(&rest, BLANKS);
    return is_one_of(rest, "{") ? expand_comparison(expansion, rest, depth, out)
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
    return utstring_len(out) == start || check_depth(expansion, depth, utstring_body(out) + start,
                                                     (int)(utstring_len(out) - start));
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

bool expand_value(const char *value, expand_lookup *lookup, void *context, UT_string *out,
                  char **error)
{
    struct expansion expansion = {.lookup = lookup, .context = context, .error = error};
    size_t length = strlen(value);

    return scan(&expansion, length) &&
           expand_text(&expansion, (struct span){value, value + length}, 0, out);
}
