#include "base/ini.h"
#include "base/strings.h"
#include <errno.h>
#include <fcntl.h>
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
        strings_append(reported, "%s, line %d: %s", reported_path, line, what);
    else
        strings_append(reported, "%s: %s", reported_path, message);
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

/* The text as a file, for iniparser_load() takes names only. */
struct text_file {
    int fd;
    char name[32];
    bool is_named; /* in the file system, to be removed */
};

/* Opens a file that nobody else can change: in memory, or, where that cannot be named for want of
 * /proc, a temporary one. Returns 0 or an errno. */
static int open_text_file(struct text_file *file)
{
    static const char temporary[] = "/tmp/postkick.ini.XXXXXX";

    file->is_named = access("/proc/self/fd", X_OK) < 0;
    if (file->is_named) {
        memcpy(file->name, temporary, sizeof(temporary));
        file->fd = mkostemp(file->name, O_CLOEXEC);
    } else {
        file->fd = memfd_create("postkick.ini", MFD_CLOEXEC);
        (void)snprintf(file->name, sizeof(file->name), "/proc/self/fd/%d", file->fd);
    }
    return file->fd < 0 ? errno : 0;
}

static void close_text_file(struct text_file *file)
{
    if (file->is_named)
        (void)unlink(file->name);
    close(file->fd);
}

/* Returns 0 or an errno. */
static int make_text_file(struct text_file *file, const char *text, size_t length)
{
    int error = open_text_file(file);

    if (error != 0 ||
        (write_all(file->fd, text, length) && write_all(file->fd, end_text, sizeof(end_text) - 1)))
        return error;
    error = errno;
    close_text_file(file);
    return error;
}

static dictionary *load(const char *path, const char *name, UT_array *errors)
{
    reported = errors;
    reported_path = path;
    iniparser_set_error_callback(report);
    errno = 0;
    dictionary *loaded = iniparser_load(name);
    if (loaded != NULL && iniparser_find_entry(loaded, END_SECTION) == 0) {
        if (errno == ENOMEM)
            alloc_fail();
        strings_append(errors, "%s: cannot be read to its end", path);
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
    struct text_file file;
    int error = make_text_file(&file, text, length);

    if (error == ENOMEM)
        alloc_fail();
    if (error != 0) {
        strings_append(errors, "%s: cannot be parsed: %s", path, strerror(error));
        return NULL;
    }
    dictionary *loaded = load(path, file.name, errors);
    close_text_file(&file);
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
