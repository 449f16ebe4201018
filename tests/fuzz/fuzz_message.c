/* SPDX-License-Identifier: MIT */
/* Any text as a line of postqueue(1), of standard input, and of postsuper(1). */
#include "postfix/message.c" /* what it reads from programs has no other way in */
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted has all that is read of it. */
static void check_message(const char *text, size_t size)
{
    struct message_filter filter = MESSAGE_FILTER_ALL;
    const struct instance instance = {.config_directory = NULL};
    struct message message;
    char *error = NULL;

    if (!parse_message(&message, text, size, &error)) {
        assert(error != NULL && message.object == NULL);
        free(error);
        return;
    }
    assert(error == NULL && message.arrival >= 0 && message.size >= 0);
    assert(is_id(message.id, strlen(message.id)));
    assert(passes(&message, &filter));
    filter.recipient = filter.sender = "*";
    assert(passes(&message, &filter) == (message.recipient_count > 0));
    for (enum message_key by = MESSAGE_BY_NOTHING; by < MESSAGE_KEYS; by++) {
        struct message_counts counts = {.by = by};

        count_message(&counts, &message, &instance);
        count_message(&counts, &message, &instance);
        for (const struct message_count *count = counts.first; count != NULL;
             count = count->hh.next)
            assert(count->messages == 2);
        free_counts(&counts);
    }
    free_message(&message);
}

/* A line that names a message names the same one by itself, and is no option and no "ALL". */
static void check_operand(const char *text, size_t size)
{
    char id[MESSAGE_ID_SIZE], again[MESSAGE_ID_SIZE], *instance, *none;

    if (message_parse_line(text, size, &instance, id) == MESSAGE_OPERAND_ID) {
        assert(id[0] != '-' && strcmp(id, "ALL") != 0 && strpbrk(id, "/ \n") == NULL);
        assert(parse_operand(id, strlen(id), &none, again));
        assert(none == NULL && strcmp(id, again) == 0);
    } else {
        assert(instance == NULL);
    }
    free(instance);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = alloc_span((const char *)data, size);
    size_t done;

    check_message(text, size);
    check_operand(text, size);
    for (enum message_verb verb = MESSAGE_HOLD; verb < MESSAGE_VERBS; verb++)
        (void)read_report(text, verb, &done);
    free(text);
    return 0;
}
