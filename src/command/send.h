/* SPDX-License-Identifier: MIT */
/*
 * command_send: what the commands that send requests have in common. Internal to the commands.
 */
#ifndef COMMAND_SEND_H
#define COMMAND_SEND_H

#include "command/command.h"
#include "postfix/kick.h"

/* Sends all requests at once, with a line of progress on a terminal, and waits for what becomes of
 * them. Returns true, or false when that could not be done at all, which has been reported. */
bool command_send(const struct command *command, struct kicks *kicks);

/* Finds the reasons of the kicks that failed, with what the catalogue knows. */
void command_explain(const struct command *command, struct kicks *kicks,
                     struct master_locks *locks);

#endif
