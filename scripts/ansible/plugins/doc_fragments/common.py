# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT
"""The options of all modules."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r"""
options:
  config_directory:
    description: Only the instance with this configuration directory, even if it is not enabled.
    type: str
  group:
    description: Only the members of one of these groups.
    type: list
    elements: str
    default: []
  instance:
    description:
      - Only these instances, by name, by name without C(postfix-), by configuration directory, or
        C(-) for the default one. Shell patterns are accepted.
    type: list
    elements: str
    default: []
  settings:
    description: Settings file to use instead of the installed postkick.ini.
    type: str
  timeout:
    description: Time limit for the whole run, in Postfix's form, such as C(90), C(90s) or C(2m).
    type: str
  executable:
    description:
      - The program, as an absolute pathname, or as a name that is looked up in C(/usr/local/sbin),
        C(/usr/sbin) and the path.
    type: str
    default: postkick
"""
