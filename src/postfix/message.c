/* SPDX-License-Identifier: MIT */
/* Reads what postqueue(1) lists, chooses, counts, and has postsuper(1) act. */
#include "postfix/message.h"
#include "base/path.h"
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

/* How much of a value is kept as a key, in bytes: replies of other hosts can be long. */
#define KEY_MAXIMUM 1024

/* A message that was named, or one of the places where it was found. */
struct wish {
    struct wish_key {
        size_t part; /* its number, or ANYWHERE */
        char id[MESSAGE_ID_SIZE];
    } key;
    bool is_named;
    size_t found; /* in how many parts */
    UT_hash_handle hh;
};

static const UT_icd id_icd = {sizeof(struct message_id), NULL, NULL, NULL};

const struct message_verb_row message_verbs[] = {
    [MESSAGE_LIST] = {"list", NULL, NULL, NULL},
    [MESSAGE_COUNT] = {"count", NULL, NULL, NULL},
    [MESSAGE_HOLD] = {"hold", "-h", "Placed on hold", "held"},
    [MESSAGE_RELEASE] = {"release", "-H", "Released from hold", "released"},
    [MESSAGE_REQUEUE] = {"requeue", "-r", "Requeued", "requeued"},
    [MESSAGE_DELETE] = {"delete", "-d", "Deleted", "deleted"},
    [MESSAGE_EXPIRE] = {"expire", "-e", "Force-expired", "expired"},
};

const char *const message_keys[] = {
    [MESSAGE_BY_NOTHING] = NULL,          [MESSAGE_BY_SENDER] = "sender",
    [MESSAGE_BY_RECIPIENT] = "recipient", [MESSAGE_BY_DOMAIN] = "domain",
    [MESSAGE_BY_REASON] = "reason",       [MESSAGE_BY_QUEUE] = "queue",
    [MESSAGE_BY_INSTANCE] = "instance",
};

/* A short one, or a long one: six or more digits of seconds and four of microseconds to base 52,
 * z, and the inode number. Base 52 has no vowels, base 51 of inode numbers no z either. */
static bool is_id(const char *text)
{
    static const char digits[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    const char *separator = strrchr(text, 'z');
    size_t length = strlen(text);

    if (length >= MESSAGE_ID_SIZE)
        return false;
    if (length >= 6 && strspn(text, "0123456789ABCDEF") == length)
        return true;
    return separator != NULL && separator - text >= 10 && separator[1] != '\0' &&
           strspn(text, digits) == length;
}

/* Returns the address of a recipient, or NULL if there is none of that number or it is invalid;
 * and in *reason why its delivery is delayed, or NULL. */
static const char *read_recipient(const struct message *message, size_t index, const char **reason)
{
    const json_t *recipient = json_array_get(message->recipients, index);
    const json_t *delay = json_object_get(recipient, "delay_reason");

    *reason = json_string_value(delay);
    return delay == NULL || json_is_string(delay)
               ? json_string_value(json_object_get(recipient, "address"))
               : NULL;
}

/* Returns the member in question if one is missing or invalid, otherwise NULL. */
static const char *take_members(struct message *message)
{
    static const struct {
        const char *name;
        json_type type;
    } members[] = {
        {"queue_name", JSON_STRING},    {"queue_id", JSON_STRING},      {"sender", JSON_STRING},
        {"arrival_time", JSON_INTEGER}, {"message_size", JSON_INTEGER}, {"recipients", JSON_ARRAY},
    };
    json_t *values[sizeof(members) / sizeof(members[0])];
    const json_t *expired = json_object_get(message->object, "forced_expire");
    const char *reason;

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        values[i] = json_object_get(message->object, members[i].name);
        if (values[i] == NULL || json_typeof(values[i]) != members[i].type ||
            (json_is_integer(values[i]) && json_integer_value(values[i]) < 0))
            return members[i].name;
    }
    message->queue = json_string_value(values[0]);
    message->id = json_string_value(values[1]);
    message->sender = json_string_value(values[2]);
    message->arrival = json_integer_value(values[3]);
    message->size = json_integer_value(values[4]);
    message->recipients = values[5];
    message->is_expired = json_is_true(expired);
    for (size_t i = 0; i < json_array_size(message->recipients); i++)
        if (read_recipient(message, i, &reason) == NULL)
            return "recipients";
    if (!is_id(message->id))
        return "queue_id";
    return expired == NULL || json_is_boolean(expired) ? NULL : "forced_expire";
}

/* jansson accepts valid UTF-8 only. What is invalid, which another host's reply can bring into a
 * delay reason, becomes U+FFFD. */
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

/* Returns how many values of the key a message has. */
static size_t count_values(const struct message *message, enum message_key key)
{
    bool is_of_recipients = key >= MESSAGE_BY_RECIPIENT && key <= MESSAGE_BY_REASON;

    return is_of_recipients ? json_array_size(message->recipients) : 1;
}

/* Returns one of them, or NULL. */
static const char *find_value(const struct message *message, enum message_key key, size_t index)
{
    const char *value, *reason;

    switch (key) {
    case MESSAGE_BY_SENDER:
        return message->sender;
    case MESSAGE_BY_QUEUE:
        return message->queue;
    case MESSAGE_BY_INSTANCE:
        value = instance_value(message->part->member->instance, PARAMETER_MULTI_INSTANCE_NAME);
        return value[0] == '\0' ? "-" : value;
    case MESSAGE_BY_RECIPIENT:
        return read_recipient(message, index, &reason);
    case MESSAGE_BY_DOMAIN:
        value = read_recipient(message, index, &reason);
        value = value == NULL ? NULL : strrchr(value, '@');
        return value == NULL ? "" : value + 1;
    case MESSAGE_BY_REASON:
        (void)read_recipient(message, index, &reason);
        return reason;
    default:
        return NULL;
    }
}

static bool matches(const struct message *message, enum message_key key, const char *pattern)
{
    for (size_t i = 0; i < count_values(message, key); i++) {
        const char *value = find_value(message, key, i);

        if (value != NULL && fnmatch(pattern, value, FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

static bool passes(const struct message *message, const struct message_filter *filter)
{
    for (enum message_key key = MESSAGE_BY_SENDER; key < MESSAGE_KEYS; key++) {
        const char *pattern = filter->patterns[key];

        if (key == MESSAGE_BY_SENDER && pattern != NULL && strcmp(pattern, "<>") == 0)
            pattern = EMPTY_SENDER;
        if (pattern != NULL && !matches(message, key, pattern))
            return false;
    }
    return message->arrival <= filter->before && message->size > filter->larger;
}

static bool is_in(const struct message *message, const char *queue)
{
    return strcmp(message->queue, queue) == 0;
}

/* Whether postsuper(1) has something to do to a message: it is not in that state already. Mail in
 * maildrop, which pickup(8) has not read yet, can only be deleted. */
static bool is_to_be_done(const struct message *message, enum message_verb verb)
{
    switch (verb) {
    case MESSAGE_HOLD:
        return !is_in(message, "hold") && !is_in(message, "maildrop");
    case MESSAGE_RELEASE:
        return is_in(message, "hold");
    case MESSAGE_REQUEUE:
        return !is_in(message, "maildrop");
    case MESSAGE_EXPIRE:
        return !message->is_expired && !is_in(message, "maildrop");
    default:
        return true;
    }
}

/*
 * Reads a line that postsuper(1) wrote to standard error, without its newline. Returns whether it
 * is the report of that verb ("postsuper: Requeued: 3 messages"), with the number in *done. The
 * line has to be that and nothing else: main.cf can make postsuper(1) print warnings.
 */
static bool read_report(const char *line, enum message_verb verb, size_t *done)
{
    const char *number = strrchr(line, ':');

    *done = number == NULL ? 0 : strtoul(number + 1, NULL, 10);
    char *report = alloc_format("postsuper: %s: %zu message", message_verbs[verb].report, *done);
    size_t length = strlen(report);
    bool is_report = strncmp(line, report, length) == 0 &&
                     (line[length] == '\0' || strcmp(line + length, "s") == 0);
    free(report);
    return is_report;
}

/* Counts the message for a value, unless it was counted for it already. */
static void count_value(struct messages *messages, const struct queue_tally *tally,
                        const char *value)
{
    char key[KEY_MAXIMUM];
    size_t length = strlen(value);
    struct message_count *count;

    if (length > sizeof(key)) {
        length = sizeof(key);
        while (length > 0 && ((unsigned char)value[length] & 0xC0) == 0x80) /* in a character */
            length--;
    }
    for (size_t i = 0; i < length; i++)
        key[i] =
            messages->by == MESSAGE_BY_DOMAIN ? (char)tolower((unsigned char)value[i]) : value[i];
    HASH_FIND(hh, messages->counts, key, length, count);
    if (count == NULL) {
        count = alloc_zeroed(1, sizeof(*count) + length + 1);
        memcpy(count->key, key, length);
        HASH_ADD_KEYPTR(hh, messages->counts, count->key, length, count);
    }
    if (count->last != messages->counted.messages)
        queue_add(&count->tally, tally);
    count->last = messages->counted.messages;
}

static int compare_counts(const struct message_count *one, const struct message_count *other)
{
    if (one->tally.messages != other->tally.messages)
        return one->tally.messages > other->tally.messages ? -1 : 1;
    if (one->tally.bytes != other->tally.bytes)
        return one->tally.bytes > other->tally.bytes ? -1 : 1;
    return strcmp(one->key, other->key);
}

static bool acts(const struct messages *messages)
{
    return message_verbs[messages->verb].option != NULL;
}

/* The first reason is kept; NULL is none. */
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
                                        "corrupt",  "bounce",   "defer",  "trace",    NULL};

/* How many directories of an instance are looked at. */
#define DIRECTORY_MAXIMUM 100000

/* Returns why nothing is done where one of the directories of these names, or below them, is no
 * real one, a new string; or NULL. Through a link, postsuper(1) would reach the messages of another
 * instance. */
static char *find_trap(const char *parent, const char *const *names, size_t *looked)
{
    /* see hash_queue_names in postconf(5) */
    static const char *const hashed[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8",
                                         "9", "A", "B", "C", "D", "E", "F", NULL};
    char *reason = NULL;

    for (; *names != NULL && reason == NULL; names++) {
        char *path = alloc_format("%s/%s", parent, *names);
        struct stat status;
        int error = path_status(path, O_NOFOLLOW, &status);

        if (error != 0 && error != ENOENT)
            reason = alloc_format("refused: %s: %s", path, path_error(error));
        else if (error == 0 && !S_ISDIR(status.st_mode))
            reason = alloc_format("refused: %s is not a directory of its own", path);
        else if (error == 0 && ++*looked > DIRECTORY_MAXIMUM)
            reason = alloc_format("refused: %s: too many directories", path);
        else if (error == 0)
            reason = find_trap(path, hashed, looked);
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

static void add_claim(UT_array *claims, const struct instance *instance, const char *name)
{
    char *path = alloc_format("%s/%s", instance_value(instance, PARAMETER_QUEUE_DIRECTORY), name);
    struct claim claim = {.instance = instance};
    struct stat status;
    int error = path_status(path, O_NOFOLLOW, &status);

    if (error == 0 && S_ISLNK(status.st_mode)) {
        claim.is_link = true;
        error = path_status(path, 0, &status);
    }
    if (error == 0) {
        claim.device = status.st_dev;
        claim.inode = status.st_ino;
        utarray_push_back(claims, &claim);
    }
    free(path);
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

        if (instance_value(instance, PARAMETER_QUEUE_DIRECTORY)[0] == '\0')
            continue;
        add_claim(claims, instance, "."); /* the queue directory itself, which may be a link */
        for (const char *const *name = worked_on; *name != NULL; name++)
            add_claim(claims, instance, *name);
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
    size_t looked = 0;

    return sharer == NULL
               ? find_trap(instance_value(instance, PARAMETER_QUEUE_DIRECTORY), worked_on, &looked)
               : alloc_format("refused: %s has the same queue_directory", sharer->config_directory);
}

/* Returns why nothing is run in the instance, a new string; or NULL. */
static char *find_refusal(const struct messages *messages, const UT_array *claims,
                          const struct selection_member *member)
{
    const char *daemons = instance_value(member->instance, PARAMETER_DAEMON_DIRECTORY);

    if (member->state != SELECTION_SERVE)
        return selection_reason(member);
    if (strcmp(daemons, messages->daemon_directory) != 0)
        return alloc_format("refused: postqueue(1) may run showq(8) from its own daemon_directory "
                            "%s",
                            daemons);
    return claims != NULL ? find_danger(messages, claims, member->instance) : NULL;
}

/* Returns what was named, or found; NULL if it was not, unless it is to be added. */
static struct wish *find_wish(struct messages *messages, size_t part, const char *id, bool adds)
{
    struct wish_key key;
    struct wish *wish;

    memset(&key, 0, sizeof(key)); /* it is compared byte by byte */
    key.part = part;
    memcpy(key.id, id, strnlen(id, MESSAGE_ID_SIZE - 1));
    HASH_FIND(hh, messages->wishes, &key, sizeof(key), wish);
    if (wish == NULL && adds) {
        wish = alloc_zeroed(1, sizeof(*wish));
        memcpy(&wish->key, &key, sizeof(key));
        HASH_ADD(hh, messages->wishes, key, sizeof(key), wish);
    }
    return wish;
}

/* Returns the number of the part that the name means; ANYWHERE if that is not one. */
static size_t find_part(struct messages *messages, const char *name, const char *id)
{
    size_t found = ANYWHERE, matching = 0;

    for (size_t i = 0; i < messages->selection->member_count; i++) {
        const struct selection_member *member = &messages->selection->members[i];

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

/* Names a message in an instance, or NULL: in whichever it is. */
static void name(struct messages *messages, const char *instance, const char *id)
{
    size_t part = instance == NULL ? ANYWHERE : find_part(messages, instance, id);

    if (instance == NULL || part != ANYWHERE)
        find_wish(messages, part, id, true)->is_named = true;
}

/* What mailq(1) prints around the lines with queue IDs: headings, the number of messages, addresses
 * and reasons, which are indented. */
static bool is_beside(const char *line)
{
    static const char *const starts[] = {"-Queue ID-", "----Queue ID-----", "-- ",
                                         "Mail queue is empty"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return line[0] == '\0' || text_is_space(line[0]) || line[0] == '(';
}

/* Whether what follows the ID is what mailq(1) has there: nothing else is left unread. */
static bool is_rest_of_mailq(const char *rest)
{
    const char *number = rest + strspn(rest, TEXT_WHITE_SPACE);
    size_t digits = strspn(number, "0123456789");

    return number[digits] == '\0' ? digits == 0 : digits > 0 && text_is_space(number[digits]);
}

/* Finds the ID in a line of mailq(1) or an operand, which it splits, and the instance, or NULL. */
static bool split_line(char *line, const char **instance, const char **id)
{
    size_t length = strcspn(line, TEXT_WHITE_SPACE);
    bool is_whole = is_rest_of_mailq(line + length);

    while (length > 0 && strchr("*!#", line[length - 1]) != NULL)
        length--;
    line[length] = '\0';
    char *slash = strrchr(line, '/');
    *id = slash == NULL ? line : slash + 1;
    *instance = slash == NULL ? NULL : line;
    if (slash != NULL)
        *slash = '\0';
    return is_whole && slash != line && is_id(*id);
}

/* The same in an object, which may be NULL. */
static bool split_object(json_t *object, const char **instance, const char **id)
{
    *instance = NULL;
    return json_unpack(object, "{ss s?s}", "queue_id", id, "config_directory", instance) == 0 &&
           is_id(*id);
}

enum message_operand messages_name(struct messages *messages, const char *line, size_t length)
{
    enum message_operand result = MESSAGE_OPERAND_BAD;
    json_error_t failure;
    const char *instance, *id;

    if (length > 0 && line[length - 1] == '\r')
        length--;
    char *text = alloc_span(line, length);
    json_t *object = text[0] == '{' ? load(text, length, &failure) : NULL;
    if (strlen(text) == length && is_beside(text)) {
        result = MESSAGE_OPERAND_NONE;
    } else if (strlen(text) == length && (text[0] == '{' ? split_object(object, &instance, &id)
                                                         : split_line(text, &instance, &id))) {
        result = MESSAGE_OPERAND_ID;
        name(messages, instance, id);
    }
    json_decref(object);
    free(text);
    return result;
}

/* Whether the message was named; notes in how many parts it is. It may be listed twice while it
 * moves from queue to queue (postqueue(1)). */
static bool note_named(struct messages *messages, size_t part, const char *id)
{
    struct wish *anywhere = find_wish(messages, ANYWHERE, id, false);
    struct wish *here = find_wish(messages, part, id, anywhere != NULL);

    if (here != NULL && here->found == 0) {
        here->found = 1;
        if (anywhere != NULL)
            anywhere->found++;
    }
    return here != NULL;
}

/* Keeps the message if it is to be acted on. */
static void note_id(struct messages_part *part, const struct message *message)
{
    struct messages *messages = part->all;
    bool wants_held = messages->is_named || messages->filter.patterns[MESSAGE_BY_QUEUE] != NULL;
    struct message_id id = {.is_left = false};

    if (messages->is_named && is_in(message, "maildrop") &&
        (messages->verb == MESSAGE_HOLD || messages->verb == MESSAGE_EXPIRE))
        strings_append(messages->refusals, "%s: mail in %s cannot be %s", message->id,
                       message->queue, message_verbs[messages->verb].done);
    if (!is_to_be_done(message, messages->verb) ||
        (messages->verb == MESSAGE_REQUEUE && is_in(message, "hold") && !wants_held))
        return;
    if (utarray_len(part->ids) >= messages->maximum) {
        fail(part, alloc_format("more than %zu messages: narrow the filter", messages->maximum));
        return;
    }
    memcpy(id.text, message->id, strnlen(message->id, MESSAGE_ID_SIZE - 1));
    utarray_push_back(part->ids, &id);
}

/* Counts the message once for each of its values, unless its instance has too many of them. */
static void count_message(struct messages_part *part, const struct message *message)
{
    struct messages *messages = part->all;
    const struct queue_tally tally = {1, message->size, message->arrival};
    size_t before = HASH_COUNT(messages->counts);

    queue_add(&messages->counted, &tally);
    for (size_t i = 0; i < count_values(message, messages->by); i++) {
        const char *value = find_value(message, messages->by, i);

        if (value != NULL)
            count_value(messages, &tally, value);
    }
    part->keys += HASH_COUNT(messages->counts) - before;
    if (part->keys > messages->maximum)
        fail(part, alloc_format("more than %zu keys to count by", messages->maximum));
}

static void note_message(struct messages_part *part, const struct message *message)
{
    struct messages *messages = part->all;

    if (messages->is_named && !note_named(messages, (size_t)(part - messages->parts), message->id))
        return;
    if (!passes(message, &messages->filter))
        return;
    if (messages->verb == MESSAGE_LIST)
        messages->found(messages->context, message);
    else if (messages->verb == MESSAGE_COUNT)
        count_message(part, message);
    else
        note_id(part, message);
}

static struct message_id *id_of(const struct messages_part *part, size_t index)
{
    return utarray_eltptr(part->ids, index);
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp(one, other); /* text comes first */
}

/* What postsuper(1) did not count, and is still there, was not done. */
static void note_left(struct messages_part *part, const struct message *message)
{
    struct message_id *found = utarray_find(part->ids, message->id, compare_ids);

    if (found != NULL && is_to_be_done(message, part->all->verb))
        found->is_left = true;
}

/* Reads a line of postqueue(1) -j (JSON OBJECT FORMAT there). */
static void note_line(struct messages_part *part, const char *text, size_t length)
{
    struct message message = {.part = part};
    json_error_t failure;

    part->lines++;
    if (part->reason != NULL)
        return;
    message.object = load(text, length, &failure);
    const char *wrong = message.object == NULL ? NULL : take_members(&message);
    if (message.object == NULL)
        fail(part, alloc_format("postqueue -j, line %zu: not JSON: %s", part->lines, failure.text));
    else if (wrong != NULL)
        fail(part, alloc_format("postqueue -j, line %zu: no valid %s", part->lines, wrong));
    else if (part->all->is_checking)
        note_left(part, &message);
    else
        note_message(part, &message);
    json_decref(message.object);
}

/* Keeps the report of postsuper(1), and otherwise the last line that says something. */
static void note_error(struct messages_part *part, const char *text, size_t length)
{
    size_t done;

    if (strlen(text) == length && read_report(text, part->all->verb, &done)) {
        part->done = done;
        part->is_unknown = false;
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

static void finish_search(struct messages_part *part, const char *failure)
{
    if (failure != NULL)
        fail(part, alloc_string(failure));
    else if (part->child.output.truncated)
        fail(part, alloc_format("postqueue -j: a line of more than %zu MiB",
                                CAPTURE_LINE_MAXIMUM / 1024 / 1024));
    else if (utstring_len(&part->child.output.text) > 0)
        fail(part, alloc_string("postqueue -j: the last line is not complete"));
}

static void finish_act(struct messages_part *part, const char *failure)
{
    static const char usage[] = "postsuper: fatal: usage:";
    const char *last = part->last_error == NULL ? "" : part->last_error;
    size_t requested = utarray_len(part->ids);
    bool is_old = part->all->verb == MESSAGE_EXPIRE && strncmp(last, usage, strlen(usage)) == 0;

    if (is_old || part->child.outcome == PROCESS_PENDING ||
        part->child.outcome == PROCESS_NOT_STARTED)
        part->is_unknown = false; /* nothing was done */
    if (is_old)
        fail(part, alloc_string("postsuper(1) has no -e: expire needs Postfix 3.5 or later"));
    else if (part->is_unknown && failure == NULL)
        fail(part, alloc_string("postsuper(1) has not reported how many messages it found"));
    else if (part->is_unknown)
        fail(part, alloc_format("%s; it is unknown how many messages were %s", failure,
                                message_verbs[part->all->verb].done));
    else if (failure != NULL)
        fail(part, alloc_string(failure));
    else if (part->done > requested)
        fail(part, alloc_format("postsuper(1) reports %zu messages of %zu", part->done, requested));
    if (part->done > requested)
        part->done = requested;
}

/* What the child itself said of its failure comes first. */
static void finish(struct process *child)
{
    struct messages_part *part = child->owner;
    char *failure = process_failure(child, part->all->limits);

    part->is_running = false;
    if (failure != NULL && child->outcome == PROCESS_ENDED && part->last_error != NULL)
        alloc_set_text(&failure, "%s", part->last_error);
    if (child->input == NULL)
        finish_search(part, failure);
    else
        finish_act(part, failure);
    free(failure);
}

static void observe(void *context, enum process_event event, struct process *child)
{
    const struct messages *messages = context;

    if (event == PROCESS_FINISHED) {
        finish(child);
        process_free(child);
    } else if (event == PROCESS_WAITING && messages->waiting != NULL) {
        messages->waiting(messages->context);
    }
}

/* Runs the program in the parts that are marked as running; with_ids: which it reads. */
static void run(struct messages *messages, char *const *argv, bool with_ids)
{
    struct process **children = alloc_zeroed(messages->count, sizeof(struct process *));
    char *program = alloc_format("%s/%s", messages->directory, argv[0]);
    struct process_batch batch = {.processes = children,
                                  .parallel = process_count_processors(),
                                  .in_turn = messages->verb == MESSAGE_LIST,
                                  .limits = messages->limits,
                                  .observe = observe,
                                  .context = messages};

    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];

        if (!part->is_running)
            continue;
        part->lines = 0;
        for (size_t j = 0; with_ids && j < utarray_len(part->ids); j++) {
            text_append(&part->input, id_of(part, j)->text, strlen(id_of(part, j)->text));
            text_append(&part->input, "\n", 1);
        }
        part->child = (struct process){.program = program,
                                       .argv = argv,
                                       .environment = process_clean_environment,
                                       .settings = part->settings,
                                       .streams = PROCESS_CAPTURE,
                                       .input = with_ids ? &part->input : NULL,
                                       .line = receive_line,
                                       .owner = part};
        children[batch.count++] = &part->child;
    }
    process_run(&batch);
    for (size_t i = 0; i < batch.count; i++)
        if (children[i]->outcome == PROCESS_PENDING)
            finish(children[i]);
    free(program);
    free(children);
}

/* The same with postqueue(1). */
static void search(struct messages *messages)
{
    static char name[] = "postqueue", option[] = "-j";
    static char *const argv[] = {name, option, NULL};

    run(messages, argv, false);
}

/* Whether a message in several instances was named without one. */
static bool is_ambiguous(const struct messages *messages, const struct wish *wish)
{
    return acts(messages) && wish->key.part == ANYWHERE && wish->found > 1;
}

static void describe_ambiguous(struct messages *messages, const char *id)
{
    UT_string names;

    utstring_init(&names);
    for (size_t i = 0; i < messages->count; i++) {
        const struct wish *here = find_wish(messages, i, id, false);

        if (here != NULL && here->found > 0)
            utstring_printf(&names, "%s%s", utstring_len(&names) == 0 ? "" : ", ",
                            name_of(&messages->parts[i]));
    }
    strings_append(messages->refusals, "%s: in several instances: %s: specify instance/%s", id,
                   utstring_body(&names), id);
    utstring_done(&names);
}

static void check_wishes(struct messages *messages)
{
    bool is_incomplete = false; /* an instance could not be searched */

    for (size_t i = 0; i < messages->count; i++)
        is_incomplete |= messages->parts[i].is_wanted && messages->parts[i].reason != NULL &&
                         messages->parts[i].member->state != SELECTION_DUPLICATE;
    for (struct wish *wish = messages->wishes; wish != NULL; wish = wish->hh.next) {
        const struct messages_part *part =
            wish->key.part == ANYWHERE ? NULL : &messages->parts[wish->key.part];

        if (is_ambiguous(messages, wish))
            describe_ambiguous(messages, wish->key.id);
        else if (wish->found == 0 && part == NULL)
            strings_append(messages->refusals, "%s: no such message%s", wish->key.id,
                           is_incomplete ? " where it could be looked for" : "");
        else if (wish->found == 0 && part->reason == NULL)
            strings_append(messages->refusals, "%s/%s: no such message", name_of(part),
                           wish->key.id);
    }
}

/* Whether the message may be meant in another instance. */
static bool is_others(struct messages *messages, size_t part, const char *id)
{
    const struct wish *anywhere = find_wish(messages, ANYWHERE, id, false);

    return anywhere != NULL && is_ambiguous(messages, anywhere) &&
           !find_wish(messages, part, id, false)->is_named;
}

/* Sorts what was found, and leaves out what was found twice or may be another instance's. */
static void settle_ids(struct messages *messages, size_t number)
{
    const struct messages_part *part = &messages->parts[number];
    UT_array *ids = part->ids;
    unsigned kept = 0;

    if (utarray_len(ids) > 1)
        utarray_sort(ids, compare_ids);
    for (size_t i = 0; i < utarray_len(ids) && part->reason == NULL; i++) {
        const struct message_id *id = id_of(part, i);

        if ((kept == 0 || compare_ids(id, id_of(part, kept - 1)) != 0) &&
            !is_others(messages, number, id->text))
            *id_of(part, kept++) = *id;
    }
    utarray_resize(ids, kept);
}

/* Sets the results. */
static void settle(struct messages *messages)
{
    messages->total = 0;
    messages->is_well = utarray_len(messages->refusals) == 0;
    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];
        bool is_excused = part->member->instance->enabled == INSTANCE_DISABLED &&
                          !part->member->is_named && utarray_len(part->ids) == 0;

        part->status = part->member->state == SELECTION_DUPLICATE ? MESSAGES_DUPLICATE
                       : part->reason == NULL                     ? MESSAGES_OK
                       : is_excused                               ? MESSAGES_DISABLED
                                                                  : MESSAGES_FAILED;
        messages->is_well = messages->is_well && part->status != MESSAGES_FAILED;
        messages->total += utarray_len(part->ids);
    }
}

/* Makes the parts. */
static void plan(struct messages *messages)
{
    const struct selection *selection = messages->selection;
    UT_array *claims = acts(messages) ? find_claims(&selection->host) : NULL;
    bool everywhere = !messages->is_named;

    messages->count = selection->member_count;
    messages->parts = alloc_zeroed(messages->count, sizeof(*messages->parts));
    for (const struct wish *wish = messages->wishes; wish != NULL; wish = wish->hh.next) {
        if (wish->key.part == ANYWHERE)
            everywhere = true;
        else
            messages->parts[wish->key.part].is_wanted = true;
    }
    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];

        part->member = &selection->members[i];
        part->is_wanted |= everywhere;
        part->all = messages;
        part->reason = find_refusal(messages, claims, part->member);
        part->is_running = part->is_wanted && part->reason == NULL;
        utarray_new(part->ids, &id_icd);
        utarray_new(part->settings, &strings_icd);
        strings_append(part->settings, "MAIL_CONFIG=%s", part->member->instance->config_directory);
        utstring_init(&part->input);
    }
    if (claims != NULL)
        utarray_free(claims);
}

void messages_find(struct messages *messages)
{
    plan(messages);
    search(messages);
    check_wishes(messages);
    for (size_t i = 0; i < messages->count; i++)
        settle_ids(messages, i);
    HASH_SORT(messages->counts, compare_counts);
    settle(messages);
}

/* Marks the parts where something is to be done. Looks for dangers again: the search and the
 * question take their time. */
static void start_act(struct messages *messages)
{
    UT_array *claims = find_claims(&messages->selection->host);

    for (size_t i = 0; i < messages->count; i++) {
        struct messages_part *part = &messages->parts[i];

        if (part->reason != NULL || utarray_len(part->ids) == 0)
            continue;
        part->reason = find_danger(messages, claims, part->member->instance);
        part->is_running = part->is_unknown = part->reason == NULL;
    }
    utarray_free(claims);
}

/* What is left in the queue, and could have been done, was not; the rest is gone. */
static void judge(struct messages_part *part)
{
    size_t requested = utarray_len(part->ids), missing = requested - part->done, left = 0;

    if (part->reason != NULL || missing == 0)
        return;
    for (size_t i = 0; i < requested; i++)
        left += id_of(part, i)->is_left;
    if (left > missing)
        left = missing; /* one may be back, under the same ID */
    part->gone = missing - left;
    if (left > 0)
        fail(part, alloc_format("only %zu of %zu messages were %s", part->done, requested,
                                message_verbs[part->all->verb].done));
}

void messages_act(struct messages *messages)
{
    static char name[] = "postsuper", input[] = "-";
    char *option = alloc_string(message_verbs[messages->verb].option);
    char *const argv[] = {name, option, input, NULL};

    start_act(messages);
    run(messages, argv, true);
    messages->is_checking = true;
    for (size_t i = 0; i < messages->count; i++)
        messages->parts[i].is_running =
            messages->parts[i].reason == NULL &&
            messages->parts[i].done < utarray_len(messages->parts[i].ids);
    search(messages);
    for (size_t i = 0; i < messages->count; i++)
        judge(&messages->parts[i]);
    settle(messages);
    free(option);
}

void messages_free(struct messages *messages)
{
    struct wish *wish = messages->wishes, *next_wish;
    struct message_count *count = messages->counts, *next_count;

    HASH_CLEAR(hh, messages->wishes); /* the table: its elements still lead to each other */
    for (; wish != NULL; wish = next_wish) {
        next_wish = wish->hh.next;
        free(wish);
    }
    HASH_CLEAR(hh, messages->counts);
    for (; count != NULL; count = next_count) {
        next_count = count->hh.next;
        free(count);
    }
    for (size_t i = 0; i < messages->count; i++) {
        utarray_free(messages->parts[i].ids);
        utarray_free(messages->parts[i].settings);
        utstring_done(&messages->parts[i].input);
        free(messages->parts[i].reason);
        free(messages->parts[i].last_error);
    }
    free(messages->parts);
    if (messages->refusals != NULL)
        utarray_free(messages->refusals);
    *messages = (struct messages){0};
}
