# SPDX-License-Identifier: MIT
# Tests on a whole host, in a mount namespace: load it with "load on_host". make_host, which the
# file of tests defines, makes the instances; a setup of its own calls host_need.

load ../lib/common
load real

setup_file()
{
    host_can || return 0
    host_open
    [ -z "${HOST:-}" ] || make_host
}

teardown_file()
{
    host_close
}

setup()
{
    host_need
}
