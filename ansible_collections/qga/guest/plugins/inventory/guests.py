# Apache License 2.0 (see LICENSE of qga)
"""The guests of hypervisors, as Ansible's hosts."""

from __future__ import annotations

DOCUMENTATION = """
name: guests
short_description: the guests of hypervisors, with what their agents know
description:
  - Asks all hypervisors, and the agents of all guests that run there, at the same time.
  - A guest whose agent does not answer is listed, and costs no more than I(timeout).
  - Guests of the same name on two hypervisors are called NAME.HOST.
author: the authors of qga (!UNKNOWN)
version_added: 0.1.0
requirements:
  - qga-cli
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: This plugin.
    required: true
    choices: [qga.guest.guests]
  hosts:
    description:
      - Hypervisors, as names from qga's configuration or as URIs.
      - Without them all hosts of the configuration; where it has none, C(connect) of it.
    type: list
    elements: str
    default: []
  guests:
    description: Globs of guests' names.
    type: list
    elements: str
    default: ['*']
  state:
    description: The state that guests must be in, in the words of C(qga list --state).
    default: running
  labels:
    description: KEY=GLOB, as for C(qga --label); a guest must have all of them.
    type: list
    elements: str
    default: []
  filters:
    description:
      - Jinja expressions over a guest's variables; a guest must fulfil all of them.
      - C(qga_os.id == 'debian'), C(qga_agent_version is version('7', '>=')).
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for each hypervisor, and then for each agent.
    type: float
    default: 3
"""

EXAMPLES = """
plugin: qga.guest.guests
hosts: [alpha, qemu+ssh://root@beta/system]
filters:
  - qga_os.id is defined
keyed_groups:
  - key: qga_os.id
    prefix: os
  - key: qga_host
    prefix: host
compose:
  address: qga_addresses | first
"""

import time
from collections import Counter

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.qga.guest.plugins.plugin_utils.release import lack

LACK = lack()
if not LACK:
    from ansible_collections.qga.guest.plugins.plugin_utils.hosts import uri_of
    from qga_cli import config
    from qga_cli.agent import Agent
    from qga_cli.commands.fs.list import COMMAND as FILESYSTEMS
    from qga_cli.commands.info import COMMAND as INFO
    from qga_cli.commands.info import enabled_commands
    from qga_cli.commands.net.interfaces import COMMAND as INTERFACES
    from qga_cli.commands.os.hostname import COMMAND as HOSTNAME
    from qga_cli.commands.os.info import COMMAND as OS_INFO
    from qga_cli.commands.os.timezone import COMMAND as TIMEZONE
    from qga_cli.errors import BadReply, NotAnswering, QgaError, Refused, TimedOut, Unreachable
    from qga_cli.guests.fleet import Fleet
    from qga_cli.guests.hosts import Hosts, guarding
    from qga_cli.guests.targets import Target
    from qga_cli.health.network import addresses
    from qga_cli.interrupt import Interrupt
    from qga_cli.transports import RUNNING

    _ASKED = {
        "qga_os": OS_INFO,
        "qga_hostname": HOSTNAME,
        "qga_interfaces": INTERFACES,
        "qga_timezone": TIMEZONE,
        "qga_filesystems": FILESYSTEMS,
    }
display = Display()


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Every guest is a host."""

    NAME = "qga.guest.guests"

    def verify_file(self, path):
        """Whether this may be ours: its name ends as the documents say."""
        return super().verify_file(path) and path.endswith(("qga.yml", "qga.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        if LACK:
            raise AnsibleError(LACK)
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        cached = self.get_option("cache") and cache
        try:
            found = self._cache[key] if cached else None
        except KeyError:
            found = None
        if found is None:
            try:
                found, lacking = self._survey()
            except QgaError as error:
                raise AnsibleParserError(error.said()) from None
            if self.get_option("cache") and lacking:
                hosts = ", ".join(sorted(lacking))
                display.warning(f"not kept in the cache, for it is not complete: {hosts}")
            elif self.get_option("cache"):
                self._cache[key] = found
        for name, variables in found:  # a guest's words, none of which may be taken for a template
            self._add(name, wrap_var(variables))

    def _add(self, name, variables):
        strict = self.get_option("strict")
        for expression in self.get_option("filters"):
            try:
                kept = self._compose(expression, variables)
            except Exception as error:
                if strict:
                    raise AnsibleParserError(f"{name}: {expression}: {error}") from None
                kept = False  # a guest that does not say it
            if not kept:
                return
        self.inventory.add_host(name)
        for variable, value in variables.items():
            self.inventory.set_variable(name, variable, value)
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(
            self.get_option("keyed_groups"), variables, name, strict=strict
        )

    def _survey(self):
        """Each guest's name here, and its variables; and the hosts that have not told all of it."""
        named = {word: uri_of(word) for word in self.get_option("hosts")}
        named = named or config.load().values("hosts") or {"": uri_of(None)}
        limit = self.get_option("timeout")
        guard = guarding(config.load([config.SYSTEM]))
        hosts = Hosts(
            None, labels=self.get_option("labels"), state=self.get_option("state"), guard=guard
        )
        try:
            stand_ins = [Target(uri, "", word or uri or "libvirt") for word, uri in named.items()]
            listed = Fleet(stand_ins, lambda _, one: self._list(hosts, one), Interrupt(),
                           parallel=len(stand_ins), limit=limit)  # fmt: skip
            targets, lacking, answers = [], set(), dict(listed.outcomes())
            for index, stand_in in enumerate(stand_ins):
                error = answers[index].error
                if error and not isinstance(error, QgaError):
                    raise error
                if error:
                    display.warning(f"{stand_in.label}: {error}")
                    lacking.add(stand_in.label)
                targets += answers[index].value or []
            if all(answer.error for answer in answers.values()):
                raise AnsibleParserError("no hypervisor could be asked")
            found, silent = self._ask(hosts, targets, limit)
            return found, lacking | silent
        finally:
            hosts.close()

    def _list(self, hosts, stand_in):
        """The guests of one hypervisor that are wanted."""
        from qga_cli.guests.selection import has_labels, matching

        host = hosts.host(stand_in.uri)
        known, found = host.guests(), {}
        for pattern in self.get_option("guests"):
            for guest in matching(known, pattern, self.get_option("state")):
                found[guest.name] = guest
        labels = self.get_option("labels")
        if labels:
            found = {
                name: guest
                for name, guest in found.items()
                if (facts := host.facts(name)) and has_labels(facts.labels, labels)
            }
        return [
            Target(stand_in.uri, name, stand_in.label, guest.state) for name, guest in found.items()
        ]

    def _ask(self, hosts, targets, limit):
        """As _survey, of guests.

        One that is silent may be so for weeks, and the others are told all the same. Where nobody
        on a host is heard, it is the host that was away, or too slow.
        """
        many = Counter(target.name for target in targets)
        told = [self._known(target) for target in targets]
        fleet = Fleet(
            targets,
            lambda index, target: self._probe(hosts, target, told[index], limit),
            Interrupt(),
            parallel=32,
            limit=limit,
        )
        silent, away = set(), set()
        for index, outcome in fleet.outcomes():
            told[index] = dict(told[index])  # a probe that was given up may still write to its own
            error, target = outcome.error, targets[index]
            if isinstance(error, QgaError):
                told[index]["qga_error"] = error.message
                if isinstance(error, (NotAnswering, TimedOut, Unreachable)):
                    of_a_guest = (target.uri or "").startswith(("unix:", "vsock:"))
                    lost = isinstance(error, Unreachable) and not of_a_guest
                    (away if lost else silent).add(target.label)
            elif error:
                raise error
        heard = {variables["qga_host"] for variables in told if variables["qga_answers"]}
        return [
            [target.name if many[target.name] == 1 else f"{target.name}.{target.label}", variables]
            for target, variables in zip(targets, told, strict=True)
        ], away | (silent - heard)

    def _known(self, target):
        variables = {
            "ansible_connection": "qga.guest.agent",
            "ansible_host": target.name,
            "qga_answers": False,
            "qga_host": target.label,
            "qga_state": target.state,
            "qga_addresses": [],
            "qga_labels": {},
        }
        return variables | ({"ansible_qga_uri": target.uri} if target.uri else {})

    def _probe(self, hosts, target, told, limit):
        """Fill in what the host knows, and what the agent says."""
        facts = hosts.host(target.uri).facts(target.name)
        if facts:
            told["qga_labels"] = {key: list(values) for key, values in facts.labels.items()}
        if target.state not in RUNNING:
            return
        agent = Agent(hosts.transport(target), target.name)
        agent.deadline = time.monotonic() + limit
        try:
            info = agent.call(INFO).value
            told["qga_answers"] = True
            told["qga_agent_version"] = info["version"]
            enabled = enabled_commands(info)
            for variable, command in _ASKED.items():
                if command.wire in enabled:
                    try:
                        told[variable] = agent.call(command).value
                    except (Refused, BadReply):
                        continue  # frozen, or nonsense: the others may be answered
            macs = facts.macs if facts else ()
            if told.get("qga_os", {}).get("id") == "mswindows":
                told["ansible_shell_type"] = "powershell"
            told["qga_addresses"] = addresses(told.get("qga_interfaces", []), macs)
            told["qga_hostname"] = (told.get("qga_hostname") or {}).get("host-name", "")
        finally:
            agent.transport.close()
