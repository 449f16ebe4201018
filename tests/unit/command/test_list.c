/* SPDX-License-Identifier: MIT */
/* -l: what is listed, in which order, and the exit status. */
#include "command_line.h"

#define HOME "-               -               y         @/home\n"
#define ON "on              g               y         @/on\n"
#define OFF "off             -               n         @/off\n"

TEST(listing)
{
    static const struct command_line rows[] = {
        {"-l", 0, HOME ON OFF, ""},
        {"-l -R", 0, OFF ON HOME, ""},
        {"-l -E", 0, HOME ON, ""},
        {"-l -g g", 0, ON, ""},
        {"-l -i - -i off", 0, HOME OFF, ""},
        {"-l -c @/off", 0, OFF, ""},
        {"-l -i on -i x", 1, ON, "postkick: warning: no instance matches -i x\n"},
        {"-l -q -i on -i x", 1, ON, ""},
        {"-l -q -g x", 1, "", "postkick: fatal: No matching instances\n"},
        {"-l -j -i on", 0,
         "{\"name\": \"on\", \"group\": \"g\", \"enabled\": \"y\", \"config_directory\": \"@/on\", "
         "\"queue_directory\": \"@/on\", \"data_directory\": \"/var/lib/postfix\", \"running\": "
         "\"n\", \"reason\": \"\"}\n",
         ""},
    };

    check_commands(rows, COUNT(rows));
    check_full_output("-l");
}

TEST(damaged)
{
    static const struct command_line rows[] = {
        {"-l -i on", 1, "-               -               -         @/on\n",
         "postkick: warning: no instance matches -i on\n"
         "postkick: warning: @/on: open @/on/main.cf: No such file or directory\n"},
        {"-l -q -c @/on", 1, "-               -               -         @/on\n",
         "postkick: fatal: open @/on/main.cf: No such file or directory\n"},
    };

    assert_int_equal(unlink(fixture_path("on/main.cf")), 0);
    check_commands(rows, COUNT(rows));
}
