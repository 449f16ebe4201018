/* SPDX-License-Identifier: MIT */
/* -p: which command each instance gets, in which order. */
#include "command_line.h"

/* A postfix(1) that says what it is to do, and where. */
static void make_postfix(void)
{
    (void)fixture_script("bin/postfix", "echo \"${MAIL_CONFIG##*/}\" \"$@\"");
}

TEST(commands)
{
    static const struct command_line rows[] = {
        {"-p start x", 0, "home -- start x\non -- start x\noff -- check x\n", ""},
        {"-p stop", 0, "on -- stop\nhome -- stop\n", ""},
        {"-p reload", 0, "home -- reload\non -- reload\n", ""},
        {"-p status", 0, "home -- status\non -- status\noff -- status\n", ""},
        {"-c @/off -p start", 0, "off -- start\n", ""},
        {"-i off -p start", 0, "off -- check\n",
         "postkick: warning: @/off: not enabled: check is run instead of start (-c @/off "
         "overrides)\n"},
        {"-q -i off -p start", 0, "off -- check\n", ""},
        {"-i off -p stop", 1, "",
         "postkick: fatal: No matching instances: off is not enabled: use -c\n"},
        {"-n -i - -p stop", 0, "@/home: run @/bin/postfix -- stop\n", ""},
    };

    make_postfix();
    check_commands(rows, COUNT(rows));
}

/* Those that stop do so in reverse order. */
TEST(reverse)
{
    static const struct command_line rows[] = {
        {"-p stop", 0, "off -- stop\non -- stop\nhome -- stop\n", ""},
    };

    make_postfix();
    add_main_cf("off", "multi_instance_enable = yes\n");
    check_commands(rows, COUNT(rows));
}

/* Whether a command starts instances has to be known. */
TEST(lists)
{
    static const struct command_line rows[] = {
        {"-p go", 0, "home -- go\non -- go\noff -- check\n", ""},
        {"-p start", 0, "home -- start\non -- start\noff -- start\n", ""},
    };
    static const struct command_line damaged[] = {
        {"-q -p status", 1, "",
         "postkick: warning: truncated macro reference: \"${\"\n"
         "postkick: fatal: dictionary mail_dict: macro processing error\n"},
        {"-c @/on -p start", 0, "on -- start\n", ""},
    };

    make_postfix();
    add_main_cf("home", "postmulti_start_commands = go\n");
    check_commands(rows, COUNT(rows));
    add_main_cf("home", "postmulti_stop_commands = ${\n");
    check_commands(damaged, COUNT(damaged));
}

TEST(no_program)
{
    static const struct command_line rows[] = {
        {"-p status", 1, "", "postkick: fatal: @/bin/postfix: No such file or directory\n"},
    };

    check_commands(rows, COUNT(rows));
}
