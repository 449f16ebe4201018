#include "name.h"
#include <stddef.h>
#include <string.h>

static const char *program_name = "postkick";

void name_set(const char *argv0)
{
    if (argv0 == NULL || argv0[0] == '\0')
        return;
    const char *slash = strrchr(argv0, '/');
    program_name = slash != NULL && slash[1] != '\0' ? slash + 1 : argv0;
}

const char *name_get(void)
{
    return program_name;
}
