/* SPDX-License-Identifier: MIT */
/* Makes the JSON rows, with the members that all have. */
#include "report/row.h"
#include "base/text.h"
#include <string.h>

/* jansson returns NULL or -1 when memory is short; nothing else can fail here. */
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
    UT_string valid;

    utstring_init(&valid);
    utstring_reserve(&valid, length + 1);
    text_append_valid(&valid, text, length);
    json_t *value = checked(json_stringn_nocheck(utstring_body(&valid), utstring_len(&valid)));
    utstring_done(&valid);
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
    return instance->enabled == INSTANCE_ENABLED    ? "y"
           : instance->enabled == INSTANCE_DISABLED ? "n"
                                                    : "-";
}

void report_row_line(UT_string *out, char *line)
{
    text_printable(out, line, strlen(line));
    utstring_bincpy(out, "\n", 1);
    free(line);
}

json_t *report_row_new(const struct instance *instance)
{
    json_t *object = checked(json_object());

    report_row_add_text(object, "name", report_column(instance, PARAMETER_MULTI_INSTANCE_NAME));
    report_row_add_text(object, "group", report_column(instance, PARAMETER_MULTI_INSTANCE_GROUP));
    report_row_add_text(object, "enabled", report_enabled(instance));
    report_row_add_text(object, "config_directory", instance->config_directory);
    report_row_add_text(object, "queue_directory",
                        instance_value(instance, PARAMETER_QUEUE_DIRECTORY));
    report_row_add_text(object, "data_directory",
                        instance_value(instance, PARAMETER_DATA_DIRECTORY));
    report_row_add_text(object, "running", master_state_text(instance->running));
    return object;
}

/* jansson does not escape DEL, which is a control character for terminals. */
static int append(const char *text, size_t length, void *context)
{
    static const char escaped[] = "\\u007f";

    while (length > 0) {
        const char *found = memchr(text, '\177', length);
        size_t plain = found != NULL ? (size_t)(found - text) : length;

        text_append(context, text, plain);
        if (found != NULL)
            text_append(context, escaped, sizeof(escaped) - 1);
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
