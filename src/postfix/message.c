/* SPDX-License-Identifier: MIT */
/* Parses, filters and counts messages; reads operands, and the report of postsuper(1). */
#include "postfix/message.h"
#include "base/text.h"
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

ALLOC_TABLES_ARE_KEPT

/* postqueue(1) shows the empty sender as its empty_address_recipient. */
#define EMPTY_SENDER "MAILER-DAEMON"

const struct message_verb_row message_verbs[] = {
    [MESSAGE_LIST] = {"list", NULL, NULL, NULL},
    [MESSAGE_COUNT] = {"count", NULL, NULL, NULL},
    [MESSAGE_HOLD] = {"hold", "-h", "Placed on hold", "held"},
    [MESSAGE_RELEASE] = {"release", "-H", "Released from hold", "released"},
    [MESSAGE_REQUEUE] = {"requeue", "-r", "Requeued", "requeued"},
    [MESSAGE_DELETE] = {"delete", "-d", "Deleted", "deleted"},
    [MESSAGE_EXPIRE] = {"expire", "-e", "Force-expired", "expired"},
};

const char *const message_queues[] = {"maildrop", "incoming", "active", "deferred", "hold"};

const char *const message_keys[] = {
    [MESSAGE_BY_NOTHING] = NULL,          [MESSAGE_BY_SENDER] = "sender",
    [MESSAGE_BY_RECIPIENT] = "recipient", [MESSAGE_BY_DOMAIN] = "domain",
    [MESSAGE_BY_REASON] = "reason",       [MESSAGE_BY_QUEUE] = "queue",
    [MESSAGE_BY_INSTANCE] = "instance",
};

bool message_find_verb(const char *name, enum message_verb *verb)
{
    for (*verb = 0; *verb < MESSAGE_VERBS; (*verb)++)
        if (strcmp(message_verbs[*verb].name, name) == 0)
            return true;
    return false;
}

/* The digits of a number to base 52: no vowels. z is one too, but not of inode numbers, which are
 * to base 51. */
static bool is_long_digit(char c)
{
    return isalnum((unsigned char)c) && strchr("AEIOUaeiou", c) == NULL;
}

/* Six or more digits of seconds, four of microseconds, z, and the inode number. */
static bool is_long_id(const char *text, size_t length)
{
    const char *separator = memrchr(text, 'z', length);
    size_t before = separator == NULL ? 0 : (size_t)(separator - text);

    if (before < 10 || before + 1 == length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_long_digit(text[i]))
            return false;
    return true;
}

bool message_is_id(const char *text, size_t length)
{
    bool is_short = length >= 6;

    for (size_t i = 0; i < length && is_short; i++)
        is_short = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'F');
    return length < MESSAGE_ID_SIZE && (is_short || is_long_id(text, length));
}

/* Whether every recipient has an address, and every reason is a string. */
static bool check_recipients(const json_t *recipients)
{
    size_t index;
    json_t *recipient;

    json_array_foreach(recipients, index, recipient)
    {
        const json_t *reason = json_object_get(recipient, "delay_reason");

        if (!json_is_string(json_object_get(recipient, "address")) ||
            (reason != NULL && !json_is_string(reason)))
            return false;
    }
    return true;
}

/* Returns the member in question if it has the wrong type, otherwise NULL. */
static const char *take_members(struct message *message)
{
    const json_t *expired = json_object_get(message->object, "forced_expire");
    const struct {
        const char *name;
        const char **value;
    } strings[] = {
        {"queue_name", &message->queue}, {"queue_id", &message->id}, {"sender", &message->sender}};
    const struct {
        const char *name;
        int64_t *value;
    } numbers[] = {{"arrival_time", &message->arrival}, {"message_size", &message->size}};

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        *strings[i].value = json_string_value(json_object_get(message->object, strings[i].name));
        if (*strings[i].value == NULL)
            return strings[i].name;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const json_t *value = json_object_get(message->object, numbers[i].name);

        *numbers[i].value = json_integer_value(value);
        if (!json_is_integer(value) || *numbers[i].value < 0)
            return numbers[i].name;
    }
    if (!message_is_id(message->id, strlen(message->id)))
        return "queue_id";
    message->recipients = json_object_get(message->object, "recipients");
    message->recipient_count = json_array_size(message->recipients);
    if (!json_is_array(message->recipients) || !check_recipients(message->recipients))
        return "recipients";
    message->is_expired = json_is_true(expired);
    return expired == NULL || json_is_boolean(expired) ? NULL : "forced_expire";
}

/* jansson accepts valid UTF-8 only. */
static json_t *load(const char *line, size_t length, json_error_t *failure)
{
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, failure);

    if (object != NULL || json_error_code(failure) != json_error_invalid_utf8)
        return object;
    UT_string valid;
    utstring_init(&valid);
    text_append_valid(&valid, line, length);
    object =
        json_loadb(utstring_body(&valid), utstring_len(&valid), JSON_REJECT_DUPLICATES, failure);
    utstring_done(&valid);
    return object;
}

bool message_parse(struct message *message, const char *line, size_t length, char **error)
{
    json_error_t failure;

    *message = (struct message){.object = load(line, length, &failure)};
    if (message->object == NULL) {
        alloc_set_text(error, "not JSON: %s", failure.text);
        return false;
    }
    const char *wrong = take_members(message);
    if (wrong == NULL)
        return true;
    alloc_set_text(error, "%s is missing or invalid", wrong);
    message_free(message);
    return false;
}

void message_free(struct message *message)
{
    json_decref(message->object);
    *message = (struct message){0};
}

const char *message_recipient(const struct message *message, size_t index, const char **reason)
{
    const json_t *recipient = json_array_get(message->recipients, index);

    *reason = json_string_value(json_object_get(recipient, "delay_reason"));
    return json_string_value(json_object_get(recipient, "address"));
}

static bool matches(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

static bool sender_matches(const char *pattern, const char *sender)
{
    return matches(strcmp(pattern, "<>") == 0 ? EMPTY_SENDER : pattern,
                   sender[0] == '\0' ? EMPTY_SENDER : sender);
}

static bool recipients_match(const struct message *message, const struct message_filter *filter)
{
    bool has_recipient = filter->recipient == NULL, has_reason = filter->reason == NULL;

    for (size_t i = 0; i < message->recipient_count && !(has_recipient && has_reason); i++) {
        const char *reason;
        const char *address = message_recipient(message, i, &reason);

        has_recipient = has_recipient || matches(filter->recipient, address);
        has_reason = has_reason || (reason != NULL && matches(filter->reason, reason));
    }
    return has_recipient && has_reason;
}

bool message_passes(const struct message *message, const struct message_filter *filter)
{
    return message->arrival <= filter->before && message->size > filter->larger &&
           (filter->queue == NULL || strcmp(filter->queue, message->queue) == 0) &&
           (filter->sender == NULL || sender_matches(filter->sender, message->sender)) &&
           recipients_match(message, filter);
}

enum message_fitness message_fitness(const struct message *message, enum message_verb verb)
{
    bool is_held = strcmp(message->queue, "hold") == 0;
    bool is_new = strcmp(message->queue, "maildrop") == 0; /* not read by pickup(8) yet */

    switch (verb) {
    case MESSAGE_HOLD:
        return is_new ? MESSAGE_CANNOT : is_held ? MESSAGE_IS_DONE : MESSAGE_FITS;
    case MESSAGE_RELEASE:
        return is_held ? MESSAGE_FITS : MESSAGE_IS_DONE;
    case MESSAGE_REQUEUE:
        return is_new ? MESSAGE_IS_DONE : MESSAGE_FITS;
    case MESSAGE_EXPIRE:
        return is_new ? MESSAGE_CANNOT : message->is_expired ? MESSAGE_IS_DONE : MESSAGE_FITS;
    default:
        return MESSAGE_FITS;
    }
}

/* Returns the text after the prefix, or NULL if it does not begin with that. */
static const char *skip(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool message_read_report(const char *line, enum message_verb verb, size_t *done)
{
    char *report = alloc_format("postsuper: %s: ", message_verbs[verb].report);
    const char *number = skip(line, report);
    char *end = NULL;

    free(report);
    if (number == NULL || !isdigit((unsigned char)number[0]))
        return false;
    *done = strtoul(number, &end, 10);
    return strcmp(end, " messages") == 0 || strcmp(end, " message") == 0;
}

bool message_parse_operand(const char *text, size_t length, char **instance,
                           char id[MESSAGE_ID_SIZE])
{
    const char *slash = memrchr(text, '/', length);
    size_t before = slash == NULL ? 0 : (size_t)(slash - text);
    size_t start = slash == NULL ? 0 : before + 1;

    *instance = NULL;
    if ((slash != NULL && before == 0) || !message_is_id(text + start, length - start))
        return false;
    memcpy(id, text + start, length - start);
    id[length - start] = '\0';
    if (slash != NULL)
        *instance = alloc_span(text, before);
    return true;
}

static enum message_operand parse_object(const char *line, size_t length, char **instance,
                                         char id[MESSAGE_ID_SIZE])
{
    json_error_t failure;
    json_t *object = load(line, length, &failure);
    const json_t *found = json_object_get(object, "queue_id");
    const json_t *directory = json_object_get(object, "config_directory");
    enum message_operand result = MESSAGE_OPERAND_BAD;

    if (json_is_string(found) && (directory == NULL || json_is_string(directory)) &&
        message_is_id(json_string_value(found), json_string_length(found))) {
        result = MESSAGE_OPERAND_ID;
        memcpy(id, json_string_value(found), json_string_length(found) + 1);
        if (directory != NULL)
            *instance = alloc_string(json_string_value(directory));
    }
    json_decref(object);
    return result;
}

/* What mailq(1) prints around the lines with queue IDs: headings, the number of messages, addresses
 * and reasons, which are indented. */
static bool is_beside(const char *line, size_t length)
{
    static const char *const starts[] = {"-Queue ID-", "----Queue ID-----", "-- ",
                                         "Mail queue is empty"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (length >= strlen(starts[i]) && memcmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return length == 0 || text_is_space(line[0]) || line[0] == '(';
}

/* Whether what follows the ID is what mailq(1) has there: nothing else is left unread. */
static bool is_rest_of_mailq(const char *rest, size_t length)
{
    size_t at = 0, digits;

    while (at < length && text_is_space(rest[at]))
        at++;
    digits = at;
    while (at < length && isdigit((unsigned char)rest[at]))
        at++;
    return at == length ? digits == at : at > digits && text_is_space(rest[at]);
}

enum message_operand message_parse_line(const char *line, size_t length, char **instance,
                                        char id[MESSAGE_ID_SIZE])
{
    size_t word = 0;

    *instance = NULL;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (is_beside(line, length))
        return MESSAGE_OPERAND_NONE;
    if (line[0] == '{')
        return parse_object(line, length, instance, id);
    while (word < length && !text_is_space(line[word]))
        word++;
    size_t rest = word;
    while (word > 0 && memchr("*!#", line[word - 1], 3) != NULL)
        word--;
    return is_rest_of_mailq(line + rest, length - rest) &&
                   message_parse_operand(line, word, instance, id)
               ? MESSAGE_OPERAND_ID
               : MESSAGE_OPERAND_BAD;
}

/* Adds without overflow: sizes come from outside. */
static void add_bytes(uint64_t *sum, const struct message *message)
{
    if (__builtin_add_overflow(*sum, (uint64_t)message->size, sum) || *sum > INT64_MAX)
        *sum = INT64_MAX;
}

/* Counts the message for a key of that length, unless it was counted for it already. */
static void count_key(struct message_counts *counts, const struct message *message, const char *key,
                      size_t length)
{
    struct message_count *count;

    HASH_FIND(hh, counts->first, key, length, count);
    if (count == NULL) {
        count = alloc_zeroed(1, sizeof(*count) + length + 1);
        memcpy(count->key, key, length);
        HASH_ADD_KEYPTR(hh, counts->first, count->key, length, count);
    }
    if (count->last == counts->messages)
        return;
    count->last = counts->messages;
    count->messages++;
    add_bytes(&count->bytes, message);
}

/* An address without a domain is local: it counts as "". */
static void count_domain(struct message_counts *counts, const struct message *message,
                         const char *address)
{
    const char *at = strrchr(address, '@');
    char *domain = alloc_string(at == NULL ? "" : at + 1);

    for (char *c = domain; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    count_key(counts, message, domain, strlen(domain));
    free(domain);
}

static void count_recipient(struct message_counts *counts, const struct message *message,
                            size_t index)
{
    const char *reason;
    const char *address = message_recipient(message, index, &reason);

    if (counts->by == MESSAGE_BY_DOMAIN)
        count_domain(counts, message, address);
    else if (counts->by == MESSAGE_BY_RECIPIENT)
        count_key(counts, message, address, strlen(address));
    else if (reason != NULL)
        count_key(counts, message, reason, strlen(reason));
}

void message_counts_add(struct message_counts *counts, const struct message *message,
                        const char *instance)
{
    const char *key = NULL;

    counts->messages++;
    add_bytes(&counts->bytes, message);
    switch (counts->by) {
    case MESSAGE_BY_SENDER:
        key = message->sender;
        break;
    case MESSAGE_BY_QUEUE:
        key = message->queue;
        break;
    case MESSAGE_BY_INSTANCE:
        key = instance;
        break;
    case MESSAGE_BY_RECIPIENT:
    case MESSAGE_BY_DOMAIN:
    case MESSAGE_BY_REASON:
        for (size_t i = 0; i < message->recipient_count; i++)
            count_recipient(counts, message, i);
        return;
    default:
        return;
    }
    count_key(counts, message, key, strlen(key));
}

static int compare(const struct message_count *one, const struct message_count *other)
{
    if (one->messages != other->messages)
        return one->messages > other->messages ? -1 : 1;
    if (one->bytes != other->bytes)
        return one->bytes > other->bytes ? -1 : 1;
    return strcmp(one->key, other->key);
}

void message_counts_sort(struct message_counts *counts)
{
    HASH_SORT(counts->first, compare);
}

void message_counts_free(struct message_counts *counts)
{
    struct message_count *count = counts->first, *next;

    HASH_CLEAR(hh, counts->first); /* the table: its elements still lead to each other */
    for (; count != NULL; count = next) {
        next = count->hh.next;
        free(count);
    }
}
