#!/usr/bin/python
# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: postkick_messages
short_description: Act on messages in all Postfix instances of a host
version_added: 1.0.0
author:
  - The postkick authors (@postkick)
description:
  - Holds, releases, requeues, deletes or expires messages in all Postfix instances of the host, as
    C(postkick -M) does, and sends the request that they then need.
  - Specify C(ids), C(all) or at least one filter. A message has to meet every filter.
options:
  verb:
    description: The act.
    type: str
    required: true
    choices: [hold, release, requeue, delete, expire]
  ids:
    description:
      - Queue IDs, or instance/queue-ID. An ID without instance has to be in exactly one instance.
    type: list
    elements: str
  all:
    description: All messages. Those on hold are not requeued.
    type: bool
    default: false
  sender:
    description: A pattern for the sender; C(<>) is the empty one.
    type: str
  recipient:
    description: A pattern for at least one recipient.
    type: str
  reason:
    description: A pattern for at least one delay reason.
    type: str
  queue:
    description: The queue that the messages are in.
    type: str
    choices: [maildrop, incoming, active, deferred, hold]
  older:
    description: How long ago the messages arrived, such as C(2h) or C(1d).
    type: str
  larger:
    description: Messages larger than that, such as C(500K) or C(10M).
    type: str
  now:
    description: After C(release) and C(expire), retry all deferred mail whatever its retry time.
    type: bool
    default: false
extends_documentation_fragment:
  - postkick.postfix.common
attributes:
  check_mode:
    description: The messages are counted, and nothing is changed.
    support: full
seealso:
  - module: postkick.postfix.postkick
  - module: postkick.postfix.postkick_info
"""

EXAMPLES = r"""
- name: Delete the mail of one sender
  postkick.postfix.postkick_messages:
    verb: delete
    sender: "*@spam.example"

- name: Requeue all mail of the outbound instances
  postkick.postfix.postkick_messages:
    verb: requeue
    all: true
    group: [outbound]
"""

RETURN = r"""
instances:
  description: One result for each instance, as C(postkick -M --json) prints it.
  returned: when postkick reported anything
  type: list
  elements: dict
  contains:
    config_directory:
      description: The configuration directory of the instance.
      type: str
    requested:
      description: The number of messages found to act on.
      type: int
    done:
      description: The number that postsuper(1) reports as done.
      type: int
    gone:
      description: The number that had left the queue by then, or were already in the desired state.
      type: int
    kicked:
      description: The status of the request that followed; C(-) if none was needed.
      type: str
    status:
      description: C(ok), C(failed), C(disabled), C(duplicate), or in check mode C(planned).
      type: str
    reason:
      description: The reason for a failure, or empty.
      type: str
msg:
  description: The number of messages acted on, and the reason for each failure.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.postkick.postfix.plugins.module_utils import program

FILTERS = ("sender", "recipient", "reason", "queue", "older", "larger")


def operands(module):
    """The command line, with the queue IDs on standard input: there may be many."""
    params = module.params
    words = ["--messages"] + program.common_options(params)
    for name in FILTERS:
        if params[name] is not None:
            words += ["--" + name, params[name]]
    if params["now"]:
        words.append("--now")
    if params["verb"] == "delete":
        words.append("--yes")
    if module.check_mode:
        words.append("--dry-run")
    words.append(params["verb"])
    if params["ids"] is not None:
        return words + ["-"], "\n".join(params["ids"]) + "\n"
    return words + (["ALL"] if params["all"] else []), None


def main():
    module = AnsibleModule(
        argument_spec=dict(
            program.ARGUMENTS,
            verb=dict(type="str", required=True,
                      choices=["hold", "release", "requeue", "delete", "expire"]),
            ids=dict(type="list", elements="str"),
            all=dict(type="bool", default=False),
            sender=dict(type="str"),
            recipient=dict(type="str"),
            reason=dict(type="str"),
            queue=dict(type="str", choices=["maildrop", "incoming", "active", "deferred", "hold"]),
            older=dict(type="str"),
            larger=dict(type="str"),
            now=dict(type="bool", default=False),
        ),
        supports_check_mode=True,
        mutually_exclusive=program.EXCLUSIVE + [("ids", "all")],
    )
    words, data = operands(module)
    rows, is_well, errors = program.run(module, words, data)
    count = sum(row["requested" if module.check_mode else "done"] for row in rows)
    # instances that failed, and messages that are not there
    program.report(module, rows, is_well, count > 0, "%s: %d messages" % (module.params["verb"], count),
                   [line for line in errors.splitlines() if line.strip()])


if __name__ == "__main__":
    main()
