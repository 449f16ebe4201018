#include "report.h"
#include "text.h"
#include <jansson.h>
#include <string.h>

/* jansson says NULL or -1 when memory is short, and nothing else can go wrong here. */
static json_t *checked(json_t *value)
{
    if (value == NULL)
        diag_out_of_memory();
    return value;
}

static void set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(object, name, checked(value)) < 0)
        diag_out_of_memory();
}

/* Bytes that are not UTF-8 become U+FFFD, one for each. */
static void set_text(json_t *object, const char *name, const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t length = strlen(text);
    UT_string clean;

    utstring_init(&clean);
    for (size_t at = 0; at < length;) {
        size_t step = text_utf8_length(text + at, length - at);

        if (step > 0)
            utstring_bincpy(&clean, text + at, step);
        else
            utstring_bincpy(&clean, replacement, sizeof(replacement) - 1);
        at += step > 0 ? step : 1;
    }
    set(object, name, json_stringn_nocheck(utstring_body(&clean), utstring_len(&clean)));
    utstring_done(&clean);
}

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "-" : text;
}

static const char *enabled_text(enum instance_enabled enabled)
{
    return enabled == INSTANCE_ENABLED ? "y" : enabled == INSTANCE_DISABLED ? "n" : "-";
}

/* The members that every row has. */
static json_t *instance_object(const struct instance *instance, struct master_locks *locks)
{
    json_t *object = checked(json_object());
    const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);

    set_text(object, "name", or_dash(instance_value(instance, PARAMETER_MULTI_INSTANCE_NAME)));
    set_text(object, "group", or_dash(instance_value(instance, PARAMETER_MULTI_INSTANCE_GROUP)));
    set_text(object, "enabled", enabled_text(instance->enabled));
    set_text(object, "config_directory", instance->config_directory);
    set_text(object, "queue_directory", queue);
    set_text(object, "data_directory", instance_value(instance, PARAMETER_DATA_DIRECTORY));
    set_text(object, "running",
             queue[0] == '/' ? master_state_text(master_state(locks, queue)) : "-");
    return object;
}

static int append(const char *text, size_t length, void *context)
{
    utstring_bincpy((UT_string *)context, text, length);
    return 0;
}

/* Writes the object as a line, and frees it. */
static void finish_line(json_t *object, UT_string *out)
{
    if (json_dump_callback(object, append, out, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) < 0)
        diag_out_of_memory();
    utstring_bincpy(out, "\n", 1);
    json_decref(object);
}

void report_list_json(const struct selection *selection, struct master_locks *locks, UT_string *out)
{
    for (size_t i = 0; i < selection->chosen; i++) {
        const struct instance *instance = selection->choices[i].instance;
        json_t *object = instance_object(instance, locks);

        set_text(object, "reason", instance->error == NULL ? "" : instance->error);
        finish_line(object, out);
    }
}

void report_kicks_json(const struct kicks *kicks, struct master_locks *locks, UT_string *out)
{
    for (size_t i = 0; i < kicks->count; i++) {
        const struct kick *kick = &kicks->items[i];
        const struct instance *instance = kick->choice->instance;
        const char *queue = instance_value(instance, PARAMETER_QUEUE_DIRECTORY);
        json_t *object = instance_object(instance, locks);
        char *endpoint = queue[0] == '\0'
                             ? alloc_string("")
                             : alloc_format("%s/%s/%s", queue, kick->class, kick->service);

        set_text(object, "class", kick->class);
        set_text(object, "service", kick->service);
        set_text(object, "request", kick->request);
        set_text(object, "endpoint", endpoint);
        set_text(object, "status", kick_status_name(kick->status));
        set_text(object, "reason", kick->reason == NULL ? "" : kick->reason);
        set(object, "seconds", json_real(kick_seconds(kick)));
        finish_line(object, out);
        free(endpoint);
    }
}
