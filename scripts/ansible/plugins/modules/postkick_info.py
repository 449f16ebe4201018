#!/usr/bin/python
# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: postkick_info
short_description: List the Postfix instances of a host, and whether each is alive
version_added: 1.0.0
author:
  - The postkick authors (@postkick)
description:
  - Lists the Postfix instances of the host, and asks the queue manager of each one that is enabled
    for an answer, as C(postkick --status) does.
  - An instance that does not answer is a result, not a failure.
options:
  enabled:
    description: Only instances that are enabled.
    type: bool
    default: false
  status:
    description: Whether to ask the queue managers; otherwise the instances are only listed.
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

- name: Every enabled instance answers
  ansible.builtin.assert:
    that: postfix.responding
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
      description: Which instance.
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
    reason:
      description: What is wrong; empty when nothing is.
      type: str
responding:
  description: Whether every enabled instance answers.
  returned: when C(status=true)
  type: bool
version:
  description: The version of postkick.
  returned: success
  type: str
ansible_facts:
  description: The same results, as facts.
  returned: success
  type: dict
  contains:
    postkick:
      description: C(instances), C(responding) and C(version).
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.postkick.postfix.plugins.module_utils import program


def main():
    module = AnsibleModule(
        argument_spec=dict(
            program.ARGUMENTS,
            enabled=dict(type="bool", default=False),
            status=dict(type="bool", default=True),
        ),
        supports_check_mode=True,
        mutually_exclusive=program.EXCLUSIVE,
    )
    words = ["--status" if module.params["status"] else "--list"]
    words += program.common_options(module.params)
    if module.params["enabled"]:
        words.append("--enabled")
    rows, is_well, _errors = program.run(module, words)
    facts = dict(instances=rows, version=program.version(module))
    if module.params["status"]:
        facts["responding"] = is_well
    module.exit_json(changed=False, ansible_facts=dict(postkick=facts), **facts)


if __name__ == "__main__":
    main()
