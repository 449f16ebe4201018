/* SPDX-License-Identifier: MIT */
/* Any text as a line of postqueue(1), of standard input, and of postsuper(1). */
#include "postfix/message.c" /* what it reads from programs has no other way in */
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct instance instance = {.config_directory = NULL};
static struct selection_member member = {.instance = (struct instance *)&instance};

/* What is accepted has all that is read of it. */
static void check_message(const char *text, size_t size)
{
    const struct messages_part part = {.member = &member};
    struct message_filter filter = MESSAGE_FILTER_ALL;
    struct message message = {.part = &part};
    json_error_t failure;

    message.object = load(text, size, &failure);
    if (message.object != NULL && take_members(&message) == NULL) {
        assert(message.arrival >= 0 && message.size >= 0 && is_id(message.id));
        assert(passes(&message, &filter));
        filter.patterns[MESSAGE_BY_RECIPIENT] = filter.patterns[MESSAGE_BY_SENDER] = "*";
        assert(passes(&message, &filter) == (json_array_size(message.recipients) > 0));
        for (enum message_key by = MESSAGE_BY_NOTHING; by < MESSAGE_KEYS; by++) {
            struct messages messages = {.by = by, .maximum = SIZE_MAX};
            struct messages_part counted = {.all = &messages};

            count_message(&counted, &message);
            count_message(&counted, &message);
            for (const struct message_count *count = messages.counts; count != NULL;
                 count = count->hh.next)
                assert(count->tally.messages == 2);
            messages_free(&messages);
        }
    }
    json_decref(message.object);
}

/* A line that names a message names the same one by itself, and is no option and no "ALL". */
static void check_operand(const char *text, size_t size)
{
    const struct selection selection = {.member_count = 0};
    struct messages messages = {.selection = &selection, .is_named = true};

    utarray_new(messages.refusals, &strings_icd);
    if (messages_name(&messages, text, size) == MESSAGE_OPERAND_ID && messages.wishes != NULL) {
        const char *id = messages.wishes->key.id;

        assert(id[0] != '-' && strcmp(id, "ALL") != 0 && strpbrk(id, "/ \n") == NULL);
        assert(messages_name(&messages, id, strlen(id)) == MESSAGE_OPERAND_ID);
        assert(HASH_COUNT(messages.wishes) == 1);
    }
    messages_free(&messages);
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
