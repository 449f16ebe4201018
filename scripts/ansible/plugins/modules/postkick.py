#!/usr/bin/python
# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: postkick
short_description: Kick a service in all Postfix instances of a host
version_added: 1.0.0
author:
  - The postkick authors (@postkick)
description:
  - Sends a request to a service in every enabled Postfix instance of the host at once, as
    postkick(1) does, and fails unless every service has read it.
  - Specify either C(action), or C(class), C(service) and C(request).
options:
  action:
    description: An action of postkick.ini, such as C(flush), C(incoming), C(deferred) or C(pickup).
    type: str
  class:
    description: The class of the service.
    type: str
    choices: [public, private]
  service:
    description: The name of the service in master.cf.
    type: str
  request:
    description: The request; may be empty.
    type: str
  all:
    description: Also kick instances that are not enabled.
    type: bool
    default: false
  wait:
    description: Wait until the service has finished, not only until it has read the request.
    type: bool
    default: false
extends_documentation_fragment:
  - postkick.postfix.common
attributes:
  check_mode:
    description: Nothing is sent; obstacles are reported as a failure.
    support: full
seealso:
  - module: postkick.postfix.postkick_instance
  - module: postkick.postfix.postkick_info
"""

EXAMPLES = r"""
- name: Deliver everything now
  postkick.postfix.postkick:
    action: flush
    timeout: 30s

- name: Scan the deferred queue of the outbound instances
  postkick.postfix.postkick:
    class: public
    service: qmgr
    request: D
    group: [outbound]
"""

RETURN = r"""
instances:
  description: One result for each instance and endpoint, as C(postkick --json) prints it.
  returned: when postkick reported anything
  type: list
  elements: dict
  contains:
    config_directory:
      description: The configuration directory of the instance.
      type: str
    endpoint:
      description: The socket or FIFO.
      type: str
    status:
      description:
        - C(kicked), C(unconfirmed), C(unfinished), C(failed), C(disabled), C(duplicate), or in check
          mode C(planned).
      type: str
    reason:
      description: The reason for a failure, or empty.
      type: str
    seconds:
      description: The time it took.
      type: float
msg:
  description: How many requests were read, and the reason for each that was not.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.postkick.postfix.plugins.module_utils import program

# With these, something has arrived at a service, read or not; or would be sent.
SENT = ("kicked", "unconfirmed", "unfinished", "planned")


def operands(module):
    """The command line: options first, and no operand is mistaken for one."""
    params = module.params
    words = program.common_options(params)
    for name in ("all", "wait"):
        if params[name]:
            words.append("--" + name)
    if module.check_mode:
        words.append("--dry-run")
    words.append("--")
    if params["action"] is not None:
        return words + [params["action"]]
    return words + [params["class"], params["service"], params["request"]]


def main():
    module = AnsibleModule(
        argument_spec=dict(
            program.ARGUMENTS,
            action=dict(type="str"),
            service=dict(type="str"),
            request=dict(type="str"),
            all=dict(type="bool", default=False),
            wait=dict(type="bool", default=False),
            **{"class": dict(type="str", choices=["public", "private"])}
        ),
        supports_check_mode=True,
        mutually_exclusive=program.EXCLUSIVE + [("action", "class"), ("action", "service"),
                                                ("action", "request")],
        required_one_of=[("action", "class")],
        required_together=[("class", "service", "request")],
    )
    rows, is_well, _errors = program.run(module, operands(module))
    text, reasons = program.summary(
        rows, ("kicked", "planned"), "requests " + ("would be sent" if module.check_mode else "read"),
        lambda row: "%s: %s/%s" % (row["config_directory"], row["class"], row["service"]))
    program.report(module, rows, is_well, any(row["status"] in SENT for row in rows), text, reasons)


if __name__ == "__main__":
    main()
