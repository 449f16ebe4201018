/* SPDX-License-Identifier: MIT */
/*
 * command/send: the common part of commands that send requests. Internal to the commands.
 */
#ifndef COMMAND_SEND_H
#define COMMAND_SEND_H

#include "command/command.h"
#include "postfix/kick.h"

/*
 * Plans the kicks in the selection, which is marked, and sends the requests, with a line of
 * progress on a terminal; or checks what would be sent. Finds the reasons of failures, reports the
 * results as the options ask for, and empties *kicks. Returns the exit status.
 */
int command_send(const struct command *command, struct selection *selection, struct kicks *kicks);

#endif
