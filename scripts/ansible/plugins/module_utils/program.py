# Copyright (c) 2026 The postkick authors
# SPDX-License-Identifier: MIT
"""Runs postkick(1) on the host and reads the lines of JSON that it prints."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import re

OLDEST = (1, 0, 0)

ARGUMENTS = dict(
    config_directory=dict(type="str"),
    group=dict(type="list", elements="str", default=[]),
    instance=dict(type="list", elements="str", default=[]),
    settings=dict(type="str"),
    timeout=dict(type="str"),
    executable=dict(type="str", default="postkick"),
)

EXCLUSIVE = [("config_directory", "group"), ("config_directory", "instance")]


def common_options(params):
    """The command line options for the parameters that all modules have."""
    options = []
    for name in ("config_directory", "settings", "timeout"):
        if params[name] is not None:
            options += ["--" + name.replace("_", "-"), params[name]]
    for name in ("group", "instance"):
        for value in params[name]:
            options += ["--" + name, value]
    return options


def run(module, operands, data=None):
    """Runs postkick --json with OPERANDS, and DATA as its standard input. Returns the rows of its
    output, whether all is well, and its standard error. If there are no rows, the module fails with
    the reason."""
    program = _find(module)
    command = [program, "--json"] + operands
    status, out, err = module.run_command(command, data=data)
    try:
        rows = [json.loads(line) for line in out.splitlines()]
    except ValueError:
        rows = []
    if not rows:
        module.fail_json(msg=_why_not(module, program, err), rc=status, stderr=err)
    return rows, status == 0, err


def report(module, rows, is_well, changed, text, errors=()):
    """Ends the module with those ROWS, and a message of TEXT and ERRORS."""
    result = dict(instances=rows, changed=bool(changed), msg="; ".join([text] + list(errors)))
    if is_well:
        module.exit_json(**result)
    module.fail_json(**result)


def summary(rows, good, what, name):
    """How many of the ROWS that count have a status of GOOD, with WHAT that is; and for each other
    one its NAME and the reason."""
    counted = [row for row in rows if row["status"] not in ("disabled", "duplicate")]
    bad = [row for row in counted if row["status"] not in good]
    return ("%d of %d %s" % (len(counted) - len(bad), len(counted), what),
            ["%s: %s" % (name(row), row["reason"]) for row in bad])


def _find(module):
    program = module.params["executable"]
    if os.path.isabs(program):
        if not os.access(program, os.X_OK):
            module.fail_json(msg="%s: no such program on this host" % program)
        return program
    path = module.get_bin_path(program, opt_dirs=["/usr/local/sbin", "/usr/sbin"])
    if path is None:
        module.fail_json(msg="%s is not installed on this host" % program)
    return path


def version(module, program=None):
    """The version of the program, as text; None when it is none that says one, as Postfix's own."""
    out = module.run_command([program or _find(module), "--version"])[1]
    match = re.match(r"postkick (\d+(?:\.\d+)*)", out)
    return match.group(1) if match else None


def _why_not(module, program, err):
    """Why a program printed no row: it is another program, is too old, or has reported an error."""
    found = version(module, program)
    if found is None:
        return "%s is not this postkick but another program, such as Postfix's own" % program
    if tuple(int(part) for part in found.split(".")) < OLDEST:
        return "%s is version %s; at least %s is needed" % (
            program, found, ".".join(str(part) for part in OLDEST))
    lines = [line for line in err.splitlines() if line.strip()]
    fatal = [line for line in lines if ": fatal: " in line]
    return (fatal or lines or ["%s printed nothing" % program])[0]
