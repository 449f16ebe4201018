#include "base/text.h"
#include "report/report.h"
#include "report/row.h"
#include <string.h>

/* jansson says NULL or -1 when memory is short, and nothing else can go wrong here. */
static json_t *checked(json_t *value)
{
    if (value == NULL)
        alloc_fail();
    return value;
}

void report_row_add(json_t *row, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(row, name, checked(value)) < 0)
        alloc_fail();
}

json_t *report_row_string(const char *text, size_t length)
{
    static const char replacement[] = "\xef\xbf\xbd";
    UT_string clean;

    utstring_init(&clean);
    utstring_reserve(&clean, length + 1);
    for (size_t at = 0; at < length;) {
        size_t step = text_utf8_length(text + at, length - at);

        if (step > 0)
            utstring_bincpy(&clean, text + at, step);
        else
            utstring_bincpy(&clean, replacement, sizeof(replacement) - 1);
        at += step > 0 ? step : 1;
    }
    json_t *value = checked(json_stringn_nocheck(utstring_body(&clean), utstring_len(&clean)));
    utstring_done(&clean);
    return value;
}

void report_row_add_bytes(json_t *row, const char *name, const char *text, size_t length)
{
    report_row_add(row, name, report_row_string(text, length));
}

void report_row_add_text(json_t *row, const char *name, const char *text)
{
    report_row_add_bytes(row, name, text, strlen(text));
}

const char *report_column(const struct instance *instance, enum parameter parameter)
{
    const char *value = instance_value(instance, parameter);

    return value[0] == '\0' ? "-" : value;
}

const char *report_enabled(const struct instance *instance)
{
    switch (instance->enabled) {
    case INSTANCE_ENABLED:
        return "y";
    case INSTANCE_DISABLED:
        return "n";
    default:
        return "-";
    }
}

json_t *report_row_new(const struct instance *instance, struct master_locks *locks)
{
    json_t *object = checked(json_object());
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    report_row_add_text(object, "name", report_column(instance, PARAMETER_MULTI_INSTANCE_NAME));
    report_row_add_text(object, "group", report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    report_row_add_text(object, "enabled", report_enabled(instance));
    report_row_add_text(object, "config_directory", instance->config_directory);
    report_row_add_text(object, "queue_directory", queue);
    report_row_add_text(object, "data_directory",
                        instance_value(instance, PARAMETER_DATA_DIRECTORY));
    report_row_add_text(object, "running",
                        queue[0] == '/' ? master_state_text(master_state(locks, queue)) : "-");
    return object;
}

/* A string that doubles: by itself it grows by what is added, a few bytes at a time here. */
static void add(UT_string *out, const char *text, size_t length)
{
    if (out->n - out->i <= length)
        utstring_reserve(out, out->n + length + 1);
    utstring_bincpy(out, text, length);
}

/* jansson leaves DEL as it is, which is a control character for terminals. */
static int append(const char *text, size_t length, void *context)
{
    static const char escaped[] = "\\u007f";

    while (length > 0) {
        const char *found = memchr(text, '\177', length);
        size_t plain = found != NULL ? (size_t)(found - text) : length;

        add(context, text, plain);
        if (found != NULL)
            add(context, escaped, sizeof(escaped) - 1);
        plain += found != NULL ? 1 : 0;
        text += plain;
        length -= plain;
    }
    return 0;
}

void report_row_finish(json_t *row, UT_string *out)
{
    if (json_dump_callback(row, append, out, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) < 0)
        alloc_fail();
    utstring_bincpy(out, "\n", 1);
    json_decref(row);
}

void report_list_json(const struct selection *selection, struct master_locks *locks, UT_string *out)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct instance *instance = selection->members[i].instance;
        json_t *object = report_row_new(instance, locks);

        report_row_add_text(object, "reason", instance->error == NULL ? "" : instance->error);
        report_row_finish(object, out);
    }
}

void report_kicks_json(const struct kicks *kicks, struct master_locks *locks, UT_string *out)
{
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct instance *instance = kick->member->instance;
        const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
        json_t *object = report_row_new(instance, locks);
        char *endpoint = queue[0] == '\0'
                             ? alloc_string("")
                             : alloc_format("%s/%s/%s", queue, kick->class, kick->service);

        report_row_add_text(object, "class", kick->class);
        report_row_add_text(object, "service", kick->service);
        report_row_add_text(object, "request", kick->request);
        report_row_add_text(object, "endpoint", endpoint);
        report_row_add_text(object, "status", kick_status_name(kick->status));
        report_row_add_text(object, "reason", kick->reason == NULL ? "" : kick->reason);
        report_row_add(object, "seconds", json_real(kick_seconds(kick)));
        report_row_finish(object, out);
        free(endpoint);
    }
}
