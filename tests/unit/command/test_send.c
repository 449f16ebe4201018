/* SPDX-License-Identifier: MIT */
/* Requests that are sent: when that counts as success, and what the options change. */
#include "command_line.h"

static pid_t readers[2];

/* home and on have a queue manager that reads. */
static void start_readers(void)
{
    int home = fixture_socket("home/public/qmgr", SOCK_STREAM, 5);
    int on = fixture_socket("on/public/qmgr", SOCK_STREAM, 5);

    readers[0] = fixture_reader(home, -1);
    readers[1] = fixture_reader(on, -1);
    close(home);
    close(on);
}

static void stop_readers(void)
{
    fixture_kill(readers[0]);
    fixture_kill(readers[1]);
}

TEST(success)
{
    static const struct command_line rows[] = {
        {"public qmgr W", 0, "", ""},
        {"-w public qmgr W", 0, "", ""},
        {"-i on -i x public qmgr W", 1, "", "postkick: warning: no instance matches -i x\n"},
        {"-a -q public qmgr W", 1, "", ""},
        {"-a public qmgr W", 1, "", "postkick: warning: @/off: public/qmgr: not running\n"},
        {"-c @/on public x W", 1, "",
         "postkick: warning: unable to look up public/x: No such file or directory\n"
         "postkick: warning: Cannot contact class public service x - perhaps the mail system is "
         "down\n"
         "postkick: warning: public/x: not running\n"},
        {"-c @/on pickup", 1, "", "postkick: warning: public/pickup: not running\n"},
        {"-q -c @/on pickup", 1, "", ""},
        {"-n -c @/on pickup", 1, "@/on: fail: \"W\" to @/on/public/pickup: not running\n", ""},
    };

    start_readers();
    check_commands(rows, COUNT(rows));
    check_full_output("-j public qmgr W");
    stop_readers();
}

/* What is wrong with the only instance is reported once, and even with -q. */
TEST(damaged)
{
    static const struct command_line rows[] = {
        {"-c @/on flush", 1, "", "postkick: fatal: invalid trigger_timeout: 0 (min 1)\n"},
        {"-q -c @/on flush", 1, "", "postkick: fatal: invalid trigger_timeout: 0 (min 1)\n"},
        {"-n -c @/on pickup", 1, "@/on: fail: invalid trigger_timeout: 0 (min 1)\n", ""},
        {"-i on flush", 1, "", "postkick: warning: @/on: invalid trigger_timeout: 0 (min 1)\n"},
    };

    add_main_cf("on", "trigger_timeout = 0\n");
    check_commands(rows, COUNT(rows));
}

/* With one connection, one service after the other: the time of the run is over at the first. */
TEST(connections)
{
    static const struct command_line rows[] = {
        {"-t 1 public qmgr W", 1, "",
         "postkick: warning: @/home: public/qmgr: request not read within 1s\n"
         "postkick: warning: @/on: public/qmgr: not started: time limit reached\n"},
    };
    int home = fixture_socket("home/public/qmgr", SOCK_STREAM, 5);
    int on = fixture_socket("on/public/qmgr", SOCK_STREAM, 5);

    command_line_settings = "[kick]\nconnections = 1\n";
    check_commands(rows, COUNT(rows));
    close(home);
    close(on);
}

/* Read, and the connection stays open: without -w that is success. */
TEST(wait)
{
    static const struct command_line rows[] = {
        {"-i on -w -t 1 public qmgr W", 1, "",
         "postkick: warning: @/on: public/qmgr: request read, service not finished within 1s\n"},
        {"-i on -t 1 public qmgr W", 0, "", ""},
    };
    int listening = fixture_socket("on/public/qmgr", SOCK_STREAM, 5);
    char bytes[8];
    pid_t child = fork();

    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (child == 0) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        (void)!read(fd, bytes, sizeof(bytes));
    }
    check_commands(rows, COUNT(rows));
    fixture_kill(child);
    close(listening);
}

/* An instance of which only postconf(1) knows a value is sent the request too. */
TEST(unresolved)
{
    static const struct command_line rows[] = {
        {"public qmgr W", 0, "", ""},
        {"-n -i on public qmgr W", 1, "@/on: fail: \"W\" to @/on/public/qmgr: not running\n", ""},
    };
    static const struct command_line unread[] = {
        {"public qmgr W", 1, "",
         "postkick: warning: @/home: public/qmgr: not running\n"
         "postkick: warning: @/on: public/qmgr: not running\n"},
    };
    static const struct command_line unanswered[] = {
        {"public qmgr W", 1, "",
         "postkick: warning: @/on: run @/bin/postconf: No such file or directory\n"},
    };

    add_main_cf("on", "trigger_timeout = ${mail_owner?5}\n");
    start_readers();
    check_commands(unanswered, 1);
    (void)fixture_script("bin/postconf", "echo mail_owner = postfix");
    check_commands(rows, COUNT(rows));
    stop_readers();
    check_commands(unread, 1);
}
