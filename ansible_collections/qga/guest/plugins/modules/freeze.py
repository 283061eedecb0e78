# Apache License 2.0 (see LICENSE of qga)
"""What `freeze` takes; the action plugin of this name does it."""

from __future__ import annotations

DOCUMENTATION = """
module: freeze
short_description: freeze a guest's filesystems around a block of tasks
description:
  - C(frozen) before the tasks, C(thawed) in C(always).
  - The guest is thawed too when Ansible dies, and when I(max) has passed.
  - C(thawed) fails when the guest was thawed before, so that what was made meanwhile is not
    consistent.
  - While a guest is frozen its agent runs no tasks; delegate them to the hypervisor.
  - It is skipped in check mode.
author: the authors of qga (!UNKNOWN)
version_added: 0.1.0
options:
  state:
    description: What the guest shall be.
    choices: [frozen, thawed]
    required: true
    type: str
  max:
    description: Longest time to stay frozen, the freezing included.
    default: 30s
    type: str
  mountpoints:
    description: Freeze these filesystems only.
    type: list
    elements: str
    default: []
"""

EXAMPLES = """
- block:
    - qga.guest.freeze: {state: frozen, max: 20s}
    - ansible.builtin.command: lvcreate -s -n snap -L 5G /dev/vg/{{ inventory_hostname }}
      delegate_to: "{{ qga_host }}"
  always:
    - qga.guest.freeze: {state: thawed}
"""

RETURN = ""
