/* SPDX-License-Identifier: MIT */
/* A scratch directory for a fuzzer, in memory, gone when it ends. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char scratch[] = "/dev/shm/postkick-fuzz.XXXXXX";

static int scratch_remove_one(const char *path, const struct stat *status, int type,
                              struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void scratch_remove(void)
{
    (void)nftw(scratch, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_make(void)
{
    assert(mkdtemp(scratch) != NULL);
    assert(atexit(scratch_remove) == 0);
}

#endif
