# SPDX-License-Identifier: MIT
# Tests with real instances in a scratch directory: load it with "load on_scratch". make_instances,
# which the file of tests defines, makes them; a setup of its own calls real_need.

load ../lib/common
load real

setup_file()
{
    real_can || return 0
    real_open
    make_instances
}

teardown_file()
{
    real_close
}

setup()
{
    real_need
}
