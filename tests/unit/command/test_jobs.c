/* SPDX-License-Identifier: MIT */
/* What -p and -x share: where programs are, the plan, the results. */
#include "command_line.h"

TEST(command_directory)
{
    static const struct {
        const char *setting, *errors;
    } cases[] = {
        {"bin", "postkick: fatal: command_directory is not an absolute path: bin\n"},
        {"@/nosuch", "postkick: fatal: command_directory @/nosuch: No such file or directory\n"},
        {"@/on/main.cf", "postkick: fatal: command_directory @/on/main.cf: Not a directory\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct command_line rows[] = {{"-q -x true", 1, "", cases[i].errors},
                                            {"-q -p status", 1, "", cases[i].errors}};
        char *setting = alloc_format("command_directory = %s\n", cases[i].setting);

        add_main_cf("home", setting);
        check_commands(rows, COUNT(rows));
        free(setting);
    }
}

TEST(results)
{
    static const struct command_line rows[] = {
        {"-n -x @/script", 0, "@/home: run @/script\n@/on: run @/script\n@/off: run @/script\n",
         ""},
        {"-i on -i off -x @/script", 1, "on\noff\n", "postkick: warning: @/off: exit status 3\n"},
        {"-i on -i off -q -P 2 -x @/script", 1, "on\noff\n", ""},
        {"-i on -i x -x @/script", 1, "on\n", "postkick: warning: no instance matches -i x\n"},
        {"-i on -q -P 2 -x head -c 1048577 /dev/zero", 1, "", ""},
        {"-i on -q -x head -c 1048577 /dev/zero", 0, "", ""},
    };

    (void)fixture_script("script",
                         "echo ${MAIL_CONFIG##*/}; [ ${MAIL_CONFIG##*/} != off ] || exit 3");
    check_commands(rows, COUNT(rows));
    check_full_output("-i on -P 2 -x @/script");
}
