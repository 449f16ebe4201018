/* SPDX-License-Identifier: MIT */
/* refuse ENOSYS|EPERM CALL... -- COMMAND...: the command, for which these system calls fail like
 * that, as on an older kernel, or under the filter of a container that does not know them. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The younger ones have the same number on all machines; headers may lack them. */
static const struct {
    const char *name;
    unsigned int number;
} calls[] = {
    {"clone3", 435},      {"close_range", 436},
    {"faccessat2", 439},  {"memfd_create", SYS_memfd_create},
    {"openat2", 437},     {"pidfd_open", 434},
    {"statx", SYS_statx},
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

int main(int argc, char **argv)
{
    struct sock_filter filter[2 * CALLS + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short length = 1;
    int argument = 2, error = argc > 1 && strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS;

    for (; argument < argc && strcmp(argv[argument], "--") != 0; argument++) {
        size_t i = 0;

        while (i < CALLS && strcmp(calls[i].name, argv[argument]) != 0)
            i++;
        if (i == CALLS || length > 2 * CALLS) {
            fprintf(stderr, "refuse: %s: not known\n", argv[argument]);
            return 126;
        }
        filter[length++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(
            BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned int)error & SECCOMP_RET_DATA));
    }
    if (argument + 1 >= argc) {
        fputs("usage: refuse ENOSYS|EPERM call... -- command...\n", stderr);
        return 126;
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("refuse: prctl");
        return 125;
    }
    execvp(argv[argument + 1], argv + argument + 1);
    perror(argv[argument + 1]);
    return 127;
}
