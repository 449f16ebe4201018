#!/bin/sh
# SPDX-License-Identifier: MIT
# The postfix package was installed or upgraded; see postkick.post-install.
postkick-settings --write >/dev/null
exit 0
