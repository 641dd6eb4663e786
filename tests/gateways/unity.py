# SPDX-License-Identifier: GPL-2.0-or-later
"""What Cisco's gateways, and those that follow them, add to mode config (Unity)."""

import ipaddress

from . import constants as c


def networks(words):
    """Address, mask and six bytes of protocol and ports for each network."""
    entries = b''
    for text in words:
        network = ipaddress.ip_network(text)
        entries += network.network_address.packed + network.netmask.packed + bytes(6)
    return entries


def pairs(config, vendor_ids):
    """The attributes of this gateway; split networks only for who speaks Unity."""
    speaks = c.VID_UNITY in vendor_ids
    found = [
        (c.UNITY_BANNER, config.banner),
        (c.UNITY_DEF_DOMAIN, config.domain),
        (c.UNITY_SPLITDNS, config.split_domains),
        (c.UNITY_SPLIT_INCLUDE, networks(config.split_include) if speaks else b''),
        (c.UNITY_LOCAL_LAN, networks(config.local_lan) if speaks else b''),
        (c.UNITY_BACKUP_SERVERS, b' '.join(config.backup_servers)),
    ]
    found = [pair for pair in found if pair[1]]
    for kind, number in (
        (c.UNITY_SAVE_PASSWD, config.save_password),
        (c.UNITY_PFS, config.unity_pfs),
        (c.UNITY_NATT_PORT, config.natt_port),
    ):
        if number is not None:
            found.append((kind, int(number)))
    return found
