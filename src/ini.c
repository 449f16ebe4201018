#include "ini.h"
#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    int line, error = errno;

    if (error == ENOMEM)
        alloc_fail(); /* the C library had none to open the file */
    va_start(arguments, format);
    char *message = alloc_vformat(format, arguments);
    va_end(arguments);
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

/* Comes after the text: iniparser takes a failed read for the end of the file. The empty line ends
 * a last line that would be continued, and iniparser skips a last line of one character without a
 * newline, whatever it is. */
#define END_SECTION "end of postkick.ini"
static const char end_text[] = "\n\n[" END_SECTION "]\n";

static bool write_all(int fd, const char *text, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t count = write(fd, text + done, length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

/* The text as a file that nobody else can change, for iniparser_load() takes names only. */
static int text_file(const char *text, size_t length)
{
    int fd = memfd_create("postkick.ini", MFD_CLOEXEC);

    if (fd < 0 || (write_all(fd, text, length) && write_all(fd, end_text, sizeof(end_text) - 1)))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static dictionary *load(const char *path, int fd, UT_array *errors)
{
    char name[32];

    reported = errors;
    reported_path = path;
    iniparser_set_error_callback(report);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    errno = 0;
    dictionary *loaded = iniparser_load(name);
    if (loaded != NULL && iniparser_find_entry(loaded, END_SECTION) == 0) {
        if (errno == ENOMEM)
            alloc_fail();
        alloc_append(errors, "%s: cannot be read to its end", path);
        iniparser_freedict(loaded);
        loaded = NULL;
    }
    if (loaded != NULL)
        iniparser_unset(loaded, END_SECTION);
    iniparser_set_error_callback(NULL);
    reported = NULL;
    reported_path = NULL;
    return loaded;
}

struct ini *ini_parse(const char *path, const char *text, size_t length, UT_array *errors)
{
    int fd = text_file(text, length);

    if (fd < 0) {
        if (errno == ENOMEM)
            alloc_fail();
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
