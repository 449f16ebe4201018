/* SPDX-License-Identifier: MIT */
/*
 * command/send: the common part of commands that send requests. Internal to the commands.
 */
#ifndef COMMAND_SEND_H
#define COMMAND_SEND_H

#include "command/command.h"
#include "postfix/kick.h"

/* Sends all requests at once, with a line of progress on a terminal, and waits for the outcomes.
 * Returns true; or false when nothing could be sent, and the reason was reported. */
bool command_send(const struct command *command, struct kicks *kicks);

/* Finds the reasons of failed kicks, with the help of the catalogue. */
void command_explain(const struct command *command, struct kicks *kicks,
                     struct master_locks *locks);

#endif
