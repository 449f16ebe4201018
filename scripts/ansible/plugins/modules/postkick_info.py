#!/usr/bin/python
# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: postkick_info
short_description: List the Postfix instances of a host, whether each is well, and its queues
version_added: 1.0.0
author:
  - The postkick authors (@postkick)
description:
  - Lists the Postfix instances of the host and whether each is well, as C(postkick --status) does.
    Reads the queues, as C(postkick --queues) does.
  - An instance that is not well is a result, not a failure.
options:
  enabled:
    description: Only instances that are enabled.
    type: bool
    default: false
  status:
    description: Whether to check the instances, not only to list them.
    type: bool
    default: true
  queues:
    description: Whether to read the queues. Only root and the mail owner may do so.
    type: bool
    default: true
extends_documentation_fragment:
  - postkick.postfix.common
attributes:
  check_mode:
    description: Nothing is changed in any mode.
    support: full
seealso:
  - module: postkick.postfix.postkick
"""

EXAMPLES = r"""
- name: Look at the Postfix instances
  postkick.postfix.postkick_info:
  register: postfix

- name: Every enabled instance is well
  ansible.builtin.assert:
    that: postfix.ok

- name: Nowhere do more than 500 messages wait
  ansible.builtin.assert:
    that: item.queues.deferred.messages <= 500
  loop: "{{ postfix.instances }}"
"""

RETURN = r"""
instances:
  description: One result for each instance, as C(postkick --json) prints it.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name, or C(-).
      type: str
    group:
      description: The group, or C(-).
      type: str
    config_directory:
      description: The configuration directory of the instance.
      type: str
    enabled:
      description: C(y), C(n), or C(-) when it is not known.
      type: str
    running:
      description: C(y), C(n), or C(-) when it is not known.
      type: str
    responding:
      description: C(y), C(n), or C(-) when it is not known; not with C(status=false).
      type: str
    state:
      description: C(ok), C(full), C(stopped), C(no-pickup), C(not-responding), C(not-running) or
        C(unknown); not with C(status=false).
      type: str
    conflicts:
      description: Why postmulti(1) refuses every command because of this instance.
      type: list
      elements: str
    reason:
      description: The reason for a failure, or empty.
      type: str
    queues:
      description: For C(incoming), C(active), C(deferred), C(hold), C(maildrop) and C(corrupt) the
        number of C(messages), their size in C(bytes) and the arrival of the C(oldest), in seconds
        since 1970. This and the figures below are none when the queues could not be read, and are
        left out with C(queues=false).
      type: dict
    messages:
      description: The number of messages, without those in C(corrupt). C(bytes) and C(oldest)
        likewise.
      type: int
    free_bytes:
      description: The free space of the file system; C(total_bytes), C(free_inodes) and
        C(total_inodes) likewise.
      type: int
ok:
  description: Whether every enabled instance has the state C(ok) and none has a conflict.
  returned: when C(status=true)
  type: bool
version:
  description: The version of postkick.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.postkick.postfix.plugins.module_utils import program


QUEUE_MEMBERS = ("queues", "messages", "bytes", "oldest", "free_bytes", "total_bytes",
                 "free_inodes", "total_inodes")


def add_queues(module, rows, options):
    """Adds the members about its queues to each row."""
    found = dict((row["config_directory"], row)
                 for row in program.run(module, ["--queues"] + options)[0])
    for row in rows:
        queues = found.get(row["config_directory"], {})
        row.update((name, queues.get(name)) for name in QUEUE_MEMBERS)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            program.ARGUMENTS,
            enabled=dict(type="bool", default=False),
            status=dict(type="bool", default=True),
            queues=dict(type="bool", default=True),
        ),
        supports_check_mode=True,
        mutually_exclusive=program.EXCLUSIVE,
    )
    options = program.common_options(module.params)
    if module.params["enabled"]:
        options.append("--enabled")
    mode = "--status" if module.params["status"] else "--list"
    rows, is_well, _errors = program.run(module, [mode] + options)
    if module.params["queues"]:
        add_queues(module, rows, options)
    result = dict(instances=rows, version=program.version(module))
    if module.params["status"]:
        result["ok"] = is_well
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
