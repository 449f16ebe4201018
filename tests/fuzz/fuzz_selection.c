/* SPDX-License-Identifier: MIT */
/* The first line is -g, the second -i, both as lists; the rest is the default main.cf. The
 * instances in the scratch directory are "a" and "b"; an @ in the text stands for that directory.
 */
#include "asked.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "postfix/selection.h"
#include "scratch.h"
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings *settings;

static void write_file(const char *name, const char *text, size_t length)
{
    char *path = alloc_format("%s/%s", scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert(fd >= 0 && write(fd, text, length) == (ssize_t)length);
    close(fd);
    free(path);
}

static void make_instance(const char *name, const char *text)
{
    char *directory = alloc_format("%s/%s", scratch, name);
    char *file = alloc_format("%s/main.cf", name);
    char *content = alloc_format("queue_directory = %s/%s\n%s", scratch, name, text);

    assert(mkdir(directory, 0700) == 0);
    write_file(file, content, strlen(content));
    free(directory);
    free(file);
    free(content);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    UT_array *errors;

    (void)argc;
    (void)argv;
    scratch_make();
    make_instance("default", "");
    make_instance("a", "multi_instance_name = postfix-a\nmulti_instance_enable = yes\n");
    make_instance("b", "multi_instance_group = g\n");
    char *ini = alloc_format("[postfix]\nconfig_directory = %s/default\ncommand_directory = %s\n",
                             scratch, scratch);
    char *path = alloc_format("%s/postkick.ini", scratch);
    write_file("postkick.ini", ini, strlen(ini));
    utarray_new(errors, &strings_icd);
    settings = settings_load(path, true, "/nonexistent", errors);
    assert(settings != NULL);
    utarray_free(errors);
    free(path);
    free(ini);
    return 0;
}

/* Takes a line off the text, as a list. */
static UT_array *take_list(char **text)
{
    size_t length = strcspn(*text, "\n");
    char *line = alloc_span(*text, length);
    UT_array *list = strings_split(line, PARAMETER_SEPARATORS);

    *text += length + ((*text)[length] == '\n' ? 1 : 0);
    free(line);
    return list;
}

static void write_main_cf(const char *text)
{
    UT_string content;

    utstring_init(&content);
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '@')
            utstring_bincpy(&content, scratch, strlen(scratch));
        else
            utstring_bincpy(&content, at, 1);
    write_file("default/main.cf", utstring_body(&content), utstring_len(&content));
    utstring_done(&content);
}

static void check_members(const struct selection *selection)
{
    for (size_t i = 0; i < selection->member_count; i++) {
        const struct selection_member *member = &selection->members[i];

        assert((member->state == SELECTION_DUPLICATE) == (member->duplicate_of != NULL));
        assert(member->state != SELECTION_FAILED || member->instance->error != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct limits no_limits = {.end = CLOCK_NEVER};
    char *text = alloc_span((const char *)data, size), *rest = text;
    UT_array *groups = take_list(&rest), *names = take_list(&rest);
    struct selection selection;

    write_main_cf(rest);
    struct selection_criteria criteria = {.groups = groups,
                                          .names = names,
                                          .reverse = size % 2 == 1,
                                          .settings = settings,
                                          .purpose = PARAMETER_FOR_KICK,
                                          .limits = &no_limits};
    if (selection_make(&selection, &criteria)) {
        assert(selection.host.error == NULL && selection.member_count <= selection.host.count);
        selection_mark(&selection, size % 3 == 0);
        check_members(&selection);
    } else {
        assert(selection.host.error != NULL);
    }
    selection_free(&selection);
    utarray_free(groups);
    utarray_free(names);
    free(text);
    return 0;
}
