#include "ini.h"
#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* iniparser doubles it as needed. */
#define DICTIONARY_SMALLEST 128

struct ini {
    dictionary *dictionary;
};

/* iniparser reports mistakes to a function without a context. These are set during one call of
 * iniparser_load() only. */
static UT_array *reported;
static const char *reported_path;

/* iniparser 4.1 says "iniparser: syntax error in FILE (LINE):\n-> TEXT\n" or
 * "iniparser: input line too long in FILE (LINE)\n". */
static int report(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int report(const char *format, ...)
{
    va_list arguments;
    int line;

    va_start(arguments, format);
    char *message = alloc_vformat(format, arguments);
    va_end(arguments);
    if (strstr(message, "memory allocation failure") != NULL)
        diag_out_of_memory();
    message[strcspn(message, "\n")] = '\0';
    const char *at = strrchr(message, '(');
    const char *what = strstr(message, "too long") != NULL
                           ? "line too long"
                           : "not a section, a setting or a comment";
    if (at != NULL && sscanf(at, "(%d)", &line) == 1)
        alloc_append(reported, "%s, line %d: %s", reported_path, line, what);
    else
        alloc_append(reported, "%s: %s", reported_path, message);
    free(message);
    return 0;
}

/* The text as a file that nobody else can change, for iniparser_load() takes names only. It ends
 * with a newline: iniparser skips a last line of one character without one, whatever it is. */
static int text_file(const char *text, size_t length)
{
    int fd = memfd_create("postkick.ini", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done <= length) {
        ssize_t count =
            done < length ? write(fd, text + done, length - done) : write(fd, "\n", 1);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            close(fd);
            return -1;
        }
        done += (size_t)count;
    }
    return fd;
}

/*
 * Takes the place of iniparser's own function, which uses what calloc(3) returned without a look
 * at it: the library finds this one first.
 */
dictionary *dictionary_new(size_t size)
{
    dictionary *made = alloc_zeroed(1, sizeof(*made));
    size_t room = size < DICTIONARY_SMALLEST ? DICTIONARY_SMALLEST : size;

    made->size = (ssize_t)room;
    made->val = alloc_zeroed(room, sizeof(*made->val));
    made->key = alloc_zeroed(room, sizeof(*made->key));
    made->hash = alloc_zeroed(room, sizeof(*made->hash));
    return made;
}

static dictionary *load_once(const char *path, int fd, UT_array *errors)
{
    char name[32];

    reported = errors;
    reported_path = path;
    iniparser_set_error_callback(report);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    errno = 0;
    dictionary *loaded = iniparser_load(name);
    if (errno == ENOMEM || (loaded == NULL && utarray_len(errors) == 0))
        diag_out_of_memory();
    iniparser_set_error_callback(NULL);
    reported = NULL;
    reported_path = NULL;
    return loaded;
}

static bool is_same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static bool is_same(const dictionary *one, const dictionary *other)
{
    if (one->n != other->n || one->size != other->size)
        return false;
    for (ssize_t i = 0; i < one->size; i++)
        if (!is_same_text(one->key[i], other->key[i]) || !is_same_text(one->val[i], other->val[i]))
            return false;
    return true;
}

/*
 * iniparser 4.1 loses settings when memory is short, and says nothing. malloc(3) does, by errno,
 * but the sscanf(3) of the next line may set that back. So the text is loaded twice: what the
 * first load has lost is there in the second, or the second has lost more.
 */
static dictionary *load(const char *path, int fd, UT_array *errors)
{
    dictionary *loaded = load_once(path, fd, errors);

    if (loaded == NULL)
        return NULL;
    dictionary *again = load_once(path, fd, errors);
    if (again == NULL || !is_same(loaded, again))
        diag_out_of_memory();
    iniparser_freedict(again);
    return loaded;
}

struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors)
{
    int fd = text_file(text, length);

    if (fd < 0) {
        if (errno == ENOMEM)
            diag_out_of_memory();
        alloc_append(errors, "%s: cannot be parsed: %s", path, strerror(errno));
        return NULL;
    }
    dictionary *loaded = load(path, fd, errors);
    close(fd);
    if (loaded == NULL)
        return NULL;
    struct ini *ini = alloc_zeroed(1, sizeof(*ini));
    ini->dictionary = loaded;
    return ini;
}

void ini_free(struct ini *ini)
{
    if (ini == NULL)
        return;
    iniparser_freedict(ini->dictionary);
    free(ini);
}

const char *ini_value(const struct ini *ini, const char *section, const char *key)
{
    char *name = alloc_format("%s:%s", section, key);
    const char *value = iniparser_getstring(ini->dictionary, name, NULL);

    free(name);
    return value;
}

bool ini_has_section(const struct ini *ini, const char *section)
{
    return iniparser_find_entry(ini->dictionary, section) != 0;
}

void ini_visit(const struct ini *ini,
               void (*visit)(void *context, const char *section, const char *key,
                             const char *value),
               void *context)
{
    const dictionary *entries = ini->dictionary;

    for (ssize_t i = 0; i < entries->size; i++) {
        const char *colon;

        if (entries->key[i] == NULL)
            continue;
        if (entries->val[i] == NULL || (colon = strchr(entries->key[i], ':')) == NULL) {
            visit(context, entries->key[i], NULL, NULL);
            continue;
        }
        char *section = alloc_span(entries->key[i], (size_t)(colon - entries->key[i]));
        visit(context, section, colon + 1, entries->val[i]);
        free(section);
    }
}
