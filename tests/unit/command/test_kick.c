/* SPDX-License-Identifier: MIT */
/* What is sent for the operands, what is refused, and -s. How it is sent and reported is tested
 * with send. */
#include "command_line.h"

#define IGNORED "public/qmgr: request \"x\": \"x\" is ignored: the service acts on ADFIW\n"

TEST(operands)
{
    static const struct command_line rows[] = {
        {"-n -i on public qmgr W", 1, "@/on: fail: \"W\" to @/on/public/qmgr: not running\n", ""},
        {"-n -i on flush", 1,
         "@/on: fail: \"FADI\" to @/on/public/qmgr: not running\n"
         "@/on: fail: \"W\" to @/on/public/pickup: not running\n",
         ""},
        {"Public qmgr W", 1, "",
         "postkick: fatal: invalid class name: \"Public\": specify public or private\n"},
        {"flush -g group", 1, "",
         "postkick: fatal: flush is an action: it accepts no operands, and options go before it\n"},
        {"public a/b W", 1, "",
         "postkick: fatal: invalid service name: \"a/b\": specify one path component\n"},
        {"public '' W", 1, "",
         "postkick: fatal: invalid service name: \"\": specify one path component\n"},
        {"stop", 1, "",
         "postkick: fatal: unknown action: stop: specify class, service and request, or one of "
         "flush, incoming, deferred, pickup; a postfix(1) command needs -p\n"},
        {"-n -i on public qmgr x", 1, "@/on: fail: \"x\" to @/on/public/qmgr: not running\n",
         "postkick: warning: " IGNORED},
        {"-n -q -i on public qmgr x", 1, "@/on: fail: \"x\" to @/on/public/qmgr: not running\n",
         ""},
    };

    check_commands(rows, COUNT(rows));
}

TEST(nothing_chosen)
{
#define NONE "postkick: fatal: No matching instances"
    static const struct command_line rows[] = {
        {"-g g -i off flush", 1, "", NONE "\n"},
        {"-i x flush", 1, "", "postkick: warning: no instance matches -i x\n" NONE "\n"},
        {"-i postfix flush", 1, "",
         "postkick: warning: no instance matches -i postfix (the default instance is -i -)\n" NONE
         "\n"},
        {"-n -i off flush", 1, "", NONE ": off is not enabled: use -a or -c\n"},
        {"-j -i off flush", 1, "", NONE ": off is not enabled: use -a or -c\n"},
    };

    check_commands(rows, COUNT(rows));
}

/* A request that its service ignores is refused before anything is touched. */
TEST(strict)
{
    static const struct command_line rows[] = {
        {"-n -q public qmgr x", 1, "", "postkick: fatal: " IGNORED},
        {"-n -i on public qmgr W", 1, "@/on: fail: \"W\" to @/on/public/qmgr: not running\n", ""},
    };

    command_line_settings = "[kick]\nstrict = yes\n";
    check_commands(rows, COUNT(rows));
}

/* An empty request to the queue manager, within the limit of the settings; instances that are not
 * enabled are asked too, and do not count. */
TEST(status)
{
    static const struct command_line rows[] = {
        {"-s -q -i on", 1, "on  g  not running  -  @/on\n", ""},
        {"-s -i on", 1, "on  g  not running  -  @/on\n",
         "postkick: warning: @/on: public/other: not running\n"},
        {"-s -i off", 0, "off  -  not enabled  -  @/off\n", ""},
    };
    char bytes[8];
    int silent = fixture_socket("on/public/other", SOCK_STREAM, 5);

    add_main_cf("on", "queue_service_name = other\ntrigger_timeout = 50\n");
    command_line_settings = "[status]\nlimit = 1s\n";
    check_commands(rows, 1);
    int client = accept4(silent, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(client, bytes, sizeof(bytes), 0), 1);
    assert_int_equal(bytes[0], '\0');
    assert_int_equal(unlink(fixture_path("on/public/other")), 0);
    check_commands(rows, COUNT(rows));
    close(client);
    close(silent);
}
