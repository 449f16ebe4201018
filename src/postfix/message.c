/* SPDX-License-Identifier: MIT */
/* Reads what postqueue(1) lists, chooses, counts, and has postsuper(1) act. */
#include "postfix/message.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

ALLOC_TABLES_ARE_KEPT

/* postqueue(1) shows the empty sender as its empty_address_recipient. */
#define EMPTY_SENDER "MAILER-DAEMON"

/* In whichever instance it is. */
#define ANYWHERE SIZE_MAX

/* How much of a line of standard error is kept for a message, in bytes. */
#define ERROR_MAXIMUM 1000

/* How much of a key is kept, in bytes: replies of other hosts can be long. */
#define KEY_MAXIMUM 1024

/* A message that was named. */
struct wish {
    struct wish_key {
        size_t part; /* its number, or ANYWHERE */
        char id[MESSAGE_ID_SIZE];
    } key;
    UT_array *places; /* the numbers of the parts that have it */
    UT_hash_handle hh;
};

static const UT_icd place_icd = {sizeof(size_t), NULL, NULL, NULL};
static const UT_icd id_icd = {MESSAGE_ID_SIZE, NULL, NULL, NULL};

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

static bool is_id(const char *text, size_t length)
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
    if (!is_id(message->id, strlen(message->id)))
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

static void free_message(struct message *message)
{
    json_decref(message->object);
    *message = (struct message){0};
}

/*
 * Parses a line of postqueue(1) -j (JSON OBJECT FORMAT there), without its newline. Invalid UTF-8,
 * which another host's reply can bring into a delay reason, becomes U+FFFD. Returns true, and
 * free_message() empties *message; or false with a new string in *error when the line is no such
 * object, a member has another type, or the queue ID is none.
 */
static bool parse_message(struct message *message, const char *line, size_t length, char **error)
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
    free_message(message);
    return false;
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

static bool passes(const struct message *message, const struct message_filter *filter)
{
    return message->arrival <= filter->before && message->size > filter->larger &&
           (filter->queue == NULL || strcmp(filter->queue, message->queue) == 0) &&
           (filter->sender == NULL || sender_matches(filter->sender, message->sender)) &&
           recipients_match(message, filter);
}

/* Whether a verb of postsuper(1) has something to do to a message. */
enum message_fitness {
    MESSAGE_FITS,
    MESSAGE_IS_DONE, /* it is in that state already */
    MESSAGE_CANNOT,  /* mail in maildrop can only be deleted (postsuper(1)) */
};

static enum message_fitness find_fitness(const struct message *message, enum message_verb verb)
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

/*
 * Reads a line that postsuper(1) wrote to standard error, without its newline. Returns whether it
 * is the report of that verb ("postsuper: Requeued: 3 messages"), with the number in *done. The
 * line has to be that and nothing else: main.cf can make postsuper(1) print warnings.
 */
static bool read_report(const char *line, enum message_verb verb, size_t *done)
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

/* Parses "ID" or "INSTANCE/ID", length bytes. Returns whether it is that, with the ID in id and
 * the instance, a new string or NULL, in *instance. */
static bool parse_operand(const char *text, size_t length, char **instance,
                          char id[MESSAGE_ID_SIZE])
{
    const char *slash = memrchr(text, '/', length);
    size_t before = slash == NULL ? 0 : (size_t)(slash - text);
    size_t start = slash == NULL ? 0 : before + 1;

    *instance = NULL;
    if ((slash != NULL && before == 0) || !is_id(text + start, length - start))
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
        is_id(json_string_value(found), json_string_length(found))) {
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
    return is_rest_of_mailq(line + rest, length - rest) && parse_operand(line, word, instance, id)
               ? MESSAGE_OPERAND_ID
               : MESSAGE_OPERAND_BAD;
}

/* Adds without overflow: sizes come from outside. Neither is more than INT64_MAX. */
static void add_bytes(uint64_t *sum, const struct message *message)
{
    *sum += (uint64_t)message->size;
    if (*sum > INT64_MAX)
        *sum = INT64_MAX;
}

/* Counts the message for a key of that length, unless it was counted for it already. */
static void count_key(struct message_counts *counts, const struct message *message, const char *key,
                      size_t length)
{
    struct message_count *count;

    if (length > KEY_MAXIMUM) {
        length = KEY_MAXIMUM;
        while (length > 0 && ((unsigned char)key[length] & 0xC0) == 0x80) /* within a character */
            length--;
    }
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

/* Counts the message of that instance: once for each of its kinds. */
static void count_message(struct message_counts *counts, const struct message *message,
                          const struct instance *instance)
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
        key = instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME);
        key = key[0] == '\0' ? "-" : key;
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

static int compare_counts(const struct message_count *one, const struct message_count *other)
{
    if (one->messages != other->messages)
        return one->messages > other->messages ? -1 : 1;
    if (one->bytes != other->bytes)
        return one->bytes > other->bytes ? -1 : 1;
    return strcmp(one->key, other->key);
}

static void free_counts(struct message_counts *counts)
{
    struct message_count *count = counts->first, *next;

    HASH_CLEAR(hh, counts->first); /* the table: its elements still lead to each other */
    for (; count != NULL; count = next) {
        next = count->hh.next;
        free(count);
    }
}

static bool acts(const struct messages *messages)
{
    return message_verbs[messages->verb].option != NULL;
}

static void fail(struct messages_part *part, char *reason)
{
    if (part->reason == NULL)
        part->reason = reason;
    else
        free(reason);
}

/* Returns the instance's name, or its directory if it has none. */
static const char *name_of(const struct messages_part *part)
{
    const struct instance *instance = part->member->instance;
    const char *name = instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME);

    return name[0] != '\0' ? name : instance->config_directory;
}

/* The directories of a queue directory where postsuper(1) works (global/mail_queue.h). */
static const char *const worked_on[] = {"maildrop", "incoming", "active", "deferred", "hold",
                                        "corrupt",  "bounce",   "defer",  "trace"};

/* How many directories of an instance are looked at. */
#define DIRECTORY_MAXIMUM 100000

/* Returns why nothing is done where a directory is no real one, a new string; or NULL. */
static char *find_trap_at(const char *path, size_t *looked)
{
    static const char digits[] = "0123456789ABCDEF";
    struct stat status;
    char *reason = NULL;
    int error = path_status(path, O_NOFOLLOW, &status);

    if (error == ENOENT)
        return NULL;
    if (error != 0)
        return alloc_format("refused: %s: %s", path, path_error(error));
    if (!S_ISDIR(status.st_mode))
        return alloc_format("refused: %s is not a directory of its own", path);
    if (++*looked > DIRECTORY_MAXIMUM)
        return alloc_format("refused: %s: too many directories", path);
    for (const char *digit = digits; *digit != '\0' && reason == NULL; digit++) {
        char *below = alloc_format("%s/%c", path, *digit); /* see hash_queue_names in postconf(5) */

        reason = find_trap_at(below, looked);
        free(below);
    }
    return reason;
}

/* The same for all directories of the instance: through a link, postsuper(1) would reach the
 * messages of another one. */
static char *find_trap(const struct instance *instance)
{
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
    char *reason = NULL;
    size_t looked = 0;

    for (size_t i = 0; i < sizeof(worked_on) / sizeof(worked_on[0]) && reason == NULL; i++) {
        char *path = alloc_format("%s/%s", queue, worked_on[i]);

        reason = find_trap_at(path, &looked);
        free(path);
    }
    return reason;
}

/* A directory that an instance has for its queue. */
struct claim {
    dev_t device;
    ino_t inode;
    const struct instance *instance;
    bool is_link; /* which leads there */
};

static const UT_icd claim_icd = {sizeof(struct claim), NULL, NULL, NULL};

static void add_claim(UT_array *claims, const struct instance *instance, const char *path,
                      bool is_queue)
{
    struct claim claim = {.instance = instance};
    struct stat status;
    int error = path_status(path, is_queue ? 0 : O_NOFOLLOW, &status);

    if (error == 0 && S_ISLNK(status.st_mode)) {
        claim.is_link = true;
        error = path_status(path, 0, &status);
    }
    if (error != 0)
        return;
    claim.device = status.st_dev;
    claim.inode = status.st_ino;
    utarray_push_back(claims, &claim);
}

static int compare_claims(const void *one, const void *other)
{
    const struct claim *a = one, *b = other;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* Returns the claims of all instances, sorted by directory. */
static UT_array *find_claims(const struct host *host)
{
    UT_array *claims;

    utarray_new(claims, &claim_icd);
    for (size_t i = 0; i < host->count; i++) {
        const struct instance *instance = &host->instances[i];
        const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

        if (queue[0] == '\0')
            continue;
        add_claim(claims, instance, queue, true);
        for (size_t j = 0; j < sizeof(worked_on) / sizeof(worked_on[0]); j++) {
            char *path = alloc_format("%s/%s", queue, worked_on[j]);

            add_claim(claims, instance, path, false);
            free(path);
        }
    }
    if (utarray_len(claims) > 0)
        utarray_sort(claims, compare_claims);
    return claims;
}

/* Whether one instance has to leave the directory to the other. Only the one whose master(8) is
 * proven to run there keeps it: main.cf can name any directory. */
static bool gives_way(const struct claim *one, const struct claim *other,
                      struct master_locks *locks)
{
    return !selection_is_same(one->instance, other->instance) &&
           (!instance_owns_queue(one->instance, locks) ||
            (!other->is_link && instance_owns_queue(other->instance, locks)));
}

/* Returns another instance of the host with one of the instance's directories, or NULL: what
 * postsuper(1) does to one's messages it does to the other's. */
static const struct instance *find_sharer(const UT_array *claims, const struct instance *instance,
                                          struct master_locks *locks)
{
    const struct claim *first = (const struct claim *)(const void *)claims->d;
    size_t count = utarray_len(claims), start = 0;

    for (size_t i = 0; i < count; i++) {
        if (compare_claims(&first[start], &first[i]) != 0)
            start = i;
        if (first[i].instance != instance)
            continue;
        for (size_t j = start; j < count && compare_claims(&first[i], &first[j]) == 0; j++)
            if (gives_way(&first[i], &first[j], locks))
                return first[j].instance;
    }
    return NULL;
}

/* Returns why nothing is done to the messages of the instance, a new string; or NULL. */
static char *find_danger(const struct messages *messages, const UT_array *claims,
                         const struct instance *instance)
{
    const struct instance *sharer = find_sharer(claims, instance, messages->locks);

    return sharer == NULL
               ? find_trap(instance)
               : alloc_format("refused: %s has the same queue_directory", sharer->config_directory);
}

/* Returns why nothing is run in the instance, a new string; or NULL. */
static char *find_refusal(const struct messages *messages, const UT_array *claims,
                          const struct selection_member *member)
{
    const struct instance *instance = member->instance;
    const char *daemons = instance_value(instance, PARAMETER_DAEMON_DIRECTORY);

    if (member->state != SELECTION_SERVE)
        return selection_reason(member);
    if (strcmp(daemons, messages->daemon_directory) != 0)
        return alloc_format("refused: postqueue(1) may run showq(8) from its own daemon_directory "
                            "%s",
                            daemons);
    return acts(messages) ? find_danger(messages, claims, instance) : NULL;
}

void messages_plan(struct messages *messages, const struct selection *selection)
{
    UT_array *claims = acts(messages) ? find_claims(&selection->host) : NULL;

    utarray_new(messages->refusals, &strings_icd);
    messages->host = &selection->host;
    messages->count = selection->member_count;
    messages->parts = alloc_zeroed(messages->count, sizeof(*messages->parts));
    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];

        *part = (struct messages_part){
            .member = &selection->members[i], .is_wanted = !messages->is_named, .all = messages};
        part->reason = find_refusal(messages, claims, part->member);
        part->is_excused =
            part->member->instance->enabled == INSTANCE_DISABLED && !part->member->is_named;
        utarray_new(part->ids, &id_icd);
        utarray_new(part->settings, &strings_icd);
        strings_append(part->settings, "MAIL_CONFIG=%s", part->member->instance->config_directory);
    }
    if (claims != NULL)
        utarray_free(claims);
}

static struct wish_key make_key(size_t part, const char *id)
{
    struct wish_key key;

    memset(&key, 0, sizeof(key)); /* it is compared byte by byte */
    key.part = part;
    memcpy(key.id, id, strnlen(id, MESSAGE_ID_SIZE - 1));
    return key;
}

static struct wish *find_wish(const struct messages *messages, size_t part, const char *id)
{
    struct wish_key key = make_key(part, id);
    struct wish *wish;

    HASH_FIND(hh, messages->wishes, &key, sizeof(key), wish);
    return wish;
}

/* Returns the number of the part that the name means; ANYWHERE if that is not one. */
static size_t find_part(struct messages *messages, const char *name, const char *id)
{
    size_t found = ANYWHERE, matching = 0;

    for (size_t i = 0; i < messages->count; i++) {
        const struct selection_member *member = messages->parts[i].member;

        if (member->state != SELECTION_DUPLICATE && selection_matches(member->instance, name)) {
            found = i;
            matching++;
        }
    }
    if (matching == 1)
        return found;
    strings_append(messages->refusals,
                   matching == 0 ? "%s/%s: no such instance is selected"
                                 : "%s/%s: several instances match: specify the directory",
                   name, id);
    return ANYWHERE;
}

void messages_name(struct messages *messages, const char *instance, const char *id)
{
    size_t part = instance == NULL ? ANYWHERE : find_part(messages, instance, id);

    for (size_t i = 0; i < messages->count; i++)
        messages->parts[i].is_wanted =
            (messages->is_named && messages->parts[i].is_wanted) || instance == NULL || i == part;
    messages->is_named = true;
    if ((instance != NULL && part == ANYWHERE) || find_wish(messages, part, id) != NULL)
        return;
    struct wish *wish = alloc_zeroed(1, sizeof(*wish));
    wish->key = make_key(part, id);
    utarray_new(wish->places, &place_icd);
    HASH_ADD(hh, messages->wishes, key, sizeof(wish->key), wish);
}

static size_t place_of(const struct wish *wish, size_t index)
{
    return *(const size_t *)utarray_eltptr(wish->places, index);
}

/* A message may be listed twice while it moves from queue to queue (postqueue(1)). */
static void note_place(struct wish *wish, size_t part)
{
    for (size_t i = 0; i < utarray_len(wish->places); i++)
        if (place_of(wish, i) == part)
            return;
    utarray_push_back(wish->places, &part);
}

/* Whether the message was named; notes where it is. */
static bool note_named(const struct messages *messages, size_t part, const char *id)
{
    struct wish *here = find_wish(messages, part, id);
    struct wish *anywhere = find_wish(messages, ANYWHERE, id);

    if (here != NULL)
        note_place(here, part);
    if (anywhere != NULL)
        note_place(anywhere, part);
    return here != NULL || anywhere != NULL;
}

/* Whether the verb has something to do to the message, which is wanted. */
static bool is_to_be_done(struct messages *messages, const struct message *message)
{
    bool is_held = strcmp(message->queue, "hold") == 0;
    bool wants_held = messages->is_named || messages->filter.queue != NULL;
    enum message_fitness fitness = find_fitness(message, messages->verb);

    if (fitness == MESSAGE_CANNOT && messages->is_named)
        strings_append(messages->refusals, "%s: mail in %s cannot be %s", message->id,
                       message->queue, message_verbs[messages->verb].done);
    return fitness == MESSAGE_FITS &&
           !(messages->verb == MESSAGE_REQUEUE && is_held && !wants_held);
}

/* Keeps what is to be acted on. */
static void note_id(struct messages_part *part, const char *found)
{
    char id[MESSAGE_ID_SIZE] = "";

    if (utarray_len(part->ids) >= part->all->maximum) {
        fail(part, alloc_format("more than %zu messages: narrow the filter", part->all->maximum));
        return;
    }
    memcpy(id, found, strnlen(found, MESSAGE_ID_SIZE - 1));
    utarray_push_back(part->ids, id);
}

/* Counts the message, unless its instance has too many keys. */
static void note_counted(struct messages_part *part, const struct message *message)
{
    struct message_counts *counts = &part->all->counts;
    size_t before = HASH_COUNT(counts->first);

    count_message(counts, message, part->member->instance);
    part->kinds += HASH_COUNT(counts->first) - before;
    if (part->kinds > part->all->maximum)
        fail(part, alloc_format("more than %zu keys to count by", part->all->maximum));
}

static void note_message(struct messages_part *part, const struct message *message)
{
    struct messages *messages = part->all;

    if (messages->is_named && !note_named(messages, (size_t)(part - messages->parts), message->id))
        return;
    if (!passes(message, &messages->filter))
        return;
    if (messages->verb == MESSAGE_LIST) {
        messages->found(messages->context, part, message);
    } else if (messages->verb == MESSAGE_COUNT) {
        note_counted(part, message);
    } else if (is_to_be_done(messages, message)) {
        note_id(part, message->id);
    }
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* What postsuper(1) did not count, and is still there, was not done. */
static void note_left(struct messages_part *part, const struct message *message)
{
    const char *found = utarray_find(part->ids, message->id, compare_ids);

    if (found != NULL && find_fitness(message, part->all->verb) == MESSAGE_FITS)
        part->is_left[(size_t)(found - part->ids->d) / MESSAGE_ID_SIZE] = true;
}

static void note_line(struct messages_part *part, const char *text, size_t length)
{
    struct message message;
    char *error = NULL;

    part->lines++;
    if (part->reason != NULL)
        return;
    if (!parse_message(&message, text, length, &error)) {
        fail(part, alloc_format("postqueue -j, line %zu: %s", part->lines, error));
        free(error);
        return;
    }
    if (part->all->is_checking)
        note_left(part, &message);
    else
        note_message(part, &message);
    free_message(&message);
}

/* Keeps the report of postsuper(1), and otherwise the last line that says something. */
static void note_error(struct messages_part *part, const char *text, size_t length)
{
    size_t done;

    if (strlen(text) == length && read_report(text, part->all->verb, &done)) {
        part->done = done;
        part->has_report = true;
    } else if (length > 0) {
        free(part->last_error);
        part->last_error = alloc_span(text, length < ERROR_MAXIMUM ? length : ERROR_MAXIMUM);
    }
}

static void receive_line(struct process *child, bool is_error, const char *text, size_t length)
{
    if (is_error)
        note_error(child->owner, text, length);
    else if (child->input == NULL) /* it is postqueue(1) */
        note_line(child->owner, text, length);
}

/* Returns how the child failed, a new string; or NULL. What it said of that comes first. */
static char *describe_failure(const struct process *child, const struct messages_part *part)
{
    char *failure = process_failure(child, part->all->limits);

    if (failure == NULL || child->outcome != PROCESS_ENDED || part->last_error == NULL)
        return failure;
    free(failure);
    return alloc_string(part->last_error);
}

static void finish_search(struct messages_part *part, const struct process *child)
{
    char *failure = describe_failure(child, part);

    if (failure != NULL)
        fail(part, failure);
    else if (child->output.truncated)
        fail(part, alloc_format("postqueue -j: a line of more than %zu MiB",
                                CAPTURE_LINE_MAXIMUM / 1024 / 1024));
    else if (utstring_len(&child->output.text) > 0)
        fail(part, alloc_string("postqueue -j: the last line is not complete"));
}

static void finish_act(struct messages_part *part, const struct process *child)
{
    static const char usage[] = "postsuper: fatal: usage:";
    const char *last = part->last_error == NULL ? "" : part->last_error;
    size_t requested = utarray_len(part->ids);
    char *failure = describe_failure(child, part);

    if (part->all->verb == MESSAGE_EXPIRE && strncmp(last, usage, sizeof(usage) - 1) == 0) {
        free(failure);
        fail(part, alloc_string("postsuper(1) has no -e: expire needs Postfix 3.5 or later"));
    } else if (!part->has_report && child->outcome != PROCESS_NOT_STARTED) {
        part->is_unknown = true;
        fail(part, failure == NULL
                       ? alloc_string("postsuper(1) has not reported how many messages it found")
                       : alloc_format("%s; it is unknown how many messages were %s", failure,
                                      message_verbs[part->all->verb].done));
        free(failure);
    } else if (failure != NULL) {
        fail(part, failure);
    } else if (part->done > requested) {
        fail(part, alloc_format("postsuper(1) reports %zu messages of %zu", part->done, requested));
        part->done = requested;
    }
}

static void finish(struct process *child)
{
    struct messages_part *part = child->owner;

    part->is_running = false;
    if (child->input == NULL)
        finish_search(part, child);
    else
        finish_act(part, child);
    process_free(child);
}

static void observe(void *context, enum process_event event, struct process *child)
{
    const struct messages *messages = context;

    if (event == PROCESS_FINISHED)
        finish(child);
    else if (event == PROCESS_WAITING && messages->waiting != NULL)
        messages->waiting(messages->context);
}

static void append_ids(UT_string *out, const struct messages_part *part)
{
    utstring_init(out);
    for (size_t i = 0; i < utarray_len(part->ids); i++) {
        const char *id = utarray_eltptr(part->ids, i);

        text_append(out, id, strlen(id));
        text_append(out, "\n", 1);
    }
}

/* Runs the program in the parts that need it. */
static void run(struct messages *messages, char *const *argv, bool with_input,
                bool (*needs)(const struct messages_part *part))
{
    struct process *children = alloc_zeroed(messages->count, sizeof(*children));
    struct process **order = alloc_zeroed(messages->count, sizeof(*order));
    UT_string *inputs = alloc_zeroed(messages->count, sizeof(*inputs));
    char *program = alloc_format("%s/%s", messages->directory, argv[0]);
    struct process_batch batch = {.processes = order,
                                  .parallel = process_count_processors(),
                                  .in_turn = messages->verb == MESSAGE_LIST,
                                  .limits = messages->limits,
                                  .observe = observe,
                                  .context = messages};

    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];

        if (part->reason != NULL || !needs(part))
            continue;
        part->lines = 0;
        part->is_running = true;
        if (with_input)
            append_ids(&inputs[i], part);
        order[batch.count] = &children[batch.count];
        children[batch.count++] = (struct process){.program = program,
                                                   .argv = argv,
                                                   .environment = process_clean_environment,
                                                   .settings = part->settings,
                                                   .streams = PROCESS_CAPTURE,
                                                   .input = with_input ? &inputs[i] : NULL,
                                                   .line = receive_line,
                                                   .owner = part};
    }
    process_run(&batch);
    for (size_t i = 0; i < batch.count; i++)
        if (children[i].outcome == PROCESS_PENDING)
            fail(children[i].owner, process_failure(&children[i], messages->limits));
    for (size_t i = 0; i < messages->count; i++)
        utstring_done(&inputs[i]);
    free(inputs);
    free(program);
    free(order);
    free(children);
}

static bool is_wanted(const struct messages_part *part)
{
    return part->is_wanted;
}

static void find(struct messages *messages, bool (*needs)(const struct messages_part *part))
{
    static char name[] = "postqueue", option[] = "-j";
    static char *const argv[] = {name, option, NULL};

    run(messages, argv, false, needs);
}

/* Whether an instance could not be searched. */
static bool is_incomplete(const struct messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        if (messages->parts[i].is_wanted && messages->parts[i].reason != NULL &&
            messages->parts[i].member->state != SELECTION_DUPLICATE)
            return true;
    return false;
}

/* Whether a message in several instances was named without one. */
static bool is_ambiguous(const struct messages *messages, const struct wish *wish)
{
    return acts(messages) && wish->key.part == ANYWHERE && utarray_len(wish->places) > 1;
}

static int compare_places(const void *one, const void *other)
{
    return *(const size_t *)one < *(const size_t *)other ? -1 : 1;
}

static void describe_ambiguous(struct messages *messages, const struct wish *wish)
{
    UT_string names;

    utarray_sort(wish->places, compare_places);
    utstring_init(&names);
    for (size_t i = 0; i < utarray_len(wish->places); i++)
        utstring_printf(&names, "%s%s", i == 0 ? "" : ", ",
                        name_of(&messages->parts[place_of(wish, i)]));
    strings_append(messages->refusals, "%s: in several instances: %s: specify instance/%s",
                   wish->key.id, utstring_body(&names), wish->key.id);
    utstring_done(&names);
}

static void check_wishes(struct messages *messages)
{
    bool incomplete = is_incomplete(messages);

    for (struct wish *wish = messages->wishes; wish != NULL; wish = wish->hh.next) {
        size_t part = wish->key.part;

        if (is_ambiguous(messages, wish))
            describe_ambiguous(messages, wish);
        else if (utarray_len(wish->places) == 0 && part == ANYWHERE)
            strings_append(messages->refusals, "%s: no such message%s", wish->key.id,
                           incomplete ? " where it could be looked for" : "");
        else if (utarray_len(wish->places) == 0 && messages->parts[part].reason == NULL)
            strings_append(messages->refusals, "%s/%s: no such message",
                           name_of(&messages->parts[part]), wish->key.id);
    }
}

/* Sorts what was found, and leaves out what was found twice or may be another instance's. */
static void settle_ids(struct messages *messages, struct messages_part *part)
{
    UT_array *kept;
    const char *last = "";

    utarray_new(kept, &id_icd);
    if (utarray_len(part->ids) > 1)
        utarray_sort(part->ids, compare_ids);
    for (size_t i = 0; i < utarray_len(part->ids); i++) {
        const char *id = utarray_eltptr(part->ids, i);
        const struct wish *wish = find_wish(messages, ANYWHERE, id);
        bool is_other = wish != NULL && is_ambiguous(messages, wish) &&
                        find_wish(messages, (size_t)(part - messages->parts), id) == NULL;

        if (strcmp(id, last) != 0 && !is_other)
            utarray_push_back(kept, id);
        last = id;
    }
    utarray_free(part->ids);
    part->ids = kept;
    if (part->reason != NULL)
        utarray_clear(part->ids);
}

void messages_find(struct messages *messages)
{
    find(messages, is_wanted);
    check_wishes(messages);
    for (size_t i = 0; i < messages->count; i++)
        settle_ids(messages, &messages->parts[i]);
    HASH_SORT(messages->counts.first, compare_counts);
}

static bool has_ids(const struct messages_part *part)
{
    return utarray_len(part->ids) > 0;
}

static bool has_fewer(const struct messages_part *part)
{
    return part->done < utarray_len(part->ids);
}

/* What is left in the queue, and could have been done, was not; the rest is gone. */
static void judge(struct messages_part *part)
{
    size_t requested = utarray_len(part->ids), missing = requested - part->done, left = 0;

    if (part->reason != NULL || missing == 0)
        return;
    for (size_t i = 0; i < requested; i++)
        left += part->is_left[i];
    if (left > missing)
        left = missing; /* one may be back, under the same ID */
    part->gone = missing - left;
    if (left > 0)
        fail(part, alloc_format("only %zu of %zu messages were %s", part->done, requested,
                                message_verbs[part->all->verb].done));
}

/* Looks again, right before postsuper(1) runs: the search and the question take their time. */
static void find_dangers(struct messages *messages)
{
    UT_array *claims = find_claims(messages->host);

    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];
        char *reason = part->reason == NULL && has_ids(part)
                           ? find_danger(messages, claims, part->member->instance)
                           : NULL;

        if (reason != NULL)
            fail(part, reason);
    }
    utarray_free(claims);
}

void messages_act(struct messages *messages)
{
    static char name[] = "postsuper", input[] = "-";
    char *option = alloc_string(message_verbs[messages->verb].option);
    char *const argv[] = {name, option, input, NULL};

    find_dangers(messages);
    run(messages, argv, true, has_ids);
    messages->is_checking = true;
    for (size_t i = 0; i < messages->count; i++)
        messages->parts[i].is_left =
            alloc_zeroed(utarray_len(messages->parts[i].ids), sizeof(bool));
    find(messages, has_fewer);
    for (size_t i = 0; i < messages->count; i++)
        judge(&messages->parts[i]);
    free(option);
}

enum messages_status messages_status(const struct messages_part *part)
{
    if (part->member->state == SELECTION_DUPLICATE)
        return MESSAGES_DUPLICATE;
    if (part->reason == NULL)
        return MESSAGES_OK;
    return part->is_excused && utarray_len(part->ids) == 0 ? MESSAGES_DISABLED : MESSAGES_FAILED;
}

bool messages_succeeded(const struct messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        if (messages_status(&messages->parts[i]) == MESSAGES_FAILED)
            return false;
    return utarray_len(messages->refusals) == 0;
}

size_t messages_total(const struct messages *messages)
{
    size_t total = 0;

    for (size_t i = 0; i < messages->count; i++)
        total += utarray_len(messages->parts[i].ids);
    return total;
}

void messages_free(struct messages *messages)
{
    struct wish *wish = messages->wishes, *next;

    HASH_CLEAR(hh, messages->wishes); /* the table: its elements still lead to each other */
    for (; wish != NULL; wish = next) {
        next = wish->hh.next;
        utarray_free(wish->places);
        free(wish);
    }
    for (size_t i = 0; i < messages->count; i++) {
        utarray_free(messages->parts[i].ids);
        utarray_free(messages->parts[i].settings);
        free(messages->parts[i].reason);
        free(messages->parts[i].last_error);
        free(messages->parts[i].is_left);
    }
    free(messages->parts);
    if (messages->refusals != NULL)
        utarray_free(messages->refusals);
    free_counts(&messages->counts);
    *messages = (struct messages){0};
}
