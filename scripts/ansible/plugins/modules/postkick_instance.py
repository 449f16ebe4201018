#!/usr/bin/python
# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: postkick_instance
short_description: Reload or restart the Postfix instances of a host
version_added: 1.0.0
author:
  - The postkick authors (@postkick)
description:
  - Reloads or restarts every enabled Postfix instance of the host, as C(postkick --postfix) does.
  - Instances are restarted one after the other, and the first one that does not respond again ends
    the restart, so that the others keep running.
options:
  state:
    description: Whether to reload or to restart the instances.
    type: str
    required: true
    choices: [reloaded, restarted]
extends_documentation_fragment:
  - postkick.postfix.common
attributes:
  check_mode:
    description: Nothing is run; obstacles are reported as a failure.
    support: full
seealso:
  - module: postkick.postfix.postkick
  - module: postkick.postfix.postkick_info
"""

EXAMPLES = r"""
- name: Read the changed configuration
  postkick.postfix.postkick_instance:
    state: reloaded

- name: Restart the outbound instances, one after the other
  postkick.postfix.postkick_instance:
    state: restarted
    group: [outbound]
    timeout: 10m
"""

RETURN = r"""
instances:
  description: One result for each instance, as C(postkick --postfix --json) prints it.
  returned: when postkick reported anything
  type: list
  elements: dict
  contains:
    config_directory:
      description: The configuration directory of the instance.
      type: str
    exit_status:
      description: Of postfix(1); -1 when it was not run.
      type: int
    stderr:
      description: The errors that postfix(1) reported.
      type: str
    status:
      description: C(ok), C(failed), C(disabled), C(duplicate), or in check mode C(planned).
      type: str
    reason:
      description: The reason for a failure, or empty.
      type: str
msg:
  description: How many instances were reloaded or restarted, and the reason for each that was not.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.postkick.postfix.plugins.module_utils import program

COMMANDS = {"reloaded": "reload", "restarted": "restart"}


def operands(module):
    """The command line. Options are over before the command."""
    words = ["--postfix"] + program.common_options(module.params)
    if module.check_mode:
        words.append("--dry-run")
    return words + [COMMANDS[module.params["state"]]]


def main():
    module = AnsibleModule(
        argument_spec=dict(
            program.ARGUMENTS,
            state=dict(type="str", required=True, choices=sorted(COMMANDS)),
        ),
        supports_check_mode=True,
        mutually_exclusive=program.EXCLUSIVE,
    )
    rows, is_well, _errors = program.run(module, operands(module))
    # A command that failed may have stopped an instance and not started it again.
    changed = [row for row in rows if row["status"] in ("ok", "planned") or
               (row["status"] == "failed" and row["exit_status"] != -1)]
    text, reasons = program.summary(
        rows, ("ok", "planned"),
        "instances " + ("would be " if module.check_mode else "") + module.params["state"],
        lambda row: row["config_directory"])
    program.report(module, rows, is_well, changed, text, reasons)


if __name__ == "__main__":
    main()
