/* SPDX-License-Identifier: MIT */
/* -x: which program is run, with what in its environment. */
#include "command_line.h"

TEST(environment)
{
    static const struct command_line rows[] = {
        {"-x show", 0,
         "@/home @/home @/home /var/lib/postfix @/bin /d <> <> yes @/bin\n"
         "@/on @/on @/on /var/lib/postfix @/bin /d <on> <g> yes @/bin\n"
         "@/off @/off @/off /var/lib/postfix @/bin /d <off> <> no @/bin\n",
         ""},
    };

    add_main_cf("home", "daemon_directory = /d\n");
    add_main_cf("on", "daemon_directory = /own\ncommand_directory = /own\n");
    (void)fixture_script("bin/show", "echo $MAIL_CONFIG $config_directory $queue_directory "
                                     "$data_directory $command_directory $daemon_directory "
                                     "\"<$multi_instance_name>\" \"<$multi_instance_group>\" "
                                     "$multi_instance_enable ${PATH%%:*}");
    check_commands(rows, COUNT(rows));
}

TEST(program)
{
    static const struct command_line rows[] = {
        {"-x nosuch", 1, "", "postkick: fatal: nosuch: command not found\n"},
        {"-x ''", 1, "", "postkick: fatal: \"\": command not found\n"},
        {"-x @/nosuch", 1, "", "postkick: fatal: @/nosuch: command not found\n"},
        {"-x text", 1, "", "postkick: fatal: text: Permission denied\n"},
        {"-x @/bin", 1, "", "postkick: fatal: @/bin: Permission denied\n"},
        {"-x here", 1, "", "postkick: fatal: here: command not found\n"},
        {"-i on -x ./here", 0, "here\n", ""},
        {"-i on -x there a '' b", 0, "there a  b\n", ""},
    };

    (void)fixture_file("bin/text", "");
    (void)fixture_script("here", "echo here");
    (void)fixture_script("bin/there", "echo there \"$@\"");
    assert_int_equal(chdir(fixture_root), 0);
    assert_int_equal(setenv("PATH", ".::/nosuch:/usr/bin", 1), 0);
    check_commands(rows, COUNT(rows));
    assert_int_equal(chdir("/"), 0);
}
