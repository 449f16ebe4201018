# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT
"""What both modules take."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r"""
options:
  config_directory:
    description: This instance only, even if it is not enabled.
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
    description: Bound on the whole run, a time as in Postfix such as C(90), C(90s) or C(2m).
    type: str
  executable:
    description: The program, by absolute name or as found in the path, C(/usr/local/sbin) first.
    type: str
    default: postkick
"""
