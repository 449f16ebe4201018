/* SPDX-License-Identifier: MIT */
/* The table of files by device and inode. */
#include "base/inodes.h"
#include "fixture.h"

static void test_inodes(void **state)
{
    struct inodes *inodes = inodes_new();
    int first, second;

    (void)state;
    assert_null(inodes_find(inodes, 1, 2));
    inodes_set(inodes, 1, 2, &first);
    inodes_set(inodes, 2, 1, &second);
    assert_ptr_equal(inodes_find(inodes, 1, 2), &first);
    assert_ptr_equal(inodes_find(inodes, 2, 1), &second);
    assert_null(inodes_find(inodes, 1, 1));
    assert_null(inodes_find(inodes, 2, 2));
    inodes_set(inodes, 1, 2, &second);
    assert_ptr_equal(inodes_find(inodes, 1, 2), &second);
    inodes_free(inodes);
    inodes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_inodes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
